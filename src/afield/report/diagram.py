"""A network as a picture: a box a layer, joined as the data flows; on a terminal in lines, on a page as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import pairwise

from afield.report.model import LayerRow

WIDTH, HEIGHT = 250, 46
"""Of a box, in pixels."""
ACROSS, DOWN = 24, 26
"""Between two boxes."""


def lines(layers: Sequence[LayerRow]) -> list[str]:
    """The layers as boxes below each other, in the order of computation."""
    rows = [(row.layer, row.name, row.output_shape, f"{row.parameters:,}") for row in layers]
    wide = [max((len(row[place]) for row in rows), default=0) for place in range(4)]
    inner = sum(wide) + 6
    # Whether each reads the one above it.
    joined = [False, *(before.name in row.follows for before, row in pairwise(layers)), False]
    drawn: list[str] = []
    for place, row in enumerate(rows):
        text = "  ".join(cell.ljust(size) for cell, size in zip(row[:3], wide[:3], strict=True))
        drawn += [
            f"┌{'─' * 3}{'┴' if joined[place] else '─'}{'─' * (inner - 2)}┐",
            f"│ {text}  {row[3].rjust(wide[3])} │",
            f"└{'─' * 3}{'┬' if joined[place + 1] else '─'}{'─' * (inner - 2)}┘",
        ]
    return [*drawn, f"{sum(row.parameters for row in layers):,} parameters in all"]


def svg(layers: Sequence[LayerRow]) -> str:
    """The layers as boxes with arrows, those that read the same layers beside each other."""
    level = _levels(layers)
    columns: dict[str, int] = {}
    filled: dict[int, int] = {}
    for row in layers:
        columns[row.name] = filled.get(level[row.name], 0)
        filled[level[row.name]] = columns[row.name] + 1
    most = max(filled.values(), default=0)

    def corner(name: str) -> tuple[int, int]:
        indent = (most - filled[level[name]]) * (WIDTH + ACROSS) // 2
        return 2 + indent + columns[name] * (WIDTH + ACROSS), 2 + level[name] * (HEIGHT + DOWN)

    width = most * (WIDTH + ACROSS) - ACROSS + 4
    height = (max(level.values(), default=-1) + 1) * (HEIGHT + DOWN) - DOWN + 4
    parts = [
        f'<svg class="diagram" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img"'
        ' aria-label="diagram of the network">'
    ]
    for row in layers:
        x, y = corner(row.name)
        for name in row.follows:
            if name in columns:
                from_x, from_y = corner(name)
                parts.append(
                    f'<path d="M{from_x + WIDTH // 2} {from_y + HEIGHT}L{x + WIDTH // 2} {y - 5}" class="wire"/>'
                    f'<path d="M{x + WIDTH // 2 - 4} {y - 6}l4 6l4 -6z" class="tip"/>'
                )
        parts.append(
            f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>'
            f'<text x="{x + 12}" y="{y + 19}" class="kind">{escape(row.layer)}</text>'
            f'<text x="{x + WIDTH - 12}" y="{y + 19}" class="count">{row.parameters:,}</text>'
            f'<text x="{x + 12}" y="{y + 36}" class="shape">{escape(row.output_shape)}</text>'
        )
    return "".join([*parts, "</svg>"])


def _levels(layers: Sequence[LayerRow]) -> dict[str, int]:
    """How many layers come before each, on the longest way."""
    level: dict[str, int] = {}
    for row in layers:
        level[row.name] = max((level[name] + 1 for name in row.follows if name in level), default=0)
    return level
