"""`afield` from Python: the same answers whatever library the rows come in, and errors that say what to do."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import afield as package
from afield import Case, Version
from afield.errors import AfieldError, DataError, StateError, UseCaseError

TEXTS = ["kernel: EXT4-fs mounted filesystem", "postfix: from=<root@example.net>", "", None, "ünïcode \N{SNOWMAN}"]
QUICK = ["model.network.0.dense.units=16", "train.epochs=3", "train.optimizer.adam.learning_rate=0.05"]
COLUMNS = ["prediction", "probability", "version"]


@pytest.fixture(scope="module")
def version(trained_once: Path) -> Version:
    return package.load(trained_once).version()


@pytest.fixture
def case(trained: Path) -> Case:
    return package.load(trained, QUICK)


@pytest.fixture(scope="module")
def expected(version: Version) -> dict[str, list[Any]]:
    answers = version.predict(TEXTS)
    assert isinstance(answers, pa.Table)
    assert answers.schema == pa.schema({"prediction": pa.string(), "probability": pa.float32(), "version": pa.string()})
    return answers.to_pydict()


def test_the_same_answers_as_the_command(
    version: Version, trained_once: Path, afield: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    file = trained_once / "data" / "mail.log"
    lines = file.read_text().splitlines()
    told = [json.loads(line) for line in afield("predict", trained_once, file).stdout.splitlines()]
    answers = version.predict(lines).to_pydict()
    assert [answer["prediction"] for answer in told] == answers["prediction"]
    np.testing.assert_allclose([answer["probability"] for answer in told], answers["probability"], rtol=1e-4)
    assert {answer["version"] for answer in told} == set(answers["version"]) == {"v1"}


@pytest.mark.parametrize(
    "rows",
    [
        tuple(TEXTS),
        pa.table({"text": TEXTS}),
        pa.table({"n": range(5), "text": pa.chunked_array([TEXTS[:2], TEXTS[2:]])}),
        pa.table({"text": pa.array(TEXTS).dictionary_encode()}),
        pa.table({"text": pa.array(TEXTS, pa.large_string())}),
        pa.table({"text": pa.array(TEXTS, pa.string_view())}),
        pa.RecordBatch.from_pydict({"text": TEXTS}),
    ],
    ids=["tuple", "table", "chunks", "dictionary", "large strings", "string views", "batch"],
)
def test_arrow(version: Version, expected: dict[str, list[Any]], rows: Any) -> None:
    assert version.predict(rows).to_pydict() == expected


@pytest.mark.parametrize("kind", ["str", "object", "category", "string[pyarrow]"])
def test_pandas_keeps_the_index(version: Version, expected: dict[str, list[Any]], kind: str) -> None:
    frame = pd.DataFrame({"n": range(5), "text": pd.Series(TEXTS, dtype=kind)}).set_index(pd.Index(list("edcba")))
    answers = version.predict(frame)
    assert isinstance(answers, pd.DataFrame)
    assert list(answers.columns) == COLUMNS
    assert list(answers.index) == list("edcba")
    assert answers.to_dict("list") == expected
    assert list(frame.join(answers).prediction) == expected["prediction"]


def test_polars(version: Version, expected: dict[str, list[Any]]) -> None:
    answers = version.predict(pl.DataFrame({"n": range(5), "text": TEXTS}))
    assert isinstance(answers, pl.DataFrame)
    assert answers.to_dict(as_series=False) == expected


@pytest.mark.parametrize("rows", [[], pa.table({"text": pa.array([], pa.string())}), pd.DataFrame({"text": []})])
def test_no_rows(version: Version, rows: Any) -> None:
    answers = version.predict(rows)
    assert len(answers) == 0
    assert list(answers.columns if isinstance(answers, pd.DataFrame) else answers.column_names) == COLUMNS


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("one", "expected a pandas, Polars or Arrow table or a list of strings, found str"),
        (7, "expected a pandas, Polars or Arrow table or a list of strings, found int"),
        (pd.Series(["a"]), "expected a pandas, Polars or Arrow table or a list of strings, found Series"),
        (pl.LazyFrame({"text": []}), "expected a pandas, Polars or Arrow table or a list of strings, found LazyFrame"),
        (["a", 1], "expected a list of strings, found other things in it; give a table for several columns"),
        (
            pd.DataFrame({"txet": ["a"]}),
            "preprocess.text.column: the records have no column 'text'; did you mean 'txet'?",
        ),
        (pa.table({}), "preprocess.text.column: the records have no column 'text'; there are no columns"),
        (
            pl.DataFrame({"text": [1, 2]}),
            "column 'text': expected text, found int64; name a column of text, or convert it",
        ),
    ],
)
def test_rows_that_cannot_be_read(version: Version, rows: Any, message: str) -> None:
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        version.predict(rows)


def test_a_column_of_several_kinds(version: Version) -> None:
    with pytest.raises(DataError, match=r"^a column of the table cannot be read: .*; convert it, or leave it out$"):
        version.predict(pd.DataFrame({"text": ["a", 1]}))


def test_train_on_the_files_of_the_use_case(case: Case) -> None:
    told: list[str] = []

    class Watcher:
        def stage(self, name: str, total: int | None = None) -> None:
            told.append(name)

        def advance(self, amount: int) -> None: ...

        def epoch(self, epoch: Any) -> None:
            told.append(f"epoch {epoch.epoch} is over")

    version = case.train(watcher=Watcher())
    assert (case.name, version.name, version.report.version) == ("logs", "v2", "v2")
    assert version.report.test.accuracy > 0.5
    assert told[0] == "reading"
    assert "epoch 1 is over" in told
    assert [known.name for known in case.versions()] == ["v1", "v2"]
    assert case.version().bundle == version.bundle == case.folder / ".afield" / "versions" / "v2.afield"
    assert repr(case.version("v1")) == f"Version('v1', '{case.folder}/.afield/versions/v1.afield')"
    assert version.predict(TEXTS)["version"].to_pylist() == ["v2"] * 5


WORDS = [f"{'red apple' if i % 2 else 'blue sky'} {i}" for i in range(60)]
NAMES = ["fruit" if i % 2 else "weather" for i in range(60)]


@pytest.mark.parametrize(
    ("table", "labels"),
    [
        (WORDS, NAMES),
        (pd.DataFrame({"text": WORDS}, index=range(5, 65)), pd.Series(NAMES)),
        (pl.DataFrame({"text": WORDS}), pl.Series(NAMES, dtype=pl.Categorical)),
        (pa.table({"text": WORDS}), pa.chunked_array([NAMES])),
    ],
    ids=["lists", "pandas", "polars", "arrow"],
)
def test_train_on_a_table(case: Case, table: Any, labels: Any) -> None:
    version = case.train(table, labels)
    report = version.report
    assert report.classes == ["fruit", "weather"]
    assert (report.source.files, report.source.records, report.best_possible) == (0, 60, None)
    assert version.predict(["apple", "sky"])["prediction"].to_pylist() == ["fruit", "weather"]


def test_labels_that_are_numbers_or_missing(case: Case) -> None:
    numbers: Any = np.arange(60) % 2
    assert case.train(WORDS, numbers).report.classes == ["0", "1"]
    report = case.train(pd.DataFrame({"text": WORDS}), pd.Series([None, "", *NAMES[2:]])).report
    assert report.parts.training.rows + report.parts.validation.rows + report.parts.test.rows == 58
    assert report.warnings[0] == "2 rows left out: no label"


@pytest.mark.parametrize(
    ("table", "labels", "message"),
    [
        (WORDS, None, "train: expected one label for each of 60 rows, found 0"),
        (WORDS, NAMES[:3], "train: expected one label for each of 60 rows, found 3"),
        (None, NAMES, "expected a pandas, Polars or Arrow table or a list of strings, found NoneType"),
        (WORDS, [1.5] * 60, "train: expected labels of text or whole numbers, found double; convert them"),
        (WORDS, ["a", 1] * 30, "train: expected labels of one kind, text or whole numbers, found several"),
        (
            WORDS,
            ["a"] * 60,
            "question: all 60 rows are of one class, 'a'; expected at least two classes: check `path:` and `label:` of"
            " the source",
        ),
        (pa.table({"n": range(60)}), NAMES, "preprocess.text.column: the records have no column 'text'; there are n"),
    ],
)
def test_a_table_that_cannot_be_learned(case: Case, table: Any, labels: Any, message: str) -> None:
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        case.train(table, labels)
    assert [version.name for version in case.versions()] == ["v1"]


def test_versions_that_are_not_there(case: Case, tmp_path: Path) -> None:
    with pytest.raises(StateError, match=r"^'logs' has no version 'v9'; did you mean 'v1'\? The latest is 'v1'$"):
        case.version("v9")
    with pytest.raises(UseCaseError, match="nowhere: no such folder or file"):
        package.load(tmp_path / "nowhere")
    with pytest.raises(UseCaseError, match=r"train\.epochs: expected a whole number of at least 1, found 0"):
        package.load(case.folder, ["train.epochs=0"])
    new = tmp_path / "new"
    new.mkdir()
    (new / "usecase.yaml").write_text((case.folder / "usecase.yaml").read_text())
    assert package.load(new).versions() == []
    with pytest.raises(StateError, match=f"^no version of 'new' yet: run `afield train {new}`$"):
        package.load(new).version()
    assert not (new / ".afield").exists()


def test_a_damaged_bundle(case: Case) -> None:
    version = case.version()
    version.bundle.write_bytes(version.bundle.read_bytes()[:-1])
    for use in (lambda: version.predict(TEXTS), lambda: version.report):
        with pytest.raises(AfieldError, match="refused: it is no bundle, or was cut short"):
            use()
