"""PyTorch by a plain loop, and the two libraries that write that loop: skorch and Lightning.

All three keep the rows as tensors on the device and take whole batches by index: the fastest form that each allows.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from peers.networks import EPSILON, RATE, Layer, Network
from peers.turns import Turns

ACTIVATIONS = {"relu": nn.ReLU, "linear": nn.Identity, "softmax": nn.Identity, "sigmoid": nn.Identity}
"""The last activation is a part of the loss."""


class Recurrent(nn.Module):
    """LSTM layers one above the other, of which the last may give its last step alone."""

    def __init__(self, inputs: int, units: int, layers: int, every: bool) -> None:
        super().__init__()
        self.lstm = nn.LSTM(inputs, units, layers, batch_first=True)
        self.every = every

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        steps, _ = self.lstm(x)
        return steps if self.every else steps[:, -1]


class Normalized(nn.Module):
    """Batch normalization of the last axis, with the constants of Keras."""

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(columns, eps=1e-3, momentum=0.01)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(x) if x.ndim == 2 else self.norm(x.flatten(0, 1)).reshape(x.shape)


def built(shape: tuple[int, ...], layers: tuple[Layer, ...]) -> nn.Module:
    """The network as a PyTorch module that gives logits; LSTM layers that follow each other are one."""
    made: list[nn.Module] = []
    columns, place = shape[-1], 0
    while place < len(layers):
        kind, *arguments = layers[place]
        if kind == "batch_norm":
            made.append(Normalized(columns))
        elif kind == "lstm":
            stacked = 1
            while layers[place][2] and layers[place + 1][:2] == (kind, arguments[0]):
                place, stacked = place + 1, stacked + 1
            made.append(Recurrent(columns, arguments[0], stacked, layers[place][2]))
            columns = arguments[0]
        else:
            made += [nn.Linear(columns, arguments[0]), ACTIVATIONS[arguments[1]]()]
            columns = arguments[0]
        place += 1
    return nn.Sequential(*made)


def _prepared(network: Network, device: str) -> tuple[nn.Module, torch.Tensor, torch.Tensor, nn.Module]:
    torch.manual_seed(1)
    x, y = network.data(1)
    answers = y[:, None].astype(np.float32) if network.binary else y.astype(np.int64)
    loss = nn.BCEWithLogitsLoss() if network.binary else nn.CrossEntropyLoss()
    module = built(network.shape, network.layers).to(device)
    return module, torch.from_numpy(x).to(device), torch.from_numpy(answers).to(device), loss


def _probabilities(module: nn.Module, network: Network, device: str) -> Callable[[np.ndarray], np.ndarray]:
    def answer(rows: np.ndarray) -> np.ndarray:
        module.to(device).eval()
        with torch.no_grad():
            logits = module(torch.from_numpy(rows).to(device))
            return (logits.sigmoid() if network.binary else logits.softmax(dim=1)).cpu().numpy()

    return answer


def plain(network: Network, turns: Turns, device: str, sync: Callable[[], object]) -> Callable:
    """The loop that people write, with the optimizer's fused form."""
    module, x, y, loss_of = _prepared(network, device)
    turns.begin()
    optimizer = torch.optim.Adam(module.parameters(), lr=RATE, eps=EPSILON, fused=True)
    on = True
    while on:
        order = torch.randperm(len(x), device=device)
        for rows in order.split(network.batch):
            optimizer.zero_grad(set_to_none=True)
            loss_of(module(x[rows]), y[rows]).backward()
            optimizer.step()
        sync()
        on = turns.ended()
    return _probabilities(module, network, device)


class Rows(torch.utils.data.Dataset):
    """Rows that a data loader takes a batch at a time."""

    def __init__(self, x: torch.Tensor, y: torch.Tensor) -> None:
        self.x, self.y = x, y

    def __len__(self) -> int:
        return len(self.x)

    def __getitems__(self, rows: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
        taken = torch.tensor(rows, device=self.x.device)
        return self.x[taken], self.y[taken]


def _as_it_is(batch: Any) -> Any:
    return batch


def skorch(network: Network, turns: Turns, device: str, sync: Callable[[], object]) -> Callable:
    """skorch's own loop, without its printed log and without a validation."""
    from skorch import NeuralNet
    from skorch.callbacks import Callback

    class Pause(Callback):
        def on_epoch_end(self, net: NeuralNet, **_: object) -> None:
            sync()
            if not turns.ended():
                raise KeyboardInterrupt  # skorch's way to end a training early

    module, x, y, loss_of = _prepared(network, device)
    net = NeuralNet(
        module,
        criterion=loss_of,
        optimizer=torch.optim.Adam,
        optimizer__eps=EPSILON,
        optimizer__fused=True,
        lr=RATE,
        batch_size=network.batch,
        max_epochs=1_000_000,
        iterator_train__shuffle=True,
        iterator_train__collate_fn=_as_it_is,
        train_split=None,
        callbacks=[("pause", Pause())],
        callbacks__print_log=None,
        verbose=0,
        device=device,
    )
    turns.begin()
    net.fit(Rows(x, y), None)
    return _probabilities(net.module_, network, device)


def lightning(network: Network, turns: Turns, device: str, sync: Callable[[], object]) -> Callable:
    """Lightning's trainer in its barebones mode: no logging, no checkpoints, no bar."""
    import lightning

    warnings.filterwarnings("ignore")
    module, x, y, loss_of = _prepared(network, device)

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.network = module

        def training_step(self, batch: Any, _: int) -> torch.Tensor:
            rows, answers = batch
            return loss_of(self.network(rows), answers)

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.parameters(), lr=RATE, eps=EPSILON, fused=True)

        def on_train_epoch_end(self) -> None:
            sync()
            self.trainer.should_stop = not turns.ended()

    trainer = lightning.Trainer(
        accelerator="gpu" if device == "cuda" else "cpu", devices=1, max_epochs=1_000_000, barebones=True
    )
    loader = torch.utils.data.DataLoader(Rows(x, y), network.batch, shuffle=True, collate_fn=_as_it_is)
    turns.begin()
    trainer.fit(Module(), loader)
    return _probabilities(module, network, device)


def one_row(shape: tuple[int, ...], layers: tuple[Layer, ...], row: np.ndarray) -> Callable[[], object]:
    """Answers one row, float32[1, *shape], in eager mode without gradients."""
    module = built(shape, layers).eval()
    last = torch.sigmoid if layers[-1][2] == "sigmoid" else lambda logits: logits.softmax(dim=1)

    def answer() -> np.ndarray:
        with torch.no_grad():
            return last(module(torch.from_numpy(row))).numpy()

    return answer


def one_sparse_row(width: int, layers: tuple[Layer, ...], ids: np.ndarray, weights: np.ndarray) -> Callable[[], object]:
    """The same where the first layer reads the few columns of a row that are not zero."""
    (_, units, activation), *rest = layers
    bag = nn.EmbeddingBag(width, units, mode="sum")
    bias = nn.Parameter(torch.zeros(units))
    after = nn.Sequential(ACTIVATIONS[activation](), built((units,), tuple(rest)))
    start = torch.zeros(1, dtype=torch.int64)

    def answer() -> np.ndarray:
        with torch.no_grad():
            entries = torch.from_numpy(ids), start
            return after(bag(*entries, per_sample_weights=torch.from_numpy(weights)) + bias).softmax(dim=1).numpy()

    return answer
