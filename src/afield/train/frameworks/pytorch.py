"""PyTorch modules: a plain loop with early stopping, exported by PyTorch's own exporter."""

from __future__ import annotations

import copy
import math
import time
from typing import Any

import numpy as np

from afield.bundle.manifest import Input
from afield.errors import DataError, StateError, UseCaseError
from afield.preprocess.base import Features
from afield.preprocess.rows import dense
from afield.report.model import Epoch, LayerRow
from afield.train.base import Examples, Parity, Task, Watcher
from afield.train.frameworks.base import Whole, made
from afield.train.frameworks.spec import Torch

BLOCK = 1024
"""Rows a call, where nothing is trained."""


class TorchTrainer(Whole):
    """Trains a module: the optimizer, batch size, epochs and early stopping of the use case.

    The module is made by `Net(inputs, outputs)`: the shapes of what enters (one shape, or a list of several) and the
    number of outputs. It gives logits, which are turned into probabilities here, or values.

    Args:
        spec: file and class.
        task: what it is to learn.
    """

    def __init__(self, spec: Torch, task: Task) -> None:
        self._spec = spec
        self._task = task

    def fit(self, training: Examples, validation: Examples, watcher: Watcher) -> TrainedModule:
        """Fits on the training examples; early stopping looks at the validation examples alone.

        Raises:
            StateError: PyTorch is not installed.
            UseCaseError: the person's code fails, or the optimizer is none of PyTorch's.
            DataError: the loss is no longer a number.
        """
        try:
            import torch
        except ImportError:
            raise StateError("model.torch: PyTorch is not installed here: run `pip install torch`") from None
        task, train = self._task, self._task.train
        torch.manual_seed(train.seed)
        shapes = [one.shape for one in task.inputs]
        outputs = len(task.classes) if task.kind in ("classify", "tag") else 1
        given = {"inputs": shapes[0] if len(shapes) == 1 else shapes, "outputs": outputs}
        module = made(task.folder, self._spec.file, self._spec.name, given | self._spec.arguments)
        if not isinstance(module, torch.nn.Module):
            raise UseCaseError(f"model.torch: {self._spec.source} is not a torch.nn.Module")
        device = "cuda" if train.device != "cpu" and torch.cuda.is_available() else "cpu"
        module.to(device)
        started = time.perf_counter()
        loop = _Loop(torch, module, task, device)
        history, stopped = loop.run(training, validation, watcher)
        module.to("cpu").eval()
        return TrainedModule(torch, module, task, history, stopped, time.perf_counter() - started)


class _Loop:
    def __init__(self, torch: Any, module: Any, task: Task, device: str) -> None:
        self._torch, self._module, self._task, self._device = torch, module, task, device
        functional = torch.nn.functional
        losses = {
            "classify": functional.cross_entropy,
            "tag": functional.binary_cross_entropy_with_logits,
            "regress": functional.l1_loss if task.train.loss == "mean_absolute_error" else functional.mse_loss,
        }
        if task.kind not in losses:
            raise UseCaseError(f"model.torch: does not answer `kind: {task.kind}`; write a network")
        self._loss = losses[task.kind]
        ((name, arguments),) = task.train.optimizer.items()
        kinds = {spelling.lower(): spelling for spelling in dir(torch.optim)}
        if name not in kinds:
            raise UseCaseError(f"train.optimizer: PyTorch has no '{name}'")
        spelt = {"learning_rate": "lr", "epsilon": "eps"}
        given = {spelt.get(key, key): value for key, value in arguments.items()}
        try:
            self._optimizer = getattr(torch.optim, kinds[name])(module.parameters(), **given)
        except TypeError as refused:
            raise UseCaseError(f"train.optimizer: PyTorch refuses {name}: {refused}") from None

    def run(self, training: Examples, validation: Examples, watcher: Watcher) -> tuple[list[Epoch], str]:
        train = self._task.train
        patience = train.early_stopping.patience if train.early_stopping else None
        inputs, targets = self._tensors(training)
        others = self._tensors(validation) if len(validation.targets) else None
        history: list[Epoch] = []
        best, best_epoch, kept = math.inf, 0, None
        for number in range(1, train.epochs + 1):
            started = time.perf_counter()
            watcher.stage(f"epoch {number}/{train.epochs}", len(targets))
            order = np.random.default_rng([train.seed, number]).permutation(len(targets))
            loss = self._epoch(inputs, targets, order, watcher)
            if not math.isfinite(loss):
                raise DataError(
                    f"epoch {number}: the loss is {loss}, no longer a number; lower train.optimizer's learning_rate"
                )
            validated = self._measured(*others) if others else None
            rate = float(self._optimizer.param_groups[0]["lr"])
            seconds = time.perf_counter() - started
            epoch = Epoch(epoch=number, loss=loss, validation_loss=validated, learning_rate=rate, seconds=seconds)
            history.append(epoch)
            watcher.epoch(epoch)
            value = loss if validated is None else validated
            if value < best:
                best, best_epoch = value, number
                kept = copy.deepcopy(self._module.state_dict()) if patience is not None else None
            elif patience is not None and number - best_epoch >= patience:
                self._module.load_state_dict(kept)
                return history, (
                    f"no better validation loss for {patience} epochs; the weights of epoch {best_epoch} are kept"
                )
        if kept is not None:
            self._module.load_state_dict(kept)
        return history, f"all {train.epochs} epochs done"

    def _epoch(self, inputs: list[Any], targets: Any, order: np.ndarray, watcher: Watcher) -> float:
        self._module.train()
        total = 0.0
        for start in range(0, len(order), self._task.train.batch_size):
            rows = self._torch.from_numpy(order[start : start + self._task.train.batch_size]).to(self._device)
            self._optimizer.zero_grad(set_to_none=True)
            loss = self._loss(self._called([value[rows] for value in inputs]), targets[rows])
            loss.backward()
            self._optimizer.step()
            total += float(loss.detach()) * len(rows)
            watcher.advance(len(rows))
        return total / len(order)

    def _measured(self, inputs: list[Any], targets: Any) -> float:
        self._module.eval()
        total = 0.0
        with self._torch.no_grad():
            for start in range(0, len(targets), BLOCK):
                some = slice(start, start + BLOCK)
                total += float(self._loss(self._called([v[some] for v in inputs]), targets[some])) * len(targets[some])
        return total / len(targets)

    def _called(self, inputs: list[Any]) -> Any:
        answer = self._module(*inputs)
        return answer[..., 0] if self._task.kind == "regress" and answer.ndim == 2 else answer

    def _tensors(self, examples: Examples) -> tuple[list[Any], Any]:
        inputs = [
            self._torch.from_numpy(np.ascontiguousarray(dense(v))).to(self._device) for v in examples.features.values()
        ]
        targets = self._torch.from_numpy(examples.targets).to(self._device)
        return inputs, targets.long() if self._task.kind == "classify" else targets.float()


