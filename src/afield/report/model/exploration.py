"""What an exploration of data found: its columns, its faults, and whether it can answer the question."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from afield.report.model.base import Count, Fixed, Histogram, Interval, Kind, Shown
from afield.report.model.contenders import Contender

EXPLORATION_SCHEMA = 1

ColumnType = Literal["whole number", "number", "truth", "date", "category", "text", "empty", "other"]
"""What the values of a column are read as; `other` is what no model here reads, such as pictures."""
Answerable = Literal["no signal", "a linear rule does it", "worth a network"]


class Frequent(Fixed):
    """A value and how many rows have it."""

    value: str
    rows: Count


class ColumnProfile(Fixed):
    """What one column holds.

    Args:
        missing: rows without a value.
        distinct: values that differ.
        low, high: the range, as text; empty where there is none, or where it is personal.
        mean: of numbers.
        histogram: of numbers and dates (seconds since 1970).
        frequent: the most frequent values of categories, the first one most.
        examples: a few values; personal ones by their kind, such as `<e-mail>`.
        personal: kind of personal data that it holds; empty for none.
    """

    name: str
    type: ColumnType
    missing: Count
    distinct: Count
    low: str = ""
    high: str = ""
    mean: float | None = None
    histogram: Histogram | None = None
    frequent: list[Frequent] = Field(default_factory=list[Frequent])
    examples: list[str] = Field(default_factory=list[str])
    personal: str = ""


class Finding(Fixed):
    """Something about the data that a person should know before training.

    Args:
        kind: of the finding, such as "leakage"; the same word for the same fault of any data.
        columns: it is about; empty where it is about rows or files.
        message: what was found.
        advice: what to do about it.
        count: rows (or files) that show it.
        rows: some of them.
    """

    kind: str
    columns: list[str] = Field(default_factory=list[str])
    message: str
    advice: str
    count: Count
    rows: list[Shown] = Field(default_factory=list[Shown])


class CurvePoint(Fixed):
    """The score of a model that was trained on so many rows."""

    rows: Count
    score: float
    interval: Interval | None = None


class Signal(Fixed):
    """What simple models make of the data, by cross-validation.

    Args:
        metric: by which they are compared.
        rows: that they were tried on, a sample of those with an answer.
        folds: each row was answered by a model that had not seen its fold.
        columns: that the models read.
        contenders: majority or mean, linear, boosted trees.
        curve: the best model's score by rows of training, ascending.
        answer: the verdict in a few words.
        sentence: the verdict with its figures.
    """

    metric: str
    rows: Count
    folds: Count
    columns: list[str]
    contenders: list[Contender]
    curve: list[CurvePoint] = Field(default_factory=list[CurvePoint])
    answer: Answerable
    sentence: str


class Exploration(Fixed):
    """What is known of some data before anything is trained.

    Args:
        name: of the use case, the file or the folder.
        created: with its time zone.
        files: that were read.
        bytes: of these files, uncompressed as far as that is known.
        rows: that the files hold; None where not all of them was looked at.
        read: rows that the columns and findings are about.
        target: column or origin of the known answer; empty where none was named.
        kind: of the question; None without a target.
        classes: rows of each class, the most frequent first.
        mask: the step of a use case that removes the personal data, as YAML; empty where there is none.
        signal: None without a target that simple models can answer.
        notes: how the data was read, and what was left out.
    """

    schema_version: int = Field(default=EXPLORATION_SCHEMA, alias="schema")
    name: str
    created: AwareDatetime
    files: list[str]
    bytes: Count
    rows: Count | None
    read: Count
    columns: list[ColumnProfile]
    target: str = ""
    kind: Kind | None = None
    classes: list[Frequent] = Field(default_factory=list[Frequent])
    findings: list[Finding] = Field(default_factory=list[Finding])
    mask: str = ""
    signal: Signal | None = None
    notes: list[str] = Field(default_factory=list[str])
    seconds: float
