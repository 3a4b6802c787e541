"""Text made fit to show: foreign text made safe, for log lines and file names may hold anything; figures and units."""

from __future__ import annotations

import re

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Characters that move the cursor, colour a terminal, break a line or turn the direction of writing."""

_CODE = re.compile("`([^`]*)`")


def visible(text: str) -> str:
    """The text on one line, tabs as spaces and other control characters written out (`\\x1b`)."""
    return CONTROL.sub(_written_out, text)


def written(text: str) -> str:
    """The text with its lines, other control characters written out."""
    return "\n".join(map(visible, text.splitlines())) + ("\n" if text.endswith("\n") else "")


def prose(text: str) -> list[str]:
    """A sentence made visible, in parts: every second one stood between backticks, which are gone."""
    return _CODE.split(visible(text))


def shortened(text: str, longest: int) -> str:
    """The text, cut to `longest` characters, the last of which is then an ellipsis."""
    return text if len(text) <= longest else text[: max(longest - 1, 0)] + "…"


def figure(value: float) -> str:
    """A figure of any size with the digits that matter: four after the point, fewer of large ones."""
    size = abs(value)
    if size >= 10_000:
        return f"{value:,.0f}"
    if size >= 100:
        return f"{value:,.2f}"
    return f"{value:.4f}" if size >= 0.0001 or value == 0 or size != size else f"{value:.2e}"


def within(interval: tuple[float, float] | None) -> str:
    """Both bounds of an interval; nothing where there is none."""
    return f"{figure(interval[0])} to {figure(interval[1])}" if interval else ""


def duration(seconds: float | None) -> str:
    """A time in the unit that suits it."""
    if seconds is None:
        return ""
    for unit, length in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= length:
            return f"{seconds / length:,.1f} {unit}"
    return f"{seconds / 1e-9:.0f} ns"


def size(content: int | None) -> str:
    """Bytes in the unit that suits them."""
    if content is None:
        return ""
    for unit, length in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if content >= length:
            return f"{content / length:.1f} {unit}"
    return f"{content} B"


def _written_out(match: re.Match[str]) -> str:
    character = match.group()
    return " " if character == "\t" else character.encode("unicode_escape").decode("ascii")
