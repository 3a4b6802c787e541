"""Every way in which a bundle is refused, with its exact message."""

from __future__ import annotations

import hashlib
import io
import json
import re
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles import model, packed
from hypothesis import given, settings
from hypothesis import strategies as st

from afield.bundle import open_bundle
from afield.bundle.archive import read_directory, write_archive
from afield.errors import BundleError

Members = dict[str, bytes]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    packed(tmp_path / "logs.afield")
    return tmp_path / "logs.afield"


def refused(path: Path) -> str:
    with pytest.raises(BundleError) as error:
        open_bundle(path)
    return str(error.value).removeprefix(f"{path}: refused: ")


def members_of(path: Path) -> Members:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def resealed(path: Path, change: Callable[[Members], None]) -> None:
    """The bundle as a forger would change it: all hashes are made to fit again."""
    members = members_of(path)
    change(members)
    manifest = json.loads(members["manifest.json"])
    for name, content in members.items():
        if name != "manifest.json":
            manifest["members"][name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    members["manifest.json"] = json.dumps(manifest).encode()
    with path.open("w+b") as file:
        write_archive(file, members)


def rezipped(path: Path, members: list[tuple[Any, bytes]], compression: int = zipfile.ZIP_STORED) -> None:
    """A zip file of these members, with the comment where it is expected."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for info, content in members:
            archive.writestr(info, content)
        archive.comment = b"afield sha256:" + b"0" * 64


def with_manifest(**changes: Any) -> Callable[[Members], None]:
    def change(members: Members) -> None:
        members["manifest.json"] = json.dumps(json.loads(members["manifest.json"]) | changes).encode()

    return change


def test_not_there(tmp_path: Path) -> None:
    with pytest.raises(BundleError) as error:
        open_bundle(tmp_path / "no.afield")
    assert str(error.value) == f"{tmp_path}/no.afield: the bundle cannot be read: No such file or directory"


CUT = "it is no bundle, or was cut short; copy it again from where it was packed"


@pytest.mark.parametrize("content", [b"", b"x" * 50, b"PK\5\6" + b"\0" * 96, b"question: {}\n" * 100])
def test_not_a_bundle(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.afield").write_bytes(content)
    assert refused(tmp_path / "x.afield") == CUT


def test_another_zip_file(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.afield", "w") as archive:
        archive.writestr("a.txt", "a" * 200)
    assert refused(tmp_path / "x.afield") == CUT


def test_cut_short_anywhere(path: Path) -> None:
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        assert refused(path) == CUT


def test_a_changed_byte_of_a_member(path: Path) -> None:
    with path.open("rb") as file:
        entries = read_directory(file)
    whole = path.read_bytes()
    for name, entry in entries.items():
        if name != "manifest.json":
            path.write_bytes(whole[: entry.start] + bytes([whole[entry.start] ^ 1]) + whole[entry.start + 1 :])
            assert refused(path) == f"member {name!r} has changed since it was packed; copy the bundle again from there"


def test_a_changed_fact(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"seed": 7', b'"seed": 8'))
    assert refused(path) == (
        "manifest.json or the archive around it has changed; copy the bundle again from where it was packed"
    )


def test_any_changed_byte(path: Path) -> None:
    whole = path.read_bytes()
    for at in range(0, len(whole), 3):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        assert refused(path)


def test_bytes_added_in_front_or_behind(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(b"#!/bin/sh\n" + whole)
    assert refused(path) == CUT
    path.write_bytes(whole + b"\0")
    assert refused(path) == CUT


def test_a_missing_member(path: Path) -> None:
    members = members_of(path)
    del members["preprocess/0-text.idf.npy"]
    with path.open("w+b") as file:
        write_archive(file, members)
    assert refused(path) == (
        "member 'preprocess/0-text.idf.npy' is missing; copy the bundle again from where it was packed"
    )


def test_an_extra_member(path: Path) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("run.py", "print()")
    assert refused(path) == "member 'run.py' does not belong to it: the manifest does not list it"


def test_no_manifest(path: Path) -> None:
    rezipped(path, [("a.txt", b"a")])
    assert refused(path) == "it holds no manifest.json: this is not a bundle of Afield"


@pytest.mark.parametrize("name", ["../a", "/a", "a/../b", "a//b", "./a", "a\\b", "c:a", "a/", "..", "a\nb"])
def test_a_path_that_leaves_the_archive(path: Path, name: str) -> None:
    rezipped(path, [(name, b"a")])
    assert refused(path) == f"the path of member {name!r} leaves the archive"


def test_a_path_with_a_zero_byte(path: Path) -> None:
    rezipped(path, [("a.txt_b", b"a")])
    path.write_bytes(path.read_bytes().replace(b"a.txt_b", b"a.txt\0b"))
    assert refused(path) == "the path of member 'a.txt\\x00b' leaves the archive"


def test_a_path_that_is_not_text(path: Path) -> None:
    rezipped(path, [("abc", b"a")])
    path.write_bytes(path.read_bytes().replace(b"abc", b"a\xffc"))
    assert refused(path) == r"a member's path b'a\xffc' is not UTF-8"


def test_a_link(path: Path) -> None:
    info = zipfile.ZipInfo("network.onnx")
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    rezipped(path, [(info, b"/etc/passwd")])
    assert refused(path) == "member 'network.onnx' is a link or a special file; a bundle holds plain files only"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice(path: Path) -> None:
    rezipped(path, [("a", b"1"), ("a", b"2")])
    assert refused(path) == "member 'a' is there twice"


def test_names_that_differ_in_case(path: Path) -> None:
    rezipped(path, [("network.onnx", b"1"), ("Network.onnx", b"2")])
    assert refused(path) == "members 'network.onnx' and 'Network.onnx' differ only in case"


def test_a_compressed_member(path: Path) -> None:
    rezipped(path, [("bomb", bytes(10_000_000))], zipfile.ZIP_DEFLATED)
    assert refused(path) == "member 'bomb' is compressed (method 8); a bundle's members are stored as they are"


def patched(path: Path, offset: int, form: str, value: int) -> None:
    """Changes one field of the first entry of the directory."""
    content = bytearray(path.read_bytes())
    struct.pack_into(form, content, content.index(b"PK\1\2") + offset, value)
    path.write_bytes(content)


def test_an_encrypted_member(path: Path) -> None:
    patched(path, 8, "<H", 1)
    assert refused(path) == "member 'manifest.json' is encrypted; a bundle's members are not"


def test_an_absurd_size(path: Path) -> None:
    patched(path, 24, "<I", 4_000_000_000)
    size = len(members_of_size(path))
    assert refused(path) == f"member 'manifest.json' declares 4,000,000,000 bytes but stores {size:,}"
    patched(path, 20, "<I", 4_000_000_000)
    assert refused(path) == "member 'manifest.json' declares 4,000,000,000 bytes, more than the whole file has"


def members_of_size(path: Path) -> bytes:
    content = path.read_bytes()
    size = struct.unpack_from("<I", content, content.index(b"PK\1\2") + 20)[0]
    return content[:size]


def test_members_over_one_another(path: Path) -> None:
    content = bytearray(path.read_bytes())
    second = content.index(b"PK\1\2", content.index(b"PK\1\2") + 4)
    struct.pack_into("<I", content, second + 42, 0)
    path.write_bytes(content)
    assert refused(path) == "its archive is damaged; copy it again from where it was packed"


def test_a_file_too_large(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(2_000_000_001)
    assert refused(path) == "it has 2,000,000,001 bytes, a bundle at most 2,000,000,000"


def test_a_manifest_too_large(path: Path) -> None:
    rezipped(path, [("manifest.json", b" " * 5_000_000)])
    assert refused(path) == "manifest.json has 5,000,000 bytes, at most 4,194,304 are allowed"


def test_a_directory_too_large(path: Path) -> None:
    long = [(f"{index:060000}", b"") for index in range(80)]
    rezipped(path, long)
    assert re.fullmatch(r"its directory has 4,8\d\d,\d\d\d bytes, at most 4,194,304 are allowed", refused(path))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_manifest(schema=3), "it has schema 3, this Afield reads 2; upgrade Afield to open it"),
        (with_manifest(schema=1), "it has schema 1, this Afield reads 2; train the version again"),
        (with_manifest(schema=None), "manifest.json names no schema: this is not a bundle of Afield"),
        (
            with_manifest(seed="x"),
            "manifest.json is wrong at seed: Input should be a valid integer, unable to parse string as an integer",
        ),
        (with_manifest(extra=1), "manifest.json is wrong at extra: Extra inputs are not permitted"),
        (
            with_manifest(created="2026-01-01T00:00:00"),
            "manifest.json is wrong at created: Input should have timezone info",
        ),
    ],
)
def test_a_manifest_that_is_wrong(path: Path, change: Callable[[Members], None], message: str) -> None:
    resealed(path, change)
    assert refused(path) == message


def test_a_manifest_that_is_not_json(path: Path) -> None:
    rezipped(path, [("manifest.json", b"{")])
    assert refused(path).startswith("manifest.json is not JSON: ")
    rezipped(path, [("manifest.json", b"[1]")])
    assert refused(path) == "manifest.json names no schema: this is not a bundle of Afield"


def test_a_manifest_without_a_part(path: Path) -> None:
    members = members_of(path)
    manifest = json.loads(members["manifest.json"])
    del manifest["members"]["network.onnx"]
    rezipped(path, [("manifest.json", json.dumps(manifest).encode())])
    assert refused(path) == "manifest.json lists no network.onnx"


def test_a_member_of_another_size(path: Path) -> None:
    members = members_of(path)
    rezipped(path, [(name, content + b" " * (name == "report.json")) for name, content in members.items()])
    assert refused(path) == "member 'report.json' has 18 bytes, the manifest says 17"


def npy(array: np.ndarray, header: dict[str, Any] | None = None) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, header or np.lib.format.header_data_from_array_1_0(array))
    return file.getvalue() + array.tobytes()


PICKLED = io.BytesIO()
np.save(PICKLED, np.array([{"a": 1}], object), allow_pickle=True)
IDF = "preprocess/0-text.idf.npy"
HUGE = {"descr": "<f8", "fortran_order": False, "shape": (1 << 40,)}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (PICKLED.getvalue(), f"member '{IDF}' holds object values, which could run code; it is not loaded"),
        (npy(np.zeros(2), HUGE), f"member '{IDF}' declares 8,796,093,022,208 bytes of values and holds 16"),
        (npy(np.zeros(2))[:-1], f"member '{IDF}' declares 16 bytes of values and holds 15"),
        (b"\x93NUMPY\x09\x00", f"member '{IDF}' is not an .npy file: (9, 0)"),
    ],
)
def test_an_array_that_is_not_plain(path: Path, content: bytes, message: str) -> None:
    resealed(path, lambda members: members.update({IDF: content}))
    assert refused(path) == message


def test_a_missing_array(path: Path) -> None:
    page = {"config": {}, "arrays": ["none"]}
    resealed(path, lambda members: members.update({"preprocess/0-text.json": json.dumps(page).encode()}))
    assert refused(path) == "member 'preprocess/0-text.json' needs 'preprocess/0-text.none.npy', which is not there"


@pytest.mark.parametrize("page", [b"[]", b'{"config": 1, "arrays": []}', b'{"config": {}, "arrays": [1]}'])
def test_a_step_that_is_wrong(path: Path, page: bytes) -> None:
    resealed(path, lambda members: members.update({"preprocess/0-text.json": page}))
    assert refused(path) == "member 'preprocess/0-text.json' does not hold a config and a list of arrays"


DECISION = "decision/0-classes.json"


def test_no_decision_or_several(path: Path) -> None:
    def without(members: Members) -> None:
        manifest = json.loads(members["manifest.json"])
        del members[DECISION], manifest["members"][DECISION]
        members["manifest.json"] = json.dumps(manifest).encode()

    resealed(path, lambda members: members.update({"decision/1-value.json": members[DECISION]}))
    assert refused(path) == "it holds 2 decisions below 'decision/' instead of one"
    packed(path)
    resealed(path, without)
    assert refused(path) == "it holds 0 decisions below 'decision/' instead of one"


def test_a_network_with_external_data(path: Path) -> None:
    network = model()
    network.graph.initializer[0].data_location = 1
    resealed(path, lambda members: members.update({"network.onnx": network.SerializeToString()}))
    assert refused(path) == "network.onnx keeps values in another file; save it with all values inside"


def test_examples_that_are_no_arrow_file(path: Path) -> None:
    resealed(path, lambda members: members.update({"examples.arrow": b"no"}))
    assert refused(path).startswith("examples.arrow is not an Arrow file: ")


def test_text_that_is_not_text(path: Path) -> None:
    resealed(path, lambda members: members.update({"usecase.yaml": b"\xff"}))
    assert refused(path) == "member 'usecase.yaml' is not UTF-8 text"


@settings(max_examples=300, deadline=None)
@given(content=st.binary(max_size=200))
def test_random_arrays_are_refused_or_read(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    from afield.bundle.arrays import STEPS, read_frozen

    page = b'{"config": {}, "arrays": ["a"]}'
    for start in (b"", b"\x93NUMPY\x01\x00", npy(np.zeros(2))[: len(content)]):
        try:
            read_frozen(STEPS, {"preprocess/0-s.json": page, "preprocess/0-s.a.npy": start + content})
        except BundleError:
            continue


@settings(max_examples=200, deadline=None)
@given(at=st.integers(0, 10_000), piece=st.binary(min_size=1, max_size=20))
def test_a_frame_with_random_bytes_is_refused_or_read(at: int, piece: bytes) -> None:
    file = io.BytesIO()
    write_archive(file, {"manifest.json": b"{}", "a/b": b"content", "c": b""})
    content = bytearray(file.getvalue())
    at %= len(content)
    content[at : at + len(piece)] = piece
    try:
        read_directory(io.BytesIO(bytes(content)))
    except BundleError:
        return
