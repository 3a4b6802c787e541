"""Opens a bundle that may come from anywhere: everything is checked before anything is used."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from afield.bundle.archive import LARGEST_MANIFEST, Entry, check_seal, read_directory, read_member
from afield.bundle.arrays import DECISION, STEPS, read_frozen
from afield.bundle.examples import read_examples
from afield.bundle.manifest import EXAMPLES, MANIFEST, NETWORK, REPORT, USE_CASE, Manifest, read_manifest
from afield.bundle.onnx_guard import check_network
from afield.errors import BundleError
from afield.preprocess.base import Frozen


@dataclass(frozen=True)
class Bundle:
    """What one bundle holds.

    Args:
        path: where it was opened.
        manifest: what it is and what it was made from.
        usecase: text of usecase.yaml.
        network: the content of an ONNX file, checked to reach nowhere outside of it.
        steps: name and frozen state of each preprocessing step, in order; arrays are read-only.
        decision: kind and frozen state of how what the network computes becomes an answer.
        examples: rows as masked, with `_expected` and `_figure`.
        report: JSON text.
    """

    path: Path
    manifest: Manifest
    usecase: str
    network: bytes
    steps: list[tuple[str, Frozen]]
    decision: tuple[str, Frozen]
    examples: pa.Table
    report: str


def open_bundle(path: Path) -> Bundle:
    """Opens a bundle whose every byte is as it was packed.

    Each member is read and hashed once, and what was hashed is what is used: a file that changes later changes nothing.

    Raises:
        BundleError: not there, damaged, too large, too new, or holding something that could reach outside of it.
    """
    try:
        with path.open("rb") as file:
            return _read(path, file)
    except OSError as error:
        raise BundleError(f"{path}: the bundle cannot be read: {error.strerror or error}") from None
    except BundleError as error:
        raise BundleError(f"{path}: refused: {error}") from None


def _read(path: Path, file: BinaryIO) -> Bundle:
    entries = read_directory(file)
    manifest = _manifest(file, entries)
    members = {name: _member(file, name, entries[name], manifest) for name in manifest.members}
    check_seal(file, entries)
    network = members[NETWORK]
    check_network(network)
    return Bundle(
        path,
        manifest,
        _text(USE_CASE, members),
        network,
        read_frozen(STEPS, members),
        _decision(members),
        read_examples(members[EXAMPLES]),
        _text(REPORT, members),
    )


def _manifest(file: BinaryIO, entries: Mapping[str, Entry]) -> Manifest:
    if MANIFEST not in entries:
        raise BundleError(f"it holds no {MANIFEST}: this is not a bundle of Afield")
    if entries[MANIFEST].size > LARGEST_MANIFEST:
        size = entries[MANIFEST].size
        raise BundleError(f"{MANIFEST} has {size:,} bytes, at most {LARGEST_MANIFEST:,} are allowed")
    manifest = read_manifest(read_member(file, entries[MANIFEST]))
    expected = {MANIFEST, *manifest.members}
    if missing := sorted(expected - entries.keys()):
        raise BundleError(f"member {missing[0]!r} is missing; copy the bundle again from where it was packed")
    if extra := sorted(entries.keys() - expected):
        raise BundleError(f"member {extra[0]!r} does not belong to it: the manifest does not list it")
    return manifest


def _member(file: BinaryIO, name: str, entry: Entry, manifest: Manifest) -> bytes:
    expected = manifest.members[name]
    if entry.size != expected.bytes:
        raise BundleError(f"member {name!r} has {entry.size:,} bytes, the manifest says {expected.bytes:,}")
    content = read_member(file, entry)
    if hashlib.sha256(content).hexdigest() != expected.sha256:
        raise BundleError(f"member {name!r} has changed since it was packed; copy the bundle again from there")
    return content


def _decision(members: Mapping[str, bytes]) -> tuple[str, Frozen]:
    found = read_frozen(DECISION, members)
    if len(found) != 1:
        raise BundleError(f"it holds {len(found)} decisions below {DECISION!r} instead of one")
    return found[0]


def _text(name: str, members: Mapping[str, bytes]) -> str:
    try:
        return members[name].decode()
    except UnicodeDecodeError:
        raise BundleError(f"member {name!r} is not UTF-8 text") from None
