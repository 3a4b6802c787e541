"""When Keras's layers are led to the kernels, and when they are left alone."""

from __future__ import annotations

import threading
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from keras.src import backend as keras_backend

from afield.train.compiled.recurrent import fast_recurrence, hook

LAYERS = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}


@pytest.fixture(autouse=True)
def never(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Kernels that note that they were run, and answer nothing of use."""
    run: list[str] = []

    def lstm(projected: Any, h: Any, c: Any, kernel: Any) -> Any:
        run.append("lstm")
        return jnp.zeros((*projected.shape[:2], h.shape[1]), h.dtype), h, c

    def gru(projected: Any, h: Any, kernel: Any, bias: Any) -> Any:
        run.append("gru")
        return jnp.zeros((*projected.shape[:2], h.shape[1]), h.dtype), h

    monkeypatch.setattr(hook, "lstm", lstm)
    monkeypatch.setattr(hook, "gru", gru)
    return run


@pytest.fixture
def x() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(2, 5, 4)).astype(np.float32)


UNCOVERED: dict[str, dict[str, Any]] = {
    "unroll": {"unroll": True},
    "recurrent dropout": {"recurrent_dropout": 0.5},
    "activation": {"activation": "relu"},
    "recurrent activation": {"recurrent_activation": "hard_sigmoid"},
    "asked to stay": {"use_cudnn": False},
}


@pytest.mark.parametrize("options", UNCOVERED.values(), ids=UNCOVERED)
@pytest.mark.parametrize("kind", LAYERS)
def test_what_is_not_covered_stays_with_keras(
    kind: str, options: dict[str, Any], x: np.ndarray, never: list[str]
) -> None:
    layer = LAYERS[kind](3, return_sequences=True, **options)
    expected = layer(x)
    with fast_recurrence():
        found = layer(x)
    assert never == []
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("kind", LAYERS)
def test_masked_steps_stay_with_keras(kind: str, x: np.ndarray, never: list[str]) -> None:
    layer, mask = LAYERS[kind](3), np.array([[1, 1, 0, 0, 0], [1, 1, 1, 1, 0]], bool)
    expected = layer(x, mask=mask)
    with fast_recurrence():
        found = layer(x, mask=mask)
    assert never == []
    np.testing.assert_array_equal(found, expected)


def test_a_reset_before_the_product_stays_with_keras(x: np.ndarray, never: list[str]) -> None:
    layer = keras.layers.GRU(3, reset_after=False)
    expected = layer(x)
    with fast_recurrence():
        found = layer(x)
    assert never == []
    np.testing.assert_array_equal(found, expected)


def test_keras_is_restored_at_the_end_and_after_an_error(x: np.ndarray, never: list[str]) -> None:
    before = keras_backend.lstm, keras_backend.gru
    layer = keras.layers.LSTM(3)

    def fail() -> None:
        with fast_recurrence():
            assert keras_backend.lstm is not before[0]
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        fail()
    assert (keras_backend.lstm, keras_backend.gru) == before
    layer(x)
    assert never == []


def test_nested_use_ends_with_the_outermost(x: np.ndarray, never: list[str]) -> None:
    layer = keras.layers.LSTM(3)
    with fast_recurrence():
        with fast_recurrence():
            pass
        layer(x)
    assert never == ["lstm"]


def test_another_thread_is_left_alone(x: np.ndarray, never: list[str]) -> None:
    layer = keras.layers.LSTM(3)
    expected = np.asarray(layer(x))
    answers: list[np.ndarray] = []
    with fast_recurrence():
        other = threading.Thread(target=lambda: answers.append(np.asarray(layer(x))))
        other.start()
        other.join()
    assert never == []
    np.testing.assert_array_equal(answers[0], expected)


@pytest.mark.parametrize(("dtype", "taken"), [("float32", "cuDNN"), ("bfloat16", "kernel")])
def test_a_gpu_runs_a_float32_lstm_by_cudnn(
    dtype: str, taken: str, x: np.ndarray, never: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = keras.layers.LSTM(3, dtype=dtype, go_backwards=True, recurrent_initializer="glorot_uniform")
    layer.build(x.shape)
    theirs: list[tuple[np.ndarray, bool]] = []

    def cudnn(inputs: Any, h: Any, c: Any, mask: Any, **options: Any) -> Any:
        theirs.append((np.asarray(inputs), options["go_backwards"]))
        return h, h[:, None], [h, c]

    monkeypatch.setattr(keras_backend, "lstm", cudnn)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    with jax.default_device(None), fast_recurrence():
        layer(x)
    if taken == "kernel":
        assert (never, theirs) == (["lstm"], [])
    else:
        assert never == []
        np.testing.assert_array_equal(theirs[0][0], x[:, ::-1])
        assert theirs[0][1] is False


def test_a_gpu_without_cudnn_takes_the_kernel(x: np.ndarray, never: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    layer = keras.layers.LSTM(3)
    layer.build(x.shape)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    monkeypatch.setattr("jax.experimental.rnn.lstm", None)
    with jax.default_device(None), fast_recurrence():
        layer(x)
    assert never == ["lstm"]


def test_a_picked_cpu_takes_the_kernel_where_there_is_a_gpu(
    x: np.ndarray, never: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = keras.layers.LSTM(3)
    layer.build(x.shape)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    with jax.default_device(jax.devices("cpu")[0]), fast_recurrence():
        layer(x)
    assert never == ["lstm"]
