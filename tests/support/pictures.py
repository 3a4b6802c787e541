"""Small images as files."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image


def encoded(pixels: np.ndarray, kind: str = "PNG", **options: object) -> bytes:
    """A file of uint8[H, W], uint8[H, W, 3] or uint16[H, W]."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def converted(pixels: np.ndarray, mode: str) -> bytes:
    """A PNG file of uint8[H, W] in a mode of Pillow."""
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, "PNG")
    return file.getvalue()
