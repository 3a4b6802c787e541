"""What a step carries from one batch to the next, as bytes: JSON with its arrays beside it, nothing that could run."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import orjson

from afield.preprocess.base import Carry

_ARRAY = "$array"


def to_bytes(carry: Carry) -> bytes:
    """A carry as it is committed.

    Args:
        carry: JSON values and arrays without Python objects.
    """
    arrays: list[np.ndarray] = []

    def plain(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            arrays.append(value)
            return {_ARRAY: len(arrays) - 1}
        if isinstance(value, dict):
            return {name: plain(inner) for name, inner in value.items()}
        return [plain(inner) for inner in value] if isinstance(value, list | tuple) else value

    page = orjson.dumps(plain(carry))
    file = io.BytesIO()
    np.save(file, np.frombuffer(page, np.uint8), allow_pickle=False)
    for array in arrays:
        np.save(file, array, allow_pickle=False)
    return file.getvalue()


def from_bytes(content: bytes) -> Carry:
    """What `to_bytes` was given."""
    file = io.BytesIO(content)
    page = orjson.loads(np.load(file, allow_pickle=False).tobytes())
    arrays: list[np.ndarray] = []
    while file.tell() < len(content):
        arrays.append(np.load(file, allow_pickle=False))

    def whole(value: Any) -> Any:
        if isinstance(value, dict):
            if value.keys() == {_ARRAY}:
                return arrays[value[_ARRAY]]
            return {name: whole(inner) for name, inner in value.items()}
        return [whole(inner) for inner in value] if isinstance(value, list) else value

    return whole(page)
