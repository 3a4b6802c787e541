"""Parts that several sections on the terminal share."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from afield.report.model import Shown
from afield.report.text import prose, shortened, visible


def listed_row(figure: str, said: str, row: Shown, console: Console) -> None:
    """Prints a figure, what is said of a row and where it stands, and the row below."""
    place = f"{visible(row.file)}:{row.line}" if row.file else ""
    console.print()
    console.print(Text.assemble((f"{figure}  ", "bold"), said, (place, "dim")), soft_wrap=True)
    text = shortened(visible(row.text), max(2 * (console.width - 8), 40))
    console.print(Padding(Text(text, overflow="fold"), (0, 0, 0, 8)))


def emphasised(text: str) -> Iterator[str | tuple[str, str]]:
    """A sentence, what stands between backticks in bold in their place."""
    for place, part in enumerate(prose(text)):
        yield (part, "bold") if place % 2 else part
