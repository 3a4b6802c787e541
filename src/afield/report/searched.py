"""How the values of a search are named and written where there is little room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from afield.report.model import Searched, TrialRow, Tuning
from afield.report.text import shortened, visible

LONGEST = 40


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Path -> the shortest end of it that no other path has: `dropout.rate` says enough where there is one."""
    return {
        name: visible(next((end for end in _ends(name) if sum(_is_end(end, other) for other in names) == 1), name))
        for name in names
    }


def value_text(value: Any) -> str:
    """A value as it may be shown in a cell; nothing where a trial has none."""
    if value is None:
        return ""
    text = f"{value:.4g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)
    return shortened(visible(text), LONGEST)


def among(searched: Searched) -> str:
    """What was searched, in words."""
    if searched.bounds is None:
        return ", ".join(map(value_text, searched.choices))
    low, high = map(value_text, searched.bounds)
    return f"{low} to {high}{', by logarithm' if searched.log else ''}"


def ranked(tuning: Tuning) -> list[TrialRow]:
    """The trials with a score, the best first; those that left early come last, for fewer epochs say less."""
    sign = -1 if tuning.higher_is_better else 1
    scored = [trial for trial in tuning.trials if trial.score is not None]
    return sorted(scored, key=lambda trial: (trial.state != "complete", sign * (trial.score or 0.0), trial.number))


def failures(tuning: Tuning) -> list[TrialRow]:
    """Of the trials without a score, the first one for each reason."""
    failed = [trial for trial in tuning.trials if trial.state == "failed"]
    return list({trial.reason: trial for trial in reversed(failed)}.values())[::-1]


def _ends(name: str) -> Iterator[str]:
    parts = name.split(".")
    for length in range(1, len(parts) + 1):
        yield ".".join(parts[-length:])


def _is_end(end: str, name: str) -> bool:
    return f".{name}".endswith(f".{end}")
