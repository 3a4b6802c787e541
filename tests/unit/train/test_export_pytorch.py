"""PyTorch modules answer the same once exported, for any number of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from afield.bundle.onnx_guard import check_network
from afield.errors import UseCaseError
from afield.train.export import pytorch
from afield.train.export.pytorch import export_torch

torch = pytest.importorskip("torch")
nn = torch.nn


class Recurrent(nn.Module):  # type: ignore[name-defined, misc]
    """Batch normalisation, two recurrent layers and a head on the last step."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(5)
        self.recurrent = getattr(nn, kind)(5, 8, 2, batch_first=True, dropout=0.3)
        self.head = nn.Linear(8, 3)

    def forward(self, x: Any) -> Any:
        x = self.norm(x.transpose(1, 2)).transpose(1, 2)
        sequence, _ = self.recurrent(x)
        return torch.softmax(self.head(sequence[:, -1]), -1)


class Mixed(nn.Module):  # type: ignore[name-defined, misc]
    """Categories and numbers together."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(9, 4)
        self.head = nn.Linear(4 * 2 + 3, 1)

    def forward(self, category: Any, amounts: Any) -> Any:
        return self.head(torch.cat([self.embedding(category).flatten(1), amounts], 1))


class Branching(nn.Module):  # type: ignore[name-defined, misc]
    """Its way depends on the numbers, which no graph can say."""

    def forward(self, x: Any) -> Any:
        if float(x.sum()) > 0:
            raise ValueError("the sum is positive")
        return x if x.tolist()[0][0] > 0 else -x


def same(module: Any, *examples: Any, scale: tuple[float, float] | None = None) -> bytes:
    names = [f"x{i}" for i in range(len(examples))]
    for parameter in module.buffers():
        if parameter.is_floating_point():
            parameter.uniform_(0.5, 1.5)
    exported = export_torch(module, [example[:2] for example in examples], names, "answer", scale)
    check_network(exported)
    session = onnxruntime.InferenceSession(exported)
    factor, shift = scale or (1.0, 0.0)
    for rows in (1, 7):
        with torch.no_grad():
            expected = module.eval()(*(example[:rows] for example in examples)).numpy() * factor + shift
        (answer,) = session.run(None, {n: e[:rows].numpy() for n, e in zip(names, examples, strict=True)})
        np.testing.assert_allclose(answer, expected, rtol=0, atol=1e-5)
    return exported


def picture() -> Any:
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 10))


@pytest.mark.parametrize(
    ("module", "shape"),
    [
        (nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3)), (6,)),
        (picture(), (1, 8, 8)),
        (Recurrent("LSTM"), (12, 5)),
        (Recurrent("GRU"), (12, 5)),
    ],
)
def test_a_module(module: Any, shape: tuple[int, ...]) -> None:
    same(module, torch.randn(7, *shape, generator=torch.Generator().manual_seed(0)))


def test_several_inputs_and_a_scale() -> None:
    category = torch.arange(14, dtype=torch.int32).reshape(7, 2) % 9
    same(Mixed(), category, torch.ones(7, 3) * torch.arange(7)[:, None], scale=(2.0, -1.0))


def test_nothing_of_the_machine_is_left() -> None:
    module = Recurrent("LSTM").train()
    model = onnx.load_from_string(export_torch(module, [torch.zeros(2, 12, 5)], ["x"], "answer"))
    assert module.training
    assert model.producer_name == "afield"
    assert not any(node.doc_string or node.metadata_props for node in model.graph.node)
    assert [node.op_type for node in model.graph.node].count("LSTM") == 2
    assert [d.dim_param or d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim] == ["rows", 12, 5]


def test_what_cannot_be_exported_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pytorch.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UseCaseError) as refused:
        export_torch(Branching(), [torch.ones(2, 3)], ["x"], "answer")
    assert str(refused.value) == (
        "model.torch: Branching cannot be exported to ONNX: the sum is positive;"
        " by torch.export: needs the package onnxscript: `pip install onnxscript`"
    )


@pytest.mark.long
def test_where_tracing_refuses_the_other_exporter_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(module: Any, examples: Any) -> Any:
        raise RuntimeError("no")

    monkeypatch.setattr(pytorch, "_traced", refuses)
    same(Recurrent("LSTM"), torch.randn(7, 12, 5, generator=torch.Generator().manual_seed(0)))
    same(picture(), torch.randn(7, 1, 8, 8, generator=torch.Generator().manual_seed(0)))


def test_more_outputs_than_one() -> None:
    with pytest.raises(UseCaseError) as refused:
        export_torch(nn.LSTM(3, 4, batch_first=True), [torch.ones(2, 5, 3)], ["x"], "answer")
    assert str(refused.value) == "model.torch: LSTM has 1 inputs and 3 outputs, expected 1 and 1"
