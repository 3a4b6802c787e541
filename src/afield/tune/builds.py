"""`afield.tune`: the best arguments of any function that returns a compiled Keras model."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from afield.errors import StateError, UseCaseError
from afield.train.backend import require
from afield.usecase.searches import Dimension, wrong

if TYPE_CHECKING:
    import keras
    from optuna.trial import FrozenTrial

    from afield.tune.base import Outcome
    from afield.tune.samplers import Sampler
    from afield.tune.search import Tried

OF_THE_FIT = ("batch_size", "epochs")
"""Names in a space that are for the training, where `build` does not ask for them."""


@dataclass(frozen=True)
class Range:
    """A range of numbers to search.

    Args:
        low: the lowest; whole numbers are searched where both ends are whole.
        high: the highest.
        log: whether the logarithm is searched evenly.
    """

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class BestModel:
    """What `afield.tune` has found.

    Args:
        best: the values of the best trial.
        score: its `monitor` on the validation rows.
        trials: one row a trial: `number`, `state`, `score`, `epochs`, `seconds`, `reason`, and a column a value.
        model: built with the best values and fitted.
        higher_is_better: whether more of the score is better.
        known: the trials, as Optuna knows them.
    """

    best: dict[str, Any]
    score: float
    trials: pa.Table
    model: keras.Model
    higher_is_better: bool
    known: Sequence[tuple[FrozenTrial, Outcome]] = field(repr=False)

    @cached_property
    def importances(self) -> dict[str, float]:
        """Name -> its share in what set the best trials apart; empty where too few trials have a score."""
        from afield.tune.insight import importances  # takes longer to import than the rest of a short search

        return importances(self.known, self.higher_is_better)


def tune(
    build: Callable[..., keras.Model],
    x: Any,
    y: Any,
    space: Mapping[str, Any],
    *,
    trials: int = 64,
    epochs: int = 10,
    batch_size: int = 32,
    validation_data: tuple[Any, Any] | None = None,
    validation_split: float = 0.2,
    monitor: str = "val_loss",
    sampler: Sampler = "tpe",
    halving: bool = True,
    timeout: float | None = None,
    seed: int = 0,
) -> BestModel:
    """Searches for the arguments with which a function builds the best Keras model.

    Models that share a program train together, see the guide. Each trial is trained as `afield.fit` would train its
    model alone with this seed.

    Args:
        build: returns a compiled Keras model; called with one value for each name of the space.
        x: N rows: an array, or a dict of arrays by the names of the model's inputs.
        y: N answers.
        space: name -> a list of choices, a tuple (low, high), or `afield.Range`. `batch_size` and `epochs` are for the
            training, where `build` has no such argument.
        trials: settings to try.
        epochs: passes over the rows, at most.
        batch_size: rows a step.
        validation_data: (x, y) that the trials are compared on.
        validation_split: without it, the share of the rows, the last ones, to compare on.
        monitor: what is compared, as Keras names it: `val_loss`, or `val_` and a metric.
        sampler: "tpe", "random", "grid" or "cmaes".
        halving: whether after some epochs only the best third goes on.
        timeout: seconds after which the search ends; None for no end.
        seed: of the suggestions, the first weights and the order of the rows.

    Raises:
        UseCaseError: the space or the model is not what it must be.
        StateError: no trial gave a score, or none was trained to its end in time.
    """
    require()
    import keras

    from afield.train.base import Unwatched
    from afield.train.compiled.loop import HIGHER_IS_BETTER
    from afield.tune.halving import Halving, NoHalving
    from afield.tune.memory import Memory
    from afield.tune.models import Builds, Built, parted
    from afield.tune.search import Search, Settings, best, quiet

    dimensions = [_dimension(name, given) for name, given in space.items()]
    if not dimensions:
        raise UseCaseError("space: nothing to search: expected at least one name with choices or a range")
    parts = parted(x, y, validation_data, validation_split)
    fits = {"epochs": epochs, "batch_size": batch_size}
    quiet()

    def built(values: Mapping[str, Any]) -> Built:
        takes = {name: value for name, value in values.items() if name not in _of_the_fit(build, values)}
        keras.utils.set_random_seed(seed)
        model: Any = build(**takes)
        if not isinstance(model, keras.Model) or not model.compiled:
            raise UseCaseError(f"build: expected a compiled keras.Model, found {_described(model)}; call model.compile")
        return Built(model, **(fits | {name: values[name] for name in _of_the_fit(build, values)}))

    def make(decisions: Mapping[str, Any]) -> Built:
        return built(_values(decisions, dimensions))

    rises = monitor.split("_")[-1] in HIGHER_IS_BETTER
    settings = Settings(trials, sampler, seed, timeout, rises)
    schedule = Halving(_most(dimensions, epochs), rises) if halving else NoHalving()
    memory = Memory()
    runner = Builds(parts, monitor.removeprefix("val_"), rises, seed)
    tried = Search(settings, lambda _: dimensions, make, runner, schedule, memory, Unwatched()).run()
    found = best(tried, rises)
    assert found is not None, "a search ends with a score, or raises"
    if found.outcome.state != "complete":
        raise StateError(f"no trial was trained to its end in {timeout} s; give a longer timeout")
    values = _values(_decisions(found.values, dimensions), dimensions)
    model = built(values).model
    runner.fitted(model, found.outcome.number)
    return BestModel(
        best=values,
        score=found.outcome.score or 0.0,
        trials=_table(tried, dimensions),
        model=model,
        higher_is_better=rises,
        known=memory.finished(),
    )


def _dimension(name: str, given: Any) -> Dimension:
    if isinstance(given, Range):
        found, node = Dimension(name, (name,), bounds=(given.low, given.high), log=given.log), _written(given)
    elif isinstance(given, tuple) and len(given) == 2:
        found, node = Dimension(name, (name,), bounds=(given[0], given[1])), {"range": list(given)}
    elif isinstance(given, list):
        found, node = Dimension(name, (name,), choices=tuple(given)), {"search": given}
    else:
        raise UseCaseError(
            f"space[{name!r}]: expected a list of choices, a tuple (low, high) or afield.Range, found {given!r}"
        )
    if message := wrong(node):
        raise UseCaseError(f"space[{name!r}]: {message.partition(': ')[2]}")
    return found


def _written(given: Range) -> dict[str, Any]:
    return {"range": [given.low, given.high], "log": given.log}


def _of_the_fit(build: Callable[..., Any], values: Mapping[str, Any]) -> list[str]:
    wanted = inspect.signature(build).parameters
    return [name for name in OF_THE_FIT if name in values and name not in wanted]


def _most(dimensions: Sequence[Dimension], epochs: int) -> int:
    searched = next((one for one in dimensions if one.name == "epochs"), None)
    return epochs if searched is None else int(max(searched.choices if searched.bounds is None else searched.bounds))


def _values(decisions: Mapping[str, Any], dimensions: Sequence[Dimension]) -> dict[str, Any]:
    """The values themselves, as `build` is given them."""
    return {
        one.name: decisions[one.name] if one.bounds is not None else one.choices[decisions[one.name]]
        for one in dimensions
    }


def _decisions(stored: Mapping[str, Any], dimensions: Sequence[Dimension]) -> dict[str, Any]:
    from afield.tune.space import decided

    return decided(stored, lambda _: dimensions)


def _table(tried: Sequence[Tried], dimensions: Sequence[Dimension]) -> pa.Table:
    outcomes = [one.outcome for one in tried]
    columns: dict[str, Any] = {
        "number": [one.number for one in outcomes],
        "state": [one.state for one in outcomes],
        "score": pa.array([one.score for one in outcomes], pa.float64()),
        "epochs": [len(one.curve) for one in outcomes],
        "seconds": pa.array([one.seconds for one in outcomes], pa.float64()),
        "reason": [one.reason for one in outcomes],
    }
    for dimension in dimensions:
        values = [one.values[dimension.name] for one in tried]
        kinds = {type(value) for value in values}
        columns[dimension.name] = values if len(kinds) == 1 else [str(value) for value in values]
    return pa.table(columns)


def _described(model: Any) -> str:
    return "one that is not compiled" if hasattr(model, "compiled") else type(model).__name__
