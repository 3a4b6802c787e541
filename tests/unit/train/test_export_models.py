"""Whole Keras models answer as Keras does once exported: the networks of the gallery and graphs of every form."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from exporting import inputs_of, same, unsettled
from keras import layers, ops

from afield.bundle.onnx_guard import check_network
from afield.errors import UseCaseError
from afield.preprocess.base import StepInput
from afield.train.export import native
from afield.train.export.keras_model import export_keras


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(7, *shape)).astype(np.float32)


def ids(*shape: int, most: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, most, (7, *shape)).astype(np.int32)


def faults(units: int, **arguments: Any) -> keras.Sequential:
    """The base network of the faults: 60 minutes of 132 counters, ten numbers out."""
    return keras.Sequential(
        [
            layers.Input((60, 132)),
            layers.BatchNormalization(),
            layers.LSTM(units, return_sequences=True, **arguments),
            layers.LSTM(units, **arguments),
            layers.BatchNormalization(),
            layers.Dense(units, activation="relu"),
            layers.BatchNormalization(),
            layers.Dense(10),
            layers.BatchNormalization(),
        ]
    )


def subscribers(units: int, **arguments: Any) -> keras.Sequential:
    """The network of the subscribers: 12 days of 208 features, one probability out."""
    return keras.Sequential(
        [
            layers.Input((12, 208)),
            layers.BatchNormalization(),
            layers.LSTM(units, return_sequences=True, **arguments),
            layers.LSTM(units, **arguments),
            layers.BatchNormalization(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


def digits(*hidden: int) -> keras.Sequential:
    """784 pixels, hidden layers, ten classes."""
    dense = [layers.Dense(units, activation="relu") for units in hidden]
    return keras.Sequential([layers.Input((784,)), *dense, layers.Dense(10, activation="softmax")])


@pytest.mark.parametrize(
    ("model", "all_of_them", "trainable"),
    [
        (lambda: digits(128), 101_770, 101_770),
        (lambda: digits(512), 407_050, 407_050),
        (lambda: faults(512, recurrent_initializer="zeros"), 3_692_610, 3_690_278),
        (lambda: subscribers(512, recurrent_initializer="zeros"), 3_579_201, 3_577_761),
    ],
)
def test_the_parameters_of_the_texts(model: Any, all_of_them: int, trainable: int) -> None:
    made = model()
    assert made.count_params() == all_of_them
    assert sum(int(np.prod(weight.shape)) for weight in made.trainable_weights) == trainable


def test_the_digits() -> None:
    same(unsettled(digits(128)), numbers(784))


def test_the_subscribers_run_by_the_lstm_operator() -> None:
    exported = same(unsettled(subscribers(24)), numbers(12, 208))
    model = onnx.load_from_string(exported)
    operators = [node.op_type for node in model.graph.node]
    assert operators.count("LSTM") == 2
    assert "Loop" not in operators
    assert operators.count("Transpose") == 1  # between two recurrent layers nothing is turned and turned back
    assert (model.ir_version, [(o.domain, o.version) for o in model.opset_import]) == (10, [("", 21)])
    assert [d.dim_param or d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim] == ["rows", 12, 208]
    check_network(exported)


def test_the_base_network_of_the_faults() -> None:
    same(unsettled(faults(8)), numbers(60, 132))


def test_a_convolutional_network() -> None:
    model = keras.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(8, 3, activation="relu", padding="same"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Conv2D(8, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    same(unsettled(model), numbers(28, 28, 1) * 100)


def test_an_auto_encoder_by_convolutions() -> None:
    model = keras.Sequential(
        [
            layers.Input((8, 8, 2)),
            layers.Conv2D(4, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2D(2, 3, padding="same"),
        ]
    )
    same(unsettled(model), numbers(8, 8, 2))


def test_several_inputs_with_embeddings_and_two_outputs() -> None:
    category, amounts = layers.Input((2,), dtype="int32"), layers.Input((3,))
    first = layers.Embedding(5, 4)(category[..., 0])
    second = layers.Embedding(5, 2)(category[:, 1])
    joined = layers.Concatenate()([first, second, amounts])
    hidden = layers.Dense(8, activation="relu")(joined)
    model = keras.Model([category, amounts], [layers.Dense(3, activation="softmax")(hidden), layers.Dense(1)(hidden)])
    same(unsettled(model), ids(2, most=5), numbers(3))


def test_a_siamese_network_shares_its_weights() -> None:
    tower = keras.Sequential([layers.Input((6, 5)), layers.LSTM(4), layers.UnitNormalization()])
    left, right = layers.Input((6, 5)), layers.Input((6, 5))
    distance = ops.sum(ops.square(tower(left) - tower(right)), axis=-1, keepdims=True)
    model = keras.Model([left, right], layers.Dense(1, activation="sigmoid")(distance))
    exported = same(unsettled(model), numbers(6, 5), numbers(6, 5, seed=1))
    sizes = [tuple(tensor.dims) for tensor in onnx.load_from_string(exported).graph.initializer]
    assert sizes.count((1, 16, 5)) == 1


def test_recurrent_layers_hand_their_states_on() -> None:
    entered = layers.Input((6, 5))
    sequence, hidden, cell = layers.LSTM(4, return_sequences=True, return_state=True)(entered)
    decoded = layers.LSTM(4)(sequence, initial_state=[hidden, cell])
    last, state = layers.GRU(4, return_state=True)(entered, initial_state=hidden)
    same(unsettled(keras.Model(entered, [decoded, last, state])), numbers(6, 5))


@pytest.mark.parametrize("merge", ["concat", "sum", "ave", "mul", None])
def test_both_directions(merge: str | None) -> None:
    entered = layers.Input((6, 5))
    sequences = layers.Bidirectional(layers.LSTM(4, return_sequences=True), merge_mode=merge)(entered)
    last = layers.Bidirectional(layers.GRU(4, return_state=True))(entered)
    same(unsettled(keras.Model(entered, [*(sequences if merge is None else [sequences]), *last])), numbers(6, 5))


def test_a_layer_at_each_time() -> None:
    picture = keras.Sequential([layers.Input((6, 6, 1)), layers.Conv2D(3, 3), layers.Flatten()])
    entered = layers.Input((4, 6, 6, 1))
    features = layers.TimeDistributed(picture)(entered)
    dense = layers.TimeDistributed(layers.Dense(2, activation="tanh"))(features)
    same(unsettled(keras.Model(entered, layers.TimeDistributed(layers.Reshape((2, 1)))(dense))), numbers(4, 6, 6, 1))


@pytest.mark.parametrize("causal", [False, True])
def test_attention(causal: bool) -> None:
    entered, other = layers.Input((5, 6)), layers.Input((5, 4))
    seen = layers.MultiHeadAttention(2, 3)(entered, entered, use_causal_mask=causal)
    mixed = layers.LayerNormalization()(layers.Add()([entered, seen]))
    crossed = layers.MultiHeadAttention(2, 3, use_bias=False, output_shape=8)(mixed, other)
    same(unsettled(keras.Model([entered, other], crossed)), numbers(5, 6), numbers(5, 4, seed=1))


def test_values_that_meet() -> None:
    one, two = layers.Input((4, 3)), layers.Input((4, 3))
    kinds = [layers.Add, layers.Average, layers.Maximum, layers.Minimum, layers.Multiply]
    merged = [kind()([one, two, one]) for kind in kinds] + [layers.Subtract()([one, two])]
    dots = [layers.Dot(axes=2)([one, two]), layers.Dot(axes=1, normalize=True)([one, two])]
    flat = [layers.Dot(axes=-1, normalize=True)([one[:, 0], two[:, 1]]), layers.Dot(axes=(2, 1))([one, two[:, 1]])]
    model = keras.Model([one, two], [*merged, *dots, *flat, layers.Concatenate(axis=1)([one, two])])
    same(model, numbers(4, 3), numbers(4, 3, seed=1))


def test_functions_in_a_graph() -> None:
    x = layers.Input((4, 6))
    results = [
        ops.mean(x, axis=1),
        ops.max(x, axis=(1, 2), keepdims=True),
        ops.abs(x - 0.5) / 2.0 + ops.exp(-x),
        ops.maximum(x, 0.0) ** 2,
        ops.sqrt(ops.square(x) + 1),
        ops.concatenate([x, x * 2], axis=-1),
        ops.stack([x, x], axis=1),
        ops.transpose(x, (0, 2, 1)),
        ops.reshape(x, (-1, 24)),
        ops.expand_dims(x, 1),
        ops.squeeze(x[:, :, :1], -1),
        ops.normalize(x, axis=-1),
        x[:, -1],
        x[:, ::-1, 1:3],
        x[:, 1, None, ..., ::2],
        ops.matmul(x, ops.transpose(x, (0, 2, 1))),
        ops.softmax(x, axis=1),
        ops.leaky_relu(x, 0.3),
        keras.activations.relu(x, max_value=0.5),
        ops.tanh(x) * ops.sigmoid(x) * np.arange(6, dtype=np.float32),
        ops.cast(ops.cast(x * 3, "int32"), "float32"),
    ]
    same(keras.Model(x, results), numbers(4, 6))


def test_whole_numbers_become_others_where_keras_computes() -> None:
    model = keras.Sequential([layers.Input((4,), dtype="int32"), layers.Dense(3), layers.ReLU()])
    same(unsettled(model), ids(4, most=9))


def test_an_embedding_behind_an_input_of_another_type() -> None:
    model = unsettled(keras.Sequential([layers.Input((4,)), layers.Embedding(9, 3), layers.Flatten()]))
    exported = same(model, ids(4, most=9))
    assert [node.op_type for node in onnx.load_from_string(exported).graph.node][-3:] == [
        "Gather",
        "Flatten",
        "Identity",
    ]


def test_standardised_values_are_scaled_back() -> None:
    model = unsettled(keras.Sequential([layers.Input((4,)), layers.Dense(1)]))
    x = numbers(4)
    exported = export_keras(model, [StepInput("table", (4,))], ["value"], scale=(3.0, -1.0))
    (answer,) = onnxruntime.InferenceSession(exported).run(["value"], {"table": x})
    np.testing.assert_allclose(answer, np.asarray(model(x)) * 3 - 1, atol=1e-5)


def test_weights_of_mixed_precision_are_exported_in_float32() -> None:
    policy = keras.dtype_policies.DTypePolicy("mixed_bfloat16")
    model = keras.Sequential(
        [
            layers.Input((6, 5)),
            layers.LSTM(4, dtype=policy),
            layers.BatchNormalization(dtype=policy),
            layers.Dense(3, activation="softmax"),
        ]
    )
    same(unsettled(model), numbers(6, 5), tolerance=0.02)


class Dense(layers.Dense):
    """Bears the name of Keras's layer, and computes something else."""

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return super().call(inputs) * 2


