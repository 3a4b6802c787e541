"""What `afield.fit` says of arguments that do not fit."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import jax
import keras
import numpy as np
import pyarrow as pa
import pytest
from keras_models import TABLE

import afield
from afield.errors import StateError, UseCaseError
from afield.train.compiled.steps import Steps

X, Y, _ = TABLE["dense"].arrays()


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return TABLE["dense"].make()


@pytest.fixture(scope="module")
def two() -> keras.Model:
    return TABLE["two inputs"].make()


def said(*arguments: Any, **more: Any) -> str:
    with pytest.raises(UseCaseError) as raised:
        afield.fit(*arguments, verbose=0, **more)
    return str(raised.value)


def test_the_model() -> None:
    plain = keras.Sequential([keras.layers.Dense(1)])
    assert said(plain, X, Y) == "model: not compiled; call model.compile(optimizer=..., loss=...) before afield.fit"
    assert said("model.keras", X, Y) == "model: expected a keras.Model, found str"


def test_lengths(model: keras.Model, two: keras.Model) -> None:
    assert said(model, X, Y[:40]) == "y: expected 43 rows, as in x, found 40"
    assert said(model, X, Y, sample_weight=np.ones(3)) == "sample_weight: expected 43 rows, as in x, found 3"
    assert said(model, X, Y, validation_data=(X, Y[:9])) == "validation_data: y: expected 43 rows, as in x, found 9"
    left = {"left": np.ones((5, 4)), "right": np.ones((6, 3))}
    assert said(two, left, np.ones(5)) == "x['right']: expected 5 rows, as in x, found 6"
    assert said(model, X[:0], Y[:0]) == "x: expected at least one row, found none"


def test_shapes(model: keras.Model, two: keras.Model) -> None:
    name = model.inputs[0].name
    assert said(model, X[:, :4], Y) == f"x: the model's input '{name}' takes rows of shape (6), found (4)"
    assert said(model, X, Y, validation_data=(X[:, :, None][:, :3], Y)) == (
        f"validation_data: x: the model's input '{name}' takes rows of shape (6), found (3, 1)"
    )
    assert said(two, np.ones((5, 4)), np.ones(5)) == "x: the model has 2 inputs (left, right), found 1"
    assert said(two, {"left": np.ones((5, 4)), "wrong": np.ones((5, 3)), "more": np.ones(5)}, np.ones(5)) == (
        "x: the model has an input 'right', found left, wrong, more"
    )


def test_a_step_that_keras_refuses_names_the_shapes(model: keras.Model) -> None:
    message = said(model, X, np.zeros((43, 2, 5)))
    assert message.startswith("the model cannot take a step on x (32, 6), y (32, 2, 5): ")


def test_kinds_of_data(model: keras.Model) -> None:
    assert said(model) == "x: expected data, found None"
    assert said(model, X.astype(str), Y) == (
        f"x: expected numbers, found {X.astype(str).dtype}; turn text and dates into numbers first"
    )
    assert said(model, pa.table({"a": [1.0]}), "b") == "y: there is no column 'b'; there are a"
    assert said(model, iter([(X, Y)]), Y) == "y: must be a part of what x gives: pieces of (x, y) or (x, y, weights)"
    assert said(model, X, Y, validation_data=(X,)) == (
        "validation_data: expected (x, y) or (x, y, weights), found 1 values"
    )


def test_arguments_that_exclude_each_other(model: keras.Model) -> None:
    assert said(model, X, Y, class_weight={0: 1.0}, sample_weight=np.ones(43)) == (
        "class_weight: cannot be given with sample_weight; multiply them into sample_weight"
    )
    assert said(model, iter([(X, Y)]), validation_split=0.5) == (
        "validation_split: needs x as arrays; pass validation_data for data in pieces"
    )
    assert said(model, X, Y, validation_split=1.5) == (
        "validation_split: 1.5 of 43 rows leaves no row on one of the two sides"
    )


def test_too_little_memory(model: keras.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 17 bytes.\nmore")

    monkeypatch.setattr(Steps, "train", full)
    before = model.get_weights()
    with pytest.raises(StateError) as raised:
        afield.fit(model, X, Y, verbose=0)
    assert str(raised.value) == (
        "epoch 1: the device has too little memory (RESOURCE_EXHAUSTED: Out of memory allocating 17 bytes.); lower"
        " batch_size, or pass the data in pieces as afield.Chunks or an Arrow dataset; the model keeps the weights from"
        " before the epoch"
    )
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


def python(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_another_backend() -> None:
    code = """
import afield
from afield.errors import StateError
try:
    afield.fit(None)
except StateError as error:
    print(error)
"""
    assert python(code, KERAS_BACKEND="numpy").strip() == (
        "KERAS_BACKEND is 'numpy': Afield trains on Keras's JAX backend; unset it or set it to 'jax'"
    )


def test_importing_afield_is_light_and_sets_the_backend() -> None:
    code = "import os, sys, afield; print(os.environ['KERAS_BACKEND'], {'keras', 'jax', 'numpy'} & set(sys.modules))"
    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "jax set()"


def test_two_devices_share_each_batch() -> None:
    code = """
import afield, jax, keras, numpy as np
assert len(jax.devices()) == 2
x, y = np.random.default_rng(0).normal(size=(50, 6)), np.arange(50) % 3
def make():
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Input((6,)), keras.layers.Dense(8), keras.layers.BatchNormalization(),
              keras.layers.Dropout(0.2), keras.layers.Dense(3, activation="softmax")]
    model = keras.Sequential(layers)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model
ours, theirs = make(), make()
settings = dict(batch_size=16, epochs=2, shuffle=False, verbose=0, validation_data=(x, y))
one = afield.fit(ours, x, y, **settings).history
other = theirs.fit(x, y, **settings).history
for name in other:
    np.testing.assert_allclose(one[name], other[name], rtol=1e-5)
ours.predict(x, verbose=0)
ours.fit(x, y, verbose=0)
steps = ours._afield_steps[1]
from afield.train.compiled.fitting.source import Arrays
from afield.train.compiled.fitting.spread import Spread
from afield.train.compiled.steps import read
spread = Spread.over_devices()
run = spread.run(next(Arrays((x, y), 16, whole=True).epoch(0)))
state, metrics = spread.everywhere(steps.copy(read(ours)))
text = steps._train.lower(state, metrics, run.data, run.order, 0, 1).compile().as_text()
print("all-reduce" in text, "f32[8,6]" in text)
"""
    found = python(code, XLA_FLAGS="--xla_force_host_platform_device_count=2", KERAS_BACKEND="jax")
    assert found.strip() == "True True"
