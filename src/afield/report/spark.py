"""A histogram as one line of text, for tables on the terminal and on pages."""

from __future__ import annotations

from afield.report.model import Histogram

BARS = "▁▂▃▄▅▆▇█"


def spark(histogram: Histogram | None) -> str:
    """A bar a bin, a blank where it is empty; nothing where there is no histogram.

    >>> spark(Histogram(edges=[0, 1, 2, 3], counts=[1, 0, 8]))
    '▁ █'
    """
    if histogram is None:
        return ""
    most = max(histogram.counts, default=0)
    return "".join(BARS[(count * len(BARS) - 1) // most] if count else " " for count in histogram.counts)
