"""Answers to a Redis stream, each once: what is there already is looked up where it is written, in one script."""

from __future__ import annotations

from typing import Any, ClassVar

import pyarrow as pa

from afield.connectors.sinks.jsonl import written
from afield.connectors.sinks.recent import Recent
from afield.connectors.sinks.redis.spec import Redis
from afield.connectors.sources.redis.server import connect, telling

WHERE = "sink.redis"
PAGE = 1000
"""Entries that are read or written at once; the server does nothing else meanwhile."""
REMEMBERED = 100_000
"""Ids of answers, of those written last."""

_ADD = """
local there, ids = {}, {}
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+')) do
  for field = 1, #entry[2], 2 do
    if entry[2][field] == 'id' then
      there[entry[2][field + 1]] = true
      ids[#ids + 1] = entry[2][field + 1]
    end
  end
end
for answer = 3, #ARGV, 2 do
  if not there[ARGV[answer]] then
    if ARGV[2] == '' then
      redis.call('XADD', KEYS[1], '*', 'id', ARGV[answer], 'answer', ARGV[answer + 1])
    else
      redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'id', ARGV[answer], 'answer', ARGV[answer + 1])
    end
  end
end
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if #newest > 0 then return {newest[1][1], ids} end
return {ARGV[1], ids}
"""


class RedisSink:
    """Entries of one stream.

    Of the answers that were written last, the ids are known: those of this process are remembered, those of one before
    it are read from the stream, after the mark that was committed. The script adds an answer only where none of the
    entries after the last one known has its id: a write whose connection broke may arrive late, or twice.

    Args:
        spec: what is declared.
    """

    idempotent: ClassVar[bool] = True

    def __init__(self, spec: Redis) -> None:
        self._spec = spec
        self._client = connect(spec, WHERE)
        self._add = self._client.register_script(_ADD)
        self._known = Recent(REMEMBERED)
        self._last = self._mark = "0-0"

    def restore(self, mark: str | None) -> None:
        """Learns which answers are in the stream after the mark, or among the last of it where there is none.

        Raises:
            DataError: the key holds something else.
            TransientError: the server is not there.
            UseCaseError: it refuses the user or the password.
        """
        self._known = Recent(REMEMBERED)
        with telling(self._spec, WHERE):
            self._last = self._mark = mark or self._before_the_last()
            while entries := self._client.xrange(self._spec.stream, f"({self._last}", "+", PAGE):
                self._known.find([fields[b"id"].decode(errors="replace") for _, fields in entries if b"id" in fields])
                self._last = entries[-1][0].decode()

    def write(self, answers: pa.RecordBatch) -> str:
        """Adds the answers that are not there.

        Returns:
            The id of an entry: none of those up to it will be given again.

        Raises:
            DataError: the key holds something else.
            TransientError: the server is not there, or is full.
            UseCaseError: it refuses the user or the password.
        """
        new = self._known.new(*written(answers))
        most = str(self._spec.maxlen or "")
        for start in range(0, len(new), PAGE):
            page = new[start : start + PAGE]
            parts = [part for answer in page for part in answer]
            with telling(self._spec, WHERE):
                last, found = self._add(keys=[self._spec.stream], args=[self._last, most, *parts])
            self._last = last.decode()
            if found:
                self._known.find([name.decode(errors="replace") for name in found])
            self._known.give([name for name, _ in page])
        if self._known.settled:
            self._mark = self._last
        return self._mark

    def close(self) -> None:
        """Closes the connection."""
        self._client.close()

    def _before_the_last(self) -> str:
        """The id before the last entries of the stream, as many as are remembered."""
        last = "+"
        for _ in range(REMEMBERED // PAGE):
            entries: list[Any] = self._client.xrevrange(self._spec.stream, last, "-", PAGE)
            if not entries:
                return "0-0"
            last = f"({entries[-1][0].decode()}"
        return last[1:]
