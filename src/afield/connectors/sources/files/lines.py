"""From the bytes of a growing file to records: lines, records of several lines, or JSON objects."""

from __future__ import annotations

from collections.abc import Iterator

from afield.connectors.report import SourceReport
from afield.connectors.sources.files.discover import Kind
from afield.connectors.sources.files.joiner import Joiner
from afield.connectors.sources.files.jsonlines import JsonRows
from afield.connectors.sources.files.reader import Lines, Splitter
from afield.connectors.sources.files.records import Rows, text_rows
from afield.connectors.sources.files.spec import Files


class LineReader:
    """Turns the bytes of one file, chunk by chunk, into rows.

    Args:
        spec: how records are made of lines.
        kind: "lines" or "jsonl".
        shown: the file, for the report.
        report: takes the counts.
        offset: byte of the file where the first chunk starts.
        line: its line, from 1.
    """

    def __init__(self, spec: Files, kind: Kind, shown: str, report: SourceReport, *, offset: int, line: int) -> None:
        limit = spec.max_record_bytes
        self._joiner = Joiner(spec.record_start, limit) if spec.record_start and kind == "lines" else None
        # A line that is too long by itself is left longer than the limit, so that its record is seen to be cut.
        self._splitter = Splitter(offset=offset, number=line, limit=limit + 4 if self._joiner else limit)
        self._json = JsonRows(spec, shown, report) if kind == "jsonl" else None
        self._report = report

    @property
    def holds_line(self) -> bool:
        """Whether a line has begun whose end has not been seen."""
        return self._splitter.holds

    @property
    def holds_record(self) -> bool:
        """Whether a record is held back because more lines may belong to it."""
        return self._joiner is not None and self._joiner.holds

    def feed(self, chunk: bytes) -> Iterator[Rows]:
        """The rows that the next bytes complete."""
        lines = self._splitter.feed(chunk)
        if lines is not None and self._joiner is not None:
            lines = self._joiner.feed(lines)
        yield from self._rows(lines)

    def flush(self) -> Iterator[Rows]:
        """The record held back: no more lines are expected to belong to it."""
        if self._joiner is not None:
            yield from self._rows(self._joiner.flush(self._splitter.offset, self._splitter.number))

    def finish(self) -> Iterator[Rows]:
        """All that is left: the file is complete."""
        lines = self._splitter.finish()
        if lines is not None and self._joiner is not None:
            lines = self._joiner.feed(lines)
        yield from self._rows(lines)
        yield from self.flush()

    def _rows(self, lines: Lines | None) -> Iterator[Rows]:
        self._report.replaced_utf8 += self._splitter.replaced
        self._splitter.replaced = 0
        counter = self._joiner or self._splitter
        self._report.cut += counter.cut
        counter.cut = 0
        if lines is not None:
            yield from self._json.rows(lines) if self._json else text_rows(lines)
