"""How frozen steps stand in a bundle: JSON beside .npy files, with nothing in them that could run."""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from afield.errors import BundleError
from afield.preprocess.base import Frozen

STEPS = "preprocess/"
"""Where the frozen steps stand."""
DECISION = "decision/"
"""Where it stands how what the network computes becomes an answer; a frozen thing like a step."""
_PLAIN = "biufSU"
"""Kinds of NumPy types that are bytes and nothing else: no objects, no records."""

_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_UNREADABLE = (ValueError, KeyError, SyntaxError, TypeError, OverflowError, RecursionError, MemoryError, UserWarning)
"""What NumPy's reader of headers was seen to raise on bytes that are none."""


def frozen_members(prefix: str, steps: Sequence[tuple[str, Frozen]]) -> dict[str, bytes]:
    """The members that hold frozen things, in their order.

    Args:
        prefix: `STEPS` or `DECISION`.
        steps: name and frozen thing.

    Raises:
        BundleError: a step or an array has a name or a type that a bundle cannot hold.
    """
    members: dict[str, bytes] = {}
    for index, (name, frozen) in enumerate(steps):
        stem = f"{prefix}{index}-{_named(name)}"
        page = {"config": frozen.config, "arrays": sorted(frozen.arrays)}
        try:
            members[f"{stem}.json"] = orjson.dumps(page, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)
        except TypeError as error:
            raise BundleError(f"the config of step {name!r} is not JSON: {error}") from None
        for array in sorted(frozen.arrays):
            member = f"{stem}.{_named(array)}.npy"
            members[member] = _npy(member, frozen.arrays[array])
    return members


def read_frozen(prefix: str, members: Mapping[str, bytes]) -> list[tuple[str, Frozen]]:
    """Reads what `frozen_members` wrote.

    Args:
        prefix: `STEPS` or `DECISION`; members elsewhere are passed over.
        members: of the bundle, by path.

    Returns:
        name and frozen step, in order; arrays are read-only views of the members.

    Raises:
        BundleError: a page is not JSON of this form, or an array is not a plain one.
    """
    steps: dict[int, tuple[str, Frozen]] = {}
    for member, content in members.items():
        match = re.fullmatch(rf"{prefix}(\d+)-(\w+)\.json", member)
        if match:
            page = _page(member, content)
            stem = member.removesuffix(".json")
            names = [f"{stem}.{array}.npy" for array in page["arrays"]]
            missing = [name for name in names if name not in members]
            if missing:
                raise BundleError(f"member {member!r} needs {missing[0]!r}, which is not there")
            arrays = {array: _array(name, members[name]) for array, name in zip(page["arrays"], names, strict=True)}
            steps[int(match[1])] = (match[2], Frozen(page["config"], arrays))
    return [steps[index] for index in sorted(steps)]


def _named(name: str) -> str:
    if not re.fullmatch(r"\w+", name):
        raise BundleError(f"a step and its arrays are named by letters, digits and _, found {name!r}")
    return name


def _page(member: str, content: bytes) -> dict[str, Any]:
    try:
        page: Any = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise BundleError(f"member {member!r} is not JSON: {error}") from None
    if (
        not isinstance(page, dict)
        or not isinstance(page.get("config"), dict)
        or not isinstance(page.get("arrays"), list)
        or not all(isinstance(array, str) for array in page["arrays"])
    ):
        raise BundleError(f"member {member!r} does not hold a config and a list of arrays")
    return page


def _npy(member: str, array: np.ndarray) -> bytes:
    if array.dtype.kind not in _PLAIN:
        raise BundleError(f"member {member!r} would hold {array.dtype} values; only numbers, truth values and text can")
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asarray(array, order="C"), allow_pickle=False)
    return file.getvalue()


def _array(member: str, content: bytes) -> np.ndarray:
    # Only the header goes through NumPy: what it declares is compared with what is there before anything is allocated.
    file = io.BytesIO(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            header = _HEADERS[np.lib.format.read_magic(file)]
            shape, fortran, dtype = header(file)
            declared = math.prod(shape) * dtype.itemsize
            there = len(content) - file.tell()
            if dtype.kind not in _PLAIN:
                raise BundleError(f"member {member!r} holds {dtype} values, which could run code; it is not loaded")
            if declared != there:
                raise BundleError(f"member {member!r} declares {declared:,} bytes of values and holds {there:,}")
            return np.frombuffer(content, dtype, offset=file.tell()).reshape(shape, order="F" if fortran else "C")
    except _UNREADABLE as error:
        raise BundleError(f"member {member!r} is not an .npy file: {error}") from None
