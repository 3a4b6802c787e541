"""What a search tells beside its best trial: which values mattered, and which trials are the best for their cost."""

from __future__ import annotations

from collections.abc import Sequence

import optuna
from optuna.importance import get_param_importances
from optuna.trial import FrozenTrial, create_trial

from afield.tune.base import Outcome
from afield.tune.search import Tried

FEWEST = 4
"""Trials with a score without which nothing is said of what mattered."""


def importances(trials: Sequence[tuple[FrozenTrial, Outcome]], higher_is_better: bool) -> dict[str, float]:
    """Path -> its share in what sets the best trials apart; empty where too few trials have a score.

    Trials that left early count with the last score they had: those that stay are few and alike.

    Source: S. Watanabe et al., PED-ANOVA: efficiently quantifying hyperparameter importance in arbitrary subspaces,
    IJCAI (2023).

    Args:
        trials: that are over, as Optuna knows them.
        higher_is_better: whether more of the score is better.
    """
    study = optuna.create_study(direction="maximize" if higher_is_better else "minimize")
    for trial, outcome in trials:
        if outcome.score is not None:
            study.add_trial(create_trial(value=outcome.score, params=trial.params, distributions=trial.distributions))
    if len(study.trials) < FEWEST or len({trial.value for trial in study.trials}) < 2:
        return {}
    found = get_param_importances(study)
    return {name: float(share) for name, share in found.items()}


def front(tried: Sequence[Tried], higher_is_better: bool) -> list[int]:
    """Numbers of the trials that no other beats in score, size and time a row at once, the best score first.

    Args:
        tried: the trials.
        higher_is_better: whether more of the score is better.
    """
    sign = -1.0 if higher_is_better else 1.0
    costs = {
        one.outcome.number: (sign * one.outcome.score, one.outcome.bytes or 0, one.outcome.row_seconds or 0.0)
        for one in tried
        if one.outcome.state == "complete" and one.outcome.score is not None
    }
    kept = [number for number, own in costs.items() if not any(_beats(other, own) for other in costs.values())]
    return sorted(kept, key=lambda number: costs[number])


def _beats(other: tuple[float, ...], own: tuple[float, ...]) -> bool:
    return other != own and all(theirs <= ours for theirs, ours in zip(other, own, strict=True))
