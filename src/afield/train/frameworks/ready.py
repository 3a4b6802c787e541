"""A model that was trained elsewhere: its ONNX file is judged and packed as it is."""

from __future__ import annotations

from math import prod

import numpy as np
import onnx

from afield.bundle.manifest import Input
from afield.bundle.onnx_guard import check_network
from afield.errors import BundleError, UseCaseError
from afield.preprocess.base import Features
from afield.report.model import Epoch, LayerRow
from afield.runtime.session import Session
from afield.train.base import Examples, Parity, Task, Watcher
from afield.train.frameworks.base import Whole
from afield.train.frameworks.spec import Onnx


class ReadyTrainer(Whole):
    """Takes a ready model.

    Args:
        spec: the file.
        task: what it should have learned.
    """

    def __init__(self, spec: Onnx, task: Task) -> None:
        self._spec = spec
        self._task = task

    def fit(self, training: Examples, validation: Examples, watcher: Watcher) -> Ready:
        """Reads the file; nothing is trained.

        Raises:
            UseCaseError: it is not there, cannot be trusted, or does not fit what enters it.
        """
        path = self._task.folder / self._spec.file
        try:
            content = path.read_bytes()
            check_network(content)
        except OSError as missing:
            raise UseCaseError(f"model.onnx: {path}: cannot be read: {missing.strerror}") from None
        except BundleError as refused:
            raise UseCaseError(f"model.onnx: {path}: {refused}") from None
        return Ready(content, self._fed(content, str(path)), str(path))

    def _fed(self, content: bytes, where: str) -> list[Input]:
        graph = onnx.load_from_string(content).graph
        stored = {constant.name for constant in graph.initializer}
        inputs = [value for value in graph.input if value.name not in stored]
        entering = self._task.inputs
        if len(inputs) == 1 and len(inputs[0].type.tensor_type.shape.dim) == 2 and len(entering[0].shape) > 1:
            return [Input(name=inputs[0].name, dtype="float32", feature="", form="joined")]
        if len(inputs) != len(entering):
            raise UseCaseError(
                f"model.onnx: {where}: has {len(inputs)} inputs, the preprocessing gives {len(entering)}"
            )
        fed: list[Input] = []
        for value, one in zip(inputs, entering, strict=True):
            sizes = [size.dim_value for size in value.type.tensor_type.shape.dim[1:]]
            if all(sizes) and prod(sizes) != prod(one.shape):
                raise UseCaseError(
                    f"model.onnx: {where}: input '{value.name}' takes {sizes}, the feature '{one.feature}' is"
                    f" {list(one.shape)}"
                )
            fed.append(
                Input(
                    name=value.name,
                    dtype=one.dtype,
                    feature="" if one.sparse else one.feature,
                    form="joined" if one.sparse else "dense",
                )
            )
        return fed


class Ready:
    """A ready model.

    Args:
        content: the ONNX file.
        fed: how it is fed.
        where: its path.
    """

    def __init__(self, content: bytes, fed: list[Input], where: str) -> None:
        self._content = content
        self._fed = fed
        self._where = where
        self._session = Session(content, fed, where)
        self.seconds = 0.0

    vectors = False
    parity = Parity()

    @property
    def history(self) -> list[Epoch]:
        """It was trained elsewhere."""
        return []

    @property
    def stopped(self) -> str:
        """Where it came from."""
        return f"taken as it is from {self._where}"

    def predict(self, features: Features) -> np.ndarray:
        """What it computes."""
        return self._session.answer(features)

    def export_onnx(self) -> bytes:
        """The file."""
        return self._content

    def fed(self) -> list[Input]:
        """How it is fed."""
        return self._fed

    def layers(self) -> list[LayerRow]:
        """Not known."""
        return []
