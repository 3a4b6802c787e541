"""What was read and what was not: the account a source gives of itself."""

from __future__ import annotations

from dataclasses import dataclass, field

REJECTED_KEPT = 100


@dataclass
class SourceReport:
    """Counts of one reading, and the reasons for what is missing.

    Args:
        read: files that could be read -> records of each.
        records: records handed on.
        bytes: uncompressed bytes read (of Parquet: of the file).
        replaced_utf8: U+FFFD put in the place of bytes that are no UTF-8.
        cut: records longer than `max_record_bytes`, of which the rest was dropped.
        truncated: times a followed file was emptied or overwritten by its writer.
        rejected: rows of CSV or JSON Lines that do not parse, and were left out.
        rejected_at: the first of these, file -> lines.
        damaged: file -> why it could be read only in part.
        skipped: file -> why nothing of it was read.
    """

    read: dict[str, int] = field(default_factory=dict[str, int])
    records: int = 0
    bytes: int = 0
    replaced_utf8: int = 0
    cut: int = 0
    truncated: int = 0
    rejected: int = 0
    rejected_at: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    damaged: dict[str, str] = field(default_factory=dict[str, str])
    skipped: dict[str, str] = field(default_factory=dict[str, str])

    def reject(self, path: str, lines: list[int]) -> None:
        """Counts rows that do not parse, and keeps the place of the first of them."""
        self.rejected += len(lines)
        room = REJECTED_KEPT - sum(len(kept) for kept in self.rejected_at.values())
        if lines and room > 0:
            self.rejected_at.setdefault(path, []).extend(lines[:room])

    @property
    def files(self) -> int:
        """Number of files that could be read."""
        return len(self.read)

    def skip(self, path: str, reason: str) -> None:
        """Notes that nothing of a file could be read."""
        self.read.pop(path, None)
        self.skipped[path] = reason

    def nothing_of(self, path: str) -> None:
        """Of a file that gave no record, notes that it was skipped, where it is known why."""
        if path in self.damaged:
            self.skip(path, self.damaged.pop(path))
        elif path in self.rejected_at:
            self.skip(path, f"none of its rows could be read, the first at line {self.rejected_at[path][0]}")
