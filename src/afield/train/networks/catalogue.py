"""What Keras offers, read from a committed list, so that a network is judged without Keras."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Any

EXPORTED_LAYERS = frozenset(
    {
        "activation",
        "activity_regularization",
        "alpha_dropout",
        "average_pooling1d",
        "average_pooling2d",
        "batch_normalization",
        "conv1d",
        "conv1d_transpose",
        "conv2d",
        "conv2d_transpose",
        "cropping1d",
        "cropping2d",
        "dense",
        "depthwise_conv1d",
        "depthwise_conv2d",
        "dropout",
        "einsum_dense",
        "elu",
        "embedding",
        "flatten",
        "gaussian_dropout",
        "gaussian_noise",
        "global_average_pooling1d",
        "global_average_pooling2d",
        "global_max_pooling1d",
        "global_max_pooling2d",
        "gru",
        "identity",
        "layer_normalization",
        "leaky_relu",
        "lstm",
        "max_pooling1d",
        "max_pooling2d",
        "normalization",
        "permute",
        "prelu",
        "random_brightness",
        "random_contrast",
        "random_flip",
        "random_rotation",
        "random_translation",
        "random_zoom",
        "relu",
        "repeat_vector",
        "rescaling",
        "reshape",
        "rms_normalization",
        "separable_conv1d",
        "separable_conv2d",
        "simple_rnn",
        "softmax",
        "spatial_dropout1d",
        "spatial_dropout2d",
        "unit_normalization",
        "up_sampling1d",
        "up_sampling2d",
        "zero_padding1d",
        "zero_padding2d",
    }
)
"""Layers of a list of layers that have a map to ONNX operators in `train/export`."""

EXPORTED_ACTIVATIONS = frozenset(
    {
        "celu",
        "elu",
        "exponential",
        "gelu",
        "hard_shrink",
        "hard_sigmoid",
        "hard_silu",
        "hard_swish",
        "hard_tanh",
        "leaky_relu",
        "linear",
        "log_sigmoid",
        "log_softmax",
        "mish",
        "relu",
        "relu6",
        "selu",
        "sigmoid",
        "silu",
        "soft_shrink",
        "softmax",
        "softplus",
        "softsign",
        "squareplus",
        "swish",
        "tanh",
        "tanh_shrink",
    }
)
"""Activations that have a map to ONNX operators."""


@cache
def catalogue() -> dict[str, Any]:
    """Layers (with their arguments) and activations of Keras, by the name they have in a use case."""
    return json.loads(resources.files("afield.train.networks").joinpath("keras.json").read_text())


def nearest(name: str, known: Iterable[str]) -> str:
    """` (did you mean "..."?)` where a known name is near, else nothing."""
    found = difflib.get_close_matches(name, list(known), n=1)
    return f'; did you mean "{found[0]}"?' if found else ""


def judge(value: Any, kind: str) -> str | None:
    """What was expected, where a value is not of the kind; None where it is."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match kind:
        case "units":
            good = value in ("classes", "inputs", "columns") or (
                isinstance(value, int) and not isinstance(value, bool) and value >= 1
            )
            return None if good else 'a whole number of at least 1, "classes", "inputs" or "columns"'
        case "positive":
            values = value if isinstance(value, list) else [value]
            good = all(isinstance(v, int) and not isinstance(v, bool) and v >= 1 for v in values)
            return None if good else "a whole number of at least 1"
        case "rate":
            return None if number and 0 <= value < 1 else "a number from 0 to below 1"
        case "number":
            return None if number or value is None else "a number"
        case "boolean":
            return None if isinstance(value, bool) else "true or false"
        case "activation":
            known = catalogue()["activations"]
            good = value is None or value in known
            return None if good else f"the name of an activation{nearest(str(value), known)}"
        case _:
            return None
