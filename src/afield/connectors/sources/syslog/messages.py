"""Syslog messages, of RFC 3164 or RFC 5424, as records."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from afield.connectors.base import OFFSET, STREAM, TEXT, Batch, Refused
from afield.connectors.spool.base import Stored

SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
FACILITIES = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp"),
    *("audit", "alert", "clock"),
    *(f"local{number}" for number in range(8)),
)

_WORDS = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    [
        (TEXT, pa.string()),
        ("host", _WORDS),
        ("app", _WORDS),
        ("severity", _WORDS),
        ("facility", _WORDS),
        ("time", pa.timestamp("us", "UTC")),
        (STREAM, _WORDS),
        (OFFSET, pa.int64()),
    ]
)

_PRIORITY = re.compile(r"<(0|[1-9]\d{0,2})>")
_NEW = re.compile(
    r"1 (?P<time>\S+) (?P<host>\S{1,255}) (?P<app>\S{1,48}) \S{1,128} \S{1,32} "
    r"(?:-|(?:\[[^ =\]\"]{1,32}(?: [^ =\]\"]{1,32}=\"(?:[^\"\\\]]|\\.)*\")*\])+)(?: (?P<text>.*))?\Z",
    re.DOTALL,
)
_OLD = re.compile(r"(?P<time>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) (?P<host>\S+) (?P<rest>.*)\Z", re.DOTALL)
_TAG = re.compile(r"(?P<app>[^\s:\[\]]{1,48})(?:\[[^\]]*\])?: ?(?P<text>.*)\Z", re.DOTALL)


class SyslogRecords:
    """Decodes spooled messages of syslog.

    Args:
        most: bytes of the longest message.
    """

    def __init__(self, most: int) -> None:
        self._most = most

    def batch(self, stream: str, stored: Sequence[Stored]) -> Batch:
        """As of `Decodes`."""
        rows: list[dict[str, Any]] = []
        refused: list[Refused] = []
        for message in stored:
            found = parsed(message, self._most)
            if isinstance(found, str):
                refused.append(Refused(stream, message.sequence, found, message.payload))
            else:
                rows.append({**found, STREAM: stream, OFFSET: message.sequence})
        return Batch(pa.RecordBatch.from_pylist(rows, SCHEMA), {stream: str(stored[-1].sequence)}, refused)

    def empty(self) -> Batch:
        """As of `Decodes`."""
        return Batch(pa.RecordBatch.from_pylist([], SCHEMA), {})


def parsed(message: Stored, most: int) -> dict[str, Any] | str:
    """The columns of a message, or why it is refused.

    Args:
        message: as it arrived; its origin is the sender's address.
        most: bytes of the longest message.
    """
    if len(message.payload) > most:
        return f"expected at most {most} bytes, found more; raise max_record_bytes of the source to take it"
    text = message.payload.decode("utf-8", errors="replace").rstrip("\r\n\0")
    priority = _PRIORITY.match(text)
    if priority is None or int(priority[1]) > 191:
        return f"expected <PRIORITY> of 0 to 191 at the start, found {text[:20]!r}"
    arrived = datetime.fromtimestamp(message.arrived / 1e6, UTC)
    rest = text[priority.end() :]
    found = _of_5424(rest) if rest.startswith("1 ") else _of_3164(rest, message.origin, arrived)
    if isinstance(found, str):
        return found
    facility, severity = divmod(int(priority[1]), 8)
    return {**found, "severity": SEVERITIES[severity], "facility": FACILITIES[facility]}


def _of_5424(rest: str) -> dict[str, Any] | str:
    found = _NEW.match(rest)
    if found is None:
        return f"expected TIME HOST APP PROCESS ID DATA of RFC 5424 after the version, found {rest[:60]!r}"
    time = None
    if found["time"] != "-":
        try:
            time = datetime.fromisoformat(found["time"])
        except ValueError:
            time = None
        if time is None or time.tzinfo is None:
            return f"expected a time of RFC 3339 with its zone, found {found['time']!r}"
    host, app = (None if found[name] == "-" else found[name] for name in ("host", "app"))
    return {TEXT: (found["text"] or "").removeprefix("\ufeff"), "host": host, "app": app, "time": time}


def _of_3164(rest: str, sender: str, arrived: datetime) -> dict[str, Any]:
    """As of RFC 3164, section 4.3.3: what has no time and no host gets those of its arrival."""
    found = _OLD.match(rest)
    time = None if found is None else _dated(found["time"], arrived)
    if found is None or time is None:
        host, time, content = sender, arrived, rest
    else:
        host, content = found["host"], found["rest"]
    tag = _TAG.match(content)
    app, text = (None, content) if tag is None else (tag["app"], tag["text"])
    return {TEXT: text, "host": host, "app": app, "time": time}


def _dated(text: str, arrived: datetime) -> datetime | None:
    """The time in UTC; of the years in question the one that brings it closest to the arrival."""
    times: list[datetime] = []
    for year in (arrived.year - 1, arrived.year, arrived.year + 1):
        try:
            times.append(datetime.strptime(f"{year} {text}", "%Y %b %d %H:%M:%S").replace(tzinfo=UTC))
        except ValueError:
            continue
    near = min(times, key=lambda time: abs(time - arrived), default=None)
    return near if near is not None and abs(near - arrived) < timedelta(days=366) else None
