"""What tags, values, alarms and states are worth, and how each becomes an answer."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from cases import records, use_case
from sklearn.metrics import average_precision_score, f1_score, mean_absolute_error, r2_score, roc_auc_score

from afield.runtime.decisions import Alarm, Nearest, Tags, Value
from afield.train.base import Unwatched
from afield.train.dataset import Dataset, build
from afield.train.judging.alarms import judge_alarms
from afield.train.judging.base import Raw, metric_of
from afield.train.judging.judge import part_counts
from afield.train.judging.states import judge_states
from afield.train.judging.tags import judge_tags
from afield.train.judging.values import judge_values
from afield.train.shown import VALUE_SHOWN, shown
from afield.usecase.model import UseCase

ROWS = 400


def dataset(question: dict[str, Any], labels: list[Any] | None) -> tuple[Dataset, UseCase]:
    """Rows of one number, which is the row's own."""
    case = use_case(question, [{"table": {"numbers": "none"}}], split={"validation": 0.25})
    return build(records(case, labels, hidden=["y"], n=np.arange(ROWS, dtype=float)), case, Unwatched()), case


def parts_of(data: Dataset, values: np.ndarray) -> Raw:
    training, validation, test = (values[rows].astype(np.float32) for _, rows in data.parts.items())
    return Raw(validation, test, training)


@pytest.fixture
def tagged() -> tuple[Dataset, UseCase, np.ndarray]:
    random = np.random.default_rng(0)
    truth = random.random((ROWS, 3)) < [0.5, 0.2, 0.8]
    data, case = dataset({"kind": "tag"}, [";".join(np.array(["a", "b", "c"])[row]) or ";" for row in truth])
    assert data.targets.astype(bool).tolist() == truth.tolist()
    return data, case, 0.2 * truth + 0.5 * random.random((ROWS, 3))


@pytest.mark.parametrize("cut", ["half", "best_f1", 0.4])
def test_tags(tagged: tuple[Dataset, UseCase, np.ndarray], cut: str | float) -> None:
    data, case, probabilities = tagged
    asked = case.model_copy(update={"question": case.question.model_copy(update={"cut": cut})})
    answers = parts_of(data, probabilities)
    judgement = judge_tags(data, asked, answers)
    decision, found = judgement.decision, judgement.sections["tags"]
    assert isinstance(decision, Tags)
    truth = data.targets[data.parts.test].astype(bool)
    given = answers.test >= np.array(decision.cuts)
    assert found.micro.f1 == pytest.approx(f1_score(truth, given, average="micro"))
    assert found.macro.f1 == pytest.approx(f1_score(truth, given, average="macro", zero_division=0))
    assert found.subset_accuracy == pytest.approx((truth == given).all(axis=1).mean())
    assert found.per_tag[0].auc == pytest.approx(roc_auc_score(truth[:, 0], answers.test[:, 0]))
    names = ["".join(text.split(";")) for text in decision.answer(answers.test)["prediction"].to_pylist()]
    assert names == ["".join(np.array(["a", "b", "c"])[row]) for row in given]
    if cut == "best_f1":
        validated = data.targets[data.parts.validation].astype(bool)
        for tag, chosen in enumerate(decision.cuts):
            scores = [
                f1_score(validated[:, tag], answers.validation[:, tag] >= value, zero_division=0)
                for value in np.linspace(0, 0.7, 300)
            ]
            assert f1_score(validated[:, tag], answers.validation[:, tag] >= chosen) >= max(scores)
    else:
        assert decision.cuts == [0.5 if cut == "half" else cut] * 3
    assert metric_of(asked) == "micro F1"
    assert part_counts(data, "tag").test.classes == dict(zip("abc", truth.sum(axis=0).tolist(), strict=True))


