"""What keeps personal data out of everything that is shown: values are replaced by their kind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

FREE: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("e-mail", re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")),
    ("MAC", re.compile(r"(?<![\w:-])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![\w:-])")),
    ("IP", re.compile(r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w]|\.\d)")),
    ("IP", re.compile(r"(?<![\w:])(?:[0-9A-Fa-f]{1,4}:){4,7}[0-9A-Fa-f]{1,4}(?![\w:])")),
    ("IP", re.compile(r"(?<![\w:])(?:[0-9A-Fa-f]{1,4}:){1,6}(?::[0-9A-Fa-f]{1,4}){1,6}(?![\w:])")),
    ("IBAN", re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b")),
    ("phone", re.compile(r"(?<![\w+])(?:\+|00)[1-9](?:[ ()/.-]{0,2}\d){7,14}(?!\d)")),
    ("number", re.compile(r"(?<![\d.])(?:\d{13,19}|\d{4}(?:[ -]\d{4}){3})(?![\d.])")),
)
"""What a value is called when it is hidden, and how it is found within free text."""


@dataclass(frozen=True)
class Curtain:
    """Hides what is personal.

    Args:
        columns: column that holds personal data -> what its values are called in their place.
    """

    columns: Mapping[str, str]

    def value(self, column: str, text: str) -> str:
        """A value as it may be shown."""
        if not text:
            return text
        return f"<{self.columns[column]}>" if column in self.columns else self.text(text)

    def text(self, text: str) -> str:
        """Free text as it may be shown."""
        for name, pattern in FREE:
            text = pattern.sub(f"<{name}>", text)
        return text
