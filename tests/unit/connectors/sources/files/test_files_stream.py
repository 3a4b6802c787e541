"""Compressed files are read whole, damaged ones as far as they go."""

from __future__ import annotations

import bz2
import gzip
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afield.connectors.sources.files import utf8
from afield.connectors.sources.files.stream import ByteStream, TextStream

DATA = b"".join(b"line %d of the log\n" % number for number in range(20_000))


def zstd(data: bytes) -> bytes:
    buffer = pa.BufferOutputStream()
    with pa.CompressedOutputStream(buffer, "zstd") as stream:
        stream.write(data)
    return buffer.getvalue().to_pybytes()


def read(path: Path, size: int = 2**22) -> tuple[bytes, str | None]:
    with closing(ByteStream(path)) as stream:
        parts: list[bytes] = []
        while part := stream.read(size):
            parts.append(part)
        return b"".join(parts), stream.damage


@pytest.mark.parametrize(("suffix", "compress"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".zst", zstd)])
def test_members_one_after_the_other_are_one_file(tmp_path: Path, suffix: str, compress) -> None:
    path = tmp_path / f"a.log{suffix}"
    path.write_bytes(compress(DATA) + compress(DATA[:100]))
    assert read(path) == (DATA + DATA[:100], None)
    assert read(path, 1000) == (DATA + DATA[:100], None)


@pytest.mark.parametrize(("suffix", "compress"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".zst", zstd)])
def test_a_file_cut_short_gives_what_is_there(tmp_path: Path, suffix: str, compress) -> None:
    path = tmp_path / f"a.log{suffix}"
    short = compress(DATA)
    path.write_bytes(short[: len(short) // 2])
    found, damage = read(path)
    assert DATA.startswith(found)
    assert damage
    assert found or suffix != ".gz"


def test_a_small_gz_cut_short_gives_its_first_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.log.gz"
    path.write_bytes(gzip.compress(DATA[:2000])[:-8])
    assert read(path) == (DATA[:2000], "Truncated compressed stream")


def test_what_is_no_gz_gives_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.log.gz"
    path.write_bytes(DATA)
    found, damage = read(path)
    assert found == b""
    assert damage
    assert "incorrect header" in damage


@pytest.mark.parametrize("name", ["a.log", "a.log.gz"])
def test_skip_to_shows_the_bytes_before(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(DATA) if name.endswith("gz") else DATA)
    with closing(ByteStream(path)) as stream:
        assert stream.skip_to(200_000) == DATA[200_000 - 64 : 200_000]
        assert stream.read(10) == DATA[200_000:200_010]


@settings(deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=5), st.sampled_from(["é€😀", "\ufffd"]).map(str.encode))), st.data())
def test_repaired_text_is_that_of_python(parts: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(parts)

    class Pieces:
        def __init__(self) -> None:
            self.rest = whole

        def read(self, size: int) -> bytes:
            piece, self.rest = self.rest[:size], self.rest[size:]
            return piece

    stream = TextStream(Pieces())  # pyright: ignore[reportArgumentType]
    found: list[bytes] = []
    while piece := stream.read(data.draw(st.integers(1, 40))):
        found.append(piece)
    expected = whole.decode("utf-8", "replace")
    assert b"".join(found).decode() == expected
    assert stream.replaced == expected.count("\ufffd") - whole.count("\ufffd".encode())


@settings(deadline=None)
@given(st.text(max_size=20), st.integers(0, 90))
def test_whole_characters_never_splits_one(text: str, limit: int) -> None:
    data = text.encode()
    end = utf8.whole_characters(data, limit)
    assert data[:end].decode() == data[:limit].decode("utf-8", "ignore")
