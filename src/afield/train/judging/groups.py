"""Judges answers that are the nearest group of records that are alike."""

from __future__ import annotations

import numpy as np

from afield.preprocess.rows import SparseRows
from afield.report.metrics import adjusted_rand, groups
from afield.train.baselines.matrix import sparse_matrix
from afield.train.dataset import Dataset
from afield.train.groups.clusters import grouped
from afield.train.groups.spec import Groups
from afield.train.judging.base import Judgement, Raw, rows_shown
from afield.train.judging.columns import named_values
from afield.train.judging.states import flat
from afield.train.records import MISSING
from afield.usecase.model import UseCase

TERMS = 300
"""Terms of a text among which typical ones of a group are looked for."""

METHODS = {"k_means": "k-means", "density": "density"}
"""How each method is called in a report."""


def judge_groups(data: Dataset, case: UseCase, raw: Raw) -> Judgement:
    """Groups the training part's vectors, and describes the groups by the test part's records.

    Args:
        data: the dataset.
        case: the use case.
        raw: vectors, float32[N, D].
    """
    spec = case.model
    assert isinstance(spec, Groups)
    assert raw.training is not None
    seed, test = case.train.seed, flat(raw.test)
    decision = grouped(flat(raw.training), flat(raw.validation), spec, seed)
    members, distance = decision.nearest(test)
    members = np.where(distance <= decision.radii[members], members, -1)
    columns, values = _described(data, members)
    section = groups(test, members, METHODS[spec.method], seed, rows_shown(data), columns, values, names=decision.names)
    truth = data.targets[data.parts.test]
    labelled = truth != MISSING
    if labelled.any():
        section = section.model_copy(update={"agreement": adjusted_rand(truth[labelled], members[labelled])})
    return Judgement(decision, {"groups": section})


def _described(data: Dataset, members: np.ndarray) -> tuple[list[str], np.ndarray | None]:
    """Names and values of the columns of the test part in which groups may stand out."""
    rows = data.examples(data.parts.test).features
    first = next(iter(rows.values()))
    if len(rows) == 1 and isinstance(first, SparseRows):
        return _terms(data, first, members)
    return named_values(data, data.parts.test)


def _terms(data: Dataset, rows: SparseRows, members: np.ndarray) -> tuple[list[str], np.ndarray]:
    """The terms that are most unevenly spread over the groups: 1 where a record has one, else 0."""
    present = sparse_matrix(rows)
    present.data[:] = 1
    overall = np.asarray(present.mean(axis=0)).ravel()
    uneven = np.zeros(rows.width)
    for group in np.unique(members[members >= 0]):
        own = np.asarray(present[members == group].mean(axis=0)).ravel()
        uneven = np.maximum(uneven, own - overall)
    chosen = np.sort(np.argsort(-uneven, kind="stable")[:TERMS])
    vocabulary = data.pipeline.vocabulary()
    return [vocabulary[int(term)].as_py() for term in chosen], present[:, chosen].toarray()
