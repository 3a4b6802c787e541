"""What Keras answers beside what the exported network answers."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import onnxruntime

from afield.preprocess.base import StepInput
from afield.train.export.keras_model import export_keras

BATCHES = (1, 7)
"""Rows of the batches that are compared: the first axis must be free."""


def unsettled(model: keras.Model, seed: int = 1) -> keras.Model:
    """The model with random weights everywhere: fresh moving statistics, scales and biases would hide a mistake."""
    random = np.random.default_rng(seed)
    for weight in model.weights:
        if weight.dtype == "float32":
            positive = "variance" in weight.path or "gamma" in weight.path
            weight.assign(random.uniform(0.5, 1.5, weight.shape) if positive else random.normal(0, 0.3, weight.shape))
    return model


def inputs_of(arrays: Sequence[np.ndarray]) -> list[StepInput]:
    return [StepInput(f"x{i}", array.shape[1:], str(array.dtype)) for i, array in enumerate(arrays)]


def same(model: keras.Model, *arrays: np.ndarray, tolerance: float = 1e-5) -> bytes:
    """Asserts that the exported model answers as Keras does, on one row and on all; returns the export."""
    expected = model.predict_on_batch(list(arrays) if len(arrays) > 1 else arrays[0])
    return answers_alike(model, arrays, expected if len(model.outputs) > 1 else [expected], tolerance)


def answers_alike(
    model: keras.Model, arrays: Sequence[np.ndarray], expected: Sequence[np.ndarray], tolerance: float = 1e-5
) -> bytes:
    """As `same`, where Keras's answers are at hand."""
    names = [f"y{i}" for i in range(len(model.outputs))]
    exported = export_keras(model, inputs_of(arrays), names)
    session = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])
    for rows in BATCHES:
        answers = session.run(names, {f"x{i}": array[:rows] for i, array in enumerate(arrays)})
        for answer, of_keras in zip(answers, expected, strict=True):
            assert answer.dtype == np.float32
            np.testing.assert_allclose(answer, of_keras[:rows], rtol=0, atol=tolerance)
    return exported
