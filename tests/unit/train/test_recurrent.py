"""LSTM and GRU layers on Afield's kernels against the same layers on Keras's own path."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from afield.train.compiled.recurrent import fast_recurrence, gru, hook, lstm

Arrays = list[Any]

LAYERS = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}
CASES: dict[str, tuple[tuple[int, int, int, int], dict[str, Any]]] = {
    "last": ((7, 4, 6, 3), {}),
    "backwards": ((3, 5, 2, 4), {"return_sequences": True, "go_backwards": True, "return_state": True}),
    "no bias": ((2, 9, 3, 5), {"use_bias": False, "return_sequences": True, "return_state": True}),
    "dropout": ((3, 5, 8, 4), {"dropout": 0.4, "return_sequences": True}),
    "smallest": ((1, 1, 1, 1), {"return_sequences": True}),
}
"""Batch, steps, features and units; options of the layer."""


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kernels that were run, in order."""
    run: list[str] = []

    def watched(name: str, kernel: Callable[..., Any]) -> Callable[..., Any]:
        def watch(*arguments: Any) -> Any:
            run.append(name)
            return kernel(*arguments)

        return watch

    monkeypatch.setattr(hook, "lstm", watched("lstm", lstm.lstm))
    monkeypatch.setattr(hook, "gru", watched("gru", gru.gru))
    return run


@pytest.fixture
def double() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def _layer(kind: str, units: int, features: int, **options: Any) -> keras.layers.Layer:
    layer = LAYERS[kind](units, seed=7, **options)
    layer.build((None, None, features))
    random = np.random.default_rng(3)
    # Keras starts biases at zero and one, where a wrong order of gates would not show.
    layer.set_weights([random.normal(size=w.shape) * 0.7 for w in layer.get_weights()])
    return layer


def _outputs_and_gradients(layer: Any, x: Any, states: Arrays, *, fast: bool) -> Arrays:
    """All outputs of a layer, then the gradients of a random sum of them by weights, inputs and first states."""
    rest = [v.value for v in layer.non_trainable_variables]

    def run(weights: Arrays, x: Any, states: Arrays) -> tuple[Any, Arrays]:
        more = {"initial_state": states} if states else {}
        answers, _ = layer.stateless_call(weights, rest, x, training=True, **more)
        answers = list(answers) if isinstance(answers, (list, tuple)) else [answers]
        random = np.random.default_rng(5)
        return sum((a * random.normal(size=a.shape).astype(a.dtype)).sum() for a in answers), answers

    with fast_recurrence() if fast else nullcontext():
        weights = [v.value for v in layer.trainable_variables]
        (_, answers), gradients = jax.jit(jax.value_and_grad(run, (0, 1, 2), has_aux=True))(weights, x, states)
    return [*answers, *jax.tree.leaves(gradients)]


