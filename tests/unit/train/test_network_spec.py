"""A network is judged without Keras: every mistake is named with its place."""

from __future__ import annotations

import subprocess
import sys

import pytest

from afield.train.networks.spec import Network

SOUND = [{"dense": {"units": 8, "activation": "relu"}}, {"dense": {"units": "classes", "activation": "softmax"}}]


def problems(layers: list[object]) -> list[tuple[tuple[str | int, ...], str]]:
    return [(problem.path, problem.message) for problem in Network.model_validate(layers).lint()]


def test_a_sound_network() -> None:
    assert problems(SOUND) == []


@pytest.mark.parametrize(
    ("layers", "path", "message"),
    [
        ([{"desne": {"units": 8}}, SOUND[1]], (0, "desne"), 'Keras has no layer "desne"; did you mean "dense"?'),
        (
            [{"dense": {"unit": 8}}, SOUND[1]],
            (0, "dense", "unit"),
            'layer "dense" has no argument "unit"; did you mean "units"?',
        ),
        ([{"dense": {}}, SOUND[1]], (0, "dense"), 'layer "dense" needs the argument "units"'),
        (
            [{"dense": {"units": 0}}, SOUND[1]],
            (0, "dense", "units"),
            'expected a whole number of at least 1, or "classes", found 0',
        ),
        (
            [SOUND[0], {"dropout": {"rate": 1.0}}, SOUND[1]],
            (1, "dropout", "rate"),
            "expected a number from 0 to below 1, found 1.0",
        ),
        (
            [{"dense": {"units": 8, "activation": "rleu"}}, SOUND[1]],
            (0, "dense", "activation"),
            "expected the name of an activation; did you mean \"relu\"?, found 'rleu'",
        ),
        (
            [{"dense": {"units": 8, "use_bias": "yes"}}, SOUND[1]],
            (0, "dense", "use_bias"),
            "expected true or false, found 'yes'",
        ),
        (
            [{"dropout": {"rate": 0.1}}, SOUND[1]],
            (0, "dropout"),
            'the first layer on text must be "dense", found "dropout"',
        ),
        (
            [SOUND[0], {"dense": {"units": "classes"}}],
            (1, "dense"),
            "the last layer must give one probability a class: `dense: {units: classes, activation: softmax}`",
        ),
        (
            [SOUND[0] | {"dropout": {"rate": 0.1}}, SOUND[1]],
            (0,),
            "expected one layer, found 2 keys; write each layer as its own `- name: {...}`",
        ),
    ],
)
def test_a_mistake(layers: list[object], path: tuple[str | int, ...], message: str) -> None:
    assert (path, message) in problems(layers)


def test_what_cannot_be_exported_is_said_before_training() -> None:
    ((path, message),) = problems([SOUND[0], {"unit_normalization": {}}, SOUND[1]])
    assert path == (1, "unit_normalization")
    assert message.startswith('layer "unit_normalization" cannot be exported from one vector a record; expected one of')


def test_judging_needs_no_keras() -> None:
    code = (
        "import sys; from afield.train.networks.spec import Network; "
        f"Network.model_validate({SOUND!r}).lint(); print('keras' in sys.modules, 'jax' in sys.modules)"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed == "False False\n"
