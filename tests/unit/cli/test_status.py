"""The line that says how far a run is."""

from __future__ import annotations

import io

import pytest

from afield.cli import status
from afield.cli.status import Status
from afield.runtime.loop import Tally


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What time it is; set its only entry."""
    now = [100.0]
    monkeypatch.setattr(status.time, "monotonic", lambda: now[0])
    return now


def test_a_pipe_gets_a_line_a_minute(clock: list[float]) -> None:
    stream = io.StringIO()
    with Status(stream) as shown:
        for seconds in (1, 59, 60, 61, 120, 121):
            clock[0] = 100.0 + seconds
            shown.show(Tally(seconds * 1000, seconds))
    assert stream.getvalue() == ("answered 60,000 records, 1,000 a second\nanswered 120,000 records, 1,000 a second\n")


def test_a_terminal_gets_one_line_that_changes(clock: list[float]) -> None:
    stream = Terminal()
    with Status(stream) as shown:
        for records, seconds in ((10_000, 0.1), (20_000, 0.2), (5, 10.0)):
            clock[0] = 100.0 + seconds
            shown.show(Tally(records, seconds))
    first, second = "answered 20,000 records, 100,000 a second", "answered 5 records, 0 a second"
    assert stream.getvalue() == f"\r{first}\r{second:<{len(first)}}\n"


def test_a_warning_has_a_line_of_its_own(clock: list[float]) -> None:
    piped, terminal = io.StringIO(), Terminal()
    for stream in (piped, terminal):
        with Status(stream) as shown:
            clock[0] += 1
            shown.show(Tally(1, 1.0))
            shown.warn("core: not read")
    assert piped.getvalue() == "core: not read\n"
    line = "answered 1 records, 1 a second"
    assert terminal.getvalue() == f"\r{line}\r{'core: not read':<{len(line)}}\n\n"


def test_nothing_is_left_of_a_run_that_was_over_at_once(clock: list[float]) -> None:
    stream = Terminal()
    with Status(stream) as shown:
        shown.show(Tally())
    assert stream.getvalue() == ""
