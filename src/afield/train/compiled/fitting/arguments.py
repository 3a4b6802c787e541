"""The arguments of `afield.fit`: what they hold, and whether they fit each other and the model."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import keras
import numpy as np
import pyarrow.dataset as ds

from afield.errors import UseCaseError
from afield.preprocess.windows import Windows
from afield.train.compiled.fitting import arrow
from afield.train.compiled.fitting.arrow import entering
from afield.train.compiled.fitting.batches import Batches, of_dataset, standard
from afield.train.compiled.fitting.chunks import Chunks, ChunkSource
from afield.train.compiled.fitting.source import Arrays, Source, length, size
from afield.train.compiled.fitting.spread import devices

MEMORY_SHARE = 0.5
"""Share of the device's memory that data may fill; what is larger is moved there in pieces."""


def check_model(model: Any) -> None:
    """Whether it is a model that can be trained.

    Raises:
        UseCaseError: it is not.
    """
    if not isinstance(model, keras.Model):
        raise UseCaseError(f"model: expected a keras.Model, found {type(model).__name__}")
    if not model.compiled:
        raise UseCaseError("model: not compiled; call model.compile(optimizer=..., loss=...) before afield.fit")


def sources(
    model: keras.Model,
    data: tuple[Any, Any, Any],
    validation: Any,
    *,
    batch_size: int | None,
    validation_split: float,
    class_weight: dict[int, float] | None,
    shuffle: Any,
    seed: int | None,
    steps_per_epoch: int | None,
    validation_steps: int | None,
    validation_batch_size: int | None,
) -> tuple[Source, Source | None]:
    """What gives the steps of training and, where there is one, of validation.

    Args:
        model: compiled.
        data: (x, y, weights) as they were given.
        validation: `validation_data` as it was given.

    Raises:
        UseCaseError: an argument does not fit the model or another argument.
    """
    x, y, weights = data
    if class_weight is not None and weights is not None:
        raise UseCaseError("class_weight: cannot be given with sample_weight; multiply them into sample_weight")
    weigh = partial(_weighed, class_weight)
    seed = _seed(seed)
    given = _arrays(model, x, y, weights)
    if given is None:
        if validation_split and validation is None:
            raise UseCaseError("validation_split: needs x as arrays; pass validation_data for data in pieces")
        training = _pieces(model, x, y, weights, batch_size, shuffle, seed, steps_per_epoch, weigh)
    else:
        if validation_split and validation is None:
            given, validation = _split(given, validation_split)
        rows = length(given[0])
        if not batch_size:
            batch_size = -(-rows // steps_per_epoch) if steps_per_epoch else 32
        packed = keras.utils.pack_x_y_sample_weight(given[0], given[1], weigh(given[1], given[2]))
        batch = min(batch_size, rows)
        training = Arrays(packed, batch, shuffle, seed, steps_per_epoch, whole=size(packed) <= device_room())
    if validation is None:
        return training, None
    return training, _testing(model, validation, validation_batch_size or batch_size, validation_steps)


def _testing(model: keras.Model, given: Any, batch_size: int | None, steps: int | None) -> Source:
    x, y, weights = given, None, None
    if isinstance(given, tuple | list) and not hasattr(given, "__next__"):
        if not 2 <= len(given) <= 3:
            raise UseCaseError(f"validation_data: expected (x, y) or (x, y, weights), found {len(given)} values")
        x, y, weights = (*given, None)[:3]
    arrays = _arrays(model, x, y, weights, "validation_data: ")
    weigh = partial(_weighed, None)
    if arrays is None:
        return _pieces(model, x, y, weights, batch_size, False, 0, steps, weigh)
    packed = keras.utils.pack_x_y_sample_weight(arrays[0], arrays[1], weigh(arrays[1], arrays[2]))
    return Arrays(packed, min(batch_size or 32, length(packed)), steps=steps, whole=size(packed) <= device_room())


def _arrays(model: keras.Model, x: Any, y: Any, weights: Any, where: str = "") -> tuple[Any, Any, Any] | None:
    """(x, y, weights) as arrays of equal length; None where x comes in pieces."""
    if x is None:
        raise UseCaseError(f"{where}x: expected data, found None")
    if isinstance(x, Chunks | ds.Dataset | keras.utils.PyDataset):
        return None
    known = isinstance(x, list | tuple | dict | Windows) or hasattr(x, "__array__") or arrow.is_table(x)
    if hasattr(x, "__iter__") and not known:
        return None
    if arrow.is_table(x) and isinstance(y, str | list):
        x, y, weights = arrow.of_table(model, x, y, weights)
    parts = tuple(_structure(part, where + name) for part, name in ((x, "x"), (y, "y"), (weights, "sample_weight")))
    _check_lengths(parts, where)
    check_inputs(model, parts[0], where)
    return parts


def _structure(given: Any, where: str) -> Any:
    if given is None or isinstance(given, Windows):
        return given
    if isinstance(given, dict):
        return {name: _structure(part, f"{where}[{name!r}]") for name, part in given.items()}
    if isinstance(given, list | tuple) and any(hasattr(part, "__array__") for part in given):
        return [_structure(part, f"{where}[{i}]") for i, part in enumerate(given)]
    return arrow.as_array(given, where)


def _check_lengths(parts: tuple[Any, Any, Any], where: str) -> None:
    rows = length(parts[0])
    if not rows:
        raise UseCaseError(f"{where}x: expected at least one row, found none")
    for name, part in zip(("x", "y", "sample_weight"), parts, strict=True):
        leaves = jax.tree_util.tree_leaves_with_path(part, is_leaf=lambda leaf: isinstance(leaf, Windows))
        for path, leaf in leaves:
            if len(leaf) != rows:
                place = f"{where}{name}{jax.tree_util.keystr(path)}"
                raise UseCaseError(f"{place}: expected {rows} rows, as in x, found {len(leaf)}")


def check_inputs(model: keras.Model, x: Any, where: str = "") -> None:
    """Whether rows enter a model.

    Args:
        model: any; one whose inputs are not known yet takes everything.
        x: structure of arrays or windows.
        where: before the name of the argument, in the message of an error.

    Raises:
        UseCaseError: they do not.
    """
    inputs = entering(model)
    if inputs is None:
        return
    several = x if isinstance(x, list) else [x]
    found = x if isinstance(x, dict) else dict(zip((i.name for i in inputs), several, strict=False))
    count = len(x) if isinstance(x, dict | list) else 1
    names = ", ".join(i.name for i in inputs)
    if not isinstance(x, dict) and count != len(inputs):
        raise UseCaseError(f"{where}x: the model has {len(inputs)} inputs ({names}), found {count}")
    for one in inputs:
        if one.name not in found:
            if isinstance(x, dict) and len(x) == len(inputs):
                return  # a structure of the model's own, by other names than those of its tensors
            raise UseCaseError(f"{where}x: the model has an input {one.name!r}, found {', '.join(found)}")
        shape, expected = tuple(found[one.name].shape), tuple(one.shape[1:])
        shape = shape if isinstance(found[one.name], Windows) else shape[1:]
        if not _enters(shape, expected):
            raise UseCaseError(
                f"{where}x: the model's input {one.name!r} takes rows of shape {_shown(expected)},"
                f" found {_shown(shape)}"
            )


def _enters(shape: tuple[int, ...], expected: tuple[int | None, ...]) -> bool:
    # Keras adds or drops a last axis of one.
    if len(shape) == len(expected) + 1 and shape[-1] == 1:
        shape = shape[:-1]
    if len(expected) == len(shape) + 1 and expected[-1] == 1:
        expected = expected[:-1]
    return len(shape) == len(expected) and all(e in (None, s) for s, e in zip(shape, expected, strict=True))


def _shown(shape: tuple[int | None, ...]) -> str:
    return "(" + ", ".join("any" if size is None else str(size) for size in shape) + ")"


def _pieces(
    model: keras.Model,
    x: Any,
    y: Any,
    weights: Any,
    batch_size: int | None,
    shuffle: Any,
    seed: int,
    steps: int | None,
    weigh: Callable[[Any, Any], Any],
) -> Source:
    made = partial(standard, weigh=weigh)
    if isinstance(x, ds.Dataset):
        x, y, weights = arrow.of_dataset(model, x, y, weights), None, None
    for name, value in (("y", y), ("sample_weight", weights)):
        if value is not None:
            raise UseCaseError(f"{name}: must be a part of what x gives: pieces of (x, y) or (x, y, weights)")
    if isinstance(x, Chunks):
        return ChunkSource(x, batch_size or 32, bool(shuffle), seed, steps, made)
    if isinstance(x, keras.utils.PyDataset):
        begin = of_dataset(x, shuffle=bool(shuffle), seed=seed)
        return Batches(begin, lambda: x[0], steps or x.num_batches, made)
    known = len(x) if hasattr(x, "__len__") else None
    once = iter(x) is x
    return Batches(lambda _: x, None if once else lambda: next(iter(x)), steps or known, made)


def _split(given: tuple[Any, Any, Any], share: float) -> tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]:
    rows = length(given[0])
    at = int(np.floor(rows * (1.0 - share)))
    if not 0 < at < rows:
        raise UseCaseError(f"validation_split: {share} of {rows} rows leaves no row on one of the two sides")

    def part(rows: np.ndarray) -> Any:
        return jax.tree.map(
            lambda leaf: leaf.take(rows) if isinstance(leaf, Windows) else leaf[rows[0] : rows[-1] + 1],
            given,
            is_leaf=lambda leaf: isinstance(leaf, Windows),
        )

    return part(np.arange(at)), part(np.arange(at, rows))


