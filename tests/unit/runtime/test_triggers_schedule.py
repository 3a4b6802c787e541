"""Triggers by the clock: days of schedules, missed runs, clocks that are put forward and back."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afield.runtime.triggers import Trigger, Waiting
from afield.runtime.triggers.cron import Cron
from afield.runtime.triggers.every import Every

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3600.0


@dataclass
class Day:
    """One trigger at work, asked whenever it wants to be; a record waits at any time.

    Args:
        trigger: opened.
        wall: seconds since 1970.
        mark: that it gave last.
        drained: whether the source has no more for now.
        now: seconds on the clock that never goes back.
        fired: seconds since 1970, as the clock was set.
        moments: the same, on the clock that never goes back.
        runs: that they stand for.
    """

    trigger: Trigger
    wall: float
    mark: str | None = None
    drained: bool = True
    now: float = 0.0
    fired: list[float] = field(default_factory=list[float])
    moments: list[float] = field(default_factory=list[float])
    runs: int = 0

    def __post_init__(self) -> None:
        self._given: float | None = None
        self._begun = self.now

    def restarted(self, wall: float, **changes: Any) -> Day:
        return Day(self.trigger, wall, self.mark, **changes)

    def gaps(self) -> list[float]:
        """Seconds from one firing to the next, as they passed."""
        return [after - before for before, after in itertools.pairwise(self.moments)]

    def put(self, seconds: float) -> None:
        """The clock is set, forwards or back."""
        self.wall += seconds

    def go_on(self, seconds: float) -> list[float]:
        """Lets time pass; the times at which it fired meanwhile."""
        before, end = len(self.fired), self.now + seconds
        while True:
            wake_at = self._ask()
            if wake_at is None:
                continue
            if wake_at > end:
                break
            self.wall += wake_at - self.now
            self.now = wake_at
        self.wall += end - self.now
        self.now = end
        return self.fired[before:]

    def _ask(self) -> float | None:
        given = self._begun if self._given is None else self._given
        waiting = Waiting(
            pending=1,
            records=lambda start: [],
            now=self.now,
            drained=self.drained,
            wall=self.wall,
            mark=self.mark,
            resumed=self.mark is not None and self._given is None,
            elapsed=self.now - given,
        )
        firings = self.trigger.plan(waiting)
        assert bool(firings.slices) == (firings.mark is not None)
        if firings.slices:
            self.fired.append(self.wall)
            self.moments.append(self.now)
            self.mark, self._given = firings.mark, self.now
            self.runs += firings.runs
        return firings.wake_at


def moment(text: str, zone: ZoneInfo = BERLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def clock(moments: Sequence[float], zone: ZoneInfo = BERLIN) -> list[str]:
    return [datetime.fromtimestamp(round(one), zone).strftime("%d %H:%M %Z") for one in moments]


def cron(expression: str, zone: str = "Europe/Berlin", **options: Any) -> Trigger:
    return Cron(expression=expression, zone=zone, **options).open()


def every(text: str, **options: Any) -> Trigger:
    return Every(every=text, **options).open()


@pytest.mark.parametrize(
    ("trigger", "seconds"), [(every("60s"), 60), (cron("*/5 * * * *"), 300), (every("1h"), HOUR), (every("1s"), 1)]
)
def test_a_day_of_schedules(trigger: Trigger, seconds: float) -> None:
    start = moment("2026-06-10T00:00:00.25")
    fired = Day(trigger, start).go_on(24 * HOUR)
    expected = [moment("2026-06-10T00:00:00") + seconds * number for number in range(1, int(24 * HOUR / seconds) + 1)]
    assert fired == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("30 2 * * *", ["28 02:30 CET", "29 03:00 CEST", "30 02:30 CEST"]),
        ("0 12 * * *", ["28 12:00 CET", "29 12:00 CEST", "30 12:00 CEST"]),
        ("15,45 2 * * *", ["28 02:15 CET", "28 02:45 CET", "29 03:00 CEST", "30 02:15 CEST", "30 02:45 CEST"]),
    ],
)
def test_the_clock_is_put_forward(expression: str, expected: list[str]) -> None:
    assert clock(Day(cron(expression), moment("2026-03-28T00:00:00")).go_on(71 * HOUR)) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("30 2 * * *", ["24 02:30 CEST", "25 02:30 CEST", "26 02:30 CET"]),
        ("0 12 * * *", ["24 12:00 CEST", "25 12:00 CET", "26 12:00 CET"]),
        ("0 0 * * SUN", ["25 00:00 CEST"]),
    ],
)
def test_the_clock_is_put_back(expression: str, expected: list[str]) -> None:
    assert clock(Day(cron(expression), moment("2026-10-24T00:00:00") - 1).go_on(73 * HOUR)) == expected


def test_a_start_in_the_hour_that_comes_twice() -> None:
    start = datetime(2026, 10, 25, 2, 15, tzinfo=BERLIN, fold=1).timestamp()
    assert clock(Day(cron("30 2 * * *"), start).go_on(48 * HOUR)) == ["26 02:30 CET"]


def test_hourly_jobs_run_every_hour_that_passes() -> None:
    spring = clock(Day(cron("0 * * * *"), moment("2026-03-29T00:30:00")).go_on(4 * HOUR))
    assert spring == ["29 01:00 CET", "29 03:00 CEST", "29 04:00 CEST", "29 05:00 CEST"]
    autumn = clock(Day(cron("30 * * * *"), moment("2026-10-25T01:00:00")).go_on(4 * HOUR))
    assert autumn == ["25 01:30 CEST", "25 02:30 CEST", "25 02:30 CET", "25 03:30 CET"]


def test_a_line_is_meant_in_its_zone() -> None:
    start = moment("2026-06-10T00:00:00", ZoneInfo("UTC"))
    assert Day(cron("0 9 * * *", "UTC"), start).go_on(24 * HOUR) == [start + 9 * HOUR]
    assert Day(cron("0 9 * * *", "Asia/Kolkata"), start).go_on(24 * HOUR) == [start + 3.5 * HOUR]


@pytest.mark.parametrize(("catch_up", "fired", "runs"), [("last", 1, 1), ("all", 1, 3), ("none", 0, 0)])
def test_missed_runs(catch_up: str, fired: int, runs: int) -> None:
    day = Day(every("1h", catch_up=catch_up), moment("2026-06-10T08:30:00"))
    assert len(day.go_on(HOUR)) == 1
    # Down from 9:30 to 12:15: 10, 11 and 12 o'clock are missed.
    day = day.restarted(moment("2026-06-10T12:15:00"))
    assert len(day.go_on(60)) == fired
    assert day.runs == runs
    assert clock(day.go_on(HOUR)) == ["10 13:00 CEST"]


def test_what_was_missed_waits_until_it_is_read() -> None:
    day = Day(every("1h"), moment("2026-06-10T08:30:00"))
    day.go_on(HOUR)
    day = day.restarted(moment("2026-06-10T12:15:00"), drained=False)
    assert day.go_on(600) == []
    day.drained = True
    assert clock(day.go_on(1)) == ["10 12:25 CEST"]


def test_what_was_missed_is_answered_in_the_next_run_at_the_latest() -> None:
    day = Day(every("1h", catch_up="all"), moment("2026-06-10T08:30:00"))
    day.go_on(HOUR)
    day = day.restarted(moment("2026-06-10T12:15:00"), drained=False)
    assert clock(day.go_on(HOUR)) == ["10 13:00 CEST"]
    assert day.runs == 4


@pytest.mark.parametrize("catch_up", ["last", "all", "none"])
def test_nothing_was_missed(catch_up: str) -> None:
    day = Day(every("1h", catch_up=catch_up), moment("2026-06-10T08:30:00"))
    day.go_on(HOUR)
    day = day.restarted(moment("2026-06-10T09:45:00"))
    assert clock(day.go_on(HOUR)) == ["10 10:00 CEST"]
    assert day.runs == 1


def test_a_first_start_has_missed_nothing() -> None:
    day = Day(every("1h", catch_up="all"), moment("2026-06-10T08:59:59"))
    assert clock(day.go_on(2)) == ["10 09:00 CEST"]


def test_a_run_that_comes_late_is_one_run() -> None:
    day = Day(every("60s"), moment("2026-06-10T08:00:30"))
    day.go_on(60)
    # The machine slept, or an answer took long.
    day.now += 600
    day.put(600)
    assert clock(day.go_on(1)) == ["10 08:11 CEST"]
    assert clock(day.go_on(60)) == ["10 08:12 CEST"]


def test_a_year_of_missed_runs_is_counted_up_to_a_limit() -> None:
    day = Day(every("1s", catch_up="all"), moment("2026-01-01T00:00:00"))
    day.go_on(5)
    day = day.restarted(moment("2026-12-01T00:00:00"))
    day.go_on(0.5)
    assert day.runs == 10_000


@pytest.mark.parametrize("back", [2, 10, 29, 45, 600, 3 * HOUR, 400 * 24 * HOUR])
@pytest.mark.parametrize("trigger", [every("60s"), cron("* * * * *")], ids=["every", "cron"])
def test_a_clock_set_back_neither_repeats_nor_stalls(trigger: Trigger, back: float) -> None:
    day = Day(trigger, moment("2026-06-10T08:00:30"))
    assert len(day.go_on(31)) == 1
    day.put(-back)
    day.go_on(600)
    assert 30 <= day.gaps()[0] <= 90
    assert day.gaps()[1:] == pytest.approx([60] * len(day.gaps()[1:]))
    assert len(day.gaps()) >= 9


def test_a_daily_run_is_not_repeated() -> None:
    day = Day(cron("30 2 * * *"), moment("2026-06-10T02:00:00"))
    assert clock(day.go_on(HOUR)) == ["10 02:30 CEST"]
    day.put(-HOUR)
    assert clock(day.go_on(47 * HOUR)) == ["11 02:30 CEST"]


def test_a_daily_run_is_not_repeated_after_a_restart() -> None:
    day = Day(cron("30 2 * * *"), moment("2026-06-10T02:00:00"))
    day.go_on(HOUR)
    day = day.restarted(moment("2026-06-10T02:00:00"))
    assert clock(day.go_on(47 * HOUR)) == ["11 02:30 CEST"]


STEPS = st.lists(st.tuples(st.floats(1, 300), st.floats(-5000, 5000)), max_size=8)


@given(STEPS)
def test_whatever_is_done_to_the_clock_it_never_stalls(steps: list[tuple[float, float]]) -> None:
    day = Day(every("60s"), moment("2026-06-10T08:00:30"))
    for seconds, jump in steps:
        day.go_on(seconds)
        day.put(jump)
    day.go_on(200)
    assert max(day.gaps()) <= 90.001


@given(STEPS)
def test_however_often_the_clock_is_set_back_nothing_is_repeated(steps: list[tuple[float, float]]) -> None:
    day = Day(every("60s"), moment("2026-06-10T08:00:30"))
    for seconds, jump in steps:
        day.go_on(seconds)
        day.put(-abs(jump))
    day.go_on(200)
    assert min(day.gaps()) >= 29.999


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (Cron(expression="0 0 30 2 *"), "'0 0 30 2 *' never fires: no day is all that it names; correct its days"),
        (Cron(expression="0 0 31 4,6 *"), "'0 0 31 4,6 *' never fires: no day is all that it names; correct its days"),
        (
            Cron(expression="61 * * * *"),
            "expected a cron line such as `*/5 * * * *`, found the minute '61'",
        ),
        (
            Cron(expression="0 0 * * FRO"),
            "expected a cron line such as `*/5 * * * *`, found the day of the week 'FRO'",
        ),
        (
            Cron(expression="* * * *"),
            "expected five fields (minute, hour, day of the month, month, day of the week), found 4: '* * * *'",
        ),
        (
            Cron(expression="* * * * *", zone="Europe/Berlim"),
            "expected a time zone of the IANA, found 'Europe/Berlim'; did you mean 'Europe/Berlin'?",
        ),
        (
            Cron(expression="* * * * *", zone="..."),
            "expected a time zone of the IANA, found '...'; such as Europe/Berlin",
        ),
        (Every(every="99ms"), "expected 100ms or more, found 99ms; `on_arrival` answers at once"),
    ],
)
def test_what_is_declared_wrong(declared: Cron | Every, message: str) -> None:
    assert [problem.message for problem in declared.lint()] == [message]


@pytest.mark.parametrize("expression", ["0 0 29 2 *", "0 0 30 2 MON", "0 0 L * *", "0 0 * 2 MON#5", "5-59/10 0 * * *"])
def test_lines_that_fire(expression: str) -> None:
    assert list(Cron(expression=expression, zone="Europe/Berlin").lint()) == []


def test_a_day_that_comes_every_four_years() -> None:
    (first, *_) = Day(cron("0 0 29 2 *", "UTC"), moment("2026-06-10T00:00:00")).go_on(3 * 366 * 24 * HOUR)
    assert datetime.fromtimestamp(first, UTC).isoformat() == "2028-02-29T00:00:00+00:00"
