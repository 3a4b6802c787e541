"""Tables on a terminal of any width: heads and names may be cut, figures never."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

NAME = 8
"""Characters of a name that are kept where there is too little room."""
UNBOUNDED = 1 << 16


def table(names: Sequence[str], figures: Sequence[str]) -> Table:
    """A table without rows: columns of names on the left, of figures on the right."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for name in names:
        made.add_column(Text(name), overflow="ellipsis", no_wrap=True)
    for name in figures:
        made.add_column(Text(name), justify="right", overflow="ellipsis", no_wrap=True)
    return made


def fit(made: Table, console: Console, whole_heads: bool = False) -> bool:
    """Narrows the columns to the console, names before heads, and says whether they fit.

    Args:
        made: with all its rows.
        console: as wide as it is.
        whole_heads: whether heads of figures stay whole too.
    """
    for column in made.columns:
        column.width = None
    cells = [_widest(column.cells, console) for column in made.columns]
    widths = [max(cell, _widest([column.header], console)) for cell, column in zip(cells, made.columns, strict=True)]
    gaps = _widest([made], console) - sum(widths)
    least = [
        (width if whole_heads else cell) if column.justify == "right" else min(width, NAME)
        for width, cell, column in zip(widths, cells, made.columns, strict=True)
    ]
    for justify in ("left", "right"):
        while sum(widths) + gaps > console.width:
            wide = [
                place
                for place, column in enumerate(made.columns)
                if column.justify == justify and widths[place] > least[place]
            ]
            if not wide:
                break
            widths[max(wide, key=widths.__getitem__)] -= 1
    for column, width in zip(made.columns, widths, strict=True):
        column.width = width
    return sum(widths) + gaps <= console.width


def show(title: str, made: Table, console: Console) -> None:
    """Prints a table; columns for which there is no room are left out from the right, and named."""
    left_out: list[str] = []
    while not fit(made, console) and len(made.columns) > 1:
        left_out.insert(0, str(made.columns.pop().header))
    console.print()
    console.print(Text(title, "bold"))
    console.print(made)
    if left_out:
        console.print(Text(f"On a wider terminal also: {', '.join(left_out)}", "dim"))


def _widest(parts: Iterable[RenderableType], console: Console) -> int:
    unbounded = console.options.update(max_width=UNBOUNDED)
    return max((Measurement.get(console, unbounded, part).maximum for part in parts), default=0)