def _weighed(class_weight: dict[int, float] | None, y: Any, weights: Any) -> Any:
    """The weights of the rows, as Keras makes them of those of the classes."""
    if class_weight is None:
        # One weight a row counts for each output.
        if weights is None or isinstance(weights, list | dict | tuple) or not isinstance(y, list | dict | tuple):
            return weights
        return jax.tree.map(lambda _: weights, y)
    if y is None or isinstance(y, list | dict | tuple):
        raise UseCaseError("class_weight: needs a model with one output, and y with its classes")
    if weights is not None:
        raise UseCaseError("class_weight: cannot be given together with weights of the rows")
    distinct, place = classes_of(y)
    values = [class_weight.get(number, 1.0) for number in distinct.tolist()]
    return np.array(values, keras.config.floatx())[place]


def classes_of(y: Any) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of the classes in y, int64[C] ascending, and which of them each row has, int64[N] or of y's shape.

    Args:
        y: numbers of the classes, [N] or [N, 1], or one-hot, [N, C].
    """
    classes = np.asarray(y)
    if classes.ndim > 1:
        classes = classes.argmax(axis=-1) if classes.shape[-1] != 1 else classes[..., 0]
    distinct, place = np.unique(np.round(classes).astype(np.int64), return_inverse=True)
    return distinct, place.reshape(classes.shape)


def _seed(seed: int | None) -> int:
    if seed is not None:
        return seed
    # Keras shuffles by NumPy's common generator, which `keras.utils.set_random_seed` seeds.
    return int(np.random.randint(2**31))


def device_room() -> int:
    """Bytes that the device may be filled with; the rest is for what comes and goes."""
    device = devices()[0]
    limit = (device.memory_stats() or {}).get("bytes_limit")
    return int(MEMORY_SHARE * (limit or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")))
