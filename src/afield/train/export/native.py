"""Keras's own export to ONNX, for models with a layer that has no map of ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from afield.errors import UseCaseError
from afield.preprocess.base import StepInput


def export(
    model: Any, inputs: Sequence[StepInput], outputs: Sequence[str], scale: tuple[float, float] | None, missing: str
) -> bytes:
    raise UseCaseError(missing)
