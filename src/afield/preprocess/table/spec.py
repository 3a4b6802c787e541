"""The table step as it is declared in a use case; everything heavy is imported when the step is opened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from afield.usecase.base import Component, Problem

if TYPE_CHECKING:
    from afield.preprocess.table.step import TableStep

DatePart = Literal["year", "month", "day", "weekday", "hour", "elapsed"]

MISSING = ["", "?", "-", "NA", "N/A", "NaN", "nan", "NULL", "null", "None"]


class Table(Component):
    """Numbers, categories, dates and missing values of a table to numbers that a network reads."""

    summary: ClassVar[str] = "Columns of a table to features: numbers, categories, dates, missing values."

    columns: list[str] | None = Field(
        None,
        description="Columns to read, by name or glob; null for all. The label's column is never read.",
        examples=[["age", "hours*"]],
    )
    exclude: list[str] = Field(
        default_factory=list[str], description="Columns to leave out, by name or glob.", examples=[["id", "*_note"]]
    )
    numbers: Literal["standardize", "robust", "quantile", "min_max", "none"] = Field(
        "standardize",
        description="How numbers are scaled: `standardize` to mean 0 and standard deviation 1; `robust` by median and "
        "quartiles, what lies far out by its logarithm; `quantile` to a normal distribution by their rank in training, "
        "which no outlier moves; `min_max` to 0..1; `none`: as they are.",
        examples=["quantile"],
    )
    whiten: bool = Field(
        False,
        description="Whether the scaled numbers are turned into as many that do not go along with each other, so that "
        "a small difference of two columns that are nearly always equal counts as much as any other.",
        examples=[True],
    )
    clip: float | None = Field(
        10.0,
        description="Standardized numbers further from 0 than this many standard deviations are set there; null for no "
        "limit.",
        examples=[5],
    )
    categories: Literal["one_hot", "embedding"] = Field(
        "one_hot",
        description="`one_hot`: a column of 0 and 1 for each value; `embedding`: the number of the value, as a second "
        "feature `categories` for an embedding layer.",
        examples=["embedding"],
    )
    max_categories: int = Field(
        100,
        description="Most values of a column that are told apart, the most frequent ones; all others are one value, "
        "`other`.",
        examples=[20],
    )
    min_count: int = Field(
        1, description="Values in fewer training records than this are taken as `other`.", examples=[10]
    )
    dates: list[DatePart] = Field(
        default_factory=lambda: list[DatePart](["year", "month", "day", "weekday", "hour", "elapsed"]),
        description="What is read of a date: `year` and `elapsed` days as numbers, the others as sine and cosine of "
        "their place in the cycle.",
        examples=[["weekday", "hour"]],
    )
    missing: list[str] = Field(
        default_factory=lambda: list(MISSING),
        description="Text that stands for a missing value.",
        examples=[["", "-999"]],
    )
    missing_indicator: bool = Field(
        True,
        description="Whether a column of 0 and 1 says where a value is missing, for columns in which training met "
        "missing values. The number itself is set to the median; a missing category is a value of its own.",
        examples=[False],
    )
    as_category: list[str] = Field(
        default_factory=list[str],
        description="Columns taken as categories though they hold numbers, by name or glob.",
        examples=[["zip_code"]],
    )
    as_number: list[str] = Field(
        default_factory=list[str],
        description="Columns taken as numbers though some values are text, which count as missing; by name or glob.",
        examples=[["age"]],
    )
    output: str = Field("table", description="Name of the feature that enters the network.", examples=["customer"])

    def lint(self) -> Sequence[Problem]:
        """Values that can fit no data."""
        return list(self._problems())

    def _problems(self) -> Iterator[Problem]:
        if not self.output:
            yield Problem(("output",), "expected a name, found an empty one")
        if self.categories == "embedding" and self.output == "categories":
            yield Problem(("output",), "`categories` is the name of the feature for embeddings; choose another")
        if self.whiten and self.numbers in ("min_max", "none"):
            yield Problem(
                ("whiten",), f"needs numbers of one size: `numbers: robust` or `standardize`, not {self.numbers}"
            )
        if self.columns is not None and not self.columns:
            yield Problem(("columns",), "expected a column or more, or null for all, found an empty list")
        if self.clip is not None and not self.clip > 0:
            yield Problem(("clip",), f"expected more than 0, or null for no limit, found {self.clip:g}")
        for name in ("max_categories", "min_count"):
            if getattr(self, name) < 1:
                yield Problem((name,), f"expected 1 or more, found {getattr(self, name)}")
        for name in sorted(set(self.as_category) & set(self.as_number)):
            place = self.as_number.index(name)
            yield Problem(("as_number", place), f"'{name}' stands under as_category too; keep one of them")

    def open(self) -> TableStep:
        """The step, ready to fit or to apply."""
        from afield.preprocess.table.step import TableStep

        return TableStep(self)
