"""Who a file is: recognises it after a rename, a copy or a compression, and a new one under an old name."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

from afield.connectors.sources.files.discover import Found
from afield.connectors.sources.files.label import base_name
from afield.connectors.sources.files.stream import ByteStream, codec_of
from afield.errors import StateError

HEAD = 256
TABLE_HEAD = 4096
"""Tables begin alike more often than logs do: their names of columns are the same."""


@dataclass(frozen=True)
class Cursor:
    """How far one stream has been read, and what it takes to find its file again.

    Args:
        device, inode, path: the file when it was last read.
        offset: the next byte of the uncompressed file, or the next row of a table.
        line: its line, from 1.
        head, head_bytes: hash of the first bytes of the file, and of how many.
        tail, tail_bytes: hash of the bytes before `offset`, and of how many; none where they are not at hand.
        whole: size on the disk of a file that was read to its end and is not appended to, else 0.
        rows: whether the offset counts rows.
    """

    device: int
    inode: int
    path: str
    offset: int
    line: int
    head: str
    head_bytes: int
    tail: str = ""
    tail_bytes: int = 0
    whole: int = 0
    rows: bool = False

    def dumps(self) -> str:
        """The cursor as it stands in a position: ASCII, in which a path that is no UTF-8 keeps its bytes as escapes."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @staticmethod
    def loads(stream: str, text: str) -> Cursor:
        """The cursor of a position.

        Raises:
            StateError: the text is none that `dumps` wrote.
        """
        try:
            return Cursor(**json.loads(text))
        except (TypeError, ValueError) as error:
            raise StateError(
                f"stored position of stream {stream}: expected a cursor of a file, found {text[:80]!r}; "
                "it belongs to another source, or is damaged: start with a new position"
            ) from error

    def at(self, offset: int, line: int, head: bytes, tail: bytes, *, whole: int = 0) -> Cursor:
        """The cursor further on in the same file.

        Args:
            offset, line: where the next record starts.
            head: the first bytes of the file, of which none after the offset count.
            tail: the bytes before the offset, as far as they are known.
            whole: size on the disk, where the file was read to its end and is not appended to.
        """
        known = head if self.rows else head[:offset]
        return replace(
            self,
            offset=offset,
            line=line,
            head=digest(known),
            head_bytes=len(known),
            tail=digest(tail) if tail else "",
            tail_bytes=len(tail),
            whole=whole,
        )

    def moved_to(self, file: Found, *, whole: int = 0) -> Cursor:
        """The cursor in a file that has taken over the content."""
        return replace(self, device=file.device, inode=file.inode, path=str(file.path), whole=whole or self.whole)

    def begins(self, head: bytes) -> bool:
        """Whether these are the first bytes of its file."""
        return len(head) >= self.head_bytes and digest(head[: self.head_bytes]) == self.head

    def follows(self, before: bytes) -> bool:
        """Whether these bytes stand before its offset, as far as that is known."""
        return not self.tail or digest(before[-self.tail_bytes :]) == self.tail

    def is_end_of(self, file: Found) -> bool:
        """Whether nothing has been added to the file since it was read to its end."""
        return self.inode == file.inode and 0 < self.whole == file.size


def beginning(file: Found, *, rows: bool) -> Cursor:
    """The cursor of a file of which nothing has been read."""
    return Cursor(file.device, file.inode, str(file.path), 0, 1, digest(b""), 0, rows=rows)


def digest(data: bytes) -> str:
    """A short hash of bytes, which tells nothing of them."""
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def compare(path: Path, cursor: Cursor) -> Literal["held", "shorter", "other"]:
    """Whether a file has what was read up to a cursor, has only a part of it, or is another file."""
    with closing(ByteStream(path)) as stream:
        if not cursor.begins(stream.read(max(HEAD, cursor.head_bytes))):
            return "other"
        if cursor.rows or cursor.offset <= cursor.head_bytes:
            return "held"
        before = stream.skip_to(cursor.offset)
        if stream.position < cursor.offset:
            return "shorter"
    return "held" if cursor.follows(before) else "other"


