"""Reading ahead: the same items, its errors where they belong, and no thread left behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afield.runtime.prefetch import awaited, prefetched


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "read-ahead"]


class Counted:
    """Numbers without end, and how many were asked for."""

    def __init__(self) -> None:
        self.asked = 0
        self.closed = threading.Event()

    def __iter__(self) -> Iterator[int]:
        try:
            while True:
                self.asked += 1
                yield self.asked
        finally:
            self.closed.set()


@given(st.lists(st.integers(), max_size=30), st.integers(1, 5))
def test_the_same_items(items: list[int], ahead: int) -> None:
    assert list(prefetched(iter(items), ahead)) == items


def test_an_error_comes_where_its_item_would_have_come() -> None:
    def failing() -> Iterator[int]:
        yield 1
        yield 2
        raise OSError("the disk is gone")

    items = prefetched(failing())
    assert next(items) == 1
    assert next(items) == 2
    with pytest.raises(OSError, match="the disk is gone"):
        next(items)
    assert threads() == []


def test_it_reads_ahead_by_so_many() -> None:
    numbers = Counted()
    items = prefetched(iter(numbers), ahead=3)
    assert next(items) == 1
    # Three wait in the queue, one is in the reader's hand.
    while numbers.asked < 5:
        threading.Event().wait(0.001)
    threading.Event().wait(0.02)
    assert numbers.asked == 5
    items.close()


def test_closing_ends_the_thread_and_the_reading() -> None:
    numbers = Counted()
    items = prefetched(iter(numbers))
    next(items)
    assert len(threads()) == 1
    items.close()
    assert threads() == []
    assert numbers.closed.wait(10)


def test_nothing_is_read_before_the_first_item_is_wanted() -> None:
    numbers = Counted()
    items = prefetched(iter(numbers))
    assert numbers.asked == 0
    items.close()
    assert threads() == []


def test_an_item_that_takes_too_long_is_said_and_comes_later() -> None:
    comes = threading.Event()

    def slow() -> Iterator[int]:
        yield 1
        comes.wait(10)
        yield 2

    waits = iter([None, 0.01, 0.01, 10.0, None])
    items = awaited(slow(), lambda: next(waits))
    assert [next(items), next(items), next(items)] == [1, None, None]
    comes.set()
    assert list(items) == [2]
    assert threads() == []