class TrainedModule:
    """A trained module.

    Args:
        torch: PyTorch.
        module: on the CPU, in evaluation mode.
        task: what it learned.
        history: of its epochs.
        stopped: why training ended.
        seconds: it took.
    """

    def __init__(self, torch: Any, module: Any, task: Task, history: list[Epoch], stopped: str, seconds: float) -> None:
        self._torch = torch
        self._module = _answering(torch, module, task.kind)
        self._task = task
        self.history = history
        self.stopped = stopped
        self.seconds = seconds
        self.vectors = False
        self.parity = Parity()

    def predict(self, features: Features) -> np.ndarray:
        """Probabilities or values, as the exported model gives them."""
        values = [dense(value) for value in features.values()]
        answers = [np.zeros((0, max(len(self._task.classes), 1)), np.float32)]
        with self._torch.no_grad():
            for start in range(0, len(values[0]), BLOCK):
                rows = [self._torch.from_numpy(np.ascontiguousarray(v[start : start + BLOCK])) for v in values]
                answers.append(self._module(*rows).numpy())
        return np.concatenate(answers)

    def export_onnx(self) -> bytes:
        """The module as an ONNX model."""
        from afield.train.export.pytorch import export_torch

        examples = [
            self._torch.zeros((2, *one.shape), dtype=getattr(self._torch, one.dtype)) for one in self._task.inputs
        ]
        return export_torch(self._module, examples, [one.feature for one in self._task.inputs], "answers")

    def fed(self) -> list[Input]:
        """Each feature as it is, sparse rows written out."""
        return [
            Input(
                name=one.feature,
                dtype=one.dtype,
                feature="" if one.sparse else one.feature,
                form="joined" if one.sparse else "dense",
            )
            for one in self._task.inputs
        ]

    def layers(self) -> list[LayerRow]:
        """One row a module that has no other inside."""
        inner: Any = self._module.inner
        return [
            LayerRow(
                layer=type(layer).__name__,
                name=name,
                output_shape="",
                parameters=sum(parameter.numel() for parameter in layer.parameters()),
            )
            for name, layer in inner.named_modules()
            if not list(layer.children())
        ]


def _answering(torch: Any, module: Any, kind: str) -> Any:
    """The module with what turns its logits into probabilities."""

    class Answering(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = module

        def forward(self, *inputs: Any) -> Any:
            answer = self.inner(*inputs)
            if kind == "classify":
                return torch.softmax(answer, dim=-1)
            return torch.sigmoid(answer) if kind == "tag" else answer.reshape(-1, 1)

    return Answering().eval()
