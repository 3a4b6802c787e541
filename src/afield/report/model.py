"""What a report holds: the models behind report.json, which the terminal and the page only show."""

from __future__ import annotations

from typing import Annotated, Any, Self

import numpy as np
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from afield.errors import StateError

SCHEMA = 1
DENSE_CLASSES = 60
"""Up to this many classes a confusion matrix is stored whole; beyond it, only the cells that are not zero."""

Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Probability = Annotated[float, Field(ge=0, le=1 + 1e-4), AfterValidator(lambda value: min(value, 1.0))]
"""A share as a network computes it: in 32 bits, a certain answer may come out a little above 1."""
Interval = tuple[Share, Share]
"""Lower and upper bound of a 95 % interval."""


class Fixed(BaseModel):
    """A part of a report: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="strings", serialize_by_alias=True)


class Average(Fixed):
    """Precision, recall and F1 of one class, or averaged over classes.

    Args:
        support: test rows behind the figures.
    """

    precision: Share
    recall: Share
    f1: Share
    support: Count


class ClassScores(Average):
    """The figures of one class.

    Args:
        name: the class.
        predicted: test rows that were given this class, rightly or not.
    """

    name: str
    predicted: Count


class Confusion(Fixed):
    """How often each true class (row) was given each predicted class (column).

    Args:
        size: number of classes.
        counts: the whole matrix, up to DENSE_CLASSES classes.
        cells: (truth, prediction, count) of the cells that are not zero, beyond.
    """

    size: Count
    counts: list[list[Count]] | None = None
    cells: list[tuple[Count, Count, Count]] | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.counts is None) == (self.cells is None):
            raise ValueError("a confusion matrix has either counts or cells")
        if self.counts is not None and [len(row) for row in self.counts] != [self.size] * self.size:
            raise ValueError(f"counts must be {self.size} rows of {self.size}")
        if any(max(truth, prediction) >= self.size for truth, prediction, _ in self.cells or ()):
            raise ValueError(f"a cell names a class beyond the {self.size} there are")
        return self

    @classmethod
    def of(cls, matrix: np.ndarray) -> Confusion:
        """Stores a matrix of int64[C, C]."""
        if len(matrix) <= DENSE_CLASSES:
            return cls(size=len(matrix), counts=matrix.tolist())
        truth, prediction = np.nonzero(matrix)
        cells = np.stack([truth, prediction, matrix[truth, prediction]], axis=1)
        return cls(size=len(matrix), cells=[(row[0], row[1], row[2]) for row in cells.tolist()])

    def matrix(self) -> np.ndarray:
        """The counts, int64[C, C]."""
        if self.counts is not None:
            return np.array(self.counts, np.int64).reshape(self.size, self.size)
        matrix = np.zeros((self.size, self.size), np.int64)
        for truth, prediction, count in self.cells or ():
            matrix[truth, prediction] = count
        return matrix


class Bin(Fixed):
    """One bin of the calibration: test rows whose confidence lies above `low` and up to `high`.

    Args:
        confidence: their mean probability of the predicted class; None for an empty bin.
        accuracy: the share of them that is right; None for an empty bin.
    """

    low: Share
    high: Share
    count: Count
    confidence: Share | None
    accuracy: Share | None


class Scores(Fixed):
    """What the answers on some rows are worth.

    Args:
        rows: number of rows.
        accuracy: the share of them answered rightly.
        interval: its 95 % Wilson interval.
        per_class: in the order of the classes, those without rows included.
        micro, macro, weighted: averages, over the classes that are true or predicted for at least one row.
        calibration: 15 equal-width bins of the confidence.
        calibration_error: expected calibration error.
        log_loss: mean of the negative natural logarithm of the true class's probability.
    """

    rows: Count
    accuracy: Share
    interval: Interval
    per_class: list[ClassScores]
    micro: Average
    macro: Average
    weighted: Average
    confusion: Confusion
    calibration: list[Bin]
    calibration_error: Share
    log_loss: float


class Part(Fixed):
    """One part of the data: its rows, and how many of them each class has."""

    rows: Count
    classes: dict[str, Count]


class Parts(Fixed):
    """The three parts of the data; early stopping and calibration never touch the test part."""

    training: Part
    validation: Part
    test: Part


class SourceCounts(Fixed):
    """What was read.

    Args:
        files: files read.
        records: records read.
        replaced_utf8: records in which bytes that are not UTF-8 were replaced.
        cut: records cut at the longest length that is kept.
        rejected: rows of CSV or JSON Lines that do not parse, and were left out.
        skipped: file -> why it was not read.
    """

    files: Count
    records: Count
    replaced_utf8: Count = 0
    cut: Count = 0
    rejected: Count = 0
    skipped: dict[str, str] = Field(default_factory=dict[str, str])


class Vocabulary(Fixed):
    """The words the network knows, and the share of the test part's words that it does not."""

    size: Count
    unknown_share_test: Share


