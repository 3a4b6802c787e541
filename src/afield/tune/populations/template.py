"""The one network that stands for all members of a population, as wide as the widest of them everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from afield.errors import UseCaseError
from afield.train.compiled.building import build
from afield.train.compiled.steps import ModelState, variables
from afield.tune.populations.agreement import ELEMENTWISE, WIDTHS, OpaqueNetworkError, agreement, graph, schedule
from afield.tune.populations.varied import MaskedActivation, Settings, VariedDropout
from afield.tune.populations.widths import Axis, layout


class Template:
    """A copy of the first member in which what varies is read from `settings`.

    Args:
        models: the members, which agree; their variables are read, and never changed.
        batch: structure (x, y, weights) of the shapes of a batch.
    """

    def __init__(self, models: Sequence[keras.Model], batch: Any) -> None:
        graphs = [graph(model) for model in models]
        self.settings = Settings()
        self._models = models
        self._layout = layout(graphs, models[0].optimizer)
        self._layers = list(zip(*(graph.operations for graph in graphs), strict=True))
        copies = [self._copy(place, layers[0]) for place, layers in enumerate(self._layers)]
        self.model = _compiled(models[0], _connected(graphs[0], copies))
        build(self.model, batch)
        self._places = {id(v): (p, n) for p, copy in enumerate(copies) for n, v in enumerate(_variables(copy))}
        self._counting = {id(v) for copy in copies for v in _variables(copy)[len(copy.weights) :]}
        self._counting.add(id(self.model.optimizer.iterations))

    def state(self) -> tuple[ModelState, ModelState]:
        """What the members start from, and which of it has an axis of members: 0, or None where it is the same for all.

        A random state that is the same is drawn from once for all, and a step is counted once.
        """
        network = self.model
        kinds = [
            [self._held(v) for v in kind] for kind in (network.trainable_variables, network.non_trainable_variables)
        ]
        kinds.append([self._gathered(place, v) for place, v in enumerate(network.optimizer.variables)])
        counted = [id(v) in self._counting for kind in variables(network)[:3] for v in kind]
        values = [value for kind in kinds for value in kind]
        same = [counts and bool((value == value[0]).all()) for counts, value in zip(counted, values, strict=True)]
        return (
            _like(kinds, [value[0] if alike else value for alike, value in zip(same, values, strict=True)]),
            _like(kinds, [None if alike else 0 for alike in same]),
        )

    def varied(self) -> dict[str, np.ndarray]:
        """What the members differ in, by the names under which the network reads it: [M, ...] each."""
        found: dict[str, np.ndarray] = {}
        for place, layers in enumerate(self._layers):
            if _drops(layers):
                found[f"keep/{place}"] = np.array([1.0 - layer.rate for layer in layers], np.float32)
                axis = self._layout.dropouts.get(place)
                if axis is not None:
                    found |= {f"rank/{place}": axis.ranks(), f"length/{place}": axis.lengths()}
        found |= {f"mask/{place}": axis.masks() for place, axis in self._layout.masked.items()}
        decays = [model.optimizer.weight_decay for model in self._models]
        if type(self._models[0].optimizer) in ELEMENTWISE and decays[0] is not None:
            found["weight_decay"] = np.array(decays, np.float32)
        schedules = [schedule(model.optimizer) for model in self._models]
        if isinstance(schedules[0], keras.optimizers.schedules.CosineDecay):
            found["initial_learning_rate"] = np.array([one.initial_learning_rate for one in schedules], np.float32)
        return found

    def weights(self, member: int, state: ModelState) -> list[np.ndarray]:
        """The weights of a member, in the order of its model's.

        Args:
            member: its number.
            state: its own.
        """
        held = {self._places[key]: value for key, value in _final(self.model, state).items()}
        narrow = {
            id(weight): _cut(held[place, number], self._layout.weights.get((place, number)), member)
            for place, layers in enumerate(self._layers)
            for number, weight in enumerate(layers[member].weights)
        }
        return [narrow[id(weight)] for weight in self._models[member].weights]

    def _copy(self, place: int, layer: Any) -> Any:
        if _drops(self._layers[place]):
            return VariedDropout(layer, self.settings, str(place))
        config = layer.get_config()
        if place in self._layout.widths:
            config[WIDTHS[type(layer)]] = self._layout.widths[place]
        copy = type(layer).from_config(config)
        if place in self._layout.masked:
            copy.activation = MaskedActivation(copy.activation, self.settings, str(place))
        return copy

    def _held(self, variable: Any) -> np.ndarray:
        """What the members hold for a variable of the network, padded: [M, ...]."""
        place, number = self._places[id(variable)]
        axes = self._layout.weights.get((place, number))
        held = [_variables(layer) for layer in self._layers[place]]
        # A dropout of rate 0 draws nothing: any seed will do, best one that another has too.
        drawn = next(variables[number] for variables in held if number < len(variables))
        mine = [variables[number] if number < len(variables) else drawn for variables in held]
        return np.stack([_padded(np.asarray(v.value), axes, member) for member, v in enumerate(mine)])

    def _gathered(self, place: int, variable: Any) -> np.ndarray:
        """What the members' optimizers hold for a variable: [M, ...]."""
        theirs = [model.optimizer.variables for model in self._models]
        # One that is not built has its step and its rate, and has gathered nothing.
        known = [one[place] if place < len(one) else variable for one in theirs]
        return np.stack([np.asarray(v.value) for v in known])