class Straight(keras.Model):
    """A model that has no graph."""

    def call(self, inputs: Any) -> Any:
        return inputs


REPLACE = "; use another layer, or `pip install no_such_package`, with which Keras exports more of them"


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (layers.GroupNormalization(2, name="gn"), (4,), 'layer "gn" (GroupNormalization): it has no map to ONNX'),
        (Dense(3, name="mine"), (4,), 'layer "mine" (Dense): it has no map to ONNX'),
        (
            layers.Dense(3, activation="sparsemax", name="d"),
            (4,),
            'layer "d" (Dense): activation sparsemax has no map to ONNX',
        ),
        (
            layers.LSTM(3, activation="gelu", name="l"),
            (4, 2),
            'layer "l" (LSTM): activation gelu has no map inside a recurrent layer',
        ),
        (
            layers.Embedding(3, 2, mask_zero=True, name="e"),
            (4,),
            'layer "e" (Embedding): mask_zero has no map to ONNX; leave it off and give the padding an embedding of its'
            " own",
        ),
    ],
)
def test_what_has_no_map_is_named(layer: Any, shape: tuple[int, ...], message: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(native, "PACKAGE", "no_such_package")
    with pytest.raises(UseCaseError) as refused:
        export_keras(keras.Sequential([layers.Input(shape), layer]), [StepInput("x", shape)], ["y"])
    assert str(refused.value) == f"model: {message}{REPLACE}"


def test_keras_exports_what_has_no_map() -> None:
    pytest.importorskip("jax2onnx", reason="Keras's own export needs jax2onnx")
    model = keras.Sequential([layers.Input((6, 4)), layers.GroupNormalization(2), layers.LSTM(3), layers.Dense(2)])
    check_network(same(unsettled(model), numbers(6, 4)))


def test_a_model_without_a_graph() -> None:
    with pytest.raises(UseCaseError) as refused:
        export_keras(Straight(name="straight"), [StepInput("x", (4,))], ["y"])
    assert str(refused.value) == (
        'model: network "straight" has no graph of layers; expected keras.Sequential with an Input layer,'
        " or keras.Model(inputs, outputs)"
    )


def test_inputs_that_do_not_fit() -> None:
    model = keras.Sequential([layers.Input((4,)), layers.Dense(1)])
    with pytest.raises(UseCaseError) as refused:
        export_keras(model, [StepInput("table", (5,))], ["y"])
    assert str(refused.value) == 'model: the network takes (4,) a record for input "table", found (5,)'
    with pytest.raises(UseCaseError) as refused:
        export_keras(model, inputs_of([numbers(4), numbers(4)]), ["y"])
    assert str(refused.value) == "model: the network has 1 inputs and 1 outputs, expected 2 and 1"