def test_values() -> None:
    truth = 3 * np.sin(np.arange(ROWS)) + 7
    data, case = dataset({"kind": "regress", "unit": "bikes"}, truth.tolist())
    answers = parts_of(data, (truth + np.random.default_rng(0).normal(size=ROWS))[:, None])
    judgement = judge_values(data, case, answers)
    assert judgement.decision == Value()
    found, tested = judgement.sections["regression"], data.targets[data.parts.test]
    assert (found.target, found.unit, metric_of(case)) == ("y", "bikes", "R2")
    assert found.r2 == pytest.approx(r2_score(tested, answers.test[:, 0]))
    assert found.mean_absolute_error == pytest.approx(mean_absolute_error(tested, answers.test[:, 0]))
    worst = int(np.abs(tested - answers.test[:, 0]).argmax())
    assert found.worst[0].text == f"{data.parts.test[worst]}"
    counts = part_counts(data, "regress")
    assert (counts.test.rows, counts.test.classes) == (len(tested), {})


def alarmed(labels: list[str | None] | None, scores: np.ndarray, **question: Any) -> tuple[Dataset, Any, Raw]:
    data, case = dataset({"kind": "abnormal", "alarms": 0.1, **question}, labels)
    answers = parts_of(data, scores[:, None])
    return data, judge_alarms(data, case, answers), answers


def test_alarms_without_labels() -> None:
    scores = np.random.default_rng(0).random(ROWS)
    _, judgement, answers = alarmed(None, scores)
    assert isinstance(judgement.decision, Alarm)
    assert judgement.decision.cut == pytest.approx(np.quantile(answers.validation, 0.9))
    found = judgement.sections["abnormal"]
    raised = judgement.decision.answer(answers.test)["prediction"].to_pylist().count("abnormal")
    assert (found.known, found.observed) == (None, raised / len(answers.test))
    assert judgement.contender("network", "model", "average precision", 1.0) is None


def test_alarms_with_labels() -> None:
    random = np.random.default_rng(0)
    fault = random.random(ROWS) < 0.2
    scores = random.random(ROWS) + 0.6 * fault
    labels = [["overload", "crash"][n % 2] if bad else "ok" for n, bad in enumerate(fault)]
    data, judgement, answers = alarmed(labels, scores, normal="ok")
    usual = answers.validation[~fault[data.parts.validation]]
    assert judgement.decision.cut == pytest.approx(np.quantile(usual, 0.9))
    found, truth = judgement.sections["abnormal"], fault[data.parts.test]
    assert found.known.average_precision == pytest.approx(average_precision_score(truth, answers.test[:, 0]))
    assert found.known.recall == pytest.approx((answers.test[truth, 0] > judgement.decision.cut).mean())
    assert {row.label for row in found.most} >= {"overload", "crash"}


def test_equal_scores_raise_no_alarm() -> None:
    _, judgement, answers = alarmed(None, np.full(ROWS, 0.25))
    assert judgement.sections["abnormal"].observed == 0
    assert set(judgement.decision.answer(answers.test)["prediction"].to_pylist()) == {"normal"}


def test_states() -> None:
    random = np.random.default_rng(0)
    state = np.arange(ROWS) % 3
    centres = np.array([[0, 0], [9, 0], [0, 9]])
    vectors = centres[state] + random.normal(size=(ROWS, 2))
    data, case = dataset({}, [["calm", "flood", "storm"][place] for place in state])
    answers = parts_of(data, vectors)
    judgement = judge_states(data, case, answers)
    decision = judgement.decision
    assert isinstance(decision, Nearest)
    np.testing.assert_allclose(decision.references, centres, atol=0.5)
    assert judgement.sections["test"].accuracy == 1
    names = decision.answer(answers.test)["prediction"].to_pylist()
    assert judgement.sections["states"].unknown == names.count("unknown") / len(names)
    assert names.count("unknown") <= 0.1 * len(names)
    assert decision.answer(np.array([[50, 50]], np.float32))["prediction"].to_pylist() == ["unknown"]


def test_what_is_shown_of_records_of_several_columns() -> None:
    case = use_case({"kind": "abnormal"}, ["table"])
    random = np.random.default_rng(0)
    columns = {"n": random.normal(size=50), "word": ["v", "w" * 60] * 25, "y": ["ok"] * 50}
    data = build(records(case, columns["y"], hidden=["y"], **columns), case, Unwatched())
    (row,) = shown(data, np.array([49]))
    assert re.fullmatch(rf"n: -?[0-9.]+, word: w{{{VALUE_SHOWN - 1}}}…", row.text)
    assert shown(data, np.array([], int)) == []
