"""Lines of text: how many there are, and a sample of them with their numbers."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from afield.explore.reading.content import Content, line_starts

LONGEST = 4096
"""Bytes of a line that are read."""


def sample(content: Content, most: int) -> tuple[pa.Array, np.ndarray, int]:
    """Lines from everywhere in a file.

    Args:
        content: of the file.
        most: lines at most, evenly spread.

    Returns:
        The lines as string[N], the line of the file of each, and how many lines there are.
    """
    starts = line_starts(content.data)
    count = len(starts)
    chosen = np.arange(count) if count <= most else np.linspace(0, count - 1, most).astype(np.int64)
    ends = np.append(starts[1:], len(content.data))[chosen]
    begins = starts[chosen]
    held = content.data.data
    texts = [
        bytes(held[begin : min(end, begin + LONGEST)]).rstrip(b"\r\n").decode("utf-8", "ignore")
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)
    ]
    return pa.array(texts, pa.string()), content.line_of(chosen), count
