"""Messages turned into batches, and what a use case says of them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afield.connectors import base, messages
from afield.connectors.base import LABEL, OFFSET, STREAM, Batch
from afield.connectors.decoder import MOST_COLUMNS, Decoder
from afield.connectors.messages import Messages
from afield.connectors.sinks.jsonl import encode, written
from afield.errors import UseCaseError


def decoded(decoder: Decoder, *payloads: bytes | dict[str, Any]) -> Batch:
    contents = [payload if isinstance(payload, bytes) else json.dumps(payload).encode() for payload in payloads]
    return decoder.batch("s", range(10, 10 + len(contents)), contents, "c")


def as_json(**fields: Any) -> Decoder:
    return Decoder(Messages(format="json", **fields), labelled="label" in fields)


def test_text() -> None:
    batch = decoded(Decoder(Messages(), False), "é".encode(), b"", b"two\nlines")
    assert batch.records.schema == pa.schema(
        [("text", pa.string()), (STREAM, pa.dictionary(pa.int32(), pa.string())), (OFFSET, pa.int64())]
    )
    assert batch.records.to_pylist() == [
        {"text": "é", "_stream": "s", "_offset": 10},
        {"text": "", "_stream": "s", "_offset": 11},
        {"text": "two\nlines", "_stream": "s", "_offset": 12},
    ]
    assert batch.position == {"s": "c"}
    assert batch.refused == []


def test_text_that_is_refused() -> None:
    batch = decoded(Decoder(Messages(max_record_bytes=16), False), b"a", b"x" * 17, b"b\xff", b"c")
    assert batch.records.column("text").to_pylist() == ["a", "c"]
    assert batch.records.column(OFFSET).to_pylist() == [10, 13]
    assert [(one.stream, one.offset, one.reason, one.content) for one in batch.refused] == [
        ("s", 11, "expected at most 16 bytes, found 17; raise max_record_bytes of the source to take it", b"x" * 17),
        ("s", 12, "expected UTF-8, found byte 0xff at 1: invalid start byte", b"b\xff"),
    ]


def test_columns_keep_their_types() -> None:
    decoder = as_json()
    first = decoded(decoder, {"n": 1, "t": "a", "b": True, "o": {"x": [1]}, "l": [1, 2]}).records
    assert first.to_pylist() == [
        {"n": 1.0, "t": "a", "b": True, "o": '{"x":[1]}', "l": "[1,2]", "_stream": "s", "_offset": 10}
    ]
    second = decoded(decoder, {"n": 1.5, "t": 7, "o": "text", "new": 2**63}, {"n": None, "t": False}).records
    assert second.to_pylist() == [
        {"n": 1.5, "t": "7", "b": None, "o": "text", "l": None, "new": 2.0**63, "_stream": "s", "_offset": 10},
        {"n": None, "t": "false", "b": None, "o": None, "l": None, "new": None, "_stream": "s", "_offset": 11},
    ]
    for batch in (second, decoder.empty().records):
        types = [batch.schema.field(name).type for name in ("n", "t", "b", "o", "l", "new")]
        assert types == [pa.float64(), pa.string(), pa.bool_(), pa.string(), pa.string(), pa.float64()]
    assert decoder.empty().position == {}


def test_json_that_is_refused() -> None:
    decoder = as_json()
    batch = decoded(
        decoder,
        {"n": 1, "b": True},
        b"{",
        b"[1]",
        b"7",
        b'{"n": "\xff"}',
        {"n": "one"},
        {"n": True},
        {"b": 1},
        {"_offset": 3},
        {"n": 2},
    )
    assert batch.records.column("n").to_pylist() == [1, 2]
    assert batch.records.column(OFFSET).to_pylist() == [10, 19]
    assert [one.reason for one in batch.refused] == [
        "expected JSON: unexpected end of data: line 1 column 2 (char 1)",
        "expected a JSON object, found a list",
        "expected a JSON object, found the value 7",
        "expected JSON: str is not valid UTF-8: surrogates not allowed: line 1 column 1 (char 0)",
        "column n: expected a number, as in messages before it, found the text 'one'",
        "column n: expected a number, as in messages before it, found the value true",
        "column b: expected true or false, as in messages before it, found the value 1",
        "the name _offset is reserved for where a record came from",
    ]
    assert [one.offset for one in batch.refused] == [11, 12, 13, 14, 15, 16, 17, 18]
    assert batch.refused[4].content == b'{"n": "one"}'


def test_only_the_columns_that_are_asked_for() -> None:
    decoder = as_json(columns=["a", "b"])
    assert decoder.empty().records.schema.names == ["a", "b", STREAM, OFFSET]
    batch = decoded(decoder, {"c": 1, "b": 2, "_offset": 9}, {})
    assert batch.records.select(["a", "b"]).to_pylist() == [{"a": None, "b": 2.0}, {"a": None, "b": None}]
    assert batch.refused == []


def test_columns_without_end_are_refused() -> None:
    decoder = as_json()
    batch = decoded(decoder, {f"c{number}": 1 for number in range(MOST_COLUMNS)}, {"one more": 1}, {"c1": 2})
    assert batch.records.num_rows == 2
    assert [one.reason for one in batch.refused] == [
        "expected at most 1000 columns over the run, found one more, 'one more'; "
        "name those to read in columns: of the source"
    ]


def test_labels() -> None:
    decoder = as_json(label="class", columns=["a"])
    assert LABEL in decoder.empty().records.schema.names
    values = [{"class": value} for value in ("x", 3, 3.0, 0.5, True, None, [1])]
    batch = decoded(decoder, *values, {})
    assert batch.records.column(LABEL).to_pylist() == ["x", "3", "3", "0.5", "true", None, "[1]", None]
    assert batch.records.schema.names == ["a", STREAM, OFFSET, LABEL]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=30), max_size=8), st.sampled_from(["text", "json"]))
def test_no_message_vanishes(payloads: list[bytes], form: Any) -> None:
    batch = decoded(Decoder(Messages(format=form, max_record_bytes=16), False), *payloads)
    places = [*batch.records.column(OFFSET).to_pylist(), *(one.offset for one in batch.refused)]
    assert sorted(places) == list(range(10, 10 + len(payloads)))


_values = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.lists(st.integers())


@settings(max_examples=200, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(["a", "b", "_line"]), _values), min_size=1, max_size=8))
def test_no_object_vanishes_and_no_type_changes(objects: list[dict[str, Any]]) -> None:
    decoder = as_json()
    types: dict[str, pa.DataType] = {}
    for found in objects:
        batch = decoded(decoder, json.dumps(found, ensure_ascii=True).encode())
        assert batch.records.num_rows + len(batch.refused) == 1
        for field in batch.records.schema:
            if batch.records.column(field.name).null_count == 0 and batch.records.num_rows:
                assert types.setdefault(field.name, field.type) == field.type


@pytest.mark.parametrize(
    ("fields", "path", "message"),
    [
        ({"columns": ["a"]}, "columns", "columns is of JSON, and format is text; remove it, or set format: json"),
        ({"label": "a"}, "label", "label is of JSON, and format is text; remove it, or set format: json"),
        (
            {"format": "json", "columns": []},
            "columns",
            "expected at least one column, found an empty list; leave it out to read all",
        ),
        ({"format": "json", "columns": ["a", "a"]}, "columns", "expected names that differ, found 'a' more than once"),
        (
            {"format": "json", "columns": ["_line"]},
            "columns",
            "the name _line is reserved for where a record came from; remove it",
        ),
    ],
)
def test_problems(fields: dict[str, Any], path: str, message: str) -> None:
    (problem,) = Messages(**fields).lint()
    assert (problem.path, problem.message) == ((path,), message)


def test_a_label_that_is_asked_for_and_not_declared() -> None:
    Messages().require_label(False, "source.mqtt")
    with pytest.raises(UseCaseError) as error:
        Messages().require_label(True, "source.mqtt")
    assert str(error.value) == (
        "source.mqtt: training needs the known answer of each record, and no label is declared; "
        "add label: NAME-OF-A-COLUMN"
    )


def test_the_reserved_names_are_those_of_records() -> None:
    assert set(messages.RESERVED) == {base.STREAM, base.OFFSET, base.FILE, base.LINE, base.LABEL}


def test_answers_as_messages() -> None:
    answers = pa.record_batch({"id": pa.array(["s:1", "s:2"]), "p": pa.array([0.5, None], pa.float32())})
    ids, contents = written(answers)
    assert (ids, contents) == (["s:1", "s:2"], [b'{"id":"s:1","p":0.5}', b'{"id":"s:2","p":null}'])
    assert b"".join(content + b"\n" for content in contents) == bytes(encode(answers))


@pytest.mark.parametrize("kind", ["redis", "nats", "kafka"])
def test_the_declarations_import_nothing_heavy(kind: str) -> None:
    code = (
        f"import sys, afield.connectors.sources.{kind}.spec as source, afield.connectors.sinks.{kind}.spec; "
        f"source.{kind.title()}({'topic' if kind == 'kafka' else 'stream'}='x').lint(); "
        f"sys.exit(len({{'numpy', 'pyarrow', 'confluent_kafka', 'redis', 'nats'}} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_text_is_decoded_fast() -> None:
    payloads = [b"a line of a log with some words and number %d, as they are" % number for number in range(100_000)]
    decoder = Decoder(Messages(), False)
    started = time.perf_counter()
    for start in range(0, len(payloads), 1000):
        decoder.batch("s", range(start, start + 1000), payloads[start : start + 1000], "c")
    assert len(payloads) / (time.perf_counter() - started) > 200_000
