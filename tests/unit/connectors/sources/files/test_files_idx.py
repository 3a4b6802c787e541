"""IDX files: what is right is read bit by bit, what is not is refused by name."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from files_reading import Following, opened, rows
from hypothesis import given
from hypothesis import strategies as st

from afield.connectors.report import SourceReport
from afield.connectors.sources.files import idx
from afield.connectors.sources.files.idx import LABELS, idx_rows
from afield.errors import DataError

PIXELS = np.random.default_rng(0).integers(0, 256, (7, 3, 5), np.uint8)
DIGITS = np.array([3, 1, 4, 1, 5, 9, 255], np.uint8)
IMAGES, LABELS_FILE = "a-images-idx3-ubyte", "a-labels-idx1-ubyte"


def images(pixels: np.ndarray = PIXELS) -> bytes:
    return struct.pack(">4I", idx.IMAGES, *pixels.shape) + pixels.tobytes()


def labels(digits: np.ndarray = DIGITS) -> bytes:
    return struct.pack(">2I", LABELS, len(digits)) + digits.tobytes()


def write(folder: Path, first: bytes, second: bytes, suffix: str = "") -> None:
    pack = gzip.compress if suffix else bytes
    (folder / f"{IMAGES}{suffix}").write_bytes(pack(first))
    (folder / f"{LABELS_FILE}{suffix}").write_bytes(pack(second))


def read(folder: Path, position: dict[str, str] | None = None, **fields: Any) -> list[dict[str, Any]]:
    fields = {"format": "idx", "label": "label", **fields}
    source = opened(folder, labelled=True, **fields)
    return rows(source.batches(position or {}))


def refused(folder: Path, **fields: Any) -> str:
    with pytest.raises(DataError) as caught:
        read(folder, **fields)
    return str(caught.value)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_images_and_labels_are_read(tmp_path: Path, suffix: str) -> None:
    write(tmp_path, images(), labels(), suffix)
    found = read(tmp_path)
    assert np.array_equal([row["image"] for row in found], PIXELS.reshape(7, 15))
    assert [row["_label"] for row in found] == [row["label"] for row in found] == ["3", "1", "4", "1", "5", "9", "255"]
    assert [(row["_offset"], row["_line"], row["_file"]) for row in found] == [
        (row, row + 1, f"{IMAGES}{suffix}") for row in range(7)
    ]


def test_one_may_be_compressed_and_the_other_not(tmp_path: Path) -> None:
    (tmp_path / f"{IMAGES}.gz").write_bytes(gzip.compress(images()))
    (tmp_path / LABELS_FILE).write_bytes(labels())
    assert [row["_label"] for row in read(tmp_path)] == [str(digit) for digit in DIGITS]


def test_the_column_says_its_shape(tmp_path: Path) -> None:
    write(tmp_path, images(), labels())
    batch = next(opened(tmp_path, format="idx").batches({})).records
    assert str(batch.schema.field("image").type) == "fixed_size_list<item: uint8>[15]"
    assert batch.schema.field("image").metadata == {b"height": b"3", b"width": b"5", b"channels": b"1"}
    assert "label" not in batch.schema.names, "labels are read for training alone"


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_it_goes_on_at_any_row(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idx, "_BATCH_BYTES", 30)
    write(tmp_path, images(), labels(), suffix)
    batches = list(opened(tmp_path, labelled=True, format="idx", label="label").batches({}))
    assert [batch.records.num_rows for batch in batches] == [2, 2, 2, 1]
    for number, batch in enumerate(batches):
        rest = read(tmp_path, dict(batch.position))
        assert [row["label"] for row in rest] == [str(digit) for digit in DIGITS[2 * number + 2 :]]


def test_labels_are_not_needed_where_the_file_or_folder_is_the_class(tmp_path: Path) -> None:
    (tmp_path / IMAGES).write_bytes(images())
    assert {row["_label"] for row in read(tmp_path, label="file_name")} == {IMAGES}


def test_labels_without_images_are_no_records(tmp_path: Path) -> None:
    (tmp_path / LABELS_FILE).write_bytes(labels())
    (tmp_path / "README.txt").write_text("text")
    assert refused(tmp_path) == (
        ".: expected files with records, found none that can be read: README.txt: no IDX file by its name (as in "
        "train-images-idx3-ubyte.gz) or its first two bytes, which are 0; leave it out with exclude:"
    )


def test_images_without_labels(tmp_path: Path) -> None:
    (tmp_path / f"{IMAGES}.gz").write_bytes(gzip.compress(images()))
    assert refused(tmp_path) == (
        f"{IMAGES}.gz: expected its labels beside it, a file {LABELS_FILE}.gz, found none; put it there, or take the "
        "label from file_name or folder"
    )


IMAGE_BYTES, LABEL_BYTES = images(), labels()
SHORT = "as its header says, found"


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (b"\0\0\x08\x01" + IMAGE_BYTES[4:], LABEL_BYTES,
         "NAME-images: expected IDX images, which begin with 2051, found 2049, which are labels; name the right file, "
         "or leave it out with exclude:"),
        (IMAGE_BYTES, b"\0\0\x08\x03" + LABEL_BYTES[4:],
         "NAME-labels: expected IDX labels, which begin with 2049, found 2051, which are images; name the right file, "
         "or leave it out with exclude:"),
        (b"PK\3\4" + IMAGE_BYTES[4:], LABEL_BYTES,
         "NAME-images: expected IDX images, which begin with 2051, found 1347093252; name the right file, or leave it "
         "out with exclude:"),
        (IMAGE_BYTES[:11], LABEL_BYTES,
         "NAME-images: expected a header of 16 bytes, found 11; copy the whole file again"),
        (b"", LABEL_BYTES, "NAME-images: expected a header of 16 bytes, found 0; copy the whole file again"),
        (IMAGE_BYTES, LABEL_BYTES[:7], "NAME-labels: expected a header of 8 bytes, found 7; copy the whole file again"),
        (IMAGE_BYTES[:-1], LABEL_BYTES,
         f"NAME-images: expected 105 bytes of images, {SHORT} 104; copy the whole file again"),
        (IMAGE_BYTES, LABEL_BYTES[:-2],
         f"NAME-labels: expected 7 bytes of labels, {SHORT} 5; copy the whole file again"),
        (IMAGE_BYTES, labels(DIGITS[:6]),
         "NAME-labels: expected 7 labels, as many as there are images in NAME-images, found 6; give the two files that "
         "belong together"),
        (struct.pack(">4I", 2051, 7, 0, 5), LABEL_BYTES,
         "NAME-images: expected images of 1 to 4,096 pixels a side, found 0 x 5; the header is damaged"),
        (struct.pack(">4I", 2051, 7, 3, 4097), LABEL_BYTES,
         "NAME-images: expected images of 1 to 4,096 pixels a side, found 3 x 4097; the header is damaged"),
        (struct.pack(">4I", 2051, 2**32 - 1, 1, 1), LABEL_BYTES,
         "NAME-images: expected at most 20,000,000 images in 16 GiB, found a header that announces 4,294,967,295 in "
         "4,294,967,295 bytes; cut it into several files"),
        (struct.pack(">4I", 2051, 20_000_000, 4096, 4096), LABEL_BYTES,
         "NAME-images: expected at most 20,000,000 images in 16 GiB, found a header that announces 20,000,000 in "
         "335,544,320,000,000 bytes; cut it into several files"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_what_is_not_right_is_named(tmp_path: Path, suffix: str, first: bytes, second: bytes, message: str) -> None:
    write(tmp_path, first, second, suffix)
    expected = message.replace("NAME-images", f"{IMAGES}{suffix}").replace("NAME-labels", f"{LABELS_FILE}{suffix}")
    assert refused(tmp_path) == expected


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_bytes_after_the_end(tmp_path: Path, suffix: str) -> None:
    write(tmp_path, images() + b"more", labels(), suffix)
    expected = (
        "expected 105 bytes of images, as its header says, found 109; copy the whole file again"
        if not suffix
        else "expected 7 images in 105 bytes, as its header says, found more bytes after them; copy the file again"
    )
    assert refused(tmp_path) == f"{IMAGES}{suffix}: {expected}"


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: data[:-5], "truncated compressed stream"),
        (lambda data: data[:-8] + b"\0\0\0\0" + data[-4:], "zlib inflate failed: incorrect data check"),
        (lambda data: data[:-4] + b"\0\0\0\0", "zlib inflate failed: incorrect length check"),
        (lambda data: b"no" + data[2:], "zlib inflate failed: incorrect header check"),
        (lambda data: data + b"junk", "zlib inflate failed: incorrect header check"),
    ],
)
@pytest.mark.parametrize("file", [IMAGES, LABELS_FILE])
def test_damaged_compression(tmp_path: Path, file: str, damage: Any, reason: str) -> None:
    write(tmp_path, images(), labels(), ".gz")
    path = tmp_path / f"{file}.gz"
    path.write_bytes(damage(path.read_bytes()))
    assert refused(tmp_path) == f"{file}.gz: expected gzip data, found it damaged: {reason}; copy the file again"


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hundred megabytes of zeros behind a header that announces 100 bytes: one more than that is read."""
    bomb = struct.pack(">4I", 2051, 1, 10, 10) + bytes(200_000_000)
    write(tmp_path, b"", struct.pack(">2I", 2049, 1) + b"\1")
    (tmp_path / IMAGES).unlink()
    (tmp_path / f"{IMAGES}.gz").write_bytes(gzip.compress(bomb, 1))
    asked: list[int] = []
    before = idx._IdxFile._read  # pyright: ignore[reportPrivateUsage]

    def counting(file: Any, size: int) -> bytes:
        asked.append(size)
        return before(file, size)

    monkeypatch.setattr(idx._IdxFile, "_read", counting)  # pyright: ignore[reportPrivateUsage]
    assert refused(tmp_path) == (
        f"{IMAGES}.gz: expected 1 images in 100 bytes, as its header says, found more bytes after them; "
        "copy the file again"
    )
    assert sum(asked) <= 16 + 100 + 1 + 8 + 1 + 1


