"""A folder of image files: each is a record, damaged ones are named and left out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from files_reading import Following, opened, rows
from pictures import encoded

from afield.connectors.sources.files import images
from afield.errors import DataError, StateError

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 4, 3), np.uint8)


def write(folder: Path) -> list[bytes]:
    files = [encoded(pixels) for pixels in PIXELS]
    for number, data in enumerate(files):
        path = folder / str(number % 3) / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    return files


def read(folder: Path, position: dict[str, str] | None = None, **fields: Any) -> list[dict[str, Any]]:
    return rows(opened(folder, format="images", labelled="label" in fields, **fields).batches(position or {}))


def test_each_file_is_a_record(tmp_path: Path) -> None:
    files = write(tmp_path)
    found = read(tmp_path, label="folder")
    assert [row["_label"] for row in found] == ["0", "0", "1", "1", "2", "2"]
    assert [row["image"] for row in found] == [files[number] for number in (0, 3, 1, 4, 2, 5)]
    assert [row["_file"] for row in found] == [row["_stream"] for row in found]
    assert found[1]["_file"] == "0/3.png"
    assert {(row["_offset"], row["_line"]) for row in found} == {(0, 1)}


def test_a_part_of_the_name_may_be_the_label(tmp_path: Path) -> None:
    (tmp_path / "set5").mkdir()
    for name in ("7_a.png", "3_b.png", "other.png"):
        (tmp_path / "set5" / name).write_bytes(encoded(PIXELS[0]))
    found = read(tmp_path, label={"from": "file_name", "pattern": r"^(\d)_"})
    assert [row["_label"] for row in found] == ["3", "7", None]
    both = read(tmp_path, label={"from": ["folder", "file_name"], "pattern": r"(\d)"})
    assert [row["_label"] for row in both] == ["5/3", "5/7", None]


def test_what_is_no_image_is_named_and_left_out(tmp_path: Path) -> None:
    files = write(tmp_path)
    (tmp_path / "0" / "0.png").write_bytes(files[0][:40])
    (tmp_path / "notes.txt").write_text("text")
    source = opened(tmp_path, format="images")
    assert [row["_file"] for row in rows(source.batches({}))] == ["0/3.png", "1/1.png", "1/4.png", "2/2.png", "2/5.png"]
    assert source.report.skipped["notes.txt"] == "expected PNG or JPEG, found a file that begins with 74 65 78 74"
    assert source.report.skipped["0/0.png"].startswith("expected a whole image, found it damaged: ")
    assert (source.report.records, source.report.files) == (5, 5)


def test_a_file_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    monkeypatch.setattr(images, "LARGEST_FILE", 10)
    with pytest.raises(DataError) as caught:
        read(tmp_path)
    assert str(caught.value).startswith(
        ".: expected files with records, found none that can be read: 0/0.png: expected at most 10 bytes, found "
    )


def test_no_images_at_all(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path)
    assert str(caught.value) == f".: expected files, found none in the folder {tmp_path} (hidden files do not count)"


def test_a_changed_file_is_a_new_record_and_a_touched_one_is_not(tmp_path: Path) -> None:
    write(tmp_path)
    position = {k: v for batch in opened(tmp_path, format="images").batches({}) for k, v in batch.position.items()}
    assert read(tmp_path, position) == []
    os.utime(tmp_path / "0" / "3.png", ns=(1, 1))
    (tmp_path / "1" / "4.png").write_bytes(encoded(PIXELS[0]))
    assert [(row["_stream"], row["_offset"]) for row in read(tmp_path, position)] == [("1/4.png", 1)]


def test_batches_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    monkeypatch.setattr(images, "MOST_FILES", 4)
    assert [batch.records.num_rows for batch in opened(tmp_path, format="images").batches({})] == [4, 2]
    monkeypatch.setattr(images, "MOST_BYTES", 1)
    assert [batch.records.num_rows for batch in opened(tmp_path, format="images").batches({})] == [1] * 6


def test_new_files_are_found_while_following(tmp_path: Path) -> None:
    files = write(tmp_path)
    with Following(tmp_path, ".", format="images") as following:
        assert len(following.rows()) == 6
        (tmp_path / "new.png").write_bytes(files[0])
        (tmp_path / "broken.png").write_bytes(files[0][:50])
        assert [row["_file"] for row in following.rows()] == ["new.png"]
        assert list(following.source.report.skipped) == ["broken.png"]
        (tmp_path / "broken.png").write_bytes(files[1])
        assert [row["image"] for row in following.rows()] == [files[1]]


def test_a_position_of_another_source(tmp_path: Path) -> None:
    with pytest.raises(StateError) as caught:
        read(tmp_path, {"a.png": "7"})
    assert str(caught.value) == (
        "stored position of stream a.png: expected a cursor of an image, found '7'; it belongs to another source, or "
        "is damaged: start with a new position"
    )