def _problem(kind: str, shape: tuple[int, ...], dtype: str = "float32") -> tuple[Any, Arrays]:
    batch, steps, features, units = shape
    random = np.random.default_rng(1)
    states = [random.normal(size=(batch, units)).astype(dtype) for _ in range(2 if kind == "lstm" else 1)]
    return random.normal(size=(batch, steps, features)).astype(dtype), states


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", LAYERS)
def test_outputs_and_gradients_are_those_of_keras(kind: str, case: str, calls: list[str]) -> None:
    shape, options = CASES[case]
    layer = _layer(kind, shape[3], shape[2], **options)
    x, states = _problem(kind, shape)
    expected = _outputs_and_gradients(layer, x, states, fast=False)
    assert calls == []
    found = _outputs_and_gradients(layer, x, states, fast=True)
    assert calls == [kind]
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.usefixtures("double")
def test_outputs_and_gradients_in_float64(kind: str, calls: list[str]) -> None:
    # Keras's own tanh rounds to float32 on JAX, whatever comes in.
    layer = _layer(kind, 4, 3, activation=jnp.tanh, return_sequences=True, return_state=True, dtype="float64")
    x, states = _problem(kind, (3, 6, 3, 4), "float64")
    expected = _outputs_and_gradients(layer, x, states, fast=False)
    found = _outputs_and_gradients(layer, x, states, fast=True)
    assert calls == [kind]
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.dtype == jnp.float64
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("run", "shapes"),
    [
        (lstm.lstm, [(4, 2, 12), (2, 3), (2, 3), (3, 12)]),
        (gru.gru, [(4, 2, 9), (2, 3), (3, 9), (9,)]),
    ],
    ids=LAYERS,
)
@pytest.mark.usefixtures("double")
def test_gradients_against_differences(run: Callable[..., Arrays], shapes: list[tuple[int, ...]]) -> None:
    random = np.random.default_rng(2)
    arguments = [jnp.asarray(random.normal(size=shape)) for shape in shapes]

    @jax.jit
    def loss(*arguments: Any) -> Any:
        return sum((answer**3).sum() for answer in run(*arguments))

    gradients = jax.jit(jax.grad(loss, range(len(arguments))))(*arguments)
    width = 1e-3
    for place, gradient in enumerate(gradients):
        way = random.normal(size=gradient.shape)
        way /= np.linalg.norm(way)

        def along(steps: int, place: int = place, way: Any = way) -> Any:
            return loss(*(a + steps * width * way if i == place else a for i, a in enumerate(arguments)))

        # Seven points: what is left falls with the sixth power of the width.
        slope = 45 * (along(1) - along(-1)) - 9 * (along(2) - along(-2)) + along(3) - along(-3)
        np.testing.assert_allclose((gradient * way).sum(), slope / (60 * width), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", LAYERS)
def test_losses_of_20_steps_are_those_of_keras(kind: str, calls: list[str]) -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(20, 8, 6, 5)).astype(np.float32), random.integers(0, 2, (20, 8, 1))

    def losses(fast: bool) -> list[float]:
        keras.utils.set_random_seed(11)
        layers = [
            LAYERS[kind](16, return_sequences=True, dropout=0.2),
            LAYERS[kind](16),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
        model = keras.Sequential([keras.Input((6, 5)), *layers])
        model.compile(optimizer=keras.optimizers.Adam(0.01), loss="binary_crossentropy")
        with fast_recurrence() if fast else nullcontext():
            return [float(model.train_on_batch(x[i], y[i])) for i in range(20)]

    expected = losses(fast=False)
    found = losses(fast=True)
    assert set(calls) == {kind}
    assert len(set(expected)) == 20
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("kind", LAYERS)
def test_bidirectional_runs_both_ways_on_the_kernels(kind: str, calls: list[str]) -> None:
    layer = keras.layers.Bidirectional(LAYERS[kind](3, return_sequences=True))
    x = np.random.default_rng(0).normal(size=(2, 5, 4)).astype(np.float32)
    expected = layer(x)
    with fast_recurrence():
        found = layer(x)
    assert calls == [kind, kind]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", LAYERS)
def test_a_stateful_layer_carries_its_state_on(kind: str, calls: list[str]) -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    answers: dict[bool, Arrays] = {}
    for fast in (False, True):
        keras.utils.set_random_seed(3)
        layer = LAYERS[kind](5, stateful=True)
        with fast_recurrence() if fast else nullcontext():
            answers[fast] = [layer(x), layer(x)]
    assert calls == [kind, kind]
    np.testing.assert_allclose(answers[True], answers[False], rtol=1e-5, atol=1e-6)
    assert not np.allclose(answers[True][0], answers[True][1])


@pytest.mark.parametrize("kind", LAYERS)
def test_mixed_precision_is_cast_like_keras(kind: str, calls: list[str]) -> None:
    # Inside a model: a layer alone casts its weights only where it is called, not in `stateless_call`.
    model = keras.Sequential([keras.Input((6, 8)), _layer(kind, 16, 8, return_sequences=True, dtype="mixed_bfloat16")])
    x, _ = _problem(kind, (4, 6, 8, 16))
    expected = _outputs_and_gradients(model, x, [], fast=False)
    found = _outputs_and_gradients(model, x, [], fast=True)
    assert calls == [kind]
    assert found[0].dtype == expected[0].dtype == jnp.bfloat16
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.dtype == theirs.dtype
        ours, theirs = ours.astype(np.float32), theirs.astype(np.float32)
        assert np.linalg.norm(ours - theirs) < 0.03 * np.linalg.norm(theirs)
