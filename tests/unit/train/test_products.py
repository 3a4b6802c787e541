"""The gradient of a narrow dense layer in another layout is the same gradient."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from keras.src import backend as keras_backend

from afield.train.compiled import products
from afield.train.compiled.products import narrow_products, product


def test_gradient_in_float64() -> None:
    random = np.random.default_rng(0)
    inputs, kernel, along = (random.normal(size=shape) for shape in ((7, 5), (5, 3), (7, 3)))
    with jax.enable_x64(True):
        of_inputs, of_kernel = jax.grad(lambda a, w: (product(a, w) * along).sum(), argnums=(0, 1))(inputs, kernel)
        twice = jax.grad(lambda w: jax.grad(lambda v: (product(inputs, v) ** 2).sum())(w).sum())(kernel)
    np.testing.assert_allclose(of_inputs, along @ kernel.T, atol=1e-9)
    np.testing.assert_allclose(of_kernel, inputs.T @ along, atol=1e-9)
    np.testing.assert_allclose(twice, (2 * inputs.T @ inputs) @ np.ones((5, 3)), atol=1e-9)


def test_which_products_are_led_another_way(monkeypatch: pytest.MonkeyPatch) -> None:
    led: list[tuple[int, ...]] = []
    monkeypatch.setattr(products, "product", lambda a, w: led.append((*a.shape, w.shape[1])) or jnp.matmul(a, w))
    ones = keras.ops.ones
    with narrow_products():
        keras.ops.matmul(ones((128, 512)), ones((512, 10)))
        keras.ops.matmul(ones((128, 512)), ones((512, 300)))  # wide
        keras.ops.matmul(ones((8, 16)), ones((16, 3)))  # not worth it
        keras.ops.matmul(ones((2, 128, 512)), ones((512, 10)))
        keras.ops.matmul(ones((128, 512), "bfloat16"), ones((512, 10), "bfloat16"))
    keras.ops.matmul(ones((128, 512)), ones((512, 10)))
    assert led == [(128, 512, 10)]


def test_what_was_there_is_put_back() -> None:
    theirs = keras_backend.numpy.matmul
    with narrow_products():
        assert keras_backend.numpy.matmul is not theirs
    assert keras_backend.numpy.matmul is theirs


def test_a_network_agrees_with_keras_over_20_steps() -> None:
    import afield

    def make() -> keras.Model:
        keras.utils.set_random_seed(1)
        layers = [keras.layers.Input((300,)), keras.layers.Dense(256, activation="relu"), keras.layers.Dense(10)]
        model = keras.Sequential(layers)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.05), loss)
        return model

    random = np.random.default_rng(0)
    x, y = random.normal(size=(20 * 128, 300)).astype(np.float32), random.integers(0, 10, 20 * 128)
    settings: dict[str, Any] = {"batch_size": 128, "shuffle": False, "verbose": 0}
    ours, theirs = make(), make()
    one, other = afield.fit(ours, x, y, **settings), theirs.fit(x, y, **settings)
    assert one.history["loss"] == pytest.approx(other.history["loss"], rel=1e-5)
    for left, right in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(left, right, atol=1e-5)
