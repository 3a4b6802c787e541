"""A network is judged without Keras: every mistake is named with its place."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cases import use_case

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
            'expected a whole number of at least 1, "classes", "inputs" or "columns", found 0',
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
            [{"lstm": {"units": 3, "activation": []}}, SOUND[1]],
            (0, "lstm", "activation"),
            "expected the name of an activation, found []",
        ),
        (
            [{"layer_normalization": {"axis": ["a", 1]}}, SOUND[1]],
            (0, "layer_normalization", "axis"),
            "expected a number, found ['a', 1]",
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


def in_case(layers: list[object], kind: str, *steps: str) -> list[tuple[tuple[str | int, ...], str]]:
    case = use_case({"kind": kind}, list(steps))
    return [(problem.path, problem.message) for problem in Network.model_validate(layers).lint_in(case, Path())]


LAST = {
    "classify": "one probability a class: `dense: {units: classes, activation: softmax}`",
    "tag": "one probability a tag: `dense: {units: classes, activation: sigmoid}`",
    "regress": "one value: `dense: {units: 1}`",
    "abnormal": "what entered the first: `dense: {units: inputs}`, or at each step of a window"
    " `dense: {units: columns}`",
    "write": "one probability a character: `dense: {units: classes, activation: softmax}`",
}
FITTING = {
    "classify": [{"units": "classes", "activation": "softmax"}, {"units": 1, "activation": "sigmoid"}],
    "tag": [{"units": "classes", "activation": "sigmoid"}],
    "regress": [{"units": 1}],
    "abnormal": [{"units": "inputs"}, {"units": "inputs", "activation": "sigmoid"}, {"units": "columns"}],
    "write": [{"units": "classes", "activation": "softmax"}],
}


@pytest.mark.parametrize("kind", LAST)
def test_a_last_layer_that_cannot_answer(kind: str) -> None:
    for last in ({"dense": {"units": "classes", "activation": "tanh"}}, {"dropout": {"rate": 0.5}}):
        (name,) = last
        assert in_case([SOUND[0], last], kind, "table") == [((1, name), f"the last layer must give {LAST[kind]}")]


def test_questions_that_a_list_of_layers_does_not_answer() -> None:
    group = "a network does not answer `kind: group`; write `groups: {layers: [...]}`"
    assert in_case(SOUND, "group", "table") == [((), group)]
    text = "a network gives back numbers, not text; for `kind: abnormal` take `sklearn: IsolationForest`"
    assert in_case([SOUND[0], {"dense": {"units": "inputs"}}], "abnormal", "text") == [((), text)]


@pytest.mark.parametrize("kind", FITTING)
def test_a_last_layer_that_answers(kind: str) -> None:
    for arguments in FITTING[kind]:
        assert in_case([SOUND[0], {"dense": arguments}], kind, "table") == []
        assert problems([SOUND[0], {"dense": arguments}]) == []


def test_the_first_layer_on_text_alone() -> None:
    dropped = [{"dropout": {"rate": 0.1}}, SOUND[1]]
    message = 'the first layer on text must be "dense", found "dropout"'
    assert in_case(dropped, "classify", "text") == [((0, "dropout"), message)]
    assert in_case(dropped, "classify", "table") == in_case(dropped, "classify", "text", "table") == []
    frozen = [{"dense": {"units": 8, "trainable": False}}, SOUND[1]]
    assert in_case(frozen, "classify", "text") == [((0, "dense", "trainable"), "the first layer must be trainable")]


def test_a_layer_that_is_not_known_is_said_once() -> None:
    assert in_case([SOUND[0], {"desne": {}}], "classify", "text") == []


def test_what_cannot_be_exported_is_said_before_training() -> None:
    ((path, message),) = problems([SOUND[0], {"masking": {}}, SOUND[1]])
    assert path == (1, "masking")
    assert message.startswith('layer "masking" cannot be exported; expected one of activation, ')
    assert problems([{"embedding": {"input_dim": 9, "output_dim": 2, "mask_zero": True}}, SOUND[1]]) == [
        (
            (0, "embedding", "mask_zero"),
            "a mask cannot be exported; leave mask_zero off and give the padding a number of its own",
        )
    ]


def test_judging_needs_no_keras() -> None:
    code = (
        "import sys; from afield.train.networks.spec import Network; "
        f"Network.model_validate({SOUND!r}).lint(); print('keras' in sys.modules, 'jax' in sys.modules)"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed == "False False\n"
