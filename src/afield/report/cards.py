"""The figures that head a report's page: (name, figure, what stands below it) each."""

from __future__ import annotations

from collections.abc import Iterator

from afield.report.model import Abnormal, Binary, Groups, Language, Regression, Report, Scores, Tags
from afield.report.text import figure, visible, within

Card = tuple[str, str, str]


def cards(report: Report) -> Iterator[Card]:
    """The cards of every section that the report has, the headline's first."""
    if report.binary is not None and report.metric != "accuracy":
        yield from _binary(report.binary)
    if report.test is not None:
        yield from _classes(report, report.test)
    if report.binary is not None and report.metric == "accuracy":
        yield from _binary(report.binary)
    if report.tags is not None:
        yield from _tags(report.tags)
    if report.regression is not None:
        yield from _regression(report.regression)
    if report.abnormal is not None:
        yield from _abnormal(report.abnormal)
    if report.groups is not None:
        yield from _groups(report.groups)
    if report.states is not None:
        known = f"of the test rows of {len(report.states.states):,} known states"
        yield "Answered unknown", f"{report.states.unknown:.2%}", known
    if report.language is not None:
        yield from _language(report.language)
    if report.best_possible is not None:
        yield f"Best possible {report.metric}", figure(report.best_possible), "known for this data"


def _classes(report: Report, test: Scores) -> Iterator[Card]:
    yield "Accuracy", f"{test.accuracy:.4f}", f"{within(test.interval)} (95 %), {test.rows:,} test rows"
    if report.unseen is not None:
        unseen = report.unseen
        below = f"{within(unseen.interval)} (95 %), {unseen.rows:,} test rows"
        yield "Accuracy on unseen text", f"{unseen.accuracy:.4f}", below
    yield "Macro F1", f"{test.macro.f1:.4f}", f"weighted {test.weighted.f1:.4f}, {len(report.classes):,} classes"
    yield "Calibration error", f"{test.calibration_error:.4f}", f"log loss {test.log_loss:.4f}"


def _binary(binary: Binary) -> Iterator[Card]:
    below = f"{within(binary.auc_interval)} (95 %), for {visible(binary.positive)}"
    yield "AUC", f"{binary.auc:.4f}", below
    of = f"{within(binary.average_precision_interval)} (95 %), {binary.positives:,} of {binary.rows:,} rows"
    yield "Average precision", f"{binary.average_precision:.4f}", of


def _tags(tags: Tags) -> Iterator[Card]:
    yield "Micro F1", f"{tags.micro.f1:.4f}", f"{within(tags.micro_interval)} (95 %), {tags.rows:,} test rows"
    yield "Macro F1", f"{tags.macro.f1:.4f}", f"{len(tags.per_tag):,} tags"
    yield "All tags right", f"{tags.subset_accuracy:.4f}", f"{within(tags.subset_interval)} (95 %)"
    yield "Hamming loss", f"{tags.hamming_loss:.4f}", "share of single tags that are wrong"


def _regression(found: Regression) -> Iterator[Card]:
    unit = f" {visible(found.unit)}" if found.unit else ""
    yield "R2", f"{found.r2:.4f}", f"{within(found.r2_interval)} (95 %), {found.rows:,} test rows"
    bounds = f"{within(found.mean_absolute_error_interval)} (95 %){unit}"
    yield "Mean absolute error", figure(found.mean_absolute_error), bounds
    squared = f"mean squared error {figure(found.mean_squared_error)}"
    yield "Root mean squared error", figure(found.root_mean_squared_error), squared
    yield "Median absolute error", figure(found.median_absolute_error), f"mean error {figure(found.mean_error)}"


def _abnormal(found: Abnormal) -> Iterator[Card]:
    low, high = found.observed_interval
    below = f"{low:.2%} to {high:.2%} (95 %), calibrated to {found.share:.2%}"
    known = found.known
    if known is not None:
        bounds = f"{within(known.average_precision_interval)} (95 %)"
        yield "Average precision", f"{known.average_precision:.4f}", bounds
        of = f"{within(known.precision_at_count_interval)} (95 %), {known.positives:,} rows"
        yield "Precision at the true count", f"{known.precision_at_count:.4f}", of
        yield "AUC", f"{known.auc:.4f}", f"{within(known.auc_interval)} (95 %)"
    yield "Alarms", f"{found.observed:.2%}", below
    if known is not None:
        yield "Alarms that are right", f"{known.precision:.4f}", f"{known.recall:.4f} of the labelled rows are found"


def _groups(groups: Groups) -> Iterator[Card]:
    yield "Groups", f"{len(groups.groups):,}", f"{visible(groups.method)}, {groups.rows:,} rows"
    if groups.silhouette is not None:
        yield "Silhouette", f"{groups.silhouette:.4f}", f"{within(groups.silhouette_interval)} (95 %)"
    if groups.outside:
        yield "In no group", f"{groups.outside / groups.rows:.1%}", f"{groups.outside:,} rows"
    if groups.agreement is not None:
        yield "Agreement with labels", f"{groups.agreement:.4f}", "adjusted Rand index"


def _language(language: Language) -> Iterator[Card]:
    test = language.test
    yield "Bits a character", f"{test.bits:.4f}", f"{within(test.bits_interval)} (95 %)"
    yield "Nats a character", f"{test.nats:.4f}", f"{test.characters:,} test characters"
    yield "Perplexity", f"{test.perplexity:.3f}", f"of {language.alphabet:,} characters"
