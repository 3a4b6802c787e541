"""The image step: three forms of a column, one array."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pictures import encoded

from afield.errors import DataError
from afield.preprocess.base import Frozen, StepInput
from afield.preprocess.image.spec import Image

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 4, 4, 1), np.uint8)


def listed(pixels: np.ndarray = PIXELS, **metadata: int) -> pa.RecordBatch:
    flat = pa.FixedSizeListArray.from_arrays(pa.array(pixels.reshape(-1)), int(np.prod(pixels.shape[1:])))
    field = pa.field("image", flat.type, metadata={name: str(value) for name, value in metadata.items()})
    return pa.RecordBatch.from_arrays([flat], schema=pa.schema([field]))


def columns(pixels: np.ndarray = PIXELS, kind: pa.DataType | None = None) -> pa.RecordBatch:
    flat = pixels.reshape(len(pixels), -1)
    return pa.record_batch({"id": pa.array(["x"] * len(flat))} | {
        f"pixel{place}": pa.array(flat[:, place]).cast(kind or pa.uint8()) for place in range(flat.shape[1])
    })  # fmt: skip


def files(pixels: np.ndarray = PIXELS) -> pa.RecordBatch:
    images = [encoded(image[..., 0] if image.shape[2] == 1 else image) for image in pixels]
    return pa.record_batch({"image": pa.array(images, pa.binary())})


def fitted(records: pa.RecordBatch, **fields: Any) -> tuple[Any, Frozen]:
    step = Image(**fields).open()
    return step, step.freeze(step.observe(None, records))


def features(records: pa.RecordBatch, given: pa.RecordBatch | None = None, **fields: Any) -> np.ndarray:
    step, frozen = fitted(records, **fields)
    found = step.transform(frozen, None, records if given is None else given)[0]
    (inputs,) = step.inputs(frozen)
    assert inputs == StepInput(fields.get("output", "image"), found["image"].shape[1:])
    return found["image"]


@pytest.mark.parametrize(
    ("records", "fields"),
    [
        (listed(height=4, width=4, channels=1), {}),
        (listed(), {}),
        (pa.record_batch({"image": PIXELS.reshape(6, 16).tolist()}), {}),
        (columns(), {"columns": "pixel*"}),
        (columns(kind=pa.string()), {"columns": "pixel*"}),
        (files(), {}),
        (listed().slice(0, 6), {"size": [4, 4], "channels": 1}),
    ],
)
def test_pixels_are_divided_by_the_scale(records: pa.RecordBatch, fields: dict[str, Any]) -> None:
    found = features(records, **fields)
    assert found.dtype == np.float32
    assert np.array_equal(found, PIXELS.astype(np.float32) / np.float32(255))
    assert np.array_equal(features(records, records.slice(2, 3), **fields), found[2:5])


def test_scale_and_invert() -> None:
    assert np.array_equal(features(listed(), scale=1), PIXELS.astype(np.float32))
    assert np.array_equal(features(listed(), invert=True), 1 - PIXELS.astype(np.float32) / np.float32(255))


def test_the_column_says_height_and_width() -> None:
    assert features(listed(height=2, width=8, channels=1)).shape == (6, 2, 8, 1)
    assert features(listed(height=2, width=8, channels=1), listed()).shape == (6, 2, 8, 1), "as in training"
    assert features(listed(), size=[8, 2]).shape == (6, 8, 2, 1)


def test_colour() -> None:
    colour = np.random.default_rng(1).integers(0, 256, (3, 4, 4, 3), np.uint8)
    exact = colour.astype(np.float32) / np.float32(255)
    assert np.array_equal(features(files(colour)), exact)
    assert np.array_equal(features(listed(colour)), exact), "48 values are no square of one channel"
    grey = features(files(colour), channels=1)
    assert grey.shape == (3, 4, 4, 1)
    assert np.abs(grey[..., 0] - exact @ [0.299, 0.587, 0.114]).max() < 1.1 / 255
    assert np.array_equal(features(files(), channels=3), np.repeat(PIXELS, 3, axis=3).astype(np.float32) / 255)


def test_all_images_are_brought_to_one_size() -> None:
    large = np.repeat(np.repeat(PIXELS, 2, axis=1), 2, axis=2)
    mixed = pa.record_batch({"image": pa.concat_arrays([files().column(0), files(large).column(0)])})
    assert features(mixed).shape == (12, 4, 4, 1)
    halves = features(mixed, size=[2, 2])
    assert np.array_equal(halves[:6], features(listed(height=4, width=4, channels=1), size=[2, 2])), "lists are too"
    assert np.abs(halves[:6] - halves[6:]).max() < 0.25


def test_the_columns_are_those_of_the_fit() -> None:
    step, frozen = fitted(columns(), columns="pixel*")
    mixed = columns().select([*reversed(columns().schema.names)])
    assert np.array_equal(
        step.transform(frozen, None, mixed)[0]["image"], step.transform(frozen, None, columns())[0]["image"]
    )
    with pytest.raises(DataError) as caught:
        step.transform(frozen, None, columns().select(["id", *(f"pixel{n}" for n in range(15))]))
    assert str(caught.value) == (
        "preprocess.image.columns: the records have no column 'pixel15'; did you mean 'pixel5'?"
    )


def test_masking_leaves_images_as_they_are() -> None:
    assert Image().open().masked(listed(), "names") == {"image": listed().column(0)}


@pytest.mark.parametrize(
    ("records", "fields", "message"),
    [
        (pa.record_batch({"images": [[1]]}), {},
         "preprocess.image.column: the records have no column 'image'; did you mean 'images'?"),
        (columns(), {"columns": "p_*"},
         "preprocess.image.columns: the records have no column that matches 'p_*'; there are id, pixel0, pixel1, "
         "pixel2, pixel3, pixel4, pixel5, pixel6, pixel7, pixel8, pixel9, pixel10, pixel11, pixel12, pixel13, pixel14, "
         "pixel15"),
        (pa.record_batch({"image": ["a.png"]}), {},
         "column 'image': expected encoded images (binary) or lists of pixels, found string; name another column, or "
         "`columns:` for a column a pixel"),
        (pa.record_batch({"image": [[1, 2, 3, 4, 5]]}), {},
         "column 'image': expected a square number of pixels, found 5; declare size: [HEIGHT, WIDTH] and channels: of "
         "the image step"),
        (pa.record_batch({"image": [[1, 2, 3, 4], None]}), {},
         "column 'image': expected an image in each record, found none in row 1 of the batch; leave the record out"),
        (pa.record_batch({"image": pa.array([None, b""], pa.binary())}), {},
         "column 'image': expected an image in each record, found none in row 0 of the batch; leave the record out"),
        (pa.record_batch({"image": [[1, 2, 3, 4], [1]]}), {},
         "column 'image': expected images of one number of pixels, found 4 and 1; give images of one size, or encoded "
         "ones"),
        (pa.record_batch({"image": [[1, 2, 3, None]]}), {},
         "column 'image': expected a number for each pixel, found 1 without one"),
        (pa.record_batch({"image": [b"\x89PNG"]}), {},
         "column 'image', row 0 of the batch: expected PNG or JPEG, found a file that begins with 89 50 4e 47; leave "
         "the record out"),
        (pa.record_batch({"pixel0": ["1", "x"]}), {"columns": "pixel*"},
         "column 'pixel0': expected the value of a pixel, found something else: Failed to parse string: 'x' as a "
         "scalar of type float"),
        (pa.record_batch({"pixel0": [1, None]}), {"columns": "pixel*"},
         "column 'pixel0': expected the value of a pixel, found none in row 1 of the batch"),
        (listed().slice(0, 0), {}, "preprocess.image: there are no training records to fit it on"),
    ],
)  # fmt: skip
def test_what_is_no_image_is_named(records: pa.RecordBatch, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as caught:
        features(records, **fields)
    assert str(caught.value) == message


def test_one_of_column_and_columns() -> None:
    (problem,) = Image(column="image", columns="pixel*").lint()
    assert (problem.path, problem.message) == (
        ("column",),
        "stands beside columns, and only one of the two is read; remove one",
    )
    assert list(Image(columns="pixel*").lint()) == []


def test_each_field_says_what_it_is() -> None:
    for name, field in Image.model_fields.items():
        assert field.description, name
        assert field.examples, name
