"""Encoded images: what is whole is decoded exactly, what is not is refused with a reason."""

from __future__ import annotations

import contextlib
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import converted, encoded

from afield import images
from afield.errors import UseCaseError
from afield.images import DamagedImageError, as_channels, decoded, resized

GREY = np.random.default_rng(0).integers(0, 256, (5, 7), np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (5, 7, 3), np.uint8)


def reason(data: bytes) -> str:
    with pytest.raises(DamagedImageError) as caught:
        decoded(data)
    return str(caught.value)


def test_pixels_are_those_that_were_written() -> None:
    assert np.array_equal(decoded(encoded(GREY))[..., 0], GREY)
    assert np.array_equal(decoded(encoded(COLOUR)), COLOUR)
    assert np.array_equal(decoded(encoded(GREY.astype(np.uint16) * 256 + 9))[..., 0], GREY)


@pytest.mark.parametrize(("mode", "channels"), [("1", 1), ("LA", 1), ("P", 3), ("RGBA", 3)])
def test_every_mode_becomes_grey_or_colour(mode: str, channels: int) -> None:
    found = decoded(converted(GREY, mode))
    assert (found.shape, found.dtype) == ((5, 7, channels), np.uint8)
    if mode in {"LA", "RGBA"}:
        assert np.array_equal(found[..., 0], GREY)


def test_jpeg() -> None:
    flat = np.full((16, 16, 3), 90, np.uint8)
    assert np.abs(decoded(encoded(flat, "JPEG")).astype(int) - 90).max() <= 2


def test_what_is_no_image() -> None:
    assert reason(b"GIF89a..") == "expected PNG or JPEG, found a file that begins with 47 49 46 38 39 61 2e 2e"
    assert reason(b"") == "expected PNG or JPEG, found a file that begins with nothing"


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_file_that_was_cut(kind: str) -> None:
    whole = encoded(np.random.default_rng(2).integers(0, 256, (40, 40), np.uint8), kind)
    for length in range(8, len(whole) - 30, 97):
        assert reason(whole[:length]).startswith("expected a whole image, found it damaged: "), length


def test_a_png_whose_checksum_does_not_fit() -> None:
    whole = bytearray(encoded(GREY))
    place = whole.index(b"IDAT") + 4
    assert reason(bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])).startswith("expected a whole")


def test_an_image_of_too_many_pixels_is_not_decoded() -> None:
    header = struct.pack(">2I5B", 60_000, 60_000, 8, 0, 0, 0, 0)
    content = zlib.compress(b"")
    chunks = [(b"IHDR", header), (b"IDAT", content), (b"IEND", b"")]
    bomb = images.PNG + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    assert reason(bomb) == "expected at most 67,108,864 pixels, found 60000 x 60000"


@given(st.integers(0, 10**6), st.integers(0, 255), st.sampled_from([encoded(GREY), encoded(COLOUR, "JPEG")]))
def test_one_changed_byte_is_decoded_or_refused(place: int, value: int, whole: bytes) -> None:
    changed = bytearray(whole)
    changed[place % len(whole)] = value
    with contextlib.suppress(DamagedImageError):
        assert decoded(bytes(changed)).dtype == np.uint8


def test_grey_of_colour_and_colour_of_grey() -> None:
    luma = COLOUR @ np.array([0.299, 0.587, 0.114])
    assert np.abs(as_channels(COLOUR, 1)[..., 0] - luma).max() <= 1
    assert np.array_equal(as_channels(GREY, 3), np.stack([GREY] * 3, axis=2))
    assert as_channels(COLOUR, 3) is COLOUR


def test_another_size() -> None:
    steps = np.repeat(np.array([[0], [100]], np.uint8), 2, axis=1)[..., None]
    assert resized(steps, 2, 2) is steps
    assert resized(steps, 1, 1).tolist() == [[[50]]]
    # Halves the distance between pixels: corners stay, what lies between is weighted by its distance.
    assert resized(steps, 4, 1)[:, 0, 0].tolist() == [0, 25, 75, 100]
    assert resized(COLOUR, 3, 3).shape == (3, 3, 3)


def test_pillow_is_imported_for_encoded_images_alone() -> None:
    code = (
        "import sys, pyarrow as pa, afield.preprocess.image.spec as spec\n"
        "step = spec.Image(size=(1, 2)).open()\n"
        "records = pa.record_batch({'image': [[1, 2], [3, 4]]})\n"
        "step.transform(step.freeze(step.observe(None, records)), None, records)\n"
        "sys.exit('PIL' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_pillow_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL.PngImagePlugin", None)
    with pytest.raises(UseCaseError) as caught:
        decoded(encoded(GREY))
    assert str(caught.value) == (
        "PNG and JPEG files are read by Pillow, which is not installed here: pip install 'afield[images]'"
    )
