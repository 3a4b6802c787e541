"""The mask step: tokens that join, addresses cut to their network, columns that are gone, and nothing that leaks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afield.errors import DataError, UseCaseError
from afield.preprocess.mask.spec import Mask
from afield.preprocess.pipeline import Pipeline
from afield.preprocess.table.spec import Table
from afield.usecase.secret import Secret


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFIELD_MASK_KEY", "a key of the site")


def masked(batch: pa.RecordBatch, **options: Any) -> pa.RecordBatch:
    return Mask(**options).open().apply(batch)


def test_a_token_joins_and_depends_on_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    people = pa.record_batch({"imsi": ["262011234567890", "262019999999999", None, "262011234567890", ""]})
    calls = pa.record_batch({"imsi": pa.array([262011234567890, 5])})
    tokens = masked(people, columns={"imsi": "hash"})["imsi"].to_pylist()
    assert tokens[0] == tokens[3] == masked(calls, columns={"imsi": "hash"})["imsi"][0].as_py()
    assert tokens[2:5:2] == [None, ""]
    assert len({tokens[0], tokens[1]}) == 2
    assert all(token.startswith("masked:") and len(token) == 39 for token in (tokens[0], tokens[1]))
    monkeypatch.setenv("AFIELD_MASK_KEY", "of another site")
    assert masked(people, columns={"imsi": "hash"})["imsi"][0].as_py() != tokens[0]


def test_a_dictionary_is_masked_as_text_is() -> None:
    texts = pa.array(["anna", "bert", "anna"])
    plain = masked(pa.record_batch({"n": texts}), columns={"n": "hash"})
    assert masked(pa.record_batch({"n": texts.dictionary_encode()}), columns={"n": "hash"}).equals(plain)


def test_what_is_cut_short_and_what_is_gone() -> None:
    batch = pa.record_batch({"ip": ["10.1.2.3", "2001:db8:1:2::5", "no address", "abc"], "name": ["a", "b", "c", "d"]})
    found = masked(batch, columns={"ip": "truncate", "name": "drop"})
    assert found.to_pydict() == {"ip": ["10.1.2.0", "2001:db8:1::", "no a…", "abc"]}
    assert masked(batch, columns={"ip": "truncate"}, keep=0)["ip"][2].as_py() == "…"


@given(st.lists(st.one_of(st.none(), st.text()), max_size=6), st.integers(0, 5))
def test_masking_twice_changes_nothing(values: list[str | None], keep: int) -> None:
    batch = pa.record_batch({"h": pa.array(values, pa.string()), "t": pa.array(values, pa.string())})
    once = masked(batch, columns={"h": "hash", "t": "truncate"}, keep=keep)
    assert masked(once, columns={"h": "hash", "t": "truncate"}, keep=keep).equals(once)


def test_other_steps_see_what_is_masked_and_nothing_else() -> None:
    batch = pa.record_batch(
        {
            "who": ["anna", "bert"] * 20,
            "name": ["x", "y"] * 20,
            "n": [float(n) for n in range(40)],
            "sex": ["f", "m"] * 20,
        }
    )
    pipeline = Pipeline.of([Mask(columns={"who": "hash", "name": "drop"}), Table()])
    assert pipeline.columns(batch.schema) == ["who", "n", "sex"]
    pipeline.fit([batch])
    stored = pipeline.masked(batch, "stand-ins")
    assert sorted(stored.schema.names) == ["n", "sex", "who"]
    assert not {"anna", "bert"} & set(stored["who"].to_pylist())
    again = Pipeline.restored(pipeline.frozen())
    for records in (batch, stored):
        assert (again.rows(records)["table"] == pipeline.rows(batch)["table"]).all()
    assert "anna" not in str(pipeline.frozen())


def test_where_the_key_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = pa.record_batch({"who": ["anna"]})
    file = tmp_path / "key"
    file.write_text("a key of the site\n")
    by_file = masked(batch, columns={"who": "hash"}, key=Secret(env=None, file=str(file)))
    assert by_file.equals(masked(batch, columns={"who": "hash"}))
    monkeypatch.delenv("AFIELD_MASK_KEY")
    with pytest.raises(UseCaseError) as missing:
        masked(batch, columns={"who": "hash"})
    assert str(missing.value) == (
        "preprocess.mask.key: the environment variable AFIELD_MASK_KEY holds nothing; set it before this use case reads"
        " records"
    )
    with pytest.raises(UseCaseError, match="/nowhere cannot be read: No such file or directory"):
        masked(batch, columns={"who": "hash"}, key=Secret(env=None, file="/nowhere"))
    masked(batch, columns={"who": "truncate"})  # needs no key


def test_what_is_refused() -> None:
    with pytest.raises(UseCaseError, match=r"preprocess\[1\]: `mask` stands after `table`; it must come first"):
        Pipeline.of([Table(), Mask(columns={"a": "hash"})])
    batch = pa.record_batch({"namee": ["x"]})
    with pytest.raises(DataError) as missing:
        Pipeline.of([Mask(columns={"name": "hash"}), Table()]).columns(batch.schema)
    assert str(missing.value) == "preprocess.mask.columns: the records have no column 'name'; did you mean 'namee'?"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": {}}, "expected a column or more, found none"),
        ({"columns": {"a": "drop"}, "keep": -1}, "expected 0 or more, found -1"),
        ({"columns": {"a": "drop"}, "key": {}}, "expected one place: `{env: NAME}` or `{file: PATH}`"),
        ({"columns": {"a": "drop"}, "key": {"file": "key"}}, "expected an absolute path, found 'key'"),
        ({"columns": {"a": "drop"}, "key": {"env": ""}}, "expected a name, found an empty one"),
    ],
)
def test_lint(options: dict[str, Any], message: str) -> None:
    assert [problem.message for problem in Mask.model_validate(options).lint()] == [message]
