"""Layers that move values without computing, and layers that act in training alone."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from afield.train.export.graph import Graph, NoMapError, Value


def nothing(graph: Graph, layer: Any, x: Value) -> str:
    """Layers that act in training alone."""
    return x.name


def flatten(graph: Graph, layer: Any, x: Value) -> str:
    """Layer Flatten."""
    rank = len(x.shape)
    name = x.name
    if layer.data_format == "channels_first" and rank > 2:
        name = graph.transpose(name, 0, *range(2, rank), 1)
    return graph.add("Flatten", name, axis=1)


def reshape(graph: Graph, layer: Any, x: Value) -> str:
    """Layer Reshape."""
    return reshaped(graph, x.name, layer.target_shape)


def reshaped(graph: Graph, name: str, sizes: Any) -> str:
    """A value whose axes after the rows have other sizes; one of them may be -1 or None."""
    return graph.add("Reshape", name, graph.whole(0, *(-1 if size is None else size for size in sizes)))


def permute(graph: Graph, layer: Any, x: Value) -> str:
    """Layer Permute."""
    return graph.transpose(x.name, 0, *layer.dims)


def repeat_vector(graph: Graph, layer: Any, x: Value) -> str:
    """Layer RepeatVector."""
    return graph.add("Expand", graph.add("Unsqueeze", x.name, graph.whole(1)), graph.whole(1, layer.n, 1))


def zero_padding(graph: Graph, layer: Any, x: Value) -> str:
    """Layers ZeroPadding1D and ZeroPadding2D."""
    around = _around(layer, x, layer.padding)
    pads = graph.whole(*(before for before, _ in around), *(after for _, after in around))
    return graph.add("Pad", x.name, pads)


def cropping(graph: Graph, layer: Any, x: Value) -> str:
    """Layers Cropping1D and Cropping2D."""
    around = _around(layer, x, layer.cropping)
    to_the_end = np.iinfo(np.int64).max
    starts = graph.whole(*(before for before, _ in around))
    ends = graph.whole(*(-after if after else to_the_end for _, after in around))
    return graph.add("Slice", x.name, starts, ends)


def _around(layer: Any, x: Value, given: Any) -> list[tuple[int, int]]:
    """What is added or cut before and after, an axis."""
    each = [tuple(given)] if isinstance(given[0], int) else [tuple(pair) for pair in given]
    if getattr(layer, "data_format", "channels_last") == "channels_first":
        return [(0, 0), (0, 0), *each]
    if len(each) + 2 != len(x.shape):
        raise NoMapError(f"expected {len(each) + 2} axes, found {len(x.shape)}")
    return [(0, 0), *each, (0, 0)]


MAPS: dict[Any, Any] = {
    keras.layers.Cropping1D: cropping,
    keras.layers.Cropping2D: cropping,
    keras.layers.Flatten: flatten,
    keras.layers.Permute: permute,
    keras.layers.RepeatVector: repeat_vector,
    keras.layers.Reshape: reshape,
    keras.layers.ZeroPadding1D: zero_padding,
    keras.layers.ZeroPadding2D: zero_padding,
} | dict.fromkeys(
    [
        keras.layers.ActivityRegularization,
        keras.layers.AlphaDropout,
        keras.layers.Dropout,
        keras.layers.GaussianDropout,
        keras.layers.GaussianNoise,
        keras.layers.Identity,
        keras.layers.RandomBrightness,
        keras.layers.RandomContrast,
        keras.layers.RandomFlip,
        keras.layers.RandomRotation,
        keras.layers.RandomTranslation,
        keras.layers.RandomZoom,
        keras.layers.SpatialDropout1D,
        keras.layers.SpatialDropout2D,
    ],
    nothing,
)
