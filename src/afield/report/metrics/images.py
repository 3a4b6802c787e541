"""Images answered wrongly, as PNG files that stand in the report itself."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence

import numpy as np

from afield.errors import DataError
from afield.report.metrics.classes import confident_mistakes
from afield.report.metrics.rows import Rows, by_number
from afield.report.model import ImageMistake

MISTAKES = 40
GREY, COLOUR = 0, 2


def png(pixels: np.ndarray) -> bytes:
    """An image as a PNG file.

    Source: Portable Network Graphics (PNG) Specification, W3C (2003): one IHDR, one IDAT without filters, one IEND.

    Args:
        pixels: uint8[H, W] for grey, 0 black; uint8[H, W, 3] for red, green and blue.

    Raises:
        DataError: the pixels have another shape or type.
    """
    if pixels.dtype != np.uint8 or pixels.ndim not in {2, 3} or pixels.shape[2:] not in {(), (3,)} or not pixels.size:
        raise DataError(
            f"image: expected pixels as uint8[H, W] or uint8[H, W, 3], found {pixels.dtype} of shape {pixels.shape};"
            " scale them to 0..255 and lay them out by rows"
        )
    height, width = pixels.shape[:2]
    lines = np.ascontiguousarray(pixels).reshape(height, -1)
    unfiltered = np.concatenate([np.zeros((height, 1), np.uint8), lines], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, GREY if pixels.ndim == 2 else COLOUR, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(unfiltered.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks)


def image_mistakes(
    images: np.ndarray,
    truth: np.ndarray,
    probabilities: np.ndarray,
    classes: Sequence[str],
    rows: Rows = by_number,
    limit: int = MISTAKES,
    answers: np.ndarray | None = None,
) -> list[ImageMistake]:
    """The images answered wrongly with the highest confidence.

    Args:
        images: uint8[N, H, W] or uint8[N, H, W, 3].
        truth: int[N]; index of each image's class.
        probabilities: float[N, C].
        classes: C names.
        rows: numbers of images -> where they stand.
        limit: how many at most.
        answers: int[N]; the class given to each, where that is not the most probable one.
    """
    given = probabilities.argmax(axis=1) if answers is None else answers
    wrong: list[int] = confident_mistakes(truth, probabilities, limit, given).tolist()
    return [
        ImageMistake(
            **shown.model_dump(),
            truth=classes[int(truth[row])],
            prediction=classes[int(given[row])],
            probability=float(probabilities[row, given[row]]),
            png=base64.b64encode(png(images[row])).decode("ascii"),
            width=images.shape[2],
            height=images.shape[1],
        )
        for row, shown in zip(wrong, rows(np.array(wrong, np.int64)), strict=True)
    ]


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
