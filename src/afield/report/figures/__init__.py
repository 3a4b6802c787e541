"""The plots of a report, as plain data for plotly.js: traces and layout, nothing drawn yet.

Axes are numeric and bear the classes' names as tick labels: plotly would read a class named "1" or "2020-01-01" as a
number or a date. Every name is escaped, for plotly renders a part of HTML in any text.
"""

from __future__ import annotations

from afield.report.figures import sections
from afield.report.figures.classes import HEAT_CLASSES, calibration, confusion
from afield.report.figures.clouds import embedding, groups
from afield.report.figures.common import Figure, curves, label, scores
from afield.report.figures.tuning import tuning_figures
from afield.report.model import Comparison, Epoch, Report

__all__ = ["HEAT_CLASSES", "Figure", "comparison_figures", "figures", "history_names", "label", "tuning_figures"]


def figures(report: Report) -> dict[str, Figure]:
    """The plots by name, those that apply to the report: each metric of the history by its own."""
    model = report.contender()
    contenders = [*([model] if model else []), *report.baselines]
    found = _history(report.history)
    if len(contenders) > 1:
        found["baselines"] = scores(contenders, report.metric, report.best_possible)
    if report.test is not None:
        found["confusion"] = confusion(report.test, report.classes)
        found["calibration"] = calibration(report.test)
    if report.binary is not None:
        binary = report.binary
        at, share = (binary.cut.recall, binary.cut.precision), binary.positives / binary.rows
        found["roc"] = sections.roc(binary.roc, binary.auc)
        found["precision_recall"] = sections.precision_recall(
            binary.precision_recall, binary.average_precision, share, at
        )
    if report.tags is not None:
        found["tags"] = sections.tag_scores(report.tags)
    if report.regression is not None:
        found["predicted"] = sections.predicted(report.regression)
        found["residuals"] = sections.residuals(report.regression)
        found["residual_histogram"] = sections.residual_histogram(report.regression)
    if report.abnormal is not None:
        found["scores"] = sections.score_histogram(report.abnormal)
        known = report.abnormal.known
        if known is not None:
            at, share = (known.recall, known.precision), known.positives / report.abnormal.rows
            found["ranked"] = sections.ranked(report.abnormal)
            found["roc"] = sections.roc(known.roc, known.auc)
            found["precision_recall"] = sections.precision_recall(
                known.precision_recall, known.average_precision, share, at
            )
    if report.groups is not None and report.groups.picture is not None:
        found["groups"] = groups(report.groups.picture)
    if report.embedding is not None:
        found["embedding"] = embedding(report.embedding)
    return found


def comparison_figures(comparison: Comparison) -> dict[str, Figure]:
    """The scores of the models; the table beside them holds what they cost."""
    return {"scores": scores(comparison.contenders, comparison.metric)}


def history_names(history: list[Epoch]) -> list[str]:
    """Names of the metrics of some epoch, in the order in which they first stand there."""
    return list(dict.fromkeys(name for epoch in history for name in (*epoch.metrics, *epoch.validation_metrics)))


def _history(history: list[Epoch]) -> dict[str, Figure]:
    epochs = [epoch.epoch for epoch in history]
    if not epochs:
        return {}
    losses = [epoch.loss for epoch in history], [epoch.validation_loss for epoch in history]
    found = {"loss": curves(epochs, *losses, "loss")}
    for name in history_names(history):
        training = [epoch.metrics.get(name) for epoch in history]
        validation = [epoch.validation_metrics.get(name) for epoch in history]
        found[name] = curves(epochs, training, validation, name.replace("_", " "))
    return found
