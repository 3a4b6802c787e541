"""The simulated tables and texts: the columns of the real ones, the same bytes from the same seed."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest

from afield.gallery.simulated import Simulated


def simulated(name: str, folder: Path, seed: int = 0, **size: int) -> Simulated:
    return importlib.import_module(f"afield.gallery.{name}.simulator").simulate(folder, seed=seed, **size)


@pytest.mark.parametrize("name", ["bidders", "adult", "titanic", "bikes", "writer"])
def test_the_same_seed_writes_the_same_bytes(tmp_path: Path, name: str) -> None:
    size = {
        "bidders": {"bidders": 50},
        "adult": {"training": 50, "test": 20},
        "titanic": {"passengers": 50},
        "bikes": {"days": 5},
        "writer": {"characters": 1000},
    }[name]
    first, second, other = (
        simulated(name, tmp_path / case, seed, **size).files for case, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in second]
    assert first[0].read_bytes() != other[0].read_bytes()


@pytest.mark.parametrize(
    ("name", "real"),
    [
        ("bidders", "human_or_robot_bidders/b_train.csv"),
        ("titanic", "tabular/titanic.csv"),
        ("bikes", "tabular/bike_sharing_hour.csv"),
    ],
)
def test_the_columns_are_those_of_the_real_table(data: Path, tmp_path: Path, name: str, real: str) -> None:
    (file,) = simulated(name, tmp_path).files
    made, given = pacsv.read_csv(file), pacsv.read_csv(data / real)
    assert made.column_names == given.column_names
    texts = [[pa.types.is_string(kind) for kind in table.schema.types] for table in (made, given)]
    assert texts[0] == texts[1]


def test_census_records_are_written_as_the_real_ones(data: Path, tmp_path: Path) -> None:
    for file in simulated("adult", tmp_path).files:
        real = (data / "tabular" / file.name).read_text().splitlines()
        made = file.read_text().splitlines()
        assert {len(line.split(", ")) for line in made} == {15}
        assert {line.split(", ")[-1] for line in made} == {line.split(", ")[-1] for line in real if line}
        for column in (1, 3, 5, 6, 7, 8, 9, 13):
            known = {line.split(", ")[column] for line in real if line}
            assert {line.split(", ")[column] for line in made} <= known


def test_one_bidder_in_twenty_is_a_robot(tmp_path: Path) -> None:
    (file,) = simulated("bidders", tmp_path).files
    table = pacsv.read_csv(file)
    assert np.mean(table["outcome"].to_numpy()) == pytest.approx(0.05, abs=0.015)
    assert table["mean_time_diff"].null_count > 0
    bids = table["total_bids"].to_numpy()
    assert bids.max() > 1000 * np.median(bids)


def test_rentals_add_up(tmp_path: Path) -> None:
    (file,) = simulated("bikes", tmp_path, days=30).files
    table = pacsv.read_csv(file)
    assert table.num_rows == 720
    casual, registered, count = (table[name].to_numpy() for name in ("casual", "registered", "cnt"))
    np.testing.assert_array_equal(casual + registered, count)
    assert count.reshape(30, 24).mean(axis=0).argmax() in (8, 17, 18)


def test_the_text(tmp_path: Path) -> None:
    made = simulated("writer", tmp_path)
    text = made.files[0].read_text(encoding="utf-8")
    assert len(text) >= 300_000
    assert made.note == f"a simulated text of {len(text):,} characters"
    assert not set("{}") & set(text)
    assert all(line[0].isupper() or line[0] == '"' for line in text.splitlines())
    assert len(set(text)) < 64