class Baseline(Fixed):
    """A simple model on the same parts.

    Args:
        seconds: time to train it.
    """

    name: str
    accuracy: Share
    interval: Interval
    macro_f1: Share
    seconds: float


class Epoch(Fixed):
    """One pass over the training part; a loss that ran away is stored as NaN."""

    epoch: int
    loss: float
    accuracy: float
    validation_loss: float | None = None
    validation_accuracy: float | None = None
    learning_rate: float
    seconds: float


class Mistake(Fixed):
    """A test row answered wrongly.

    Args:
        text: the record, what masks cover by its name (`<number>`), all else as it was read.
        probability: of the predicted class.
        file, line: where the record stands; an empty file where its source does not say.
    """

    text: str
    truth: str
    prediction: str
    probability: Probability
    file: str
    line: int


class Token(Fixed):
    """A token that speaks for a class, the stronger the higher its score."""

    token: str
    score: float


class LayerRow(Fixed):
    """One row of the network's table."""

    layer: str
    name: str
    output_shape: str
    parameters: Count


class Report(Fixed):
    """All that is known of one trained version.

    Args:
        created: with its time zone.
        unseen: the scores on test rows whose masked text does not stand in training; None where there is no such row.
        duplicated_rows: test rows whose masked text also stands in training.
        best_possible: the highest accuracy this data allows, where that is known.
        stopped: why training ended.
        mistakes: the most confident first.
        tokens: class -> the tokens that speak most for it, the strongest first.
        facts: what else a person needs to repeat the training: library versions, seed, device, revision, ...
    """

    schema_version: int = Field(default=SCHEMA, alias="schema")
    use_case: str
    question: str
    version: str
    created: AwareDatetime
    classes: list[str]
    parts: Parts
    source: SourceCounts
    vocabulary: Vocabulary | None = None
    test: Scores
    unseen: Scores | None = None
    duplicated_rows: Count = 0
    baselines: list[Baseline]
    best_possible: Share | None = None
    verdict: str
    warnings: list[str] = Field(default_factory=list[str])
    history: list[Epoch]
    stopped: str
    mistakes: list[Mistake]
    tokens: dict[str, list[Token]]
    layers: list[LayerRow]
    facts: dict[str, str]


def json_text(report: Report) -> str:
    """The text of report.json: keys in declared order, the same bytes for the same report."""
    return report.model_dump_json(indent=2) + "\n"


class _Schema(BaseModel):
    schema_version: Any = Field(default=None, alias="schema")


def from_json(text: str | bytes, where: str) -> Report:
    """Reads what `json_text` wrote.

    Args:
        text: the content of a report.json.
        where: its name, for the message of an error.

    Raises:
        StateError: the text is no report, or one of a newer schema.
    """
    try:
        schema = _Schema.model_validate_json(text).schema_version
        if isinstance(schema, int) and schema > SCHEMA:
            raise StateError(
                f"{where}: expected a report of schema {SCHEMA} or older, found schema {schema}; "
                "read it with a newer afield: pip install --upgrade afield"
            )
        return Report.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole text"
        raise StateError(
            f"{where}: expected a report of schema {SCHEMA}, found at {place}: {first['msg']}; train the version again"
        ) from None
