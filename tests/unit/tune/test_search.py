"""The search: suggests, has trained, learns, keeps; the training itself is a stand-in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from afield.errors import StateError, TransientError, UseCaseError
from afield.train.base import Unwatched
from afield.tune.base import Outcome, Referee, Trial
from afield.tune.halving import Halving, NoHalving
from afield.tune.ledger import Ledger
from afield.tune.search import Search, Settings, Tried, best
from afield.usecase.searches import Dimension

X = Dimension("x", ("x",), bounds=(-1.0, 1.0))
EPOCHS = 9


class Parabola:
    """A runner whose trials reach 1 - x² step by step.

    Args:
        dies_after: trials, after which the process is interrupted.
        fails: which trials fail.
    """

    def __init__(self, dies_after: int | None = None, fails: Callable[[float], bool] = lambda x: False) -> None:
        self.dies_after = dies_after
        self.fails = fails
        self.seen: list[tuple[int, float]] = []

    def run(self, trials: Sequence[Trial[float]], referee: Referee, ended: Collection[int] = ()) -> Iterator[Outcome]:
        values = {trial.number: trial.made for trial in trials if trial.number not in ended}
        curves: dict[int, list[float]] = {number: [] for number in values}
        self.seen += values.items()
        live = [number for number in curves if not self.fails(values[number])]
        yield from (Outcome(number, "failed", reason="it diverged") for number in curves if number not in live)
        for epoch in range(1, EPOCHS + 1):
            for number in live:
                curves[number].append((1 - values[number] ** 2) * epoch / EPOCHS)
            left = referee.leave(epoch, {number: curves[number][-1] for number in live}) if live else set()
            for number in sorted(left):
                yield self.ended(number, "pruned", curves[number])
            live = [number for number in live if number not in left]
        for number in live:
            yield self.ended(number, "complete", curves[number])

    def ended(self, number: int, state: Any, curve: list[float]) -> Outcome:
        if self.dies_after is not None:
            if not self.dies_after:
                raise KeyboardInterrupt
            self.dies_after -= 1
        return Outcome(number, state, curve[-1], curve)


def settings(**changes: Any) -> Settings:
    given: dict[str, Any] = {"trials": 32, "sampler": "tpe", "seed": 7, "timeout": None, "higher_is_better": True}
    return Settings(**(given | changes))


def searching(
    url: str,
    runner: Parabola,
    how: Settings | None = None,
    halving: Halving | NoHalving | None = None,
    make: Callable[[Mapping[str, Any]], float] = lambda decisions: decisions["x"],
    space: Sequence[Dimension] = (X,),
) -> Search[float]:
    how = how or settings()
    return Search(how, lambda _: space, make, runner, halving or NoHalving(), Ledger(url, "one", True), Unwatched())


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'tuning.db'}"


@pytest.mark.parametrize("sampler", ["tpe", "random", "cmaes", "grid"])
def test_it_finds_the_top(url: str, sampler: str) -> None:
    tried = searching(url, Parabola(), settings(sampler=sampler)).run()
    assert len(tried) == (5 if sampler == "grid" else 32)
    assert [one.outcome.number for one in tried] == list(range(len(tried)))
    found = best(tried, True)
    assert found is not None
    assert abs(found.values["x"]) < 0.15


def test_the_same_seed_gives_the_same_trials(tmp_path: Path) -> None:
    runs = [searching(f"sqlite:///{tmp_path / name}", Parabola()).run() for name in ("a.db", "b.db")]
    assert runs[0] == runs[1]


def test_tpe_learns_between_its_batches(url: str) -> None:
    tried = searching(url, Parabola()).run()
    early = sum(abs(one.values["x"]) for one in tried[:8])
    late = sum(abs(one.values["x"]) for one in tried[-8:])
    assert late < early


def test_halving_leaves_the_losers_behind(url: str) -> None:
    tried = searching(url, Parabola(), settings(sampler="random"), Halving(EPOCHS, True)).run()
    whole = [one for one in tried if one.outcome.state == "complete"]
    assert len(whole) == 4
    assert best(tried, True) == max(whole, key=lambda one: one.outcome.score or 0)
    assert {len(one.outcome.curve) for one in tried} == {1, 3, EPOCHS}


@pytest.mark.parametrize("after", [0, 1, 5, 8, 20])
def test_an_interrupted_search_goes_on_and_tries_nothing_twice(url: str, after: int) -> None:
    dying = Parabola(dies_after=after)
    with pytest.raises(KeyboardInterrupt):
        searching(url, dying).run()
    again = Parabola()
    tried = searching(url, again).run()
    assert [one.outcome.number for one in tried] == list(range(32))
    assert len(again.seen) == 32 - after
    # Those that were on the way come again with the same values.
    repeated = {number: x for number, x in dying.seen if number in dict(again.seen)}
    assert {number: x for number, x in again.seen if number in repeated} == repeated
    assert len({one.values["x"] for one in tried}) == 32


def test_more_trials_go_on_where_the_search_ended(url: str) -> None:
    first = searching(url, Parabola(), settings(trials=8)).run()
    more = Parabola()
    second = searching(url, more, settings(trials=12)).run()
    assert second[:8] == first
    assert [number for number, _ in more.seen] == [8, 9, 10, 11]


def test_a_grid_goes_on_with_what_is_left(url: str) -> None:
    searching(url, Parabola(), settings(sampler="grid", trials=2)).run()
    rest = Parabola()
    tried = searching(url, rest, settings(sampler="grid")).run()
    assert [x for _, x in rest.seen] == [0.0, 0.5, 1.0]
    assert [one.values["x"] for one in tried] == [-1.0, -0.5, 0.0, 0.5, 1.0]


def test_an_interrupted_grid_has_every_point_once(url: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        searching(url, Parabola(dies_after=2), settings(sampler="grid", trials=4)).run()
    tried = searching(url, Parabola(), settings(sampler="grid")).run()
    assert [one.values["x"] for one in tried] == [-1.0, -0.5, 0.0, 0.5, 1.0]


def test_a_failed_trial_stops_no_other(url: str) -> None:
    tried = searching(url, Parabola(fails=lambda x: x < 0)).run()
    failed = [one for one in tried if one.outcome.state == "failed"]
    assert failed
    assert all(one.values["x"] < 0 and one.outcome.reason == "it diverged" for one in failed)
    assert len(tried) == 32


def test_values_that_do_not_go_together_fail_their_trial_alone(url: str) -> None:
    def make(decisions: Mapping[str, Any]) -> float:
        if decisions["x"] > 0:
            raise UseCaseError("too wide")
        return decisions["x"]

    tried = searching(url, Parabola(), make=make).run()
    assert {one.outcome.reason for one in tried if one.values["x"] > 0} == {"too wide"}
    assert all(one.outcome.state == "complete" for one in tried if one.values["x"] <= 0)


def test_no_trial_with_a_score_is_an_error_that_shows_the_first(url: str) -> None:
    with pytest.raises(StateError, match=r"^none of 32 trials gave a score; the first one \(x=[-.\d]+\): it diverged$"):
        searching(url, Parabola(fails=lambda x: True)).run()


def test_no_time_is_an_error_that_says_what_to_do(url: str) -> None:
    with pytest.raises(StateError) as refused:
        searching(url, Parabola(), settings(timeout=0.0)).run()
    assert str(refused.value) == ("no trial has ended yet; give a longer --timeout, or run the same command to go on")


def test_a_database_that_disappears_is_told_and_what_was_finished_is_kept(tmp_path: Path, url: str) -> None:
    class Losing(Parabola):
        def run(
            self, trials: Sequence[Trial[float]], referee: Referee, ended: Collection[int] = ()
        ) -> Iterator[Outcome]:
            if trials[0].number >= 8:
                (tmp_path / "tuning.db").rename(tmp_path / "away.db")
            yield from super().run(trials, referee, ended)

    with pytest.raises(TransientError) as lost:
        searching(url, Losing()).run()
    assert str(lost.value) == (
        f"{url}: the database of the search is out of reach (the file is gone); trials that had ended are kept there;"
        " when it is back, run the same command to go on"
    )
    (tmp_path / "away.db").rename(tmp_path / "tuning.db")
    rest = Parabola()
    assert len(searching(url, rest).run()) == 32
    assert len(rest.seen) == 24


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("nonsense", "--storage: 'nonsense' is no URL of a database; expected one such as 'sqlite:////data/tuning.db'"),
        ("oracle9://x/y", "oracle9://x/y: no driver for this kind of database here: "),
        (
            "sqlite:////no/such/folder/a.db",
            "sqlite:////no/such/folder/a.db: the database of the search is out of reach",
        ),
    ],
)
def test_a_storage_that_is_none(wrong: str, message: str) -> None:
    with pytest.raises((StateError, TransientError)) as refused:
        Ledger(wrong, "one", True)
    assert str(refused.value).startswith(message)


def test_the_best_is_of_those_trained_to_their_end() -> None:
    rows = [
        Tried({}, Outcome(0, "pruned", 0.9)),
        Tried({}, Outcome(1, "complete", 0.5)),
        Tried({}, Outcome(2, "complete", 0.7)),
        Tried({}, Outcome(3, "failed")),
    ]
    assert best(rows, True) == rows[2]
    assert best(rows, False) == rows[1]
    assert best(rows[:1], True) == rows[0]
    assert best(rows[3:], True) is None


def test_of_equal_scores_the_lowest_loss_is_the_best() -> None:
    losses = [[0.9, 0.5], [0.4, 0.3], [0.3, 0.6], []]
    rows = [Tried({}, Outcome(number, "complete", 0.5, losses=found)) for number, found in enumerate(losses)]
    assert best(rows, True) == rows[1]  # of two equal ones the first
    assert best(rows[::3], False) == rows[0]
