"""Which files go on with streams that were read before: by inode, by content, or in a folder under another name."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from afield.connectors.sources.files.discover import Found, is_there, look_at
from afield.connectors.sources.files.identity import Streams
from afield.connectors.sources.files.utf8 import readable

Who = tuple[int, int]


def carried_on(streams: Streams, files: Sequence[Found], known: Collection[Who]) -> Iterator[tuple[Found, str]]:
    """Files and the streams they go on with; a stream is taken when its file is found.

    Args:
        streams: what is known.
        files: files that may be read.
        known: files whose stream is known already; looked at again before each file.
    """
    for stream_of in (streams.same_file, streams.copy_of):
        for file in files:
            if file.who in known:
                continue
            try:
                stream = stream_of(file)
            except OSError:
                # Whoever reads the file finds the same error, and reports it.
                continue
            if stream and is_there(file):
                streams.taken.add(stream)
                yield file, stream


def beside(streams: Streams, named: Collection[Who]) -> list[Found]:
    """Files that the use case does not name, in the folders where streams without a file were read last."""
    found: list[Found] = []
    for folder in sorted({Path(streams.cursors[stream].path).parent for stream in streams.free}):
        try:
            paths = sorted(folder.iterdir())
        except OSError:
            # The folder is gone, or is closed to us: then its files are too.
            continue
        for path in paths:
            file = look_at(path, readable(path), {})
            if file is not None and file.who not in named:
                found.append(file)
    return found


def copied_from(streams: Streams, file: Found) -> str | None:
    """The stream that the file repeats while its own file is still there, as for a moment in a rotation."""
    try:
        return streams.copy_in_the_making(file)
    except OSError:
        return None
