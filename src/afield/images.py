"""Encoded images, opened with distrust: PNG and JPEG, wholly decoded, of a bounded size."""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np

from afield.errors import UseCaseError

if TYPE_CHECKING:
    from PIL.Image import Image

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
MOST_PIXELS = 2**26
"""Of one image; more is refused before it is decoded."""


class DamagedImageError(Exception):
    """Bytes that are no whole image; the message is the reason."""


def is_image(beginning: bytes) -> bool:
    """Whether a file begins as PNG or JPEG does."""
    return beginning.startswith((PNG, JPEG))


def decoded(data: bytes) -> np.ndarray:
    """The pixels of an image.

    Args:
        data: a PNG or JPEG file.

    Returns:
        uint8[H, W, 1] of a grey image, uint8[H, W, 3] of any other. Transparency is dropped; 16 bits become 8.

    Raises:
        DamagedImageError: it is neither, is damaged, or has too many pixels.
        UseCaseError: Pillow is not installed.
    """
    if not is_image(data):
        raise DamagedImageError(f"expected PNG or JPEG, found a file that begins with {data[:8].hex(' ') or 'nothing'}")
    try:
        image = _opened(data)
        width, height = image.size
        if width * height > MOST_PIXELS:
            raise DamagedImageError(f"expected at most {MOST_PIXELS:,} pixels, found {width} x {height}")
        if data.startswith(PNG):
            # Loading does not look at the checksums of a PNG; a verified image must be opened anew.
            image.verify()
            image = _opened(data)
        image.load()
    except (OSError, SyntaxError, ValueError, IndexError, KeyError, EOFError, struct.error, zlib.error) as error:
        raise DamagedImageError(f"expected a whole image, found it damaged: {error}") from error
    if image.mode.startswith("I"):
        return (np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8)[..., None]
    return as_channels(np.asarray(image.convert("L" if image.mode in {"1", "L", "LA", "La"} else "RGB")), None)


def as_channels(pixels: np.ndarray, channels: int | None) -> np.ndarray:
    """The same pixels with that many channels: grey is the luma of ITU-R 601, colour of grey repeats it.

    Args:
        pixels: uint8[H, W] or uint8[H, W, C].
        channels: 1 or 3; None leaves them.
    """
    pixels = pixels if pixels.ndim == 3 else pixels[..., None]
    if channels is None or pixels.shape[2] == channels:
        return pixels
    if channels == 3:
        return np.repeat(pixels, 3, axis=2)
    from PIL import Image

    return np.asarray(Image.fromarray(pixels).convert("L"))[..., None]


def resized(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """The same image in another size, bilinear with a support that grows where it is made smaller.

    Args:
        pixels: uint8[h, w, C].

    Returns:
        uint8[height, width, C].
    """
    if pixels.shape[:2] == (height, width):
        return pixels
    from PIL import Image

    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    found = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
    return found if found.ndim == 3 else found[..., None]


def _opened(data: bytes) -> Image:
    # Image.open only warns of an image with very many pixels; the class itself leaves the limit to us.
    try:
        from PIL.JpegImagePlugin import JpegImageFile
        from PIL.PngImagePlugin import PngImageFile
    except ImportError as error:
        raise UseCaseError(
            "PNG and JPEG files are read by Pillow, which is not installed here: pip install 'afield[images]'"
        ) from error
    return PngImageFile(io.BytesIO(data)) if data.startswith(PNG) else JpegImageFile(io.BytesIO(data))
