"""How far the reading of a table has come: the cursor of its last row, and the key beside it."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from typing import Any

from afield.errors import DataError, StateError

Value = int | str | datetime | date

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Place:
    """Behind a row.

    Args:
        names: the cursor, and the key where there is one.
        values: of that row, one a name.
    """

    names: tuple[str, ...]
    values: tuple[Value, ...]

    def dumps(self) -> str:
        """The text of a position."""
        return json.dumps(dict(zip(self.names, map(_written, self.values), strict=True)))

    @classmethod
    def loads(cls, names: Sequence[str], stream: str, text: str) -> Place:
        """The place that `dumps` wrote.

        Raises:
            StateError: the text is none, or is of other columns.
        """
        try:
            found = json.loads(text)
            values = tuple(_read(value) for value in found.values())
        except (AttributeError, TypeError, ValueError, KeyError) as error:
            raise StateError(
                f"stored position of stream {stream}: expected a row of a table, found {text[:80]!r}; "
                "it belongs to another source, or is damaged: start with a new position"
            ) from error
        if list(found) != list(names):
            raise StateError(
                f"stored position of stream {stream}: expected {' and '.join(names)}, as cursor: and key: of "
                f"source.sql say, found {' and '.join(found)}; change them back, or give the records a new "
                "name with stream:"
            )
        return cls(tuple(names), values)

    @property
    def offset(self) -> int:
        """int64 that names the row: an integer or a time (in microseconds) itself, else 63 bits of a hash."""
        first = self.values[0]
        if len(self.values) == 1 and not isinstance(first, str):
            return first if isinstance(first, int) else microseconds(first)
        return int.from_bytes(blake2b(self.dumps().encode(), digest_size=8).digest()) >> 1


def checked(values: Sequence[Any], names: Sequence[str], where: str) -> tuple[Value, ...]:
    """The values, each fit to be a cursor or a key.

    Raises:
        DataError: one is NULL, or of a type without a plain order.
    """
    for name, value in zip(names, values, strict=True):
        if value is None:
            raise DataError(
                f"{where}: expected a key in every row, found NULL in {name!r}; take another column as key:"
            )
        if type(value) not in (int, str, datetime, date) or (type(value) is int and not -(2**63) <= value < 2**63):
            raise DataError(
                f"{where}: column {name!r}: expected an integer of 64 bits, a timestamp, a date or text, to read by, "
                f"found {str(value)[:80]!r} ({type(value).__name__}); take another, or CAST it in query:"
            )
    return tuple(values)


def microseconds(value: date | datetime) -> int:
    """Since 1970, of UTC where there is no zone."""
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    return (value.replace(tzinfo=value.tzinfo or UTC) - _EPOCH) // _MICROSECOND


class Settled:
    """How far rows are settled: every transaction that may still add one before there has ended.

    Args:
        lag: seconds that a transaction is open at most.
    """

    def __init__(self, lag: float) -> None:
        self._lag = lag
        self._seen: deque[tuple[float, Value]] = deque()

    def saw(self, last: Value, now: float) -> None:
        """Takes the last cursor that was visible at a time."""
        if not self._seen or self._seen[-1][1] != last:
            self._seen.append((now, last))

    def until(self, now: float) -> Value | None:
        """The last cursor that is settled; None where there is none yet."""
        while len(self._seen) > 1 and self._seen[1][0] <= now - self._lag:
            self._seen.popleft()
        return self._seen[0][1] if self._seen and self._seen[0][0] <= now - self._lag else None


def _written(value: Value) -> Any:
    if isinstance(value, datetime):
        return {"time": value.isoformat()}
    return {"date": value.isoformat()} if isinstance(value, date) else value


def _read(value: Any) -> Value:
    if isinstance(value, dict):
        ((kind, text),) = value.items()
        return {"time": datetime.fromisoformat, "date": date.fromisoformat}[kind](text)
    if type(value) not in (int, str):
        raise TypeError(type(value).__name__)
    return value
