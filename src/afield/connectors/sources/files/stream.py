"""The bytes of one file, decompressed: what a damaged file still gives is read, and the damage is named."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa

from afield.connectors.sources.files import utf8

CODECS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
BINARY_PROBE = 8192
LOOK_BACK = 64
_KEPT = 4096
_PIECE = 65536


def codec_of(path: str | os.PathLike[str]) -> str | None:
    """The compression that the name of a file tells."""
    return CODECS.get(Path(path).suffix.lower())


class Trail:
    """The bytes read last, by which a place in a file is known again.

    Args:
        offset: where the reading begins.
    """

    def __init__(self, offset: int = 0) -> None:
        self._older = b""
        self._latest = b""
        self._start = offset

    def add(self, data: bytes) -> None:
        """Takes what was read next."""
        self._older = (self._older + self._latest[-_KEPT:])[-_KEPT:]
        self._start += len(self._latest)
        self._latest = data

    def before(self, offset: int) -> bytes:
        """The 64 bytes before a place, all where there are fewer; none where they are not kept any more."""
        first, latest = max(offset - LOOK_BACK, 0) - self._start, offset - self._start
        if first >= 0:
            return self._latest[first:latest]
        if latest < 0 or -first > len(self._older):
            return b""
        return self._older[first:] + self._latest[:latest]


class ByteStream:
    """Reads one file from its beginning.

    Args:
        path: the file.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.position = 0
        self.damage: str | None = None
        self._path = path
        self.trail = Trail()
        self._codec = codec_of(path)
        self._raw = path.open("rb", buffering=0)
        self._stream = self._decompressed()

    def read(self, size: int) -> bytes:
        """The next bytes of the uncompressed file: fewer than `size` only at its end or where it is damaged."""
        pieces: list[bytes] = []
        missing = size
        while missing and self.damage is None:
            piece = self._read_piece(missing)
            if not piece:
                break
            pieces.append(piece)
            missing -= len(piece)
            self.position += len(piece)
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self.trail.add(data)
        return data

    def skip_to(self, offset: int) -> bytes:
        """Goes forward to a byte of the uncompressed file, or to its end; returns up to 64 bytes before it."""
        if self._codec is None:
            self.position = max(offset - LOOK_BACK, 0)
            self._raw.seek(self.position)
            self.trail = Trail(self.position)
        while self.position < offset and self.read(min(offset - self.position, _PIECE)):
            pass
        return self.trail.before(self.position)

    def close(self) -> None:
        """Lets go of the file."""
        self._raw.close()

    def _decompressed(self) -> pa.CompressedInputStream | None:
        if self._codec is None:
            return None
        return pa.CompressedInputStream(pa.PythonFile(self._raw, mode="r"), self._codec)

    def _read_piece(self, missing: int) -> bytes:
        if self._stream is None:
            return self._raw.read(missing)
        try:
            return self._stream.read(min(missing, _PIECE))
        except OSError as error:
            self.damage = str(error)
            return self._salvage(min(missing, _PIECE))

    def _salvage(self, most: int) -> bytes:
        """What stands before the damage: a read that fails loses its whole piece, so it is read again byte by byte."""
        # The stream that failed takes the file it reads from with it.
        self._raw = self._path.open("rb", buffering=0)
        self._stream = self._decompressed()
        assert self._stream is not None
        behind = self.position
        while behind:
            behind -= len(self._stream.read(min(behind, _PIECE)))
        found = bytearray()
        try:
            while len(found) < most and (byte := self._stream.read(1)):
                found += byte
        except OSError:
            return bytes(found)
        return bytes(found)


class TextStream:
    """A stream of bytes as the CSV reader takes it: bad UTF-8 is repaired and counted, damage ends it."""

    def __init__(self, stream: ByteStream) -> None:
        self.replaced = 0
        self.closed = False
        self._stream = stream
        self._held = b""

    def read(self, size: int = -1) -> bytes:
        """The next bytes; `size` is a wish, since repaired characters are longer than what they replace."""
        if size == 0:
            return b""
        wanted = _PIECE if size < 0 else max(size // 3 - 4, 1)
        while True:
            fresh = self._stream.read(wanted)
            data = self._held + fresh
            end = utf8.without_open_character(data) if fresh else len(data)
            self._held = data[end:]
            if end or not fresh:
                break
        repaired, replaced = utf8.repair(data[:end])
        self.replaced += replaced
        return repaired

    def close(self) -> None:
        """The stream below stays open: its owner closes it."""
        self.closed = True
