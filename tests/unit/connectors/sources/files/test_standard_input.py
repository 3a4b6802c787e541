"""Lines of the standard input, however they come."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from afield.connectors.base import FILE, LINE, OFFSET, STREAM, TEXT
from afield.connectors.sources.files.standard_input import lines


class Pieces(io.BytesIO):
    """A pipe that gives its pieces one at a time."""

    def __init__(self, pieces: list[bytes]) -> None:
        super().__init__()
        self._pieces = [piece for piece in pieces if piece]

    def read1(self, size: int | None = -1, /) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""


def read(*pieces: bytes) -> list[dict[str, object]]:
    return [row for batch in lines(Pieces(list(pieces))) for row in batch.to_pylist()]


def texts(*pieces: bytes) -> list[object]:
    return [row[TEXT] for row in read(*pieces)]


def test_a_line_is_there_as_soon_as_it_is_whole() -> None:
    batches = lines(Pieces([b"one\ntwo\nthr", b"ee\n", b"four"]))
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
