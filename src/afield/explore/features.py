"""Rows as simple models read them: numbers and categories by the step `table`, text by the step `text`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_matrix, hstack

from afield.connectors.base import TEXT
from afield.errors import DataError
from afield.explore.base import Sample
from afield.explore.columns import Column
from afield.explore.keys import MASKS, identifies
from afield.preprocess.base import StepInput
from afield.preprocess.pipeline import Pipeline
from afield.preprocess.table.spec import Table
from afield.preprocess.table.step import CATEGORIES
from afield.preprocess.text.spec import Text
from afield.train.baselines.matrix import matrix
from afield.usecase.base import Component

DENSE = 600
"""Columns up to which a matrix is written out."""
TERMS = 100
"""Terms of text that boosted trees read, the most frequent ones."""
VOCABULARY = 20_000
_STEPS = {"table", "text"}


@dataclass(frozen=True)
class Inputs:
    """Features of M rows.

    Args:
        linear: float32[M, W] or sparse; for a linear rule.
        trees: float32[M, V]; for boosted trees.
        categories: bool[V]; which columns of `trees` are numbers of categories.
        columns: that they were made of.
    """

    linear: Any
    trees: np.ndarray
    categories: np.ndarray
    columns: list[str]


def inputs(sample: Sample, rows: np.ndarray, leaking: list[str]) -> Inputs | None:
    """The features of some rows; None where no column can be learned from.

    Args:
        sample: the data.
        rows: int64[M].
        leaking: columns that are not read, as those of personal data.
    """
    # Data of persons would be learned by heart.
    left_out = {*leaking, *sample.curtain.columns}
    read = [one for one in sample.features if one.name not in left_out]
    declared = steps(sample, read)
    if not declared:
        return None
    names = [name for name in sample.rows.table.column_names if name not in sample.rows.hidden]
    (batch,) = sample.rows.table.select(names).take(pa.array(rows)).combine_chunks().to_batches()
    linear: list[Any] = []
    trees: list[np.ndarray] = []
    categories: list[np.ndarray] = []
    used: list[str] = []
    for step in declared:
        pipeline = Pipeline.of([step])
        try:
            pipeline.fit([batch])
        except DataError:
            continue  # the step found nothing to read: the others may
        used += pipeline.columns(batch.schema)
        features = dict(pipeline.rows(batch))
        codes = np.asarray(features.pop(CATEGORIES, np.zeros((len(rows), 0), np.int32)))
        values = matrix(features) if features else np.zeros((len(rows), 0), np.float32)
        given = pipeline.inputs()
        linear.append(values)
        if codes.shape[1]:
            linear.append(_one_hot(codes, given))
        dense = values if isinstance(values, np.ndarray) else _frequent(values)
        trees += [dense, codes.astype(np.float32)]
        categories += [np.zeros(dense.shape[1], bool), np.ones(codes.shape[1], bool)]
    if not sum(part.shape[1] for part in linear):
        return None
    joined: Any = hstack([csr_matrix(part) for part in linear], format="csr")
    whole = joined.toarray() if joined.shape[1] <= DENSE else joined
    return Inputs(whole, np.concatenate(trees, axis=1), np.concatenate(categories), list(dict.fromkeys(used)))


def steps(sample: Sample, read: list[Column]) -> list[Component]:
    """The steps that read these columns: those of the use case where they are not of tables and text, else our own."""
    case = sample.rows.case
    if case is not None:
        from afield.usecase.components import name_of

        declared = list(case.model.preprocess)
        names = {name_of(step) for step in declared}
        if names & {"window", "characters"}:
            return []
        if not names <= _STEPS | {"mask"}:
            return [step for step in declared if name_of(step) != "mask"]
    if sample.rows.text:
        return [_text(TEXT)]
    tabular = [one.name for one in read if one.type not in ("text", "empty", "other") and not identifies(one)]
    texts = [one.name for one in read if one.type == "text"]
    table = [Table.model_validate({"columns": tabular, "categories": "embedding"})] if tabular else []
    return [*table, *(_text(name) for name in texts)]


def _text(column: str) -> Text:
    declared = {"column": column, "output": f"text {column}", "mask": MASKS, "min_df": 2, "max_features": VOCABULARY}
    return Text.model_validate(declared)


def _one_hot(codes: np.ndarray, given: list[StepInput]) -> Any:
    sizes = np.array(next(one.cardinalities for one in given if one.feature == CATEGORIES), np.int64)
    firsts = np.cumsum(sizes) - sizes
    rows, width = codes.shape
    places = (codes + firsts).ravel()
    pointers = np.arange(0, rows * width + 1, width)
    return csr_matrix((np.ones(len(places), np.float32), places, pointers), shape=(rows, int(sizes.sum())))


def _frequent(values: Any) -> np.ndarray:
    often = np.bincount(values.indices, minlength=values.shape[1])
    return values[:, np.sort(np.argsort(-often, kind="stable")[:TERMS])].toarray()
