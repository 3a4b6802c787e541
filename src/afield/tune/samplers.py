"""Who suggests the next values: Optuna's samplers."""

from __future__ import annotations

from typing import Literal

from optuna.samplers import BaseSampler, CmaEsSampler, RandomSampler, TPESampler

Sampler = Literal["tpe", "random", "grid", "cmaes"]

TPE_ROUNDS = 4
"""Batches that a search by TPE is made of: it learns between them, and a batch shares programs."""
SMALLEST_BATCH = 8


def batch_size(name: Sampler, trials: int) -> int:
    """How many trials are suggested before the first of them is told: those that learn nothing from it, all at once."""
    if name in ("random", "grid"):
        return trials
    return max(SMALLEST_BATCH, -(-trials // TPE_ROUNDS))


def sampler(name: Sampler, seed: int, batch: int) -> BaseSampler:
    """One of Optuna's samplers.

    Args:
        name: `grid` draws at random too: its points are put before the draws.
        seed: of its draws.
        batch: trials that are suggested at once.
    """
    if name == "tpe":
        return TPESampler(seed=seed, n_startup_trials=batch)
    if name == "cmaes":
        return CmaEsSampler(seed=seed, popsize=batch, warn_independent_sampling=False)
    return RandomSampler(seed=seed)
