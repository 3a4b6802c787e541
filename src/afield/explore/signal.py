"""The verdict on the question: what simple models make of the data, and whether more of it would help."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from afield.explore.answers import BOOSTED, FOLDS, LINEAR, MAJORITY, Answers, errors, nats
from afield.explore.base import Sample, Target
from afield.report.metrics import NORMAL_975, bootstrap, log_loss, wilson
from afield.report.metrics.ranking import Ranked
from afield.report.model import Contender, Interval
from afield.report.model.exploration import Answerable, CurvePoint, Signal
from afield.report.text import figure, within

WORTHWHILE = 0.02
"""Share of a model's errors that another one must save for the difference to matter, however sure it is."""
RARE = 0.2
"""Share of the rarer of two classes below which models are compared by how they rank rows, not by right answers."""
ENOUGH = 0.995
"""Score from which on more rows have nothing left to bring."""
NO_SIGNAL: Answerable = "no signal"
LINEAR_RULE: Answerable = "a linear rule does it"
NETWORK: Answerable = "worth a network"


def signal(sample: Sample) -> Signal | None:
    """Judges the answers of the simple models; None where there are none."""
    told, target = sample.answers, sample.target
    if told is None or target is None:
        return None
    judge = _judge(told, target)
    contenders = [_contender(name, told, judge, sample.seed) for name in told.told]
    curve: list[CurvePoint] = []
    for rows, answers in told.curve:
        score, interval = judge.score(answers, told.truth, sample.seed)
        curve.append(CurvePoint(rows=rows, score=score, interval=interval))
    best = next(one for one in contenders if one.name == told.best)
    whole = round(len(told.rows) * (FOLDS - 1) / FOLDS)
    curve.append(CurvePoint(rows=whole, score=best.score, interval=best.interval))
    answer = _answer(told, judge)
    return Signal(
        metric=judge.metric,
        rows=len(told.rows),
        folds=FOLDS,
        columns=told.columns,
        contenders=contenders,
        curve=curve,
        answer=answer,
        sentence=f"{_said(answer, contenders, judge.metric)} {_more(told, judge)}",
    )


@dataclass(frozen=True)
class _Judge:
    """How answers are judged.

    Args:
        metric: by which models are compared.
        score: answers, truth and seed -> the metric and its 95 % interval.
        wrong: answers and truth -> how wrong each answer is.
    """

    metric: str
    score: Callable[[np.ndarray, np.ndarray, int], tuple[float, Interval]]
    wrong: Callable[[np.ndarray, np.ndarray], np.ndarray]


def _judge(told: Answers, target: Target) -> _Judge:
    if not target.classes:
        return _Judge("R2", _r2, errors)
    shares = np.bincount(told.truth, minlength=len(target.classes)) / len(told.truth)
    if len(shares) == 2 and 0 < shares.min() < RARE:
        return _Judge("AUC", _auc, nats)
    return _Judge("accuracy", _accuracy, errors)


def _answer(told: Answers, judge: _Judge) -> Answerable:
    trivial, *others = told.told
    if not any(_informative(told, trivial, name, judge) for name in others):
        return NO_SIGNAL
    if BOOSTED in others and _saves(told.told[LINEAR], told.told[BOOSTED], told.truth, judge.wrong):
        return NETWORK
    return LINEAR_RULE


def _informative(told: Answers, trivial: str, name: str, judge: _Judge) -> bool:
    """Whether a model knows more than the shares of the classes, or the mean, by its answers or its probabilities."""
    before, after = told.told[trivial], told.told[name]
    ways = (errors,) if judge.metric == "R2" else (errors, nats)
    return any(_saves(before, after, told.truth, wrong) for wrong in ways)


def _saves(
    before: np.ndarray, after: np.ndarray, truth: np.ndarray, wrong: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> bool:
    """Whether a model is less wrong than another on the same rows, by more than chance explains, at 95 %."""
    first, second = wrong(before, truth), wrong(after, truth)
    saved = first - second
    noise = NORMAL_975 * float(saved.std()) / np.sqrt(len(saved))
    return float(saved.mean()) > max(noise, WORTHWHILE * float(first.mean()))


def _accuracy(answers: np.ndarray, truth: np.ndarray, seed: int) -> tuple[float, Interval]:
    right = int((errors(answers, truth) == 0).sum())
    return right / len(truth), wilson(right, len(truth))


def _auc(answers: np.ndarray, truth: np.ndarray, seed: int) -> tuple[float, Interval]:
    ranked = Ranked.of(truth == 1, answers[:, 1])
    return ranked.auc(), ranked.auc_interval()


def _r2(answers: np.ndarray, truth: np.ndarray, seed: int) -> tuple[float, Interval]:
    parts = np.stack([errors(answers, truth), (truth - truth.mean()) ** 2], axis=1)

    def figure(sums: np.ndarray) -> np.ndarray:
        return 1 - sums[:, 0] / np.maximum(sums[:, 1], np.finfo(np.float64).tiny)

    return float(figure(parts.sum(axis=0)[None])[0]), bootstrap(parts, figure, seed)


def _contender(name: str, told: Answers, judge: _Judge, seed: int) -> Contender:
    answers = told.told[name]
    score, interval = judge.score(answers, told.truth, seed)
    if judge.metric == "AUC" and name == MAJORITY:
        score, interval = 0.5, None  # its shares differ a little from fold to fold, which says nothing
    figures: dict[str, float] = {}
    if judge.metric == "R2":
        figures["mean absolute error"] = float(np.abs(answers[:, 0] - told.truth).mean())
    else:
        figures["log loss"] = log_loss(told.truth, answers)
        if answers.shape[1] == 2 and name != MAJORITY:
            figures["AUC"] = _auc(answers, told.truth, seed)[0]
        figures["accuracy"] = _accuracy(answers, told.truth, seed)[0]
        figures.pop(judge.metric, None)
    return Contender(name=name, score=score, interval=interval, figures=figures, seconds=told.seconds[name])


def _said(answer: Answerable, contenders: list[Contender], metric: str) -> str:
    scores = {one.name: f"{figure(one.score)} ({within(one.interval)})" for one in contenders}
    trivial = contenders[0]
    found = ", ".join(f"{name} {scores[name]}" for name in scores if name != trivial.name)
    beside = f"{metric}: {found}; {trivial.name} {figure(trivial.score)}"
    if answer == NO_SIGNAL:
        return f"No signal: no simple model does better than the {trivial.name} ({beside})."
    if answer == LINEAR_RULE:
        than = "; what boosted trees add is within the noise" if BOOSTED in scores else ""
        return f"A linear rule does it{than} ({beside})."
    return f"Worth a network: there is more to learn than a linear rule finds ({beside})."


def _more(told: Answers, judge: _Judge) -> str:
    """Whether more rows would help: what the last doubling has brought."""
    rows, answers = told.curve[-1]
    best = told.told[told.best]
    enough = judge.score(best, told.truth, 0)[0] > ENOUGH
    if not enough and _saves(answers, best, told.truth, judge.wrong):
        return f"More rows would help: the last doubling, from {rows:,} rows, still made the {told.best} better."
    return f"More rows like these would hardly help: the last doubling, from {rows:,} rows, brought nothing clear."
