"""Every layer that a use case may name answers as Keras does once exported, on one row and on several."""

from __future__ import annotations

from functools import cache
from typing import Any

import keras
import numpy as np
import pytest
from exporting import answers_alike, same, unsettled

from afield.train.export.activations import ACTIVATIONS
from afield.train.export.keras_model import MAPS
from afield.train.networks.catalogue import EXPORTED_ACTIVATIONS, EXPORTED_LAYERS, catalogue
from afield.train.networks.exportable import RECURRENT, RECURRENT_ACTIVATIONS, unexportable

VECTOR, SERIES, IMAGE = (12,), (6, 4), (8, 7, 4)
MERGING = {"Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "MultiHeadAttention", "Subtract"}
NESTED = {"Bidirectional"}
CONV = {"filters": 6, "kernel_size": 3}

CASES: dict[str, list[tuple[tuple[int, ...], dict[str, Any]]]] = {
    "activation": [(VECTOR, {"activation": "tanh"})],
    "activity_regularization": [(VECTOR, {})],
    "alpha_dropout": [(VECTOR, {"rate": 0.2})],
    "average_pooling1d": [(SERIES, {"pool_size": 3, "strides": 2}), (SERIES, {"pool_size": 2, "padding": "same"})],
    "average_pooling2d": [(IMAGE, {"pool_size": (3, 2), "strides": 2, "padding": "same"})],
    "batch_normalization": [
        (VECTOR, {"epsilon": 0.01}),
        (SERIES, {}),
        (IMAGE, {"scale": False}),
        (SERIES, {"center": False, "axis": 1}),
    ],
    "conv1d": [
        (SERIES, CONV),
        (SERIES, CONV | {"padding": "same", "strides": 2, "activation": "relu"}),
        (SERIES, CONV | {"padding": "causal", "dilation_rate": 2, "use_bias": False}),
        (SERIES, CONV | {"padding": "same", "dilation_rate": 3, "groups": 2}),
    ],
    "conv1d_transpose": [(SERIES, CONV | {"strides": 2, "padding": "same"}), (SERIES, CONV | {"strides": 5})],
    "conv2d": [
        (IMAGE, CONV | {"strides": (2, 1)}),
        (IMAGE, CONV | {"kernel_size": (2, 3), "padding": "same", "strides": 2, "groups": 2}),
        (IMAGE, CONV | {"padding": "same", "dilation_rate": 2, "use_bias": False}),
        (IMAGE, CONV | {"data_format": "channels_first"}),
    ],
    "conv2d_transpose": [(IMAGE, CONV | {"strides": 2, "padding": "same", "use_bias": False})],
    "cropping1d": [(SERIES, {"cropping": (0, 2)})],
    "cropping2d": [(IMAGE, {"cropping": ((1, 0), (0, 3))}), (IMAGE, {"cropping": 1})],
    "dense": [(VECTOR, {"units": 5, "use_bias": False}), (SERIES, {"units": 3, "activation": "softmax"})],
    "depthwise_conv1d": [(SERIES, {"kernel_size": 3, "depth_multiplier": 2, "padding": "same"})],
    "depthwise_conv2d": [(IMAGE, {"kernel_size": 3, "strides": 2, "depth_multiplier": 2, "activation": "relu"})],
    "dropout": [(VECTOR, {"rate": 0.3})],
    "einsum_dense": [(SERIES, {"equation": "abc,cd->abd", "output_shape": [None, 5], "bias_axes": "d"})],
    "elu": [(VECTOR, {"alpha": 0.5})],
    "embedding": [(VECTOR, {"input_dim": 4, "output_dim": 3})],
    "flatten": [(IMAGE, {}), (SERIES, {"data_format": "channels_first"}), ((), {})],
    "gaussian_dropout": [(VECTOR, {"rate": 0.2})],
    "gaussian_noise": [(VECTOR, {"stddev": 0.2})],
    "global_average_pooling1d": [(SERIES, {})],
    "global_average_pooling2d": [(IMAGE, {"keepdims": True}), (IMAGE, {"data_format": "channels_first"})],
    "global_max_pooling1d": [(SERIES, {"keepdims": True})],
    "global_max_pooling2d": [(IMAGE, {})],
    "gru": [
        (SERIES, {"units": 5}),
        (SERIES, {"units": 5, "reset_after": False, "return_sequences": True}),
        (SERIES, {"units": 5, "go_backwards": True, "return_sequences": True, "use_bias": False}),
        (SERIES, {"units": 5, "activation": "relu", "recurrent_activation": "hard_sigmoid"}),
    ],
    "identity": [(VECTOR, {})],
    "layer_normalization": [
        (VECTOR, {"epsilon": 0.01}),
        (SERIES, {"scale": False, "center": False}),
        (SERIES, {"axis": [-2, -1], "scale": False}),
    ],
    "leaky_relu": [(VECTOR, {"negative_slope": 0.1})],
    "lstm": [
        (SERIES, {"units": 5}),
        (SERIES, {"units": 5, "return_sequences": True, "use_bias": False}),
        (SERIES, {"units": 5, "go_backwards": True, "dropout": 0.5, "recurrent_dropout": 0.2}),
        (SERIES, {"units": 5, "go_backwards": True, "return_sequences": True}),
    ],
    "max_pooling1d": [(SERIES, {"pool_size": 2})],
    "max_pooling2d": [(IMAGE, {"pool_size": 3, "strides": 2, "padding": "same"})],
    "normalization": [(SERIES, {"mean": 0.5, "variance": 2.0}), (VECTOR, {"mean": 1, "variance": 4, "invert": True})],
    "permute": [(SERIES, {"dims": [2, 1]}), (IMAGE, {"dims": [3, 1, 2]})],
    "prelu": [(VECTOR, {}), (SERIES, {"shared_axes": [1]})],
    "random_brightness": [(IMAGE, {"factor": 0.2})],
    "random_contrast": [(IMAGE, {"factor": 0.2})],
    "random_flip": [(IMAGE, {})],
    "random_rotation": [(IMAGE, {"factor": 0.1})],
    "random_translation": [(IMAGE, {"height_factor": 0.1, "width_factor": 0.1})],
    "random_zoom": [(IMAGE, {"height_factor": 0.1})],
    "relu": [
        (VECTOR, {"max_value": 1.0}),
        (VECTOR, {"negative_slope": 0.1}),
        (VECTOR, {"threshold": 0.5, "negative_slope": 0.2, "max_value": 1.0}),
    ],
    "repeat_vector": [(VECTOR, {"n": 3})],
    "rescaling": [(VECTOR, {"scale": 2.0, "offset": -0.5}), (IMAGE, {"scale": 1 / 255})],
    "reshape": [(VECTOR, {"target_shape": [3, 4]}), (IMAGE, {"target_shape": [-1, 4]})],
    "rms_normalization": [(SERIES, {})],
    "separable_conv1d": [(SERIES, CONV | {"depth_multiplier": 2})],
    "separable_conv2d": [(IMAGE, CONV | {"strides": 2, "padding": "same", "use_bias": False})],
    "simple_rnn": [(SERIES, {"units": 5}), (SERIES, {"units": 5, "return_sequences": True, "activation": "linear"})],
    "softmax": [(VECTOR, {}), (SERIES, {"axis": 1})],
    "spatial_dropout1d": [(SERIES, {"rate": 0.2})],
    "spatial_dropout2d": [(IMAGE, {"rate": 0.2})],
    "unit_normalization": [(VECTOR, {}), (SERIES, {"axis": [1, 2]})],
    "up_sampling1d": [(SERIES, {"size": 3})],
    "up_sampling2d": [(IMAGE, {"size": (2, 3)}), (IMAGE, {"size": 2, "interpolation": "bilinear"})],
    "zero_padding1d": [(SERIES, {"padding": (2, 1)})],
    "zero_padding2d": [(IMAGE, {"padding": ((1, 0), (2, 3))})],
}

EACH = [(name, place) for name, cases in CASES.items() for place in range(len(cases))]


def made(name: str, arguments: dict[str, Any]) -> keras.Layer:
    return getattr(keras.layers, catalogue()["layers"][name]["class"])(**arguments)


@cache
def answers_of(shape: tuple[int, ...], dtype: str) -> tuple[np.ndarray, dict[tuple[str, int], tuple[Any, np.ndarray]]]:
    """Rows of a shape, and each layer that is tried on them with Keras's answer; compiled once for all."""
    random = np.random.default_rng(5)
    rows = random.integers(0, 4, (7, *shape)) if dtype == "int32" else random.normal(size=(7, *shape))
    rows = rows.astype(dtype)
    rows[0] = 0
    entered = keras.Input(shape, dtype=dtype)
    tried = {
        (name, place): made(name, arguments)
        for name, cases in CASES.items()
        for place, (wanted, arguments) in enumerate(cases)
        if wanted == shape and (name == "embedding") == (dtype == "int32")
    }
    model = keras.Model(entered, [layer(entered) for layer in tried.values()])
    answers = unsettled(model).predict_on_batch(rows)
    paired = zip(tried.values(), answers if len(tried) > 1 else [answers], strict=True)
    return rows, dict(zip(tried, paired, strict=True))


@pytest.mark.parametrize(("name", "place"), EACH)
def test_layer(name: str, place: int) -> None:
    shape, arguments = CASES[name][place]
    rows, answers = answers_of(shape, "int32" if name == "embedding" else "float32")
    layer, expected = answers[name, place]
    answers_alike(keras.Sequential([keras.layers.Input(shape, dtype=str(rows.dtype)), layer]), [rows], [expected])
    assert [*unexportable(name, arguments)] == []


def test_each_layer_of_the_catalogue_is_tried() -> None:
    assert set(CASES) == EXPORTED_LAYERS


def test_the_maps_are_those_that_the_catalogue_names() -> None:
    written = {kind.__name__ for kind in MAPS if issubclass(kind, keras.Layer)}
    assert {catalogue()["layers"][name]["class"] for name in EXPORTED_LAYERS} == written - MERGING - NESTED


@pytest.mark.parametrize("name", sorted(RECURRENT))
def test_the_activations_inside_a_recurrent_layer(name: str) -> None:
    x = np.random.default_rng(5).normal(size=(7, 3, 4)).astype(np.float32)
    entered = keras.Input((3, 4))
    gates = [] if name == "simple_rnn" else ["recurrent_activation"]
    layers = [
        made(name, {"units": 5, "activation": activation} | dict.fromkeys(gates, activation))
        for activation in sorted(RECURRENT_ACTIVATIONS)
    ]
    same(unsettled(keras.Model(entered, [layer(entered) for layer in layers])), x)


def test_the_activations() -> None:
    x = np.random.default_rng(5).normal(size=(7, 12)).astype(np.float32)
    entered = keras.Input((12,))
    layers = [keras.layers.Activation(name) for name in sorted(EXPORTED_ACTIVATIONS)]
    same(keras.Model(entered, [layer(entered) for layer in layers]), x)


def test_the_activations_are_those_that_the_catalogue_names() -> None:
    assert {keras.activations.get(name) for name in EXPORTED_ACTIVATIONS} == set(ACTIVATIONS)


@pytest.mark.parametrize(
    ("name", "arguments", "argument", "message"),
    [
        (
            "lstm",
            {"activation": "gelu"},
            "activation",
            'activation "gelu" cannot be exported inside lstm; expected one of elu, hard_sigmoid, leaky_relu, linear,'
            " relu, sigmoid, softplus, softsign, tanh",
        ),
        ("gru", {"stateful": True}, "stateful", "a state kept between batches cannot be exported; leave stateful off"),
        (
            "embedding",
            {"mask_zero": True},
            "mask_zero",
            "a mask cannot be exported; leave mask_zero off and give the padding a number of its own",
        ),
        (
            "up_sampling2d",
            {"interpolation": "bicubic"},
            "interpolation",
            "expected nearest or bilinear, which can be exported, found 'bicubic'",
        ),
        ("softmax", {"axis": [1, 2]}, "axis", "softmax can be exported over one axis, found [1, 2]"),
        (
            "layer_normalization",
            {"axis": 1},
            "axis",
            "the normalisation can be exported over the last axes alone, as -1; found 1",
        ),
        (
            "conv2d_transpose",
            {"output_padding": 1},
            "output_padding",
            "output_padding cannot be exported; leave it off",
        ),
        (
            "conv1d_transpose",
            {"dilation_rate": 2},
            "dilation_rate",
            "dilation cannot be exported here; leave dilation_rate off",
        ),
        ("normalization", {}, "mean", "mean and variance must be given; to learn them use batch_normalization"),
    ],
)
def test_an_argument_that_stands_in_the_way(name: str, arguments: dict[str, Any], argument: str, message: str) -> None:
    assert [*unexportable(name, arguments)] == [(argument, message)]
