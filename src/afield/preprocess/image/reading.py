"""From the columns of a batch to pixels: the three ways in which a table holds images."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from afield.errors import DataError
from afield.images import DamagedImageError, as_channels, decoded, resized

Shape = tuple[int, int, int]
"""Height, width, channels."""


def is_encoded(kind: pa.DataType) -> bool:
    """Whether a column of this type holds image files."""
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def is_pixels(kind: pa.DataType) -> bool:
    """Whether a column of this type holds a list of numbers a record."""
    return (
        pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind)
    ) and pa.types.is_primitive(kind.value_type)


def told_shape(field: pa.Field, length: int) -> Shape | None:
    """Height, width and channels as the metadata of a column of lists say; None where they do not."""
    told = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
    sides = [told.get(name, "") for name in ("height", "width", "channels")]
    if not all(side.isdecimal() for side in sides):
        return None
    height, width, channels = map(int, sides)
    return (height, width, channels) if height * width * channels == length else None


def square_shape(name: str, length: int, channels: int | None) -> Shape:
    """Height, width and channels of square images that are lists of pixels.

    Args:
        name: of the column.
        length: number of values of an image.
        channels: as declared; None tries 1 and 3.

    Raises:
        DataError: the length fits no such image.
    """
    for count in (channels,) if channels else (1, 3):
        side = math.isqrt(length // count)
        if side and side * side * count == length:
            return side, side, count
    raise DataError(
        f"column '{name}': expected a square number of pixels, found {length}; declare size: [HEIGHT, WIDTH] and "
        "channels: of the image step"
    )


def listed(array: pa.Array, name: str) -> np.ndarray:
    """[N, values] of a column of lists.

    Raises:
        DataError: a record has no image, or two are not of the same length.
    """
    if array.null_count:
        raise _missing(name, array)
    if pa.types.is_fixed_size_list(array.type):
        length = array.type.list_size
    else:
        lengths = pc.call_function("list_value_length", [array]).to_numpy(zero_copy_only=False)
        length = int(lengths[0]) if len(lengths) else 0
        if (lengths != length).any():
            other = int(lengths[lengths != length][0])
            raise DataError(
                f"column '{name}': expected images of one number of pixels, found {length} and {other}; "
                "give images of one size, or encoded ones"
            )
    values = array.flatten()
    if values.null_count:
        raise DataError(f"column '{name}': expected a number for each pixel, found {values.null_count} without one")
    return values.to_numpy(zero_copy_only=False).reshape(len(array), length)


def spread(columns: Sequence[pa.Array], names: Sequence[str]) -> np.ndarray:
    """float32[N, columns] of a table with a column a pixel; text that is a number counts as one.

    Raises:
        DataError: a value is missing, or is no number.
    """
    found = np.empty((len(columns[0]), len(columns)), np.float32)
    for place, (column, name) in enumerate(zip(columns, names, strict=True)):
        try:
            numbers = column.cast(pa.float32())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise DataError(f"column '{name}': expected the value of a pixel, found something else: {error}") from error
        if numbers.null_count:
            row = pc.call_function("index", [numbers.is_null()], pc.IndexOptions(pa.scalar(True))).as_py()
            raise DataError(f"column '{name}': expected the value of a pixel, found none in row {row} of the batch")
        found[:, place] = numbers.to_numpy()
    return found


def files(array: pa.Array, name: str, shape: Shape) -> np.ndarray:
    """uint8[N, H, W, C] of encoded images.

    Raises:
        DataError: a record has no image, or one that is damaged.
    """
    found = np.empty((len(array), *shape), np.uint8)
    for row in range(len(array)):
        found[row] = fitted(one_file(array, name, row), shape)
    return found


def one_file(array: pa.Array, name: str, row: int) -> np.ndarray:
    """uint8[H, W, C] of one encoded image; arguments and errors as for all of them."""
    if array.null_count:
        raise _missing(name, array)
    try:
        return decoded(array[row].as_py())
    except DamagedImageError as error:
        raise DataError(f"column '{name}', row {row} of the batch: {error}; leave the record out") from error


def fitted(pixels: np.ndarray, shape: Shape) -> np.ndarray:
    """One image in another shape.

    Args:
        pixels: uint8[h, w, c].
        shape: the one it is to have.
    """
    return as_channels(resized(pixels, *shape[:2]), shape[2])


def _missing(name: str, array: pa.Array) -> DataError:
    row = pc.call_function("index", [array.is_null()], pc.IndexOptions(pa.scalar(True))).as_py()
    return DataError(
        f"column '{name}': expected an image in each record, found none in row {row} of the batch; leave the record out"
    )
