"""A network on sparse rows answers as Keras does once exported."""

from __future__ import annotations

import keras
import numpy as np
import onnxruntime
import pytest
from exporting import unsettled

from afield.errors import UseCaseError
from afield.preprocess.rows import SparseRows
from afield.train.export.sparse import export_sparse

Problem = tuple[SparseRows, np.ndarray]


def answers(middle: list[keras.layers.Layer], problem: Problem, first: str = "relu") -> tuple[np.ndarray, np.ndarray]:
    """Keras's answers and those of the exported network."""
    rows = problem[0]
    dense = keras.layers.Dense
    layers = [dense(8, activation=first), *middle, dense(3, activation="softmax")]
    model = unsettled(keras.Sequential([keras.layers.Input((rows.width,)), *layers]))
    whole = np.zeros((len(rows), rows.width), np.float32)
    whole[np.repeat(np.arange(len(rows)), rows.lengths), rows.ids] = rows.weights
    exported = export_sparse(model.layers, [np.asarray(weight) for weight in model.weights])
    session = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])
    ids, weights = rows.padded()
    return np.asarray(model(whole)), session.run(["probabilities"], {"ids": ids, "weights": weights})[0]


@pytest.mark.parametrize("activation", ["linear", "relu", "softplus"])
def test_the_first_layer(problem: Problem, activation: str) -> None:
    np.testing.assert_allclose(*answers([], problem, activation), atol=1e-5)


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.BatchNormalization(epsilon=0.01),
        keras.layers.LayerNormalization(),
        keras.layers.LayerNormalization(scale=False, center=False),
        keras.layers.Dropout(0.5),
        keras.layers.PReLU(),
    ],
)
def test_a_layer_after_the_first(problem: Problem, layer: keras.layers.Layer) -> None:
    np.testing.assert_allclose(*answers([layer], problem, "linear"), atol=1e-5)


def test_the_weights_handed_over_are_taken(problem: Problem) -> None:
    # A training on few columns keeps its weights outside of the model's variables.
    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(3, activation="softmax")])
    kernel, bias = np.random.default_rng(0).normal(size=(40, 3)), np.zeros(3)
    session = onnxruntime.InferenceSession(export_sparse(model.layers, [kernel, bias]))
    ids, weights = np.array([[39, 0]], np.int32), np.array([[1.0, 0.5]], np.float32)
    logits = kernel[39] + kernel[0] * 0.5
    expected = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(session.run(None, {"ids": ids, "weights": weights})[0][0], expected, atol=1e-6)


def test_a_layer_without_a_map_is_named(problem: Problem) -> None:
    with pytest.raises(UseCaseError, match=r"^model.network\[1\]: layer GroupNormalization has no map to ONNX$"):
        answers([keras.layers.GroupNormalization(2)], problem)


def test_an_activation_without_a_map_is_named(problem: Problem) -> None:
    with pytest.raises(UseCaseError, match=r"^model.network\[0\]: activation sparsemax has no map to ONNX$"):
        answers([], problem, "sparsemax")
