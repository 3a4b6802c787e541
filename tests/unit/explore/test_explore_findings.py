"""Faults that were put into data are found, and clean data is left alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from planted import clean, faulty
from sklearn.datasets import load_digits

from afield.explore.exploring import explore
from afield.explore.findings.labels import suspects
from afield.report.model.exploration import Exploration, Finding

SEEDS = [0, 1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 20))]


def by_kind(found: Exploration) -> dict[str, Finding]:
    return {finding.kind: finding for finding in found.findings}


@pytest.mark.parametrize("seed", SEEDS)
def test_planted_faults_are_found(tmp_path: Path, seed: int) -> None:
    planted = faulty(tmp_path, seed)
    found = by_kind(explore(planted.path, "stays", seed=seed).document)
    assert {"leakage", "duplicates", "labels", "repeated header", "personal data"} <= set(found)
    assert found["leakage"].columns == ["refund"]
    assert [row.line for row in found["repeated header"].rows] == [planted.header]
    assert found["personal data"].columns == ["imsi"]
    assert found["personal data"].message == "`imsi` holds IMSIs, in 3,120 rows"
    listed = [row.line for row in found["labels"].rows]
    assert np.mean([line in planted.flipped for line in listed]) >= 0.5
    twins = [{row.line, int(row.text.partition(": ")[0].rpartition(":")[2])} for row in found["duplicates"].rows]
    assert all(pair & planted.copies for pair in twins)


@pytest.mark.parametrize("seed", SEEDS)
def test_clean_data_is_left_alone(tmp_path: Path, seed: int) -> None:
    found = explore(clean(tmp_path, seed).path, "stays", seed=seed).document
    assert found.findings == []
    assert found.signal is not None
    assert found.signal.answer == "worth a network"


def test_clean_real_data_is_left_alone(data: Path, tmp_path: Path) -> None:
    tables = data / "tabular"
    assert explore(tables / "adult-train.csv", "column_15").document.findings == []
    bikes = (tables / "bike_sharing_hour.csv").read_text().splitlines()
    (tmp_path / "bikes.csv").write_text(
        "".join(",".join([*fields[2:14], fields[16]]) + "\n" for fields in (line.split(",") for line in bikes))
    )
    assert explore(tmp_path / "bikes.csv", "cnt").document.findings == []
    images, targets = load_digits(return_X_y=True)
    table = np.column_stack([images, targets]).astype(int)
    header = ",".join([*(f"p{n}" for n in range(64)), "digit"])
    np.savetxt(tmp_path / "digits.csv", table, "%d", ",", header=header, comments="")
    found = by_kind(explore(tmp_path / "digits.csv", "digit").document)
    assert set(found) <= {"constant", "almost empty"}


def test_labels_of_real_data_that_were_changed(data: Path, tmp_path: Path) -> None:
    lines = (data / "tabular" / "adult-train.csv").read_text().splitlines()[:8000]
    flipped = set(np.random.default_rng(3).choice(len(lines), len(lines) // 20, replace=False).tolist())
    other = {"<=50K": ">50K", ">50K": "<=50K"}
    for row in flipped:
        rest, _, label = lines[row].rpartition(", ")
        lines[row] = f"{rest}, {other[label]}"
    (tmp_path / "adult.csv").write_text("\n".join(lines) + "\n")
    found = by_kind(explore(tmp_path / "adult.csv", "column_15").document)
    assert np.mean([row.line - 1 in flipped for row in found["labels"].rows]) >= 0.5


def test_labels_are_suspected_by_answers_that_are_sure() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 2000).astype(np.int32)
    told = np.full((2000, 3), 0.02)
    told[np.arange(2000), truth] = 0.96
    assert len(suspects(truth, told)) == 0
    wrong = rng.choice(2000, 100, replace=False)
    truth[wrong] = (truth[wrong] + 1) % 3
    assert set(suspects(truth, told).tolist()) == set(wrong.tolist())


def test_the_titanic_has_the_answer_in_other_words(data: Path) -> None:
    found = by_kind(explore(data / "tabular" / "titanic.csv", "survived").document)
    assert found["leakage"].message == (
        "`alive` almost gives the answer away: alone it saves 100.0% of the errors of always saying the most frequent"
        " class"
    )
    assert found["leakage"].rows[0].text == "survived: 0, alive: no"
    assert found["leakage"].rows[0].line == 2


def write(path: Path, names: str, rows: list[str]) -> Path:
    path.write_text("\n".join([names, *rows]) + "\n")
    return path


def numbers(rng: np.random.Generator) -> str:
    return ",".join(f"{value:.5f}" for value in rng.normal(size=3))


def test_the_order_of_the_rows_tells_the_answer(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [f"{numbers(rng)},{'ab'[n >= 500 if n % 10 else n % 20 == 0]}" for n in range(1000)]
    found = explore(write(tmp_path / "sorted.csv", "a,b,c,y", rows), "y").document.findings
    assert [(one.kind, one.columns) for one in found] == [("order", [])]
    assert found[0].advice == "a random split would test on neighbours of the rows of training: `split: {by: time}`"


def test_time_tells_the_answer(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    days = rng.integers(0, 300, 1000)
    rows = [
        f"{numbers(rng)},2020-{1 + day // 28:02d}-{1 + day % 28:02d},{'ab'[int(day >= 150 and n % 10 > 0)]}"
        for n, day in enumerate(days.tolist())
    ]
    found = explore(write(tmp_path / "days.csv", "a,b,c,day,y", rows), "y").document.findings
    assert [(one.kind, one.columns) for one in found] == [("order", ["day"])]
    assert found[0].advice == "test on what is newer than the training: `split: {by: time, time: day}`"


def test_the_file_tells_the_answer(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, kind in (("a", "x"), ("b", "y")):
        rows = [f"{numbers(rng)},{kind if n % 12 else 'x'}" for n in range(400)]
        write(tmp_path / f"{name}.csv", "a,b,c,kind", rows)
    found = explore(tmp_path, "kind").document.findings
    assert "the file that a row stands in" in " ".join(one.message for one in found)


def test_columns_that_say_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [f"u{n},same,,{'x' if n % 50 == 0 else ''},{numbers(rng)},{rng.integers(2)}" for n in range(200)]
    found = explore(write(tmp_path / "t.csv", "user,const,none,rarely,a,b,c,y", rows), "y").document
    assert [(one.kind, one.columns) for one in found.findings] == [
        ("identifier", ["user"]),
        ("constant", ["const"]),
        ("empty", ["none"]),
        ("constant", ["rarely"]),
    ]
    assert found.findings[3].message == "`rarely` has one value in all rows or none (196 rows)"


def test_values_that_are_written_in_several_ways(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows: list[str] = []
    for n in range(200):
        day = n % 28 + 1
        when = f"2020-01-{day:02d}" if n % 3 else f"{day:02d}.01.2020"
        count, code = n % 7 if n % 20 else "none yet", ["A1", "B2", "17"][n % 3]
        rows.append(f"{when},{rng.integers(1, 99)} kg,{count},{code},{numbers(rng)},{rng.integers(2)}")
    found = explore(write(tmp_path / "t.csv", "day,weight,count,code,a,b,c,y", rows), "y").document.findings
    assert [(one.kind, one.columns, one.count) for one in found] == [
        ("dates", ["day"], 200),
        ("numbers as text", ["weight"], 200),
        ("mixed types", ["count"], 10),
        ("mixed types", ["code"], 66),
    ]
    mixed = next(one for one in found if one.columns == ["count"])
    assert mixed.message == "`count` holds numbers, but 10 values (5.0%) are something else"
    assert [row.line for row in mixed.rows][:2] == [2, 22]


def test_rare_classes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [f"{rng.normal():.3f},{'rare' if n < 3 else 'ab'[n % 2]}" for n in range(200)]
    found = by_kind(explore(write(tmp_path / "t.csv", "x,y", rows), "y").document)
    assert found["rare classes"].message == "1 of 3 classes have fewer than 10 rows: 'rare' (3)"
    assert [row.line for row in found["rare classes"].rows] == [2, 3, 4]


def test_lines_that_stand_in_both_parts(tmp_path: Path) -> None:
    for name in ("app", "web"):
        lines = "".join(f"{name} request {n} was answered in {n * 7} ms\n" for n in range(300))
        (tmp_path / f"{name}.log").write_text(lines)
    found = by_kind(explore(tmp_path).document)
    assert found["duplicates"].message == (
        "150 of 150 test rows (100.0%) stand in the training part too (150 nearly the same; by a random split)"
    )
    assert "`split: {by: group, group: masked_text}`" in found["duplicates"].advice


def test_the_same_seed_finds_the_same(tmp_path: Path) -> None:
    path = faulty(tmp_path, 5, rows=800).path
    first, second = (untimed(explore(path, "stays", seed=4).document) for _ in range(2))
    assert first == second


def untimed(found: Exploration) -> Exploration:
    """The document without what a clock says."""
    assert found.signal is not None
    contenders = [one.model_copy(update={"seconds": None}) for one in found.signal.contenders]
    signal = found.signal.model_copy(update={"contenders": contenders})
    return found.model_copy(update={"signal": signal, "created": None, "seconds": 0.0})
