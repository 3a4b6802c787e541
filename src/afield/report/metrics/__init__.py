"""The figures of answers: pure functions from arrays to the parts of a report, equal to scikit-learn's."""

from __future__ import annotations

from afield.report.metrics.classes import (
    BINS,
    NORMAL_975,
    calibration,
    confident_mistakes,
    confusion_matrix,
    evaluate,
    log_loss,
    wilson,
)
from afield.report.metrics.clouds import embedding, picture
from afield.report.metrics.grouping import adjusted_rand, groups, silhouettes
from afield.report.metrics.images import image_mistakes, png
from afield.report.metrics.multilabel import best_cuts, tags
from afield.report.metrics.ranking import BEST_F1, Ranked, best_cut, binary
from afield.report.metrics.resampling import balanced_sample, bootstrap, mean_interval, sample
from afield.report.metrics.rows import Rows, by_number
from afield.report.metrics.text import text_scores
from afield.report.metrics.unusual import Contributions, abnormal, precision_at
from afield.report.metrics.values import regression

__all__ = [
    "BEST_F1",
    "BINS",
    "NORMAL_975",
    "Contributions",
    "Ranked",
    "Rows",
    "abnormal",
    "adjusted_rand",
    "balanced_sample",
    "best_cut",
    "best_cuts",
    "binary",
    "bootstrap",
    "by_number",
    "calibration",
    "confident_mistakes",
    "confusion_matrix",
    "embedding",
    "evaluate",
    "groups",
    "image_mistakes",
    "log_loss",
    "mean_interval",
    "picture",
    "png",
    "precision_at",
    "regression",
    "sample",
    "silhouettes",
    "tags",
    "text_scores",
    "wilson",
]
