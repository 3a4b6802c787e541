"""The records of a use case, read once, and the datasets made of them: one for each way to preprocess them."""

from __future__ import annotations

import json
from typing import Protocol

from afield.errors import UseCaseError
from afield.train.base import Watcher
from afield.train.dataset import Dataset, build
from afield.train.records import Records
from afield.usecase.model import UseCase

KEPT = 4
"""Datasets in memory: those used last."""


class OfCase(Protocol):
    """Gives the dataset of a trial."""

    def of(self, case: UseCase) -> Dataset:
        """The dataset of a trial.

        Args:
            case: of the trial.
        """
        ...


class Datasets:
    """Datasets by their preprocessing.

    Args:
        records: all that was read.
        watcher: who is told of the progress.
    """

    def __init__(self, records: Records, watcher: Watcher) -> None:
        self.records = records
        self._watcher = watcher
        self._made: dict[str, Dataset] = {}

    def of(self, case: UseCase) -> Dataset:
        """The dataset of a trial.

        Raises:
            UseCaseError: the validation part is empty.
            DataError: a part cannot be learned from.
        """
        if not case.train.split.validation:
            raise UseCaseError(
                "train.split.validation: trials are compared on the validation part, and it is 0;"
                " give it a share such as 0.1"
            )
        key = preprocessing(case)
        data = self._made.pop(key, None) or build(self.records, case, self._watcher)
        self._made[key] = data
        while len(self._made) > KEPT:
            del self._made[next(iter(self._made))]
        return data


def preprocessing(case: UseCase) -> str:
    """What names the preprocessing of a use case: equal where the features are equal."""
    # By way of Python's values: only so does Pydantic tell an interruption from a fault.
    return json.dumps(case.model_dump(mode="json", include={"preprocess"}))
