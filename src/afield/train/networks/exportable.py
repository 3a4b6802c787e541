"""Arguments with which a layer cannot be exported, found without Keras; the layers themselves stand in `catalogue`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

RECURRENT = frozenset({"gru", "lstm", "simple_rnn"})
CARRYING = RECURRENT | frozenset(
    {
        "activation",
        "alpha_dropout",
        "batch_normalization",
        "dense",
        "dropout",
        "embedding",
        "gaussian_dropout",
        "gaussian_noise",
        "identity",
        "layer_normalization",
        "relu",
        "softmax",
        "spatial_dropout1d",
    }
)
"""Layers of a network that writes: what they answer at a place depends on that place and a state alone."""
RECURRENT_ACTIVATIONS = frozenset(
    {"elu", "hard_sigmoid", "leaky_relu", "linear", "relu", "sigmoid", "softplus", "softsign", "tanh"}
)
"""Activations that ONNX's recurrent operators know."""


def unexportable(name: str, arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each argument of a layer that stands in the way of its export, and what to do.

    Args:
        name: of the layer, in snake case.
        arguments: as in the use case.

    Yields:
        The argument and the message.
    """
    given = {argument: value for argument, value in arguments.items() if value is not None}
    if name in RECURRENT:
        for argument in ("activation", "recurrent_activation"):
            if given.get(argument, "tanh") not in RECURRENT_ACTIVATIONS:
                known = ", ".join(sorted(RECURRENT_ACTIVATIONS))
                message = f'activation "{given[argument]}" cannot be exported inside {name}; expected one of {known}'
                yield argument, message
        if given.get("stateful"):
            yield "stateful", "a state kept between batches cannot be exported; leave stateful off"
    if name == "embedding" and given.get("mask_zero"):
        yield "mask_zero", "a mask cannot be exported; leave mask_zero off and give the padding a number of its own"
    if name == "up_sampling2d" and given.get("interpolation", "nearest") not in ("nearest", "bilinear"):
        yield "interpolation", f"expected nearest or bilinear, which can be exported, found {given['interpolation']!r}"
    if name == "softmax" and not isinstance(given.get("axis", -1), int):
        yield "axis", f"softmax can be exported over one axis, found {given['axis']!r}"
    if name in ("layer_normalization", "rms_normalization") and not _last(name, given.get("axis", -1)):
        yield "axis", f"the normalisation can be exported over the last axes alone, as -1; found {given['axis']!r}"
    if name in ("conv1d_transpose", "conv2d_transpose"):
        if "output_padding" in given:
            yield "output_padding", "output_padding cannot be exported; leave it off"
        if given.get("dilation_rate", 1) not in (1, [1], [1, 1]):
            yield "dilation_rate", "dilation cannot be exported here; leave dilation_rate off"
    if name == "normalization" and not {"mean", "variance"} <= set(given):
        yield "mean", "mean and variance must be given; to learn them use batch_normalization"


def uncarried(name: str, arguments: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """What stands in the way of a network that writes one character at a time, and what to do.

    Args:
        name: of the layer, in snake case.
        arguments: as in the use case.

    Yields:
        Where it stands in the layer, and the message.
    """
    if name not in CARRYING:
        known = ", ".join(sorted(CARRYING))
        yield (), f'layer "{name}" looks at several characters at once; a text is written with {known}'
    if name in RECURRENT:
        if arguments.get("return_sequences") is not True:
            yield (), f'layer "{name}" must answer at every character; add `return_sequences: true`'
        for argument in ("go_backwards", "return_state"):
            if arguments.get(argument):
                yield (
                    (argument,),
                    f'layer "{name}" must read forwards and keep its state to itself; leave {argument} off',
                )


def _last(name: str, axis: Any) -> bool:
    axes = sorted(axis) if isinstance(axis, list) else [axis]
    longest = len(axes) if name == "layer_normalization" else 1
    return axes == list(range(-longest, 0))
