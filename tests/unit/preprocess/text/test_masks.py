"""What each mask covers, and what it leaves alone."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afield.preprocess.text.spec import Mask, Text
from afield.preprocess.text.step import vocabulary

ALL: list[Mask] = ["email", "uuid", "ip", "hex", "number"]
UUID = "123e4567-e89b-12d3-a456-426614174000"


def tokens(text: str, mask: list[Mask], **settings: object) -> list[str]:
    """The tokens of a text in the order of the alphabet, each once."""
    step = Text.model_validate({"mask": mask, **settings}).open()
    frozen = step.freeze(step.observe(None, pa.record_batch({"text": [text, "zz"]})))
    found = vocabulary(frozen).to_pylist()
    return [token for token in found if token != "zz"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("repeated 1 time", ["<number>", "repeated", "time"]),
        ("repeated 19 times", ["<number>", "repeated", "times"]),
        ("1,234.5", ["<number>"]),
        ("-7", ["<number>"]),
        ("7", ["<number>"]),
        ("1.", ["<number>"]),
        ("1..2", ["<number>"]),
        ("12.5abc", ["5abc", "<number>"]),
        ("5ms", ["5ms"]),
        ("10_000", ["10_000"]),
        ("3é", ["3é"]),
        ("٣٤", ["٣٤"]),
        ("2024-01-31T12:30:45", ["31t12", "<number>"]),
        ("12:30:45", ["<number>"]),
        ("v1.2.3", ["<number>", "v1"]),
        ("1.2.3.4.5", ["<number>"]),
        ("0x1F", ["<hex>"]),
        ("0X1f", ["<hex>"]),
        ("0x", ["0x"]),
        ("0x1g", ["0x1g"]),
        ("deadbeef", ["deadbeef"]),
        ("deadbee1", ["<hex>"]),
        ("12345678", ["<number>"]),
        ("deadbe1", ["deadbe1"]),
        ("00:1b:63:84:45:e6", ["<hex>"]),
        ("00-1B-63-84-45-E6", ["<hex>"]),
        ("00:1b:63:84:45:e6:77", ["1b", "<number>", "e6"]),
        ("mac:00:1b:63:84:45:e6", ["<hex>", "mac"]),
        ("10.0.0.1", ["<ip>"]),
        ("10.0.0.1:8080", ["<ip>", "<number>"]),
        ("10.0.0.256", ["<number>"]),
        ("10.0.0.1.", ["<ip>"]),
        ("10.0.0.1x", ["1x", "<number>"]),
        ("fe80::1", ["<ip>"]),
        ("addr:fe80::1", ["<ip>", "addr"]),
        ("fe80::1%eth0", ["<ip>", "eth0"]),
        ("2001:db8:0:0:0:0:2:1", ["<ip>"]),
        ("2001:db8::", ["<ip>"]),
        ("::1", ["<ip>"]),
        ("::ffff:192.168.0.1", ["<ip>"]),
        ("add::bad", ["add", "bad"]),
        ("std::1", ["<number>", "std"]),
        ("1:2:3:4:5:6:7:8:9", ["<number>"]),
        ("1::2::3", ["<number>"]),
        (UUID, ["<uuid>"]),
        (f"{{{UUID.upper()}}}", ["<uuid>"]),
        (f"{UUID}0", ["12d3", "a456", "e89b", "<hex>", "<number>"]),
        ("jane.doe+x@mail.example.com", ["<email>"]),
        ("jane@example.com.", ["<email>"]),
        ("7up@example.org", ["<email>"]),
        ("jane@localhost", ["jane", "localhost"]),
        ("jane@host.c", ["host", "jane"]),
        ("jane@example.com_", ["com_", "example", "jane"]),
        ("a@b@example.com", ["<email>"]),
        ("x" * 65 + "@example.com", ["com", "example", "x" * 65]),
    ],
)
def test_masks(text: str, expected: list[str]) -> None:
    assert tokens(text, ALL) == sorted(expected)


@pytest.mark.parametrize("name", ALL)
def test_a_mask_that_is_not_asked_for_changes_nothing(name: Mask) -> None:
    text = f"a7 12 0x1f 10.0.0.1 fe80::1 {UUID} me@example.org"
    others: list[Mask] = [other for other in ALL if other != name]
    assert f"<{name}>" not in tokens(text, others)
    assert f"<{name}>" in tokens(text, [name])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("node12 node7", ["node0"]),
        ("a1b22c333", ["a0b0c0"]),
        ("blk_-1608999687919862906", ["0", "blk_"]),
        ("5", ["0"]),
        ("x", []),
        ("é1", ["é0"]),
    ],
)
def test_digits_in_words_are_levelled(text: str, expected: list[str]) -> None:
    assert tokens(text, ["digits"]) == expected


def test_masks_are_words_of_an_ngram() -> None:
    assert tokens("repeated 1 time", ["number"], ngrams=(2, 2)) == ["<number> time", "repeated <number>"]


def test_masks_apply_before_characters_are_counted() -> None:
    found = tokens("a 1  b 22", ["number"], tokens="characters", ngrams=(19, 19))
    assert found == [" <number> b <number", "<number> b <number>", "a <number> b <numbe"]


def test_case_does_not_matter_to_masks() -> None:
    assert tokens("DEADBEE1 0XFF", ["hex"], lowercase=False) == ["<hex>"]


@given(st.text("0123456789abcdefx.:@-_ éΣ,", max_size=60))
@settings(deadline=None, max_examples=500)
def test_any_text_can_be_masked(text: str) -> None:
    for more in ([], ["digits"]):
        for ngrams in ((1, 1), (1, 2)):
            for kind in ("words", "characters"):
                declared = Text.model_validate({"mask": [*ALL, *more], "ngrams": ngrams, "tokens": kind})
                batch = pa.record_batch({"text": [text, f"{text} {text}", text]})
                step = declared.open()
                keys = step.keys(None, batch)
                assert keys[0] == keys[2]
                frozen = step.freeze(step.observe(step.observe(None, batch), pa.record_batch({"text": ["zz zz"]})))
                reduced = step.reduce(frozen, batch)
                assert not reduced.unknown.any()
                assert reduced.keys.tolist() == keys.tolist()