@given(st.binary(max_size=60), st.sampled_from([b"", b"\0\0\x08\x03"]))
def test_no_bytes_do_more_than_be_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes, start: bytes) -> None:
    """Whatever the bytes are, they are an exact IDX file or a DataError that names the file."""
    path = tmp_path_factory.getbasetemp() / "any-idx3-ubyte"
    path.write_bytes(start + data)
    rows_of = idx_rows(path, "any", SourceReport(), 0, labelled=False)
    whole = (start + data).ljust(16, b"\0")
    magic, count, height, width = struct.unpack(">4I", whole[:16])
    right = magic == 2051 and min(height, width) >= 1 and max(height, width) <= 4096
    if right and len(start + data) == 16 + count * height * width:
        assert sum(len(part) for part in rows_of) == count
        return
    with pytest.raises(DataError, match=r"\Aany: expected "):
        list(rows_of)


def test_a_new_file_is_read_while_following(tmp_path: Path) -> None:
    write(tmp_path, images(), labels())
    with Following(tmp_path, ".", format="idx") as following:
        assert len(following.rows()) == 7
        (tmp_path / "b-images-idx3-ubyte").write_bytes(images(PIXELS[:2]))
        assert [row["image"] for row in following.rows()] == PIXELS[:2].reshape(2, 15).tolist()
        assert following.rows() == []


def test_mnist(data: Path) -> None:
    found = opened(data / "mnist", "t10k*", labelled=True, format="idx", label="label")
    batches = [batch.records for batch in found.batches({})]
    assert sum(batch.num_rows for batch in batches) == 10_000
    assert found.report.skipped == {}
    assert batches[0].column("label").slice(0, 5).to_pylist() == ["7", "2", "1", "0", "4"]
