"""Makes a bundle from what training has left."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from afield.bundle.archive import LARGEST, LARGEST_MANIFEST, write_archive
from afield.bundle.arrays import DECISION, STEPS, frozen_members
from afield.bundle.examples import check_examples
from afield.bundle.manifest import EXAMPLES, MANIFEST, NETWORK, REPORT, SCHEMA, USE_CASE, Manifest
from afield.bundle.onnx_guard import check_network
from afield.errors import BundleError
from afield.files import replacing
from afield.preprocess.base import Frozen


def pack(
    path: Path,
    *,
    name: str,
    version: str,
    created: datetime,
    usecase: str,
    network: bytes,
    steps: Sequence[tuple[str, Frozen]],
    decision: tuple[str, Frozen],
    examples: pa.Table,
    report: str,
    facts: Mapping[str, Any],
) -> Manifest:
    """Writes one bundle; the same content gives the same bytes.

    Args:
        path: the file to write; one that is there is replaced once the new one is whole and durable.
        name: the use case.
        version: the name the registry gives it.
        created: with a time zone.
        usecase: text of usecase.yaml.
        network: an ONNX file with all its values inside.
        steps: name and frozen state of each preprocessing step, in order.
        decision: kind and frozen state of how what the network computes becomes an answer.
        examples: rows as masked, with the columns `_expected` (string) and `_figure` (float32).
        report: JSON text.
        facts: the manifest's `kind`, `classes`, `inputs`, `data`, `libraries`, `revision` and `seed`.

    Returns:
        The manifest as written.

    Raises:
        BundleError: a part that `open_bundle` would refuse.
        TransientError: the disk is full; nothing is left of the file.
        StateError: no permission to write it.
    """
    check_network(network)
    check_examples(examples)
    members = {
        USE_CASE: usecase.encode(),
        **frozen_members(STEPS, steps),
        **frozen_members(DECISION, [decision]),
        EXAMPLES: _arrow_file(examples),
        REPORT: report.encode(),
        NETWORK: network,
    }
    hashes = {
        member: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        for member, content in members.items()
    }
    manifest = Manifest.model_validate(
        {"schema": SCHEMA, "name": name, "version": version, "created": created, "members": hashes, **facts}
    )
    page = manifest.to_json()
    size = sum(map(len, members.values())) + len(page)
    if len(page) > LARGEST_MANIFEST or size > LARGEST:
        raise BundleError(
            f"{path}: a bundle has at most {LARGEST:,} bytes and its manifest {LARGEST_MANIFEST:,}, "
            f"this one has {size:,} and {len(page):,}; use a smaller network or vocabulary"
        )
    with replacing(path, needed=size) as file:
        write_archive(file, {MANIFEST: page, **members})
    return manifest


def _arrow_file(table: pa.Table) -> bytes:
    file = io.BytesIO()
    # One chunk: how the rows were batched before is no part of the content.
    whole = table.combine_chunks()
    with pa.ipc.new_file(file, whole.schema) as writer:
        writer.write_table(whole)
    return file.getvalue()
