"""Labels from names, folders and columns."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from afield.connectors.sources.files.label import base_name, label_array
from afield.connectors.sources.files.spec import Label


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("system.log", "system.log"),
        ("system.log.1", "system.log"),
        ("system.log.1.gz", "system.log"),
        ("system.log.gz", "system.log"),
        ("system.log-20180711", "system.log"),
        ("system.log-20180711-1531234567.zst", "system.log"),
        ("system.log.2018-07-11.3.bz2", "system.log"),
        ("wifi-11-07-2018__09-13-51.123.log", "wifi.log"),
        ("wifi-11-07-2018__09:13:51.123.log", "wifi.log"),
        ("app-2018-07-11.log", "app.log"),
        ("app.1.log", "app.log"),
        ("access.2018071112", "access"),
        ("Linux_2k.log", "Linux_2k.log"),
        ("node-7.log", "node-7.log"),
        ("1.log", "1.log"),
    ],
)
def test_base_name(name: str, base: str) -> None:
    assert base_name(name) == base


def label(value: object) -> Label:
    return Label.model_validate(value)


def test_the_name_is_kept_unless_rotated_files_are_merged() -> None:
    path = Path("/logs/web/system.log.1.gz")
    plain = label_array(label({"from": "file_name"}), path, 2, {})
    assert plain.type == pa.dictionary(pa.int32(), pa.string())
    assert plain.to_pylist() == ["system.log.1.gz"] * 2
    merged = label_array(label({"from": "file_name", "merge_rotated": True}), path, 1, {})
    assert merged.to_pylist() == ["system.log"]


def test_parts_are_joined() -> None:
    columns = {"EventId": pa.array([10, 20, None]), "folder": pa.array(["x", "y", "z"]).dictionary_encode()}
    path = Path("/logs/Android/a.csv")
    found = label_array(label({"from": ["folder", "EventId"]}), path, 3, columns)
    assert found.type == pa.dictionary(pa.int32(), pa.string())
    assert found.to_pylist() == ["Android/10", "Android/20", None]
    assert label_array(label({"from": {"column": "folder"}}), path, 3, columns).to_pylist() == ["x", "y", "z"]
    assert label_array(label({"from": ["folder", "file_name"]}), path, 1, {}).to_pylist() == ["Android/a.csv"]
