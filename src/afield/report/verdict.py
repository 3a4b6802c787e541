"""One sentence that says whether the network was worth training."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot

from afield.report.model import Baseline, Interval, Scores

MAJORITY = "majority"
"""Name of the baseline that always answers the most frequent class."""


def verdict(scores: Scores, baselines: Sequence[Baseline], best_possible: float | None = None) -> str:
    """Compares the network with the best baseline.

    Args:
        scores: of the network, on the test part.
        baselines: on the same rows.
        best_possible: the highest accuracy the data allows, where it is known.
    """
    if not baselines:
        low, high = scores.interval
        return f"The network reaches {scores.accuracy:.4f} ({low:.4f} to {high:.4f}); no baseline was run beside it."
    best = max(baselines, key=lambda baseline: baseline.accuracy)
    reached = best_possible is not None and best_possible <= scores.interval[1]
    sentence = _comparison(scores, best, nothing_more=reached)
    if best_possible is not None:
        sentence += f"; the best possible on this data is {best_possible:.4f}"
        sentence += ", within the network's interval" if reached else ""
    return f"{sentence}."


def _comparison(scores: Scores, best: Baseline, nothing_more: bool) -> str:
    figures = f"{scores.accuracy:.4f} against {best.accuracy:.4f}"
    clear = differ(scores.accuracy, scores.interval, best.accuracy, best.interval)
    noise = f"within the noise of {scores.rows:,} test rows"
    if scores.accuracy > best.accuracy:
        above = f"The network is above the {best.name} baseline ({figures})"
        return above if clear else f"{above}, but the difference is {noise}"
    if clear:
        relation = f"The network is clearly below the {best.name} baseline ({figures})"
    elif scores.accuracy == best.accuracy:
        relation = f"The network does not beat the {best.name} baseline (both {scores.accuracy:.4f})"
    else:
        relation = f"The network does not beat the {best.name} baseline ({figures}, {noise})"
    if best.name == MAJORITY:
        return f"{relation}: it has learned nothing, so ask whether the data can answer the question"
    advice = "" if nothing_more else ", or ask whether the data holds more"
    return f"{relation}: use the {best.name} model{advice}"


def differ(first: float, of_first: Interval, second: float, of_second: Interval) -> bool:
    """Whether two shares differ by more than chance explains, at 95 %.

    The two are taken as independent; on the same rows they rarely are, which makes the answer a cautious one.

    Source: R. G. Newcombe, Interval estimation for the difference between independent proportions: comparison of eleven
    methods, Statistics in Medicine 17 (1998), method 10.
    """
    if first < second:
        return differ(second, of_second, first, of_first)
    return first - second > hypot(first - of_first[0], of_second[1] - second)
