"""Lines of the standard input, however they come."""

from __future__ import annotations

import io
import tracemalloc

import pytest
from files_reading import opened, rows
from hypothesis import given, settings
from hypothesis import strategies as st

from afield.connectors.base import FILE, LINE, OFFSET, STREAM, TEXT
from afield.connectors.sources.files.reader import Splitter
from afield.connectors.sources.files.spec import Files
from afield.connectors.sources.files.standard_input import lines


class Pieces(io.BytesIO):
    """A pipe that gives its pieces one at a time."""

    def __init__(self, pieces: list[bytes]) -> None:
        super().__init__()
        self._pieces = [piece for piece in pieces if piece]

    def read1(self, size: int | None = -1, /) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""


def read(*pieces: bytes, **fields: object) -> list[dict[str, object]]:
    spec = Files.model_validate({"path": "-", **fields})
    return [row for batch in lines(Pieces(list(pieces)), spec) for row in batch.to_pylist()]


def texts(*pieces: bytes, **fields: object) -> list[object]:
    return [row[TEXT] for row in read(*pieces, **fields)]


def test_a_line_is_there_as_soon_as_it_is_whole() -> None:
    batches = lines(Pieces([b"one\ntwo\nthr", b"ee\n", b"four"]), Files(path="-"))
    assert next(batches).column(TEXT).to_pylist() == ["one", "two"]
    assert next(batches).column(TEXT).to_pylist() == ["three"]
    assert next(batches).column(TEXT).to_pylist() == ["four"]
    assert next(batches, None) is None


def test_lines_know_their_place() -> None:
    assert read(b"\xc3\xa9\n\nab", b"c\nd") == [
        {TEXT: "é", STREAM: "-", OFFSET: 0, FILE: "-", LINE: 1},
        {TEXT: "", STREAM: "-", OFFSET: 3, FILE: "-", LINE: 2},
        {TEXT: "abc", STREAM: "-", OFFSET: 4, FILE: "-", LINE: 3},
        {TEXT: "d", STREAM: "-", OFFSET: 8, FILE: "-", LINE: 4},
    ]


def test_odd_bytes() -> None:
    assert texts() == []
    assert texts(b"\n") == [""]
    assert texts(b"a\r\nb\rc\r\n") == ["a", "b\rc"]
    assert texts(b"caf\xe9 \xff\n") == ["caf� �"]
    assert texts(b"\xc3", b"\xa9\n") == ["é"]
    assert texts("a\u2028b\x0bc\x85\n".encode()) == ["a\u2028b\x0bc\x85"]


@given(st.lists(st.binary(max_size=20), max_size=8))
def test_how_the_bytes_come_changes_nothing(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    expected = [part.removesuffix(b"\r").decode(errors="replace") for part in whole.split(b"\n")]
    assert texts(*pieces) == (expected[:-1] if whole.endswith(b"\n") or not whole else expected)
    found = read(*pieces)
    assert [row[LINE] for row in found] == list(range(1, len(found) + 1))
    for row in found:
        assert isinstance(row[OFFSET], int)
        assert row[OFFSET] == 0 or whole[row[OFFSET] - 1 : row[OFFSET]] == b"\n"


def test_long_lines_are_cut() -> None:
    assert texts(b"a" * 20 + b"\nb", max_record_bytes=16) == ["a" * 16, "b"]
    assert [row[OFFSET] for row in read(*[b"a"] * 40, b"\n", b"b", max_record_bytes=16)] == [0, 41]


def test_records_of_several_lines() -> None:
    pieces = b"> one\n more\n>", b" two\n", b"> three"
    assert texts(*pieces, record_start=">") == ["> one\n more", "> two", "> three"]


def pieces_of(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


PARTS = st.sampled_from([b"\n", b"\r\n", b"ab", b"\xc3", b"\xa9", "é€😀".encode(), b"x" * 30]) | st.binary(
    max_size=8
).filter(lambda data: b"\0" not in data)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(PARTS, max_size=40),
    st.integers(1, 50),
    st.sampled_from([None, "x|é"]),
)
def test_records_are_those_of_a_file(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes], size: int, start: str | None
) -> None:
    data = b"".join(parts)
    folder = tmp_path_factory.mktemp("files")
    (folder / "a.log").write_bytes(data)
    fields = {"max_record_bytes": 16, "record_start": start}
    in_file = rows(opened(folder, "a.log", chunk=size, **fields).batches({}))
    piped = read(*pieces_of(data, size), **fields)
    for row in [*in_file, *piped]:
        del row[STREAM], row[FILE]
    assert piped == in_file


def test_the_beginning_of_a_line_is_not_copied_with_each_piece() -> None:
    splitter, piece, copied = Splitter(limit=2**20), b"x" * 256, 0
    tracemalloc.start()
    for _ in range(2**20 // len(piece)):
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        splitter.feed(piece)
        copied += tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert copied < 8 * 2**20