@dataclass
class Streams:
    """All streams that are known, from earlier runs and from this one, and which of them a file carries on.

    Args:
        cursors: stream -> how far it was read.
        taken: streams whose file has been found.
        emptied: streams whose file was truncated in this run; what is left of them is in a copy.
        removed: streams whose file was removed in this run; its inode may be that of another file by now.
    """

    cursors: dict[str, Cursor]
    taken: set[str] = field(default_factory=set[str])
    emptied: set[str] = field(default_factory=set[str])
    removed: set[str] = field(default_factory=set[str])

    @staticmethod
    def of(position: Mapping[str, str]) -> Streams:
        """The streams of a committed position."""
        return Streams({stream: Cursor.loads(stream, text) for stream, text in position.items()})

    @property
    def free(self) -> list[str]:
        """Streams whose file has not been found."""
        return [stream for stream in self.cursors if stream not in self.taken]

    def same_file(self, file: Found) -> str | None:
        """The free stream of a file that is known by its inode, whatever its name is now."""
        known = (stream for stream in self.free if stream not in self.removed)
        return self._first(file, (stream for stream in known if self.cursors[stream].inode == file.inode))

    def copy_of(self, file: Found) -> str | None:
        """The free stream whose content a file has taken over: rotated by copying, compressed, or put back."""
        return self._first(file, (stream for stream in self.free if _may_take_over(file, self.cursors[stream])))

    def copy_in_the_making(self, file: Found) -> str | None:
        """The taken stream of which a file is a copy, as it is for a moment before the original goes."""
        for stream in sorted(self.taken):
            cursor = self.cursors[stream]
            if not _may_copy(file, cursor) or compare(file.path, cursor) == "other":
                continue
            if not _differs(file.path, cursor):
                return stream
        return None

    def name(self, inode: int, head: bytes) -> str:
        """The name of a new stream: the same again after a crash that came before its first commit.

        Args:
            inode: of the file.
            head: its first bytes.
        """
        first_line = head[:HEAD].split(b"\n")[0]
        first = f"{inode:x}-{digest(first_line)}"
        name, life = first, 1
        while name in self.cursors:
            life += 1
            name = f"{first}-{life}"
        return name

    def move(self, stream: str, cursor: Cursor) -> None:
        """Notes how far a stream has been read."""
        self.cursors[stream] = cursor
        self.taken.add(stream)

    def renamed(self, stream: str, file: Found) -> None:
        """Notes under which name the file of a stream is found now."""
        if stream in self.cursors:
            self.cursors[stream] = self.cursors[stream].moved_to(file)

    def _first(self, file: Found, streams: Iterable[str]) -> str | None:
        """Of the streams that the file holds, the one that was read furthest."""
        for stream in sorted(streams, key=lambda stream: self.cursors[stream].offset, reverse=True):
            if self.cursors[stream].is_end_of(file):
                return stream
            found = compare(file.path, self.cursors[stream])
            if found == "held" or (found == "shorter" and stream in self.emptied):
                return stream
        return None


def _may_copy(file: Found, cursor: Cursor) -> bool:
    """Whether the names say so: `app.log.1` of `app.log`, or `app.log.2.gz` of `app.log.1`."""
    name, origin = file.path.name, Path(cursor.path).name
    if cursor.rows or name == origin:
        return False
    return base_name(name) == (base_name(origin) if codec_of(file.path) else origin)


def _may_take_over(file: Found, cursor: Cursor) -> bool:
    name, origin = file.path.name, Path(cursor.path).name
    if cursor.rows:
        return False
    # A new file under the old name is a new one, unless it is plain that all of it was there before.
    return cursor.head_bytes == HEAD if name == origin else base_name(name) == base_name(origin)


def _differs(copy: Path, cursor: Cursor) -> bool:
    """Whether the original is still there, whole, and what is in the copy is not what it begins with."""
    with closing(ByteStream(copy)) as stream:
        head = stream.read(HEAD)
        end = stream.skip_to(sys.maxsize if codec_of(copy) else copy.stat().st_size)
        size = stream.position
    original = Path(cursor.path)
    try:
        now = original.stat()
        if now.st_ino != cursor.inode or (now.st_size < cursor.offset and not cursor.rows):
            return False
        with closing(ByteStream(original)) as stream:
            return stream.read(len(head)) != head or stream.skip_to(size) != end or stream.position != size
    except FileNotFoundError:
        return False
