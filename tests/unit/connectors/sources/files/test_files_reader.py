"""Bytes become lines exactly, wherever the chunks are cut."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from afield.connectors.sources.files.reader import Lines, Splitter

awkward = st.lists(
    st.one_of(
        st.binary(max_size=12),
        st.sampled_from([b"\n", b"\r\n", b"\r", b"\n\n", "é€😀".encode(), b"\xe2\x82", b"\xff", b"\xef\xbf\xbd"]),
    ),
    max_size=30,
).map(b"".join)


def read(data: bytes, size: int, limit: int = 2**20) -> tuple[list[Lines], Splitter]:
    splitter = Splitter(limit=limit)
    parts = [splitter.feed(data[start : start + size]) for start in range(0, len(data), size)]
    return [part for part in [*parts, splitter.finish()] if part is not None], splitter


def plain(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")
    return [line.removesuffix(b"\r") for line in (lines if lines[-1] else lines[:-1])]


@settings(deadline=None)
@given(awkward, st.integers(1, 40))
def test_lines_are_those_of_python(data: bytes, size: int) -> None:
    parts, splitter = read(data, size)
    expected = [line.decode("utf-8", "replace") for line in plain(data)]
    found = [text for part in parts for text in part.text.to_pylist()]
    assert found == expected
    assert splitter.replaced == sum(text.count("\ufffd") for text in expected) - data.count("\ufffd".encode())
    for part in parts:
        part.text.validate(full=True)


@settings(deadline=None)
@given(awkward, st.integers(1, 40))
def test_offsets_and_numbers_say_where_a_line_starts(data: bytes, size: int) -> None:
    parts, _ = read(data, size)
    starts = [0]
    for line in data.split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    count = sum(len(part) for part in parts)
    assert [offset for part in parts for offset in part.offsets.tolist()] == starts[:count]
    assert [number for part in parts for number in part.numbers.tolist()] == list(range(1, count + 1))
    if parts:
        assert (parts[-1].next_offset, parts[-1].next_number) == (len(data), count + 1)


@settings(deadline=None)
@given(awkward, st.integers(1, 40), st.integers(1, 5))
def test_pieces_know_where_the_next_one_starts(data: bytes, size: int, most: int) -> None:
    parts, _ = read(data, size)
    pieces = [piece for part in parts for piece in part.pieces(most)]
    for piece, after in pairwise(pieces):
        assert len(piece) <= most
        assert (piece.next_offset, piece.next_number) == (after.offsets[0], after.numbers[0])


@settings(deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=60), max_size=8), st.data())
def test_a_long_line_is_cut_between_characters(lines: list[str], data: st.DataObject) -> None:
    whole = "".join(line + "\n" for line in lines).encode()
    parts, splitter = read(whole, data.draw(st.integers(1, 90)), limit=16)
    found = [text for part in parts for text in part.text.to_pylist()]
    assert found == [line.encode()[:16].decode("utf-8", "ignore") for line in lines]
    assert splitter.cut == sum(len(line.encode()) > 16 for line in lines)
    assert splitter.replaced == 0
    assert splitter.offset == len(whole)


def test_a_line_without_end_takes_no_memory() -> None:
    splitter = Splitter(limit=1000)
    for _ in range(500):
        assert splitter.feed(b"x" * 10_000) is None
        assert len(splitter._open) <= 1004
    lines = splitter.feed(b"end\nnext\n")
    assert lines is not None
    assert [len(text) for text in lines.text.to_pylist()] == [1000, 4]
    assert lines.offsets.tolist() == [0, 5_000_004]
    assert splitter.cut == 1
