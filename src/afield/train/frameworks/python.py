"""Keras models that a person's function builds: fitted as the networks of a list of layers are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from afield.errors import UseCaseError
from afield.preprocess.base import StepInput
from afield.train.base import Task
from afield.train.frameworks.base import made
from afield.train.frameworks.spec import Python
from afield.train.networks.trainer import KerasTrainer


def python_trainer(spec: Python, task: Task) -> KerasTrainer:
    """What fits a model built by `build(inputs, outputs)`.

    The function is given the shape of what enters (of several features, a mapping of shapes by name) and the number of
    outputs: one for each class or tag, else 1. A model that it compiled keeps its loss, metrics and optimizer.

    Args:
        spec: file and function.
        task: what it is to learn.
    """

    def build(inputs: Sequence[StepInput]) -> keras.Model:
        shapes: Any = {one.feature: one.shape for one in inputs}
        outputs = len(task.classes) if task.kind in ("classify", "tag", "write") else 1
        given = {"inputs": inputs[0].shape if len(inputs) == 1 else shapes, "outputs": outputs}
        model = made(task.folder, spec.file, spec.name, given | spec.arguments)
        if not isinstance(model, keras.Model):
            raise UseCaseError(f"model.python: {spec.source} gives {type(model).__name__}, expected a keras.Model")
        return model

    return KerasTrainer(build, task)
