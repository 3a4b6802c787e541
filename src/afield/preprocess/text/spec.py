"""The text step as it is declared in a use case; everything heavy is imported when the step is opened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from afield.usecase.base import Component, Problem

if TYPE_CHECKING:
    from afield.preprocess.text.step import TextStep

Mask = Literal["number", "hex", "ip", "uuid", "email", "digits"]

MASKS = """\
What varies without meaning, each replaced by one token such as `<number>` before terms are counted. Masks apply where \
a word starts, in the order email, uuid, ip, hex, number, digits. \
`number`: ASCII digits that touch no other letter, `.` and `,` between digits taken in (`1,234.5` is one). \
`hex`: `0x` and hex digits, a word of 8 or more hex digits with a letter and a digit among them, or a MAC address. \
`ip`: an IPv4 address, or an IPv6 address with a digit in it (a clock time is none). \
`uuid`: hex digits in groups of 8-4-4-4-12. \
`email`: local@domain.tld. \
`digits`: every run of digits in a word becomes one `0`, so that `node12` and `node7` meet as `node0`."""


class Text(Component):
    """Text to sparse rows of term weights, with the settings of scikit-learn's `TfidfVectorizer` and its meaning."""

    summary: ClassVar[str] = "Text to sparse rows of term weights (TF-IDF)."

    column: str = Field("text", description="Column that holds the text.", examples=["message"])
    output: str = Field("text", description="Name of the feature that enters the network.", examples=["words"])
    lowercase: bool = Field(True, description="Whether upper and lower case mean the same.", examples=[False])
    mask: list[Mask] = Field(default_factory=list[Mask], description=MASKS, examples=[["number", "hex", "ip"]])
    tokens: Literal["words", "characters"] = Field(
        "words",
        description="What is counted: words of two letters, digits or underscores and more, or single characters, "
        "where several spaces count as one.",
        examples=["characters"],
    )
    ngrams: tuple[int, int] = Field(
        (1, 1), description="Least and greatest number of tokens in a row that make a term.", examples=[[1, 2], [3, 5]]
    )
    min_df: int | float = Field(
        1,
        description="Terms in fewer training records are dropped: 2 counts records, 0.01 is a share of them.",
        examples=[2, 0.001],
    )
    max_df: int | float = Field(
        1.0,
        description="Terms in more training records are dropped: 2 counts records, 0.01 is a share of them.",
        examples=[0.5],
    )
    max_features: int | None = Field(
        None, description="Keep at most this many terms, the most frequent ones.", examples=[50_000]
    )
    sublinear_tf: bool = Field(False, description="Whether 1 + log(count) stands for the count.", examples=[True])
    use_idf: bool = Field(
        True, description="Whether a term weighs less the more training records have it.", examples=[False]
    )
    smooth_idf: bool = Field(
        True, description="Whether weights are taken as if one more record had every term.", examples=[False]
    )
    norm: Literal["l2", "l1", "none"] = Field(
        "l2", description="What is made 1 in each record: the length (l2), the sum (l1), or nothing.", examples=["l1"]
    )

    def lint(self) -> Sequence[Problem]:
        """Values that can fit no data."""
        return list(self._problems())

    def _problems(self) -> Iterator[Problem]:
        for name in ("column", "output"):
            if not getattr(self, name):
                yield Problem((name,), "expected a name, found an empty one")
        shortest, longest = self.ngrams
        if shortest < 1:
            yield Problem(("ngrams", 0), f"expected 1 or more, found {shortest}")
        if longest < shortest:
            yield Problem(("ngrams", 1), f"expected {shortest} or more, the least number, found {longest}")
        bounds = list(self._bound_problems())
        yield from bounds
        if not bounds and type(self.min_df) is type(self.max_df) and self.min_df > self.max_df:
            yield Problem(("min_df",), f"expected at most max_df, which is {self.max_df}, found {self.min_df}")
        if self.max_df == 1 and isinstance(self.max_df, int):
            message = "1 drops every term that two records share; for a share of all records write 1.0"
            yield Problem(("max_df",), message, "warning")
        if self.max_features is not None and self.max_features < 1:
            yield Problem(("max_features",), f"expected 1 or more, or null for all terms, found {self.max_features}")

    def _bound_problems(self) -> Iterator[Problem]:
        for name, least in (("min_df", 0), ("max_df", 1)):
            value = getattr(self, name)
            if isinstance(value, int) and value < least:
                yield Problem((name,), f"expected {least} or more records, found {value}")
            if isinstance(value, float) and not 0 <= value <= 1:
                yield Problem((name,), f"expected a share from 0.0 to 1.0, or a whole number of records, found {value}")

    def open(self) -> TextStep:
        """The step, ready to fit or to apply."""
        from afield.preprocess.text.step import TextStep

        return TextStep(self)
