"""Reads ahead of the one who consumes, in a thread of its own, by a bounded number of items."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

Item = TypeVar("Item")

AHEAD = 2


class _End:
    """What the reader leaves last.

    Args:
        error: what ended it early, or None.
    """

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def prefetched(items: Iterator[Item], ahead: int = AHEAD) -> Generator[Item]:
    """The same items, read ahead; an error of the reading is raised where its item would have come.

    Closing the generator ends the reading after the item it is at.
    """
    with contextlib.closing(awaited(items, lambda: None, ahead)) as found:
        for item in found:
            if item is not None:
                yield item


def awaited(items: Iterator[Item], patience: Callable[[], float | None], ahead: int = AHEAD) -> Generator[Item | None]:
    """The same as `prefetched`, and None each time that the next item takes too long.

    Args:
        items: none of them None.
        patience: asked before each item: seconds to wait for it, or None for ever.
        ahead: items that are read ahead.
    """
    line: queue.Queue[Item | _End] = queue.Queue(ahead)
    stop = threading.Event()

    def read() -> None:
        error = None
        try:
            for item in items:
                _put(line, item, stop)
                if stop.is_set():
                    break
        except BaseException as raised:  # carried to the thread that consumes
            error = raised
        _put(line, _End(error), stop)

    thread = threading.Thread(target=read, name="read-ahead", daemon=True)
    thread.start()
    try:
        while True:
            try:
                item = line.get(timeout=patience())
            except queue.Empty:
                yield None
                continue
            if isinstance(item, _End):
                if item.error:
                    raise item.error
                return
            yield item
    finally:
        stop.set()
        thread.join()


def _put(line: queue.Queue[Item], item: Item, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            line.put(item, timeout=0.1)
        except queue.Full:
            continue
        return
