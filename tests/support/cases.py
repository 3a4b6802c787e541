"""Use cases and their records, without files."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from afield.train.records import Records, labelled
from afield.usecase.model import UseCase

TEXT = [{"text": {"mask": ["number"]}}]


def use_case(question: dict[str, Any] | None = None, preprocess: Any = TEXT, **train: Any) -> UseCase:
    """A use case of a network that nobody builds.

    Args:
        question: other than its defaults.
        preprocess: the steps.
        train: what `train:` says.
    """
    return UseCase.model_validate(
        {
            "question": question or {},
            "source": {"files": {"path": "data", "label": "file_name"}},
            "preprocess": preprocess,
            "model": {"network": [{"dense": {"units": "classes", "activation": "softmax"}}]},
            "train": train,
        }
    )


def records(case: UseCase, labels: Any, hidden: list[str] | None = None, **columns: Any) -> Records:
    """Records with these columns, and their labels by the question of the use case."""
    table = pa.table(columns)
    if labels is None:
        return labelled(table, None, case.question, hidden)
    array = labels if isinstance(labels, pa.Array) else pa.array(labels)
    return labelled(table, pa.chunked_array([array]), case.question, hidden)
