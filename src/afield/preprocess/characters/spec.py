"""The characters step as it is declared in a use case; everything heavy is imported when the step is opened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from afield.usecase.base import Component, Problem

if TYPE_CHECKING:
    from afield.preprocess.characters.step import CharactersStep


class Characters(Component):
    """Text to the numbers of its characters, for a network that writes."""

    summary: ClassVar[str] = "Text to the numbers of its characters, for writing."

    column: str = Field("text", description="Column that holds the text.", examples=["message"])
    output: str = Field("characters", description="Name of the feature that enters the network.", examples=["text"])
    min_count: int = Field(
        1, description="Characters that stand fewer times in the training text are not learned.", examples=[5]
    )
    max_size: int = Field(256, description="Most characters that are learned, the most frequent ones.", examples=[100])
    unknown: str | None = Field(
        None,
        description="The character that stands for those that are not learned; null leaves them out.",
        examples=["\ufffd"],
    )
    window: int = Field(40, description="Characters that the network learns from at a time.", examples=[100])
    stride: int | None = Field(
        None,
        description="Characters from one window of the training text to the next; null for half a window.",
        examples=[40],
    )

    def lint(self) -> Sequence[Problem]:
        """Values that can fit no text."""
        return list(self._problems())

    def _problems(self) -> Iterator[Problem]:
        for name in ("column", "output"):
            if not getattr(self, name):
                yield Problem((name,), "expected a name, found an empty one")
        if self.min_count < 1:
            yield Problem(("min_count",), f"expected 1 or more, found {self.min_count}")
        if self.max_size < 2:
            yield Problem(("max_size",), f"expected 2 or more, found {self.max_size}")
        if self.window < 1:
            yield Problem(("window",), f"expected 1 or more, found {self.window}")
        if self.stride is not None and self.stride < 1:
            yield Problem(("stride",), f"expected 1 or more, or null for half a window, found {self.stride}")
        if self.unknown is not None and len(self.unknown) != 1:
            yield Problem(("unknown",), f"expected one character, or null to leave them out, found '{self.unknown}'")

    def open(self) -> CharactersStep:
        """The step, ready to fit or to apply."""
        from afield.preprocess.characters.step import CharactersStep

        return CharactersStep(self)
