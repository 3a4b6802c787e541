"""Judges answers that are the nearest known state."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from sklearn.covariance import ledoit_wolf

from afield.report.metrics import evaluate
from afield.report.model import State, States
from afield.runtime.decisions import PREDICTION, UNKNOWN, Nearest
from afield.train.dataset import Dataset
from afield.train.judging.base import Judgement, Raw
from afield.usecase.model import UseCase

KNOWN = 2000
"""Vectors that travel with the references, at most, so that a state that is taught later finds its bounds."""
FEWEST = 40
"""Vectors of a state among them, where it has so many: from training, where the validation part has fewer."""
FLOOR = 1e-3
"""Variance that every direction has at least within a state, as a part of the mean one."""
LEAST = 1e-3
"""Radius that a state has at least: records that are alike to the last digit are not all there is to come."""


def judge_states(data: Dataset, case: UseCase, raw: Raw) -> Judgement:
    """Makes a reference vector of each state, calibrates its radius, and scores the answers.

    A reference is the mean of the state's vectors in the training part. Its radius holds the wished share of the
    validation part's records of that state (of the training part's, where the validation part has too few).

    Args:
        data: the dataset.
        case: the use case.
        raw: vectors, float32[N, D].
    """
    names = data.records.classes
    assert raw.training is not None
    targets = {name: data.targets[rows] for name, rows in data.parts.items()}
    sample, members = _known(flat(raw.validation), targets["validation"], flat(raw.training), targets["training"])
    turn = _turn(sample, members)
    training, validation, test, known = (flat(part) @ turn for part in (raw.training, raw.validation, raw.test, sample))
    references = np.stack([training[targets["training"] == state].mean(axis=0) for state in range(len(names))])
    share = getattr(case.model, "radius", 0.99)
    radii = [
        radius(
            references[state],
            validation[targets["validation"] == state],
            training[targets["training"] == state],
            share,
        )
        for state in range(len(names))
    ]
    decision = Nearest(
        names,
        references.astype(np.float32),
        np.arange(len(names), dtype=np.int32),
        np.array(radii, np.float32),
        known=known,
        levels=_levels(data),
        turn=turn,
    )
    answers = decision.answer(raw.test)[PREDICTION].cast(pa.string()).to_numpy(zero_copy_only=False)
    counts = np.bincount(targets["training"], minlength=len(names)).tolist()
    states = States(
        states=[
            State(name=name, examples=count, radius=float(reach))
            for name, count, reach in zip(names, counts, radii, strict=True)
        ],
        unknown=float((answers == UNKNOWN).mean()),
    )
    scores = evaluate(targets["test"], closeness_of(decision, test), names)
    return Judgement(decision, {"test": scores, "states": states})


def radius(reference: np.ndarray, validation: np.ndarray, training: np.ndarray, share: float) -> float:
    """The distance from a reference that holds a share of a state's vectors."""
    enough = len(validation) * (1 - share) >= 1
    known = validation if enough else np.concatenate([validation, training])
    return max(float(np.quantile(np.linalg.norm(known - reference, axis=1), share)), LEAST)


def _known(
    validation: np.ndarray, held: np.ndarray, training: np.ndarray, learned: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of the validation part, evenly, and of the training part of states that it has few of.

    Returns:
        float32[K, D], and the state of each.
    """
    every = slice(None, None, max(1, -(-len(validation) // KNOWN)))
    chosen, states = [validation[every]], [held[every]]
    for state in np.unique(learned):
        lacking = FEWEST - int((held == state).sum())
        if lacking > 0:
            chosen.append(training[learned == state][:lacking])
            states.append(learned[learned == state][:lacking])
    return np.concatenate(chosen).astype(np.float32), np.concatenate(states)


def _turn(vectors: np.ndarray, members: np.ndarray) -> np.ndarray:
    """float32[D, D]: turns vectors so that those of one state differ as much in every direction.

    The covariance within a state is the mean over the states, each counting alike.

    Source: P. Mahalanobis, On the Generalized Distance in Statistics, 1936; the covariances by O. Ledoit and M. Wolf, A
    Well-Conditioned Estimator for Large-Dimensional Covariance Matrices, 2004.
    """
    groups = [vectors[members == state].astype(np.float64) for state in np.unique(members)]
    within = np.mean([ledoit_wolf(group)[0] for group in groups if len(group) > 1], axis=0)
    spread = max(float(np.trace(within)) / len(within), LEAST**2)
    return np.linalg.cholesky(np.linalg.inv(within + FLOOR * spread * np.eye(len(within)))).astype(np.float32)


def _levels(data: Dataset) -> np.ndarray | None:
    """float64[S, L]: means of the preprocessing's numbers over the training records of each state."""
    rows = data.layout.rows(data.parts.training)
    states = data.records.targets[rows]
    levels: list[np.ndarray] = []
    for state in range(len(data.records.classes)):
        table = data.records.table.take(pa.array(rows[states == state]))
        columns: list[pa.Array] = [column.combine_chunks() for column in table.columns]
        levels.append(data.pipeline.levels(pa.RecordBatch.from_arrays(columns, schema=table.schema)))
    return np.stack(levels) if levels[0].size else None


def closeness_of(decision: Nearest, vectors: np.ndarray) -> np.ndarray:
    """float32[N, S] that sums to 1: the nearer a state, the more; the unit of distance is the mean radius.

    Args:
        decision: with the references.
        vectors: float32[N, D], as they are compared.
    """
    apart = np.stack([np.linalg.norm(vectors - reference, axis=1) for reference in decision.references], axis=1)
    logits = -apart / max(float(decision.radii.mean()), LEAST)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def flat(vectors: np.ndarray) -> np.ndarray:
    """Vectors as float32[N, D]."""
    return vectors.reshape(len(vectors), -1)
