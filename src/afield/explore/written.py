"""Ways in which people write numbers and dates, and how they are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

pc: Any = pyarrow.compute

NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_AMOUNT = r"(\d{1,3}(,\d{3})+(\.\d+)?|\d+([.,]\d+)?)"
DECORATED: Mapping[str, str] = {
    "with separators of thousands, as in 1,234.5": r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$",
    "with a decimal comma, as in 3,14": r"^[+-]?\d+,\d+$",
    "with a unit or a sign, as in 12 kg, $5 or 40%": (
        rf"^([$€£] ?[+-]?{_AMOUNT}|[+-]?{_AMOUNT} ?([a-zA-Z°µ]{{1,3}}|[%$€£]))$"
    ),
}
"""How it is said -> what numbers look like that are not read as such (RE2)."""
_MONTH = "(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_CLOCK = r"([ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?(Z|[+-]\d{2}:?\d{2})?)?"
DATES: Mapping[str, str] = {
    "YYYY-MM-DD": rf"^\d{{4}}-\d{{2}}-\d{{2}}{_CLOCK}$",
    "YYYY/MM/DD": rf"^\d{{4}}/\d{{1,2}}/\d{{1,2}}{_CLOCK}$",
    "DD.MM.YYYY": rf"^\d{{1,2}}\.\d{{1,2}}\.\d{{4}}{_CLOCK}$",
    "DD/MM/YYYY or MM/DD/YYYY": rf"^\d{{1,2}}/\d{{1,2}}/(\d{{4}}|\d{{2}}){_CLOCK}$",
    "DD-MM-YYYY or MM-DD-YYYY": rf"^\d{{1,2}}-\d{{1,2}}-\d{{4}}{_CLOCK}$",
    "D Mon YYYY": rf"^\d{{1,2}}[ -]{_MONTH}[ -]\d{{2,4}}{_CLOCK}$",
    "Mon D, YYYY": rf"^{_MONTH} \d{{1,2}},? \d{{4}}{_CLOCK}$",
}
"""Form of a date -> what it looks like (RE2); a time of day may follow."""
ISO = "YYYY-MM-DD"
LOOKED_AT = 200
_LAYOUTS: Mapping[str, tuple[str, ...]] = {
    "YYYY/MM/DD": ("%Y/%m/%d",),
    "DD.MM.YYYY": ("%d.%m.%Y",),
    "DD/MM/YYYY or MM/DD/YYYY": ("%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y", "%m/%d/%y"),
    "DD-MM-YYYY or MM-DD-YYYY": ("%d-%m-%Y", "%m-%d-%Y"),
    "D Mon YYYY": ("%d %b %Y", "%d-%b-%Y", "%d %B %Y", "%d-%b-%y"),
    "Mon D, YYYY": ("%b %d, %Y", "%b %d %Y", "%B %d, %Y"),
}


def matches(words: pa.Array, pattern: str) -> np.ndarray:
    """bool[K]: which words look like a pattern."""
    return pc.match_substring_regex(words, pattern=pattern).to_numpy(zero_copy_only=False)


def dates(words: pa.Array) -> dict[str, np.ndarray]:
    """Form of a date -> bool[K], the words of that form; nothing where hardly any word is a date."""
    return {form: matches(words, pattern) for form, pattern in DATES.items()} if _some(words, DATES.values()) else {}


def decorated(words: pa.Array) -> Iterator[tuple[str, np.ndarray]]:
    """Form of what looks like a number, and bool[K], the words of that form; nothing where hardly any word does."""
    if _some(words, DECORATED.values()):
        for form, pattern in DECORATED.items():
            yield form, matches(words, pattern)


def _some(words: pa.Array, patterns: Iterable[str]) -> bool:
    """Whether a few words from everywhere look like any of the patterns: most columns are passed over by it."""
    places = np.unique(np.linspace(0, len(words) - 1, LOOKED_AT).astype(np.int64))
    few = words.take(pa.array(places))
    return any(matches(few, pattern).any() for pattern in patterns)


def moments(words: pa.Array, forms: Mapping[str, np.ndarray]) -> np.ndarray:
    """float64[K]: seconds since 1970 (UTC) of the day of each word, NaN where it is none.

    Args:
        words: string[K].
        forms: key of `DATES` -> bool[K], the words of that form.
    """
    found = np.full(len(words), np.nan)
    for form, mask in forms.items():
        for place in np.flatnonzero(mask & np.isnan(found)).tolist():
            found[place] = _day(words[place].as_py(), form)
    return found


def _day(text: str, form: str) -> float:
    if form == ISO:
        with suppress(ValueError):
            found = datetime.fromisoformat(text)
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    # The day alone tells how a target goes along with time.
    plain = text.split("T")[0]
    for layout in _LAYOUTS.get(form, ()):
        for part in (plain, plain.split(" ")[0], " ".join(plain.split(" ")[:3])):
            with suppress(ValueError):
                return datetime.strptime(part, layout).replace(tzinfo=UTC).timestamp()
    return np.nan
