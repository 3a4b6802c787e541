"""Answers as lines of JSON."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afield.connectors.sinks.jsonl import encode


def read(text: memoryview) -> list[dict]:
    return [json.loads(line) for line in bytes(text).split(b"\n")[:-1]]


def test_exact_bytes() -> None:
    batch = pa.record_batch(
        {
            "prediction": pa.array(["app", 'a"b', None]).dictionary_encode(),
            "probability": pa.array([0.75, 0.123456789, 1], pa.float32()),
            "line": pa.array([1, None, -3], pa.int64()),
        }
    )
    assert bytes(encode(batch)) == (
        b'{"prediction":"app","probability":0.75,"line":1}\n'
        b'{"prediction":"a\\"b","probability":0.123457,"line":null}\n'
        b'{"prediction":null,"probability":1,"line":-3}\n'
    )


def test_a_slice_and_a_name_that_needs_escaping() -> None:
    batch = pa.record_batch({'a"\n': pa.array(["x", "y", "z"]).dictionary_encode(), "b": [1, 2, 3]})
    assert bytes(encode(batch.slice(1, 1))) == b'{"a\\"\\n":"y","b":2}\n'


def test_no_rows() -> None:
    assert bytes(encode(pa.record_batch({"a": pa.array([], pa.string())}))) == b""


def test_every_type() -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    batch = pa.record_batch(
        {
            "bool": pa.array([True, None]),
            "uint": pa.array([2**64 - 1, None], pa.uint64()),
            "half": pa.array(np.array([0.1, np.nan], np.float16)),
            "double": pa.array([0.1, math.inf]),
            "time": pa.array([noon, None], pa.timestamp("ns", "UTC")),
            "local": pa.array([datetime(2026, 1, 1), None], pa.timestamp("s")),
            "bytes": pa.array([b"a\xff", None]),
            "decimal": pa.array([Decimal("1.50"), None]),
            "list": pa.array([[1, None], None]),
            "struct": pa.array([{"a": "é"}, None]),
            "large": pa.array(["x", None], pa.large_string()),
            "numbers": pa.array([7, None]).dictionary_encode(),
            "null": pa.nulls(2),
        }
    )
    first, second = read(encode(batch))
    assert first == {
        "bool": True,
        "uint": 2**64 - 1,
        "half": 0.0999756,
        "double": 0.1,
        "time": "2026-01-01T12:00:00+00:00",
        "local": "2026-01-01T00:00:00",
        "bytes": "a\N{REPLACEMENT CHARACTER}",
        "decimal": "1.50",
        "list": [1, None],
        "struct": {"a": "é"},
        "large": "x",
        "numbers": 7,
        "null": None,
    }
    assert set(second.values()) == {None}


@settings(max_examples=300, deadline=None)
@given(texts=st.lists(st.none() | st.text(), min_size=1), floats=st.lists(st.floats(width=32), min_size=1))
def test_any_value_is_read_back(texts: list[str | None], floats: list[float]) -> None:
    count = min(len(texts), len(floats))
    batch = pa.record_batch(
        {
            "text": pa.array(texts[:count], pa.string()),
            "float": pa.array(floats[:count], pa.float32()),
            "double": pa.array(floats[:count], pa.float64()),
        }
    )
    rows = read(encode(batch))
    assert [row["text"] for row in rows] == texts[:count]
    for row, value in zip(rows, floats, strict=False):
        if math.isfinite(value):
            assert row["float"] == pytest.approx(value, rel=5.1e-6, abs=2e-45)
            assert row["double"] == value
        else:
            assert row["float"] is None
            assert row["double"] is None


@settings(max_examples=300, deadline=None)
@given(value=st.floats(2.0**-100, 1, width=32))
def test_a_probability_has_six_digits(value: float) -> None:
    (line,) = bytes(encode(pa.record_batch({"p": pa.array([value], pa.float32())}))).splitlines()
    digits = line[5:-1].split(b"e")[0].replace(b".", b"").strip(b"0")
    assert 1 <= len(digits) <= 6
