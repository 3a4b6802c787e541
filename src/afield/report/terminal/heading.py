"""The figures that head a report on the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from afield.report.model import Abnormal, Binary, Groups, Language, Regression, Report, Scores, States, Tags
from afield.report.text import figure, visible, within


def facts(report: Report) -> Iterator[tuple[str, str]]:
    """Name and figure, the most important first."""
    if report.test is not None:
        yield from _classes(report, report.test)
    if report.binary is not None:
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
        yield from _states(report.states)
    if report.language is not None:
        yield from _language(report.language)
    if report.best_possible is not None:
        yield "Best possible", figure(report.best_possible)
    if report.test is not None:
        yield "Log loss", f"{report.test.log_loss:.4f}, calibration error {report.test.calibration_error:.4f}"
    parts = report.parts
    rows = f"{parts.training.rows:,} training, {parts.validation.rows:,} validation, {parts.test.rows:,} test"
    known = f", {len(report.classes):,} {'tags' if report.kind == 'tag' else 'classes'}" if report.classes else ""
    yield "Rows" if report.language is None else "Characters", rows + known
    if report.vocabulary is not None:
        unknown = f"{report.vocabulary.unknown_share_test:.2%} of those in the test part are unknown"
        yield "Vocabulary", f"{report.vocabulary.size:,} tokens; {unknown}"
    epochs = f"{len(report.history)} epochs; " if report.history else ""
    yield "Training", f"{epochs}{visible(report.stopped)}"


def _classes(report: Report, test: Scores) -> Iterator[tuple[str, str]]:
    yield "Accuracy", f"{test.accuracy:.4f} ({within(test.interval)}, 95 %) on {test.rows:,} test rows"
    if report.unseen is not None:
        where = f"the {report.unseen.rows:,} test rows whose masked text does not stand in training"
        yield "Unseen text", f"{report.unseen.accuracy:.4f} ({within(report.unseen.interval)}, 95 %) on {where}"


def _binary(binary: Binary) -> Iterator[tuple[str, str]]:
    of = f"for {visible(binary.positive)}, {binary.positives:,} of {binary.rows:,} test rows"
    yield "AUC", f"{binary.auc:.4f} ({within(binary.auc_interval)}, 95 %) {of}"
    yield "Average precision", f"{binary.average_precision:.4f}"
    cut = binary.cut
    at = f"precision {cut.precision:.4f}, recall {cut.recall:.4f}, F1 {cut.f1:.4f}"
    yield "Cut", f"{figure(cut.value)} ({visible(cut.chosen)}): {at}"


def _tags(tags: Tags) -> Iterator[tuple[str, str]]:
    yield "Micro F1", f"{tags.micro.f1:.4f} ({within(tags.micro_interval)}, 95 %) on {tags.rows:,} test rows"
    yield "Macro F1", f"{tags.macro.f1:.4f}"
    exact = f"{tags.subset_accuracy:.4f} ({within(tags.subset_interval)}, 95 %)"
    yield "All tags right", f"{exact}; {tags.hamming_loss:.2%} of single tags are wrong"
    yield "Cuts", visible(tags.chosen)


def _regression(found: Regression) -> Iterator[tuple[str, str]]:
    unit = f" {visible(found.unit)}" if found.unit else ""
    yield "R2", f"{found.r2:.4f} ({within(found.r2_interval)}, 95 %) on {found.rows:,} test rows"
    mean = f"{figure(found.mean_absolute_error)}{unit} ({within(found.mean_absolute_error_interval)}, 95 %)"
    yield "Mean absolute error", mean
    root = f"{figure(found.root_mean_squared_error)}{unit}"
    yield "Root mean squared", f"{root}; mean squared error {figure(found.mean_squared_error)}"
    yield "Median absolute error", f"{figure(found.median_absolute_error)}{unit}"
    yield "Mean error", f"{figure(found.mean_error)}{unit}, too {'high' if found.mean_error > 0 else 'low'}"


def _abnormal(found: Abnormal) -> Iterator[tuple[str, str]]:
    low, high = found.observed_interval
    observed = f"{found.observed:.2%} ({low:.2%} to {high:.2%}, 95 %) of {found.rows:,} test rows"
    yield "Alarms", f"{observed}; calibrated to {found.share:.2%}, a score above {figure(found.cut)}"
    known = found.known
    if known is not None:
        yield "Average precision", f"{known.average_precision:.4f}, {known.positives:,} rows labelled abnormal"
        yield "AUC", f"{known.auc:.4f} ({within(known.auc_interval)}, 95 %)"
        yield "At the true count", f"{known.precision_at_count:.4f} of the {known.positives:,} highest scores are right"
        yield "Of the alarms", f"precision {known.precision:.4f}, recall {known.recall:.4f}"


def _groups(groups: Groups) -> Iterator[tuple[str, str]]:
    outside = f", {groups.outside:,} rows in none" if groups.outside else ""
    yield "Groups", f"{len(groups.groups):,} by {visible(groups.method)} of {groups.rows:,} rows{outside}"
    if groups.silhouette is not None:
        yield "Silhouette", f"{groups.silhouette:.4f} ({within(groups.silhouette_interval)}, 95 %)"
    if groups.agreement is not None:
        yield "Agreement with labels", f"{groups.agreement:.4f} (adjusted Rand index)"


def _states(states: States) -> Iterator[tuple[str, str]]:
    yield "Answered unknown", f"{states.unknown:.2%} of the test rows of known states"
    if states.strangers is not None:
        yield "Strangers", f"{states.strangers:.2%} of the rows of other states were answered unknown"


def _language(language: Language) -> Iterator[tuple[str, str]]:
    for name, scores in (("Test", language.test), ("Validation", language.validation)):
        if scores is None:
            continue
        bits = f"{scores.bits:.4f} bits a character ({within(scores.bits_interval)}, 95 %)"
        yield (
            name,
            f"{bits}, {scores.nats:.4f} nats, perplexity {scores.perplexity:.3f}, {scores.characters:,} characters",
        )
        if scores.accuracy is not None:
            yield f"{name}, first guess right", f"{scores.accuracy:.4f}"
    yield "Alphabet", f"{language.alphabet:,} characters"
