"""What a version was trained on, and how its training went."""

from __future__ import annotations

from pydantic import Field

from afield.report.model.base import Count, Fixed, Probability, Share, Shown


class Part(Fixed):
    """One part of the data: its rows, and how many of them each class has."""

    rows: Count
    classes: dict[str, Count] = Field(default_factory=dict[str, Count])


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


class Epoch(Fixed):
    """One pass over the training part; a loss that ran away is stored as NaN.

    Args:
        metrics: what else was measured on the training part, by name: "accuracy", "mean_absolute_error", ...
        validation_metrics: the same on the validation part.
        learning_rate: at the end of the epoch; None where the model has none.
    """

    epoch: int
    loss: float
    validation_loss: float | None = None
    metrics: dict[str, float] = Field(default_factory=dict[str, float])
    validation_metrics: dict[str, float] = Field(default_factory=dict[str, float])
    learning_rate: float | None = None
    seconds: float

    @property
    def accuracy(self) -> float | None:
        """The share of right answers on the training part, where that was measured."""
        return self.metrics.get("accuracy")

    @property
    def validation_accuracy(self) -> float | None:
        """The share of right answers on the validation part, where that was measured."""
        return self.validation_metrics.get("accuracy")


class Mistake(Shown):
    """A test row answered wrongly.

    Args:
        probability: of the predicted class.
    """

    truth: str
    prediction: str
    probability: Probability


class ImageMistake(Mistake):
    """A test image answered wrongly.

    Args:
        png: the image as a PNG file, in base64.
        width, height: in pixels.
    """

    png: str
    width: Count
    height: Count


class Token(Fixed):
    """A token that speaks for a class, the stronger the higher its score."""

    token: str
    score: float


class LayerRow(Fixed):
    """One row of the network's table.

    Args:
        follows: names of the layers whose outputs it reads.
    """

    layer: str
    name: str
    output_shape: str
    parameters: Count
    follows: list[str] = Field(default_factory=list[str])
