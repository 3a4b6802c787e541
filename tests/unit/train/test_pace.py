"""How many steps run at a time."""

from __future__ import annotations

import pytest

from afield.train.compiled import pace
from afield.train.compiled.pace import Pace


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(pace.time, "perf_counter", lambda: now[0])
    return now


def spans(paced: Pace, clock: list[float], steps: int, seconds: float, shape: int = 1) -> list[int]:
    lengths: list[int] = []
    for first, last in paced.spans(shape, 0, steps):
        clock[0] += seconds * (last - first) + (30 if not lengths and clock[0] == 0 else 0)
        lengths.append(last - first)
    assert sum(lengths) == steps
    return lengths


def test_the_first_step_may_compile_and_is_not_counted(clock: list[float]) -> None:
    paced = Pace(seconds=1.0)
    assert spans(paced, clock, 1000, 0.01) == [1, 2, 100, 100, 100, 100, 100, 100, 100, 100, 100, 97]
    assert spans(paced, clock, 150, 0.01) == [100, 50]


def test_a_short_epoch_is_one_span(clock: list[float]) -> None:
    paced = Pace(seconds=1.0)
    spans(paced, clock, 600, 0.0001)
    assert spans(paced, clock, 600, 0.0001) == [600]


def test_a_step_longer_than_a_span_runs_alone(clock: list[float]) -> None:
    paced = Pace(seconds=1.0)
    assert spans(paced, clock, 6, 4.0) == [1, 2, 1, 1, 1]


def test_a_fixed_number_of_steps(clock: list[float]) -> None:
    assert spans(Pace(seconds=1.0, every=4), clock, 10, 1.0) == [4, 4, 2]
