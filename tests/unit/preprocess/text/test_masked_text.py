"""What of a text a report and a bundle may hold: nothing that a mask covers, and everything else."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from afield.errors import DataError, UseCaseError
from afield.preprocess.text.spec import Mask, Text

UUID = "123e4567-e89b-12d3-a456-426614174999"
ALL: list[Mask] = ["email", "uuid", "ip", "hex", "number", "digits"]
PIECES = [
    *("1", "19", "256", "12345", "1,234.5", "0x1F", "0X", "deadbeef", "DEADBEE1", "1deadbee", "00:1b:63:84:45:e6"),
    *("10.0.0.1", "10.0.0.256", "fe80::1", "2001:db8::", "::", "::ffff:192.168.0.1", UUID, UUID.upper()),
    *("Jane.Doe+x@Mail.example.com", "jane@", "@", "x" * 30, "9" * 33, "K@\u212ab.cc", "a@b.ccİ", "node12", "é7"),
    *(":", "-", ".", ",", " ", "_", "x", "İ", "Σ", "Σ1", "\u212a", "\ud7ff", "٣", "'"),
]
texts = st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text(
    "0123456789abcfxX.:@-_ İΣ,\u212a", max_size=40
)


def batch_of(values: object, kind: pa.DataType | None = None) -> pa.RecordBatch:
    return pa.record_batch({"text": pa.array(values, kind)})


def masked(text: str, mask: list[Mask], written: Literal["names", "stand-ins"], **settings: object) -> str:
    step = Text.model_validate({"mask": mask, **settings}).open()
    (found,) = step.masked_text(batch_of([text]), written).to_pylist()
    return found


@pytest.mark.parametrize(
    ("text", "names", "stand_ins"),
    [
        ("Repeated 19 Times!", "Repeated <number> Times!", "Repeated 0 Times!"),
        ("(1,234.5)", "(<number>)", "(0)"),
        ("at 12:30:45", "at <number>:<number>:<number>", "at 0:0:0"),
        ("10.0.0.1:8080", "<ip>:<number>", "0.0.0.0:0"),
        ("::1 fe80::1%eth7", "::<ip> <ip>%eth0", "::0.0.0.0 0.0.0.0%eth0"),
        ("0X1F 00:1B:63:84:45:E6", "<hex> <hex>", "0x0 0x0"),
        (f"{{{UUID.upper()}}}", "{<uuid>}", "{00000000-0000-0000-0000-000000000000}"),
        ("From: <Jane@Mail.Example.COM>", "From: <<email>>", "From: <a@b.cc>"),
        ("Node12b34 ٣ 5", "Node0b0 ٣ <number>", "Node0b0 ٣ 0"),
        ("ÀÉİ\u212aẞ 7 ÀÉ", "ÀÉİ\u212aẞ <number> ÀÉ", "ÀÉİ\u212aẞ 0 ÀÉ"),
        ("x@\u212ab.cc!", "<email>!", "a@b.cc!"),
        ("x@y.ccİ", "<email>", "a@b.cc\u0307"),
        ("nothing", "nothing", "nothing"),
        ("", "", ""),
    ],
)
def test_what_masks_cover_is_replaced_and_all_else_stays(text: str, names: str, stand_ins: str) -> None:
    assert masked(text, ALL, "names") == names
    assert masked(text, ALL, "stand-ins") == stand_ins


@pytest.mark.parametrize(
    ("text", "mask", "expected"),
    [
        ("::12345", ALL, "::99999"),
        ("10.0.0.256", ["ip", "digits"], "99.9.9.999"),
        ("5x12", ["hex", "digits"], "9x99"),
        ("1" * 66 + "@example.com", ALL, "9" * 66 + "@example.com"),
        ("αΣ.deadbee1", ALL, "αΣ.fffffff9"),
        ("12345:0X1f ::12345", ALL, "99999:0x9f ::99999"),
    ],
)
def test_a_value_that_would_read_differently_keeps_its_shape(text: str, mask: list[Mask], expected: str) -> None:
    assert masked(text, mask, "stand-ins") == expected


@given(
    st.lists(texts, min_size=1, max_size=4),
    st.lists(st.sampled_from(ALL), min_size=1, unique=True),
    st.booleans(),
    st.sampled_from(["words", "characters"]),
)
@example(["10.0.0.256::ffff:192.168.0.1"], ["email", "uuid", "ip"], True, "words")
@example(["::12345", "αΣ.deadbee1"], ALL, True, "characters")
@settings(deadline=None, max_examples=500)
def test_stand_ins_give_the_same_features(lines: list[str], mask: list[Mask], lowercase: bool, kind: str) -> None:
    step = Text.model_validate({"mask": mask, "lowercase": lowercase, "tokens": kind, "ngrams": (1, 2)}).open()
    batch = batch_of(lines)
    frozen = step.freeze(step.observe(None, batch_of([*lines, "zz zz"])))
    anew = pa.record_batch({"text": step.masked_text(batch, "stand-ins")})
    expected, found = step.reduce(frozen, batch), step.reduce(frozen, anew)
    for name in ("indptr", "ids", "weights"):
        assert np.array_equal(getattr(found.rows, name), getattr(expected.rows, name))
    assert found.keys.tolist() == expected.keys.tolist()


@given(
    st.lists(
        st.sampled_from(["12345", "10.0.0.77", "77:88:99:ab:cd:ef", "jane77@x.org", "0x77", "m77", UUID]), max_size=6
    )
)
@settings(deadline=None, max_examples=200)
def test_nothing_covered_is_left(parts: list[str]) -> None:
    text = " ".join(["Kept,", *parts, "(as it is)"])
    for written in ("names", "stand-ins"):
        found = masked(text, ALL, written)
        assert found.startswith("Kept, ")
        assert found.endswith(" (as it is)")
        assert not set("123456789") & set(found)
        assert not {"jane", "org", "ab:cd"} & set(found.replace("@", " ").replace(".", " ").split())


@given(texts)
@settings(deadline=None, max_examples=300)
def test_no_digit_is_left_where_numbers_and_digits_are_masked(text: str) -> None:
    assert not set("123456789") & set(masked(text, ["number", "digits"], "names"))
    levelled = masked(text, ["number", "digits"], "stand-ins")
    assert not set("12345678") & set(levelled)


@given(texts)
@settings(deadline=None, max_examples=100)
def test_without_masks_the_text_comes_back(text: str) -> None:
    for written in ("names", "stand-ins"):
        assert masked(text, [], written) == text


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]
)
@pytest.mark.parametrize("mask", [[], ["number"]])
def test_the_layout_of_the_column_changes_nothing(kind: pa.DataType, mask: list[Mask]) -> None:
    step = Text(mask=mask).open()
    batch = batch_of(["before", "7 up", None, "", "İ 7", "after"], kind).slice(1, 4)
    found = step.masked_text(batch, "names")
    assert found.type == pa.string()
    number = "<number>" if mask else "7"
    assert found.to_pylist() == [f"{number} up", None, "", f"İ {number}"]
    assert step.masked_text(batch.slice(0, 0), "stand-ins").to_pylist() == []


def test_bytes_that_are_not_utf8_are_replaced() -> None:
    content = b"12\xff34 \xc3"
    array = pa.StringArray.from_buffers(1, pa.py_buffer(np.array([0, len(content)], np.int32)), pa.py_buffer(content))
    step = Text(mask=["number"]).open()
    assert step.masked_text(pa.record_batch({"text": array}), "stand-ins").to_pylist() == ["0\ufffd0 \ufffd"]


def test_columns_that_hold_no_text_are_refused() -> None:
    step = Text(mask=["number"]).open()
    with pytest.raises(UseCaseError, match="column 'text': not in the data"):
        step.masked_text(pa.record_batch({"line": ["a"]}), "names")
    with pytest.raises(DataError, match="column 'text': expected text, found int64"):
        step.masked_text(batch_of([1]), "names")
