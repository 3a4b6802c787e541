"""An exported network answers as Keras does, for every layer and activation that a use case may name."""

from __future__ import annotations

import keras
import numpy as np
import onnxruntime
import pytest

from afield.errors import UseCaseError
from afield.preprocess.rows import SparseRows
from afield.train.export.onnx import ACTIVATIONS, LAYERS, export
from afield.train.networks.catalogue import EXPORTED_ACTIVATIONS, EXPORTED_LAYERS, catalogue

Problem = tuple[SparseRows, np.ndarray]


def answers(middle: list[keras.layers.Layer], problem: Problem, first: str = "relu") -> tuple[np.ndarray, np.ndarray]:
    """Keras's answers and those of the exported network."""
    keras.utils.set_random_seed(2)
    rows = problem[0]
    model = keras.Sequential(
        [
            keras.layers.Input((rows.width,)),
            keras.layers.Dense(8, activation=first),
            *middle,
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    for weight in model.weights:  # moving statistics and scales of a fresh layer would hide a mistake
        weight.assign(np.random.default_rng(1).uniform(0.5, 1.5, weight.shape) * np.sign(weight - 0.001))
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_variance.assign(np.abs(layer.moving_variance))
    dense = np.zeros((len(rows), rows.width), np.float32)
    dense[np.repeat(np.arange(len(rows)), rows.lengths), rows.ids] = rows.weights
    exported = export(model.layers, [np.asarray(weight) for weight in model.weights])
    session = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])
    ids, weights = rows.padded()
    return np.asarray(model(dense)), session.run(None, {"ids": ids, "weights": weights})[0]


@pytest.mark.parametrize("activation", sorted(EXPORTED_ACTIVATIONS))
def test_activation(problem: Problem, activation: str) -> None:
    np.testing.assert_allclose(*answers([], problem, activation), atol=1e-5)


LAYER_ARGUMENTS = {
    "activation": {"activation": "tanh"},
    "activity_regularization": {},
    "alpha_dropout": {"rate": 0.2},
    "batch_normalization": {"epsilon": 0.01},
    "dense": {"units": 5, "use_bias": False},
    "dropout": {"rate": 0.3},
    "elu": {"alpha": 0.5},
    "gaussian_dropout": {"rate": 0.2},
    "gaussian_noise": {"stddev": 0.2},
    "identity": {},
    "layer_normalization": {"epsilon": 0.01},
    "leaky_relu": {"negative_slope": 0.1},
    "relu": {"max_value": 1.0},
    "rescaling": {"scale": 2.0, "offset": -0.5},
    "softmax": {},
}


@pytest.mark.parametrize("name", sorted(EXPORTED_LAYERS))
def test_layer(problem: Problem, name: str) -> None:
    layer = getattr(keras.layers, catalogue()["layers"][name]["class"])(**LAYER_ARGUMENTS[name])
    np.testing.assert_allclose(*answers([layer], problem, "linear"), atol=1e-5)


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.BatchNormalization(scale=False),
        keras.layers.BatchNormalization(center=False),
        keras.layers.LayerNormalization(scale=False),
        keras.layers.LayerNormalization(center=False),
        keras.layers.LayerNormalization(scale=False, center=False),
    ],
)
def test_normalisation_without_a_part(problem: Problem, layer: keras.layers.Layer) -> None:
    np.testing.assert_allclose(*answers([layer], problem, "linear"), atol=1e-5)


def test_the_maps_are_those_that_the_catalogue_names() -> None:
    classes = {catalogue()["layers"][name]["class"] for name in EXPORTED_LAYERS}
    assert classes == set(LAYERS)
    alike = {"swish": "silu", "hard_swish": "hard_silu"}
    assert {alike.get(name, name) for name in EXPORTED_ACTIVATIONS} == set(ACTIVATIONS)


def test_a_layer_without_a_map_is_named(problem: Problem) -> None:
    with pytest.raises(UseCaseError, match=r"model.network\[1\]: layer UnitNormalization has no map to ONNX"):
        answers([keras.layers.UnitNormalization()], problem)


def test_a_relu_with_a_threshold_is_refused(problem: Problem) -> None:
    with pytest.raises(UseCaseError, match="relu with a threshold has no map to ONNX"):
        answers([keras.layers.ReLU(threshold=0.5)], problem)
