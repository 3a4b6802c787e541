"""A use case at a glance: one line a stage of the flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

STAGES = ("question", "source", "preprocess", "model", "models", "train", "trigger", "sink")


def flow(case: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Stage and what it does, in the order the data flows.

    Args:
        case: the use case as plain values, those that were given.
    """
    return [(stage, _said(case[stage])) for stage in STAGES if stage in case]


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(
            f"{key}: {_inner(inner)}" if inner not in ({}, None) else str(key) for key, inner in value.items()
        )
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " -> ".join(_said(item) for item in value)
    return str(value)


def _inner(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + _said(value) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(_inner(item) for item in value) + "]"
    return str(value)
