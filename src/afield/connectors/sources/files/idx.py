"""IDX, the files of MNIST: big-endian images, their labels in a file beside them; nothing they say is trusted."""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
import pyarrow as pa

from afield.connectors.report import SourceReport
from afield.connectors.sources.files.records import Rows
from afield.connectors.sources.files.stream import codec_of
from afield.errors import DataError

IMAGES, LABELS = 2051, 2049
"""The first four bytes: unsigned bytes in three dimensions, and in one."""
MOST_RECORDS = 20_000_000
LONGEST_SIDE = 4096
MOST_BYTES = 2**34
_WORDS = {IMAGES: "images", LABELS: "labels"}
_BATCH_BYTES = 4 * 2**20
_DIGITS = pa.array([str(value) for value in range(256)], pa.string())

Role = Literal["images", "labels"]


def role_of(path: Path, probe: bytes) -> Role | None:
    """What a file of a folder is taken for, by its name or its first bytes; None where it is none of ours."""
    name = path.name.lower()
    if "labels" in name or "idx1" in name:
        return "labels"
    return "images" if "idx" in name or "ubyte" in name or probe.startswith(b"\0\0") else None


def idx_rows(path: Path, shown: str, report: SourceReport, start: int, *, labelled: bool) -> Iterator[Rows]:
    """Images of an IDX file, with their labels as text where they are asked for.

    Args:
        path: the file of images; its labels lie beside it, under the same name with `labels` for `images`.
        shown: the file, for people.
        report: takes the counts.
        start: number of the first image that is wanted, from 0.
        labelled: reads the labels too, into a column `label`.

    Raises:
        DataError: a file is not exactly what its header says, or the two do not fit together.
    """
    with ExitStack() as opened:
        images = opened.enter_context(_IdxFile(path, shown, IMAGES))
        labels = opened.enter_context(_labels_of(path, shown)) if labelled else None
        if labels and labels.count != images.count:
            raise DataError(
                f"{labels.shown}: expected {images.count:,} labels, as many as there are images in {shown}, "
                f"found {labels.count:,}; give the two files that belong together"
            )
        height, width = images.sides
        shape = {"height": str(height), "width": str(width), "channels": "1"}
        for file in (images, labels) if labels else (images,):
            file.skip(start)
        rows = max(_BATCH_BYTES // images.size, 1)
        for first in range(start, images.count, rows):
            count = min(rows, images.count - first)
            pixels = pa.Array.from_buffers(pa.uint8(), count * images.size, [None, pa.py_buffer(images.take(count))])
            columns: dict[str, pa.Array] = {"image": pa.FixedSizeListArray.from_arrays(pixels, images.size)}
            if labels:
                columns["label"] = _DIGITS.take(pa.array(np.frombuffer(labels.take(count), np.uint8)))
            offsets = np.arange(first, first + count)
            yield Rows(columns, offsets, offsets + 1, first + count, first + count + 1, {"image": shape})
        images.check_end()
        if labels:
            labels.check_end()
        report.bytes += (images.count - start) * images.size


def _labels_of(images: Path, shown: str) -> _IdxFile:
    name = images.name.replace("images", "labels").replace("idx3", "idx1")
    plain = name.removesuffix(images.suffix) if codec_of(images) else name
    for candidate in dict.fromkeys([name, plain, f"{plain}.gz"]):
        path = images.with_name(candidate)
        if candidate != images.name and path.is_file():
            return _IdxFile(path, str(Path(shown).with_name(candidate)), LABELS)
    expected = f"a file {name}" if name != images.name else "`images` in its name, and the same with `labels`"
    raise DataError(
        f"{shown}: expected its labels beside it, {expected}, found none; put it there, or take the label from "
        "file_name or folder"
    )


class _IdxFile:
    """One IDX file, read from its beginning; never more is read than its header says, and one byte."""

    def __init__(self, path: Path, shown: str, magic: int) -> None:
        self.shown = shown
        self._taken = 0
        self._what = _WORDS[magic]
        try:
            self._size = path.stat().st_size
            self._raw: BinaryIO = path.open("rb")
        except OSError as error:
            raise DataError(f"{shown}: expected IDX {self._what}, cannot be read: {_why(error)}") from error
        self._codec = codec_of(path)
        self._stream = pa.CompressedInputStream(self._raw, self._codec) if self._codec else self._raw
        try:
            self.count, *self.sides = self._header(magic)
        except BaseException:
            self._raw.close()
            raise
        self.size = math.prod(self.sides)

    def _header(self, magic: int) -> tuple[int, ...]:
        words = 4 if magic == IMAGES else 2
        head = self._read(4 * words)
        if len(head) >= 4 and (found := int.from_bytes(head[:4], "big")) != magic:
            known = f", which are {_WORDS[found]}" if found in _WORDS else ""
            raise DataError(
                f"{self.shown}: expected IDX {self._what}, which begin with {magic}, found {found}{known}; "
                "name the right file, or leave it out with exclude:"
            )
        if len(head) < 4 * words:
            raise DataError(
                f"{self.shown}: expected a header of {4 * words} bytes, found {len(head)}; copy the whole file again"
            )
        _, count, *sides = struct.unpack(f">{words}I", head)
        if not all(1 <= side <= LONGEST_SIDE for side in sides):
            raise DataError(
                f"{self.shown}: expected images of 1 to {LONGEST_SIDE:,} pixels a side, "
                f"found {' x '.join(map(str, sides))}; the header is damaged"
            )
        size = count * math.prod(sides)
        if count > MOST_RECORDS or size > MOST_BYTES:
            raise DataError(
                f"{self.shown}: expected at most {MOST_RECORDS:,} {self._what} in {MOST_BYTES // 2**30} GiB, found a "
                f"header that announces {count:,} in {size:,} bytes; cut it into several files"
            )
        if self._codec is None and self._size != 4 * words + size:
            raise self._wrong_length(size, self._size - 4 * words)
        return count, *sides

    def take(self, count: int) -> bytes:
        """The next records.

        Raises:
            DataError: the file ends before them, or cannot be decompressed.
        """
        data = self._read(count * self.size)
        self._taken += count
        if len(data) < count * self.size:
            raise self._wrong_length(self.count * self.size, (self._taken - count) * self.size + len(data))
        return data

    def skip(self, count: int) -> None:
        """Leaves out the first records."""
        if self._codec is None:
            self._raw.seek(count * self.size, os.SEEK_CUR)
            self._taken = count
            return
        step = max(_BATCH_BYTES // self.size, 1)
        for first in range(0, count, step):
            self.take(min(step, count - first))

    def check_end(self) -> None:
        """Refuses bytes after the last record, and a sum of the compressed file that does not fit.

        Raises:
            DataError: there are such.
        """
        if self._read(1):
            raise DataError(
                f"{self.shown}: expected {self.count:,} {self._what} in {self.count * self.size:,} bytes, as its "
                "header says, found more bytes after them; copy the file again"
            )

    def __enter__(self) -> _IdxFile:
        return self

    def __exit__(self, *error: object) -> None:
        self._raw.close()

    def _read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except OSError as error:
            kind = self._codec or "IDX"
            raise DataError(
                f"{self.shown}: expected {kind} data, found it damaged: {_why(error)}; copy the file again"
            ) from error

    def _wrong_length(self, expected: int, found: int) -> DataError:
        return DataError(
            f"{self.shown}: expected {expected:,} bytes of {self._what}, as its header says, found {found:,}; "
            "copy the whole file again"
        )


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
