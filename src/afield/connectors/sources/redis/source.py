"""Redis streams as a source: each look at a stream is one transaction, and no entry goes missing unseen."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from threading import Event
from typing import Any, ClassVar

import orjson

from afield.connectors.base import Batch, Position, Refused
from afield.connectors.decoder import Decoder
from afield.connectors.logs import IDLE_SECONDS, LossReport
from afield.connectors.sources.redis.server import connect, telling
from afield.connectors.sources.redis.spec import Redis
from afield.errors import DataError, StateError

WHERE = "source.redis"
SEQUENCE_BITS = 20
"""Of an offset; an entry is the n-th of its millisecond."""
_MOST_MILLISECONDS = 1 << (63 - SEQUENCE_BITS)

Entry = tuple[bytes, Mapping[bytes, bytes]]
Id = tuple[int, int]


@dataclass
class _Place:
    """How far a stream was read.

    Args:
        last: id of the last entry that was read.
        read: how many were added to the stream up to it, by the count that the server keeps; None: not known yet.
        end: id after which a reading that does not follow ends; None: not known yet, or it follows.
    """

    last: str = "0-0"
    read: int | None = None
    end: str | None = None

    @property
    def cursor(self) -> str:
        return f"{self.last} {self.read}"


class RedisSource:
    """Entries of Redis streams.

    STREAM is the key, OFFSET is made of the entry's id: milliseconds << 20 | number within the millisecond.

    Args:
        spec: what is declared.
        follow: goes on for ever with what is added.
        labelled: adds the column LABEL.
        poll: seconds that one question to the server waits for an entry, when following.
    """

    replayable: ClassVar[bool] = True
    splittable: ClassVar[bool] = False

    def __init__(self, spec: Redis, *, follow: bool, labelled: bool, poll: float) -> None:
        self.report = LossReport()
        self._spec = spec
        self._follow = follow
        self._decoder = Decoder(spec, labelled)
        self._poll = poll
        self._closed = Event()

    def batches(self, position: Position) -> Iterator[Batch]:
        """Records after the position.

        Raises:
            DataError: there is no such stream, it holds something else, or entries were removed before they were read.
            StateError: the position belongs to another source.
            TransientError: the server is not there.
            UseCaseError: it refuses the user or the password.
        """
        places = {name: _place(position.get(name)) for name in self._spec.streams}
        client = connect(self._spec, WHERE)
        try:
            last_batch = time.monotonic()
            while not self._closed.is_set():
                busy = False
                for name, place in places.items():
                    if (batch := self._next(client, name, place)) and not self._closed.is_set():
                        busy, last_batch = True, time.monotonic()
                        yield batch
                if busy:
                    continue
                if not self._follow:
                    return
                if time.monotonic() - last_batch >= IDLE_SECONDS:
                    last_batch = time.monotonic()
                    yield self._decoder.empty()
                with telling(self._spec, WHERE):
                    client.xread({name: place.last for name, place in places.items()}, 1, int(self._poll * 1000))
        finally:
            client.close()

    def acknowledge(self, position: Position) -> None:
        """A stream is trimmed by who owns it."""

    def close(self) -> None:
        """Ends `batches` within `poll` seconds, also from another thread."""
        self._closed.set()

    def _next(self, client: Any, name: str, place: _Place) -> Batch | None:
        """The entries after the place; None where there are none yet."""
        with telling(self._spec, WHERE):
            look = client.pipeline(transaction=True)
            look.xinfo_stream(name)
            look.xrange(name, f"({place.last}", place.end or "+", self._spec.batch)
            info, entries = look.execute(raise_on_error=False)
            for found in (entries, info):
                if isinstance(found, Exception) and "no such key" not in str(found):
                    raise found
        if isinstance(info, Exception):
            if self._follow:
                return None
            raise DataError(f"{WHERE}: expected a stream {name!r}, found no such key; correct stream:, or add an entry")
        if "entries-added" not in info:
            raise DataError(f"{WHERE}: expected a server of Redis 7 or newer, found one that counts no entries")
        missing = self._missing(info, entries, place, name)
        if not entries and not missing:
            return None
        if entries:
            place.last = entries[-1][0].decode()
        return self._batch(name, entries, place.cursor)

    def _missing(self, info: Mapping[str, Any], entries: list[Entry], place: _Place, name: str) -> bool:
        """Counts what was read, and compares it with what the server counts as added; whether some never came."""
        added, length = int(info["entries-added"]), int(info["length"])
        last = info["last-generated-id"].decode()
        if not self._follow and place.end is None:
            place.end = last
        read = added - length if place.read is None else place.read
        # The first entry was not read yet: whatever was removed stood before it.
        beyond = length > 0 and _id(info["recorded-first-entry-id"]) > _id(place.last.encode())
        gone = 0
        if len(entries) < self._spec.batch and place.end in {None, last}:
            gone = added - read - len(entries)
        elif beyond:
            gone = added - read - length
        if gone < 0 and length and not beyond:
            # The server came back with an older copy: what it has forgotten was read.
            read, gone = read + gone, 0
        if gone:
            count = f"{gone} entries were removed" if gone > 0 else "the stream was made anew, with entries removed"
            what = f"{count} before they were read"
            self.report.lose(self._spec, WHERE, f"stream {name!r} after {place.last}", what)
        place.read = read + gone + len(entries)
        return gone != 0

    def _batch(self, stream: str, entries: list[Entry], cursor: str) -> Batch:
        field = self._spec.field.encode() if self._spec.field is not None else None
        ids = [_id(entry[0]) for entry in entries]
        refused: list[Refused] = []
        kept: list[int] = []
        for number, (name, fields) in enumerate(entries):
            if reason := _reason(name, ids[number], fields, field):
                refused.append(Refused(stream, _offset(ids[number]), reason, _content(fields)))
            else:
                kept.append(number)
        offsets = [_offset(ids[number]) for number in kept]
        found = [entries[number][1] for number in kept]
        if field is not None:
            batch = self._decoder.batch(stream, offsets, [fields[field] for fields in found], cursor)
        else:
            objects = (self._texts(fields) for fields in found)
            batch = self._decoder.objects(stream, offsets, objects, cursor, lambda index: _content(found[index]))
        if not refused:
            return batch
        return replace(batch, refused=sorted([*batch.refused, *refused], key=lambda one: one.offset))

    def _texts(self, fields: Mapping[bytes, bytes]) -> dict[str, str] | str:
        if reason := self._decoder.too_long(sum(len(name) + len(value) for name, value in fields.items())):
            return reason
        try:
            return {name.decode(): value.decode() for name, value in fields.items()}
        except UnicodeDecodeError as error:
            return f"expected UTF-8, found byte 0x{error.object[error.start]:02x} in a field: {error.reason}"


def _place(cursor: str | None) -> _Place:
    if cursor is None:
        return _Place()
    try:
        last, read = cursor.split(" ")
        _id(last.encode())
        return _Place(last, int(read))
    except ValueError:
        raise StateError(
            f"{WHERE}: expected a position of a Redis stream, found {cursor!r} of another source"
        ) from None


def _id(text: bytes) -> Id:
    milliseconds, _, sequence = text.partition(b"-")
    return int(milliseconds), int(sequence)


def _offset(entry: Id) -> int:
    milliseconds, sequence = entry
    return min(milliseconds, _MOST_MILLISECONDS - 1) << SEQUENCE_BITS | min(sequence, (1 << SEQUENCE_BITS) - 1)


def _reason(name: bytes, entry: Id, fields: Mapping[bytes, bytes], field: bytes | None) -> str | None:
    """Why an entry cannot be a record, before its content is looked at."""
    if entry[0] >= _MOST_MILLISECONDS or entry[1] >= 1 << SEQUENCE_BITS:
        return (
            f"expected an id of milliseconds under 2^43 and a number under 2^20, found {name.decode()}; "
            "let the server give the ids"
        )
    if field is not None and field not in fields:
        there = ", ".join(found.decode(errors="replace") for found in fields)
        return f"expected a field {field.decode()}, found {there}"
    return None


def _content(fields: Mapping[bytes, bytes]) -> bytes:
    return orjson.dumps(
        {name.decode(errors="replace"): value.decode(errors="replace") for name, value in fields.items()}
    )
