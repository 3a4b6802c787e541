"""The mistakes of a network that sees images, as images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from afield.report.model import ImageMistake, Mistake
from afield.train.dataset import Dataset


def images(data: Dataset, mistakes: Sequence[Mistake], examples: np.ndarray) -> list[ImageMistake]:
    """The mistakes with their images; none where the model sees none.

    Args:
        data: the dataset.
        mistakes: K of them.
        examples: int64[K]; the example of each.
    """
    seen = [value for value in data.features.values() if isinstance(value, np.ndarray) and _image(value)]
    if len(seen) != 1:
        return []
    from afield.report.images import image_mistake

    pixels = np.clip(np.rint(seen[0][examples] * 255), 0, 255).astype(np.uint8)
    return [image_mistake(mistake, image) for mistake, image in zip(mistakes, pixels, strict=True)]


def _image(value: np.ndarray) -> bool:
    return value.ndim == 4 and value.shape[-1] in (1, 3)
