"""All that is known of one trained version."""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from afield.report.model.base import METRIC, Count, Figures, Fixed, Interval, Kind, higher_is_better
from afield.report.model.binary import Binary
from afield.report.model.classes import Scores
from afield.report.model.contenders import Contender
from afield.report.model.language import Language
from afield.report.model.states import Embedding, States
from afield.report.model.tags import Tags
from afield.report.model.training import (
    Epoch,
    ImageMistake,
    LayerRow,
    Mistake,
    Parts,
    SourceCounts,
    Token,
    Vocabulary,
)
from afield.report.model.unlabelled import Abnormal, Groups
from afield.report.model.values import Regression

SCHEMA = 2


class Report(Fixed):
    """All that is known of one trained version. A section that does not apply to its kind of question is None.

    Args:
        kind: of the question.
        metric: the figure by which models are compared.
        subject: what the model is called: "network", "random forest", ...
        created: with its time zone.
        test: of a classifier, on the test part.
        unseen: the scores on test rows whose masked text does not stand in training; None where there is no such row.
        duplicated_rows: test rows whose masked text also stands in training.
        best_possible: the best value of the metric that this data allows, where that is known.
        stopped: why training ended.
        seconds: time to train; None where the epochs say it.
        mistakes: the most confident first.
        images: the most confident mistakes of a network that sees images.
        tokens: class -> the tokens that speak most for it, the strongest first.
        facts: what else a person needs to repeat the training: library versions, seed, device, revision, ...
    """

    schema_version: int = Field(default=SCHEMA, alias="schema")
    use_case: str
    question: str
    version: str
    created: AwareDatetime
    kind: Kind = "classify"
    metric: str = Field(default_factory=lambda known: METRIC[known["kind"]])
    subject: str = "network"
    classes: list[str] = Field(default_factory=list[str])
    parts: Parts
    source: SourceCounts
    vocabulary: Vocabulary | None = None
    test: Scores | None = None
    unseen: Scores | None = None
    duplicated_rows: Count = 0
    binary: Binary | None = None
    tags: Tags | None = None
    regression: Regression | None = None
    abnormal: Abnormal | None = None
    groups: Groups | None = None
    states: States | None = None
    language: Language | None = None
    embedding: Embedding | None = None
    baselines: list[Contender] = Field(default_factory=list[Contender])
    best_possible: float | None = None
    verdict: str
    warnings: list[str] = Field(default_factory=list[str])
    history: list[Epoch] = Field(default_factory=list[Epoch])
    stopped: str
    seconds: float | None = None
    mistakes: list[Mistake] = Field(default_factory=list[Mistake])
    images: list[ImageMistake] = Field(default_factory=list[ImageMistake])
    tokens: dict[str, list[Token]] = Field(default_factory=dict[str, list[Token]])
    layers: list[LayerRow] = Field(default_factory=list[LayerRow])
    facts: dict[str, str]

    @property
    def higher_is_better(self) -> bool:
        """Whether more of the metric is better."""
        return higher_is_better(self.metric)

    @property
    def score(self) -> float | None:
        """The value of the metric; None where nothing is known to judge by."""
        return self.figures().get(self.metric)

    @property
    def interval(self) -> Interval | None:
        """The 95 % interval of the score, where it has one."""
        found: dict[str, Interval] = {}
        for section in self._sections():
            found = section.intervals() | found
        return found.get(self.metric)

    def figures(self) -> dict[str, float]:
        """Every figure on the test part, by name."""
        found: dict[str, float] = {}
        for section in self._sections():
            found = section.figures() | found
        return found

    def training_seconds(self) -> float:
        """Time to train, from the epochs where nothing else is said."""
        return sum(epoch.seconds for epoch in self.history) if self.seconds is None else self.seconds

    def contender(self) -> Contender | None:
        """The version as one of the models that are compared; None where it has no score."""
        if self.score is None:
            return None
        kind = "network" if self.layers else "model"
        return Contender.of(self.subject, self.metric, *self._sections(), kind=kind, seconds=self.training_seconds())

    def best_baseline(self) -> Contender | None:
        """The baseline with the best score; None where none was run."""
        order = sorted(self.baselines, key=lambda one: one.score, reverse=self.higher_is_better)
        return order[0] if order else None

    def _sections(self) -> list[Figures]:
        """Those that are there, the one that best fits the kind of question first."""
        known = (self.test, self.binary, self.tags, self.regression, self.abnormal, self.groups, self.language)
        return [section for section in known if section is not None]
