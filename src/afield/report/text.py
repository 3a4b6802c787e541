"""Foreign text made safe to show: log lines and file names may hold anything."""

from __future__ import annotations

import re

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Characters that move the cursor, colour a terminal, break a line or turn the direction of writing."""

_CODE = re.compile("`([^`]*)`")


def visible(text: str) -> str:
    """The text on one line, tabs as spaces and other control characters written out (`\\x1b`)."""
    return CONTROL.sub(_written_out, text)


def prose(text: str) -> list[str]:
    """A sentence made visible, in parts: every second one stood between backticks, which are gone."""
    return _CODE.split(visible(text))


def shortened(text: str, longest: int) -> str:
    """The text, cut to `longest` characters, the last of which is then an ellipsis."""
    return text if len(text) <= longest else text[: max(longest - 1, 0)] + "…"


def _written_out(match: re.Match[str]) -> str:
    character = match.group()
    return " " if character == "\t" else character.encode("unicode_escape").decode("ascii")
