"""Lines become records of several lines, wherever the chunks are cut."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from afield.connectors.sources.files.joiner import Joiner
from afield.connectors.sources.files.reader import Lines, Splitter


def read(data: bytes, size: int, pattern: str, limit: int = 2**20) -> tuple[list[Lines], Joiner]:
    splitter, joiner = Splitter(limit=limit + 4), Joiner(pattern, limit)
    parts: list[Lines | None] = []
    for start in range(0, len(data), size):
        lines = splitter.feed(data[start : start + size])
        parts.append(joiner.feed(lines) if lines else None)
    last = splitter.finish()
    parts += [joiner.feed(last) if last else None, joiner.flush(splitter.offset, splitter.number)]
    return [part for part in parts if part is not None], joiner


def expected(lines: list[str], pattern: str) -> list[tuple[str, int]]:
    records: list[tuple[list[str], int]] = []
    for number, line in enumerate(lines, 1):
        if not records or re.match(pattern, line):
            records.append(([], number))
        records[-1][0].append(line)
    return [("\n".join(parts), number) for parts, number in records]


@settings(deadline=None)
@given(st.lists(st.sampled_from(["> a", ">", "more", "", "  at x", "é"]), max_size=30), st.integers(1, 30))
def test_records_begin_where_the_pattern_matches(lines: list[str], size: int) -> None:
    data = "".join(line + "\n" for line in lines).encode()
    parts, _ = read(data, size, ">")
    found = [(text, number) for part in parts for text, number in zip(part.text.to_pylist(), part.numbers, strict=True)]
    assert found == expected(lines, ">")
    offsets = [offset for part in parts for offset in part.offsets.tolist()]
    assert offsets == [sum(len(line.encode()) + 1 for line in lines[: number - 1]) for _, number in found]
    for part, after in pairwise(parts):
        assert (part.next_offset, part.next_number) == (after.offsets[0], after.numbers[0])
    if parts:
        assert (parts[-1].next_offset, parts[-1].next_number) == (len(data), len(lines) + 1)


@settings(deadline=None)
@given(st.integers(1, 200))
def test_a_long_record_is_cut_and_counted_once(size: int) -> None:
    data = b"> one\n" + b"x" * 40 + b"\n" + b"y\n" * 50 + b"> two\n" + b"> " + b"z" * 100 + b"\n> end\n"
    parts, joiner = read(data, size, ">", limit=20)
    found = [text for part in parts for text in part.text.to_pylist()]
    assert found == ["> one\n" + "x" * 14, "> two", "> " + "z" * 18, "> end"]
    assert joiner.cut == 2


def test_the_pattern_is_matched_at_the_start_of_a_line() -> None:
    parts, _ = read(b"1 a\nb 1\n2 c\n", 100, r"\d|z")
    assert [text for part in parts for text in part.text.to_pylist()] == ["1 a\nb 1", "2 c"]
