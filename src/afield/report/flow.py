"""A use case at a glance: one line a stage of the flow, and the network as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from afield.report.model import LayerRow

STAGES = ("question", "source", "preprocess", "model", "models", "train", "trigger", "sink")


def flow(case: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Stage and what it does, in the order the data flows.

    Args:
        case: the use case as plain values, those that were given.
    """
    return [(stage, _said(case[stage])) for stage in STAGES if stage in case]


def network_table(layers: Sequence[LayerRow], title: str) -> Table:
    """Layer, name, output shape and parameters, with their sum."""
    table = Table(title=title, title_justify="left", show_footer=True)
    table.add_column("layer", footer="total")
    table.add_column("name")
    table.add_column("output shape")
    table.add_column("parameters", justify="right", footer=f"{sum(row.parameters for row in layers):,}")
    for row in layers:
        table.add_row(row.layer, row.name, row.output_shape, f"{row.parameters:,}")
    return table


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
