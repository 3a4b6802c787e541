"""What a report and a comparison hold: the models behind their JSON, which the terminal and the page only show."""

from __future__ import annotations

from afield.report.model.base import (
    METRIC,
    Count,
    Figures,
    Fixed,
    Histogram,
    Interval,
    Kind,
    Picture,
    Probability,
    Share,
    Shown,
    higher_is_better,
)
from afield.report.model.binary import Binary, Curve, Cut
from afield.report.model.classes import DENSE_CLASSES, Average, Bin, ClassScores, Confusion, Scores
from afield.report.model.contenders import COMPARISON_SCHEMA, Comparison, Contender, Failure
from afield.report.model.language import Language, Sample, TextScores
from afield.report.model.reading import comparison_from_json, from_json, json_text
from afield.report.model.report import SCHEMA, Report
from afield.report.model.states import Embedding, Frame, State, States
from afield.report.model.tags import TagAverage, Tags, TagScores
from afield.report.model.training import (
    Epoch,
    ImageMistake,
    LayerRow,
    Mistake,
    Part,
    Parts,
    SourceCounts,
    Token,
    Vocabulary,
)
from afield.report.model.tuning import TUNING_SCHEMA, Searched, TrialRow, Tuning
from afield.report.model.unlabelled import Abnormal, AtK, Contribution, Group, Groups, Known, Typical, Unusual
from afield.report.model.values import Missed, Regression

__all__ = [
    "COMPARISON_SCHEMA",
    "DENSE_CLASSES",
    "METRIC",
    "SCHEMA",
    "TUNING_SCHEMA",
    "Abnormal",
    "AtK",
    "Average",
    "Bin",
    "Binary",
    "ClassScores",
    "Comparison",
    "Confusion",
    "Contender",
    "Contribution",
    "Count",
    "Curve",
    "Cut",
    "Embedding",
    "Epoch",
    "Failure",
    "Figures",
    "Fixed",
    "Frame",
    "Group",
    "Groups",
    "Histogram",
    "ImageMistake",
    "Interval",
    "Kind",
    "Known",
    "Language",
    "LayerRow",
    "Missed",
    "Mistake",
    "Part",
    "Parts",
    "Picture",
    "Probability",
    "Regression",
    "Report",
    "Sample",
    "Scores",
    "Searched",
    "Share",
    "Shown",
    "SourceCounts",
    "State",
    "States",
    "TagAverage",
    "TagScores",
    "Tags",
    "TextScores",
    "Token",
    "TrialRow",
    "Tuning",
    "Typical",
    "Unusual",
    "Vocabulary",
    "comparison_from_json",
    "from_json",
    "higher_is_better",
    "json_text",
]