class Alone:
    """A network that shares its program with no other, in the place of a template.

    Args:
        model: the one member.
        batch: structure (x, y, weights) of the shapes of a batch.
    """

    def __init__(self, model: keras.Model, batch: Any) -> None:
        self.model = model
        self.settings = Settings()
        build(model, batch)

    def state(self) -> tuple[ModelState, ModelState]:
        """What it starts from, [1, ...], and 0 for each variable."""
        kinds = variables(self.model)[:3]
        values = [np.asarray(v.value)[None] for kind in kinds for v in kind]
        return _like(kinds, values), _like(kinds, [0] * len(values))

    def varied(self) -> dict[str, np.ndarray]:
        """Nothing."""
        return {}

    def weights(self, member: int, state: ModelState) -> list[np.ndarray]:
        """Its weights, in the order of the model's."""
        held = _final(self.model, state)
        return [held[id(weight)] for weight in self.model.weights]


def template_of(models: Sequence[keras.Model], batch: Any) -> Template | Alone:
    """The network that stands for the members of a group.

    Args:
        models: the members.
        batch: structure (x, y, weights) of the shapes of a batch.

    Raises:
        UseCaseError: they have nothing in common.
    """
    try:
        if len({agreement(model).form for model in models}) == 1:
            return Template(models, batch)
    except OpaqueNetworkError:
        if len(models) == 1:
            return Alone(models[0], batch)
    raise UseCaseError("models: cannot share one program; take those of one group that `grouped` gives")


def _final(model: keras.Model, state: ModelState) -> dict[int, Any]:
    """Id of a variable -> its value when training is over: the average, where the optimizer keeps one."""
    trainable, rest, gathered, _ = variables(model)
    held = {id(v): value for v, value in zip(gathered, state.optimizer, strict=True)}
    held |= {id(v): value for v, value in zip([*trainable, *rest], [*state.trainable, *state.rest], strict=True)}
    if model.optimizer.use_ema:
        averages: list[Any] = model.optimizer._model_variables_moving_average  # no public name leads here
        held |= {id(v): held[id(average)] for v, average in zip(trainable, averages, strict=True)}
    return {id(v): held[id(v)] for v in [*trainable, *rest]}


def _like(kinds: Any, values: Sequence[Any]) -> ModelState:
    left = iter(values)
    return ModelState(*(tuple(next(left) for _ in kind) for kind in kinds))


def _drops(layers: Sequence[Any]) -> bool:
    return type(layers[0]) is keras.layers.Dropout and any(layer.rate > 0 for layer in layers)


def _variables(layer: Any) -> list[Any]:
    """The weights of a layer, then the states of its random generators."""
    weights = {id(weight) for weight in layer.weights}
    return [*layer.weights, *(v for v in layer.variables if id(v) not in weights)]


def _connected(graph: Any, copies: list[Any]) -> keras.Model:
    """The copies of the layers of a graph, connected as they are."""
    by_id = {id(layer): copy for layer, copy in zip(graph.operations, copies, strict=True)}
    entering = keras.tree.map_structure(
        lambda tensor: keras.layers.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name), graph.input
    )
    return keras.Model(entering, graph._run_through_graph(entering, lambda layer: by_id[id(layer)]))


def _compiled(model: keras.Model, copy: keras.Model) -> keras.Model:
    config: dict[str, Any] = keras.saving.deserialize_keras_object(model.get_compile_config())
    copy.compile(**config)
    return copy


def _padded(narrow: np.ndarray, axes: tuple[Axis | None, ...] | None, member: int) -> np.ndarray:
    if axes is None:
        return narrow
    sizes = [size if axis is None else axis.size for axis, size in zip(axes, narrow.shape, strict=True)]
    padded = np.zeros(sizes, narrow.dtype)
    padded[_entries(axes, narrow.shape, member)] = narrow
    return padded


def _cut(padded: np.ndarray, axes: tuple[Axis | None, ...] | None, member: int) -> np.ndarray:
    return padded if axes is None else padded[_entries(axes, padded.shape, member)]


def _entries(axes: tuple[Axis | None, ...], shape: tuple[int, ...], member: int) -> Any:
    return np.ix_(*(np.arange(n) if a is None else a.places[member] for a, n in zip(axes, shape, strict=True)))
