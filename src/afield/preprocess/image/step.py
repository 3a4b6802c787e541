"""The image step at work: records in, float32[N, H, W, C] out, without a copy where the sizes are right."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

import numpy as np
import pyarrow as pa

from afield.errors import DataError
from afield.preprocess.base import Carry, Features, Frozen, StepInput
from afield.preprocess.demand import demand
from afield.preprocess.image import reading
from afield.preprocess.image.reading import Shape
from afield.preprocess.image.spec import Image


@dataclass
class Seen:
    """What a fit has seen.

    Args:
        columns: that are read, in their order.
        source: height, width and channels of the first image; None before it.
    """

    columns: list[str]
    source: Shape | None = None


class ImageStep:
    """Images of three forms to one array.

    Args:
        declared: the step as declared in the use case.
    """

    def __init__(self, declared: Image) -> None:
        self.declared = declared

    def columns(self, frozen: Frozen | None, schema: pa.Schema) -> list[str]:
        """The columns that it reads; those of the fit, in their order, once it is fitted.

        Raises:
            DataError: one of them is not there.
        """
        declared = self.declared
        if declared.columns is None:
            demand(schema, declared.column, "preprocess.image.column")
            return [declared.column]
        names = [name for name in schema.names if not name.startswith("_")]
        if frozen is None:
            found = [name for name in names if fnmatchcase(name, declared.columns)]
            if not found:
                raise DataError(
                    f"preprocess.image.columns: the records have no column that matches '{declared.columns}'; "
                    f"there are {', '.join(names[:20]) or 'no columns'}"
                )
            return found
        there, known = set(names), list[str](frozen.config["columns"])
        if missing := [name for name in known if name not in there]:
            demand(schema, missing[0], "preprocess.image.columns")
        return known

    def masked(self, batch: pa.RecordBatch, written: Literal["names", "stand-ins"]) -> dict[str, pa.Array]:
        """Its columns as they are: an image has no part that a mask would cover."""
        return {name: batch.column(name) for name in self.columns(None, batch.schema)}

    def observe(self, state: Seen | None, batch: pa.RecordBatch) -> Seen:
        """Looks at the first image alone."""
        seen = state or Seen(self.columns(None, batch.schema))
        if seen.source is None and batch.num_rows:
            seen.source = self._source(seen.columns, batch)
        return seen

    def freeze(self, state: Seen) -> Frozen:
        """Fixes the columns and the shape of the feature.

        Raises:
            DataError: there was no image.
        """
        declared = self.declared
        if state.source is None:
            raise DataError("preprocess.image: there are no training records to fit it on")
        height, width = declared.size or state.source[:2]
        shape = [height, width, declared.channels or state.source[2]]
        config = {
            "image": declared.model_dump(mode="json"),
            "columns": state.columns,
            "source": list(state.source),
            "shape": shape,
        }
        return Frozen(config)

    def inputs(self, frozen: Frozen) -> list[StepInput]:
        """One dense feature."""
        return [StepInput(self.declared.output, tuple(frozen.config["shape"]))]

    def transform(self, frozen: Frozen, carry: Carry, batch: pa.RecordBatch) -> tuple[Features, Carry]:
        """float32[N, H, W, C] under the name of the output; the carry is passed on.

        Raises:
            DataError: a column is not there, or a record has no whole image.
        """
        height, width, channels = frozen.config["shape"]
        pixels = self._pixels(frozen, batch, (height, width, channels))
        found = np.divide(pixels, np.float32(self.declared.scale), dtype=np.float32)
        if self.declared.invert:
            np.subtract(np.float32(1), found, out=found)
        return {self.declared.output: found}, carry

    def _pixels(self, frozen: Frozen, batch: pa.RecordBatch, shape: Shape) -> np.ndarray:
        """[N, H, W, C], of whatever type the columns have."""
        names = self.columns(frozen, batch.schema)
        field = batch.schema.field(names[0])
        if self.declared.columns is None and reading.is_encoded(field.type):
            return reading.files(batch.column(names[0]), names[0], shape)
        flat = self._flat(names, batch)
        if not len(flat):
            return np.zeros((0, *shape), np.float32)
        source = self._listed_shape(field, flat.shape[1], frozen)
        pixels = flat.reshape(len(flat), *source)
        if source == shape:
            return pixels
        whole = np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
        return np.stack([reading.fitted(image, shape) for image in whole])

    def _flat(self, names: list[str], batch: pa.RecordBatch) -> np.ndarray:
        """[N, values] of lists, or of a column a pixel."""
        if self.declared.columns is not None:
            return reading.spread([batch.column(name) for name in names], names)
        array = batch.column(names[0])
        if not reading.is_pixels(array.type):
            raise DataError(
                f"column '{names[0]}': expected encoded images (binary) or lists of pixels, found {array.type}; name "
                "another column, or `columns:` for a column a pixel"
            )
        return reading.listed(array, names[0])

    def _source(self, names: list[str], batch: pa.RecordBatch) -> Shape:
        """The shape of the first image of a batch."""
        first, field = batch.slice(0, 1), batch.schema.field(names[0])
        if self.declared.columns is None and reading.is_encoded(field.type):
            height, width, channels = reading.one_file(first.column(names[0]), names[0], 0).shape
            return height, width, channels
        return self._listed_shape(field, self._flat(names, first).shape[1], None)

    def _listed_shape(self, field: pa.Field, length: int, frozen: Frozen | None) -> Shape:
        """The shape of images that are lists of that length: as told, as in training, as declared, else square."""
        declared = self.declared
        if declared.columns is None and (told := reading.told_shape(field, length)):
            return told
        if frozen is not None and math.prod(frozen.config["source"]) == length:
            height, width, channels = frozen.config["source"]
            return height, width, channels
        if declared.size:
            for channels in (declared.channels,) if declared.channels else (1, 3):
                if math.prod(declared.size) * channels == length:
                    return (*declared.size, channels)
        return reading.square_shape(field.name, length, declared.channels)
