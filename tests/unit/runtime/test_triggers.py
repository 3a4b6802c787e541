"""When the model answers."""

from __future__ import annotations

import pytest

from afield.runtime.triggers import OnArrival


@pytest.mark.parametrize("pending", [1, 2, 1_000_000])
def test_on_arrival_answers_all_at_once(pending: int) -> None:
    firings = OnArrival().open().plan(pending, now=0.0)
    assert (list(firings.slices), firings.wake_at) == ([(0, pending)], None)


def test_on_arrival_waits_for_nothing() -> None:
    firings = OnArrival().open().plan(0, now=1e9)
    assert (list(firings.slices), firings.wake_at) == ([], None)
