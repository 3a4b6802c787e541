"""The zip file around a bundle's members: written in one fixed form, and read only in that form.

Members are stored, not compressed, one after the other with nothing between them, under one fixed date: equal content
gives equal bytes, a member is read with one read, and nothing can unpack to more than the file itself holds. Any zip
tool opens it.

Each member's SHA-256 stands in the manifest. All other bytes of the file (the manifest, the headers, the directory)
are its frame; the frame's SHA-256 is the seal, kept in the archive's comment. So every byte is covered. Hashes find
damage and careless edits. They do not find a forger, who can compute them anew: that takes a signature.
"""

from __future__ import annotations

import hashlib
import re
import stat
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from afield.bundle.manifest import MANIFEST
from afield.errors import BundleError

LARGEST = 2_000_000_000
"""Bytes of a whole bundle: an ONNX file cannot be larger, and a zip file needs no larger fields."""
LARGEST_MANIFEST = 4 << 20
LARGEST_DIRECTORY = 4 << 20

_EPOCH = (1980, 1, 1, 0, 0, 0)
_SEAL = "afield sha256:"
_COMMENT = len(_SEAL) + 64
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_CUT = "it is no bundle, or was cut short; copy it again from where it was packed"
_FRAME = "its archive is damaged; copy it again from where it was packed"


@dataclass(frozen=True)
class Entry:
    """Where a member's bytes stand in the file."""

    start: int
    size: int


def write_archive(file: BinaryIO, members: Mapping[str, bytes]) -> None:
    """Writes members in the order given, and the seal."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(info, content)
        archive.comment = (_SEAL + "0" * 64).encode()
    seal = _frame_hash(file, read_directory(file))
    file.seek(-64, 2)
    file.write(seal.encode())


def read_directory(file: BinaryIO) -> dict[str, Entry]:
    """Finds the members of an archive, reading none of them.

    Returns:
        path -> where its bytes stand, in the order of the file.

    Raises:
        BundleError: cut short, too large, not in the one form, or a member whose path or kind is not allowed.
    """
    size = file.seek(0, 2)
    if size > LARGEST:
        raise BundleError(f"it has {size:,} bytes, a bundle at most {LARGEST:,}")
    if size < _END.size + _COMMENT:
        raise BundleError(_CUT)
    end = size - _END.size - _COMMENT
    file.seek(end)
    signature, *disks, here, total, length, start, comment = _END.unpack(file.read(_END.size))
    if signature != b"PK\5\6" or comment != _COMMENT or any(disks) or here != total or start + length != end:
        raise BundleError(_CUT)
    if length > LARGEST_DIRECTORY:
        raise BundleError(f"its directory has {length:,} bytes, at most {LARGEST_DIRECTORY:,} are allowed")
    file.seek(start)
    entries = _entries(file, file.read(length), total)
    reached = max((entry.start + entry.size for entry in entries.values()), default=0)
    if reached != start:
        raise BundleError(_FRAME)
    return entries


def _entries(file: BinaryIO, directory: bytes, count: int) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    folded: dict[str, str] = {}
    at = data = 0
    for _ in range(count):
        if at + _CENTRAL.size > len(directory):
            raise BundleError(_FRAME)
        fields = _CENTRAL.unpack_from(directory, at)
        signature, flags, method, packed, size = fields[0], fields[3], fields[4], fields[8], fields[9]
        name_length, extra_length, comment_length, mode, offset = (*fields[10:13], fields[15] >> 16, fields[16])
        raw = directory[at + _CENTRAL.size :][:name_length]
        at += _CENTRAL.size + name_length + extra_length + comment_length
        name = _safe_name(raw, mode)
        if signature != b"PK\1\2" or offset != data:
            raise BundleError(_FRAME)
        if flags & 0x41:
            raise BundleError(f"member {name!r} is encrypted; a bundle's members are not")
        if method != zipfile.ZIP_STORED:
            raise BundleError(
                f"member {name!r} is compressed (method {method}); a bundle's members are stored as they are"
            )
        if packed != size:
            raise BundleError(f"member {name!r} declares {size:,} bytes but stores {packed:,}")
        if name in entries:
            raise BundleError(f"member {name!r} is there twice")
        if name.casefold() in folded:
            raise BundleError(f"members {folded[name.casefold()]!r} and {name!r} differ only in case")
        entry = Entry(offset + _local_length(file, offset, raw), size)
        if entry.start + size > file.seek(0, 2):
            raise BundleError(f"member {name!r} declares {size:,} bytes, more than the whole file has")
        entries[name] = entry
        folded[name.casefold()] = name
        data = entry.start + size
    return entries


def _safe_name(raw: bytes, mode: int) -> str:
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        raise BundleError(f"a member's path {raw!r} is not UTF-8") from None
    unsafe = {"", ".", ".."}.intersection(name.split("/")) or re.search(r"[\\:\0-\x1f\x7f]", name)
    if unsafe:
        raise BundleError(f"the path of member {name!r} leaves the archive")
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
        raise BundleError(f"member {name!r} is a link or a special file; a bundle holds plain files only")
    return name


def _local_length(file: BinaryIO, offset: int, raw: bytes) -> int:
    file.seek(offset)
    header = file.read(_LOCAL.size + len(raw))
    if len(header) != _LOCAL.size + len(raw) or not header.startswith(b"PK\3\4") or not header.endswith(raw):
        raise BundleError(_FRAME)
    *_, name_length, extra_length = _LOCAL.unpack_from(header)
    if name_length != len(raw) or extra_length:
        raise BundleError(_FRAME)
    return len(header)


def read_member(file: BinaryIO, entry: Entry) -> bytes:
    """The bytes of one member, in one read."""
    file.seek(entry.start)
    return file.read(entry.size)


def check_seal(file: BinaryIO, entries: Mapping[str, Entry]) -> None:
    """Refuses a file whose frame is not as it was written.

    Raises:
        BundleError: a byte outside the members has changed.
    """
    expected = _frame_hash(file, entries)
    file.seek(-_COMMENT, 2)
    if file.read() != (_SEAL + expected).encode():
        raise BundleError(
            f"{MANIFEST} or the archive around it has changed; copy the bundle again from where it was packed"
        )


def _frame_hash(file: BinaryIO, entries: Mapping[str, Entry]) -> str:
    digest = hashlib.sha256()
    at = 0
    end = file.seek(0, 2) - _COMMENT
    for name, entry in entries.items():
        if name != MANIFEST:
            file.seek(at)
            digest.update(file.read(entry.start - at))
            at = entry.start + entry.size
    file.seek(at)
    digest.update(file.read(end - at))
    return digest.hexdigest()
