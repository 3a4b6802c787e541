"""Where the masks fit in a text as it was read: the kernel behind what a report or a bundle may show of it."""

from __future__ import annotations

import numpy as np

from afield.kernels import kernel
from afield.preprocess.text.letters import decode, lower_unicode
from afield.preprocess.text.masks import NAMES, RESERVED, SLOT, mask_words
from afield.preprocess.text.reading import BYTES, CODES, OFFSETS, READING, Reading, buffers
from afield.preprocess.text.units import edges


@kernel(BYTES, OFFSETS, READING, CODES, CODES)
def covered(
    data: np.ndarray, offsets: np.ndarray, reading: Reading, blocks: np.ndarray, records: np.ndarray
) -> np.ndarray:
    """What the masks cover in one record; digits within words, which have no mask of their own, are left out.

    Args:
        data: uint8; UTF-8.
        offsets: int64[2]; the record is data[offsets[0]:offsets[1]].
        reading: how records are read, with one mask or more.
        blocks: int32; Unicode table, as in `reduce.reduce_rows`.
        records: int32; Unicode table, as in `reduce.reduce_rows`.

    Returns:
        int64[n, 3]: start and stop in the record, and place of the mask in NAMES.
    """
    start, stop = offsets[0], offsets[1]
    lowercase = reading.lowercase != 0
    text, _, bits, found, _, _, spans = buffers(offsets, reading)
    length = lower_unicode(data, start, stop, lowercase, blocks, records, text, RESERVED, bits)
    count = mask_words(text, bits, RESERVED, length, found, edges(bits, length, found), reading.masks, spans)
    kept = 0
    at = start
    passed = RESERVED
    for place in range(count):
        begin, end, written = spans[place, 0], spans[place, 1], spans[place, 2]
        if written >= SLOT * len(NAMES):
            continue
        spans[kept, 2] = written // SLOT
        for side, bound in enumerate((begin, end)):
            # Lower-case letters may be longer or shorter, so that only counting on from letter to letter leads back.
            while passed < bound:
                size = decode(data, at, stop)[1]
                passed += lower_unicode(data, at, at + size, lowercase, blocks, records, text, RESERVED, bits)
                at += size
            spans[kept, side] = at - start
        kept += 1
    return spans[:kept, :3]
