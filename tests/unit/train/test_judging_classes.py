"""What classes are worth on the test part, where the answers are wrong, and at which cut one of two is given."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pytest
from cases import use_case
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from afield.connectors.base import FILE, LINE
from afield.errors import DataError
from afield.preprocess.pipeline import Pipeline
from afield.preprocess.rows import SparseRows
from afield.preprocess.text.spec import Text
from afield.runtime.decisions import Classes
from afield.train.dataset import Dataset
from afield.train.judging.base import Raw
from afield.train.judging.classes import details, judge_classes
from afield.train.judging.judge import part_counts
from afield.train.layout import Layout
from afield.train.records import Records
from afield.train.shown import TEXT_SHOWN
from afield.train.split import Parts

TEXTS = ["a 1", "b 2", "a 3", "b 4", "new text 7", "", "x" * 600]
TARGETS = np.array([0, 1, 0, 1, 1, 0, 0], np.int32)
NOTHING = np.zeros((1, 2), np.float32)


@pytest.fixture
def data() -> Dataset:
    """Rows 0 and 1 train, 2 validates, the others test; row 3 reads like row 1 once masked."""
    pipeline = Pipeline.of([Text(mask=["number"], tokens="words")])
    assert pipeline.text
    files = pa.array([f"f{i}.log" for i in range(7)]).dictionary_encode()
    table = pa.table({"text": TEXTS, FILE: files, LINE: range(10, 17)})
    records = Records(table, TARGETS, ["ant", "bee"], [])
    parts = Parts(np.array([0, 1]), np.array([2]), np.array([3, 4, 5, 6]))
    keys = pipeline.text.keys(None, table.to_batches()[0])
    rows = SparseRows(np.zeros(8, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32), 1)
    layout = Layout(np.arange(7), TARGETS)
    return Dataset(records, layout, parts, pipeline, {"text": rows}, keys, 0.0, "f")


def raw(*test: tuple[float, float]) -> Raw:
    return Raw(NOTHING, np.array(test, np.float32))


WRONG = raw((0.1, 0.9), (0.8, 0.2), (0.3, 0.7), (0.6, 0.4))


def test_scores_on_all_and_on_unseen_rows(data: Dataset) -> None:
    judgement = judge_classes(data, use_case(), WRONG)
    assert (judgement.sections["test"].rows, judgement.sections["test"].accuracy) == (4, 0.5)
    assert judgement.decision == Classes(["ant", "bee"], 0.5)
    found = details(data, Classes(["ant", "bee"], 0.5), WRONG)
    assert (found["unseen"].rows, found["unseen"].accuracy) == (3, pytest.approx(1 / 3))
    assert found["duplicated_rows"] == 1
    first, second = found["mistakes"]
    assert (first.truth, first.prediction, first.file, first.line) == ("bee", "ant", "f4.log", 14)
    assert first.text == "new text <number>"
    assert first.probability == pytest.approx(0.8)
    assert (second.truth, second.prediction, second.text, second.line) == ("ant", "bee", "", 15)


def test_a_mistake_at_the_chosen_cut(data: Dataset) -> None:
    found = details(data, Classes(["ant", "bee"], 0.95), raw((0.1, 0.9), (0, 1), (0.3, 0.7), (0.6, 0.4)))
    (mistake,) = found["mistakes"]
    assert (mistake.truth, mistake.prediction, mistake.probability) == ("bee", "ant", pytest.approx(0.1))


def test_a_long_text_is_cut(data: Dataset) -> None:
    (mistake,) = details(data, Classes(["ant", "bee"]), raw((0, 1), (0, 1), (1, 0), (0, 1)))["mistakes"]
    assert mistake.text == "x" * (TEXT_SHOWN - 1) + "…"


def test_no_mistakes_and_nothing_unseen(data: Dataset) -> None:
    seen = dataclasses.replace(data, parts=dataclasses.replace(data.parts, test=np.array([3])))
    answers = raw((0, 1))
    found = details(seen, Classes(["ant", "bee"]), answers)
    assert (found["unseen"], found["duplicated_rows"], found["mistakes"]) == (None, 1, [])
    judgement = judge_classes(seen, use_case(), answers)
    # There is no curve where all rows are of one class.
    assert (judgement.sections["test"].accuracy, judgement.sections["binary"]) == (1.0, None)
    with pytest.raises(DataError, match=r"^network: expected a figure named 'AUC' to compare by, found accuracy, "):
        judgement.contender("network", "model", "AUC", 1.0)


def test_records_without_files(data: Dataset) -> None:
    records = dataclasses.replace(data.records, table=data.records.table.select(["text"]))
    plain = dataclasses.replace(data, records=records)
    found = details(plain, Classes(["ant", "bee"]), raw((1, 0), (1, 0), (1, 0), (1, 0)))
    assert {(mistake.file, mistake.line) for mistake in found["mistakes"]} == {("", 0)}


def test_rows_of_each_part_and_class(data: Dataset) -> None:
    counts = part_counts(data, "classify")
    assert (counts.training.rows, counts.training.classes) == (2, {"ant": 1, "bee": 1})
    assert (counts.validation.rows, counts.validation.classes) == (1, {"ant": 1, "bee": 0})
    assert (counts.test.rows, counts.test.classes) == (4, {"ant": 2, "bee": 2})


@pytest.fixture
def two() -> tuple[Dataset, Raw]:
    """200 rows to validate and 300 to test, of probabilities that tell the classes badly at one half."""
    random = np.random.default_rng(0)
    targets = random.integers(0, 2, 510).astype(np.int32)
    second = (0.1 * targets + 0.2 * random.random(510)).astype(np.float32)
    parts = Parts(np.arange(10), np.arange(10, 210), np.arange(210, 510))
    records = Records(pa.table({"text": ["x"] * 510}), targets, ["ant", "bee"], [])
    rows = SparseRows(np.zeros(511, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32), 1)
    pipeline, keys = Pipeline.of([Text()]), np.arange(510)
    data = Dataset(records, Layout(np.arange(510), targets), parts, pipeline, {"text": rows}, keys, 0.0, "f")
    return data, Raw(second[parts.validation, None], second[parts.test, None])


def test_of_two_classes_at_every_cut(two: tuple[Dataset, Raw]) -> None:
    data, answers = two
    truth, second = data.targets[data.parts.test], answers.test[:, 0]
    judgement = judge_classes(data, use_case(), answers)
    found = judgement.sections["binary"]
    assert found.auc == pytest.approx(roc_auc_score(truth, second))
    assert found.average_precision == pytest.approx(average_precision_score(truth, second))
    assert (found.positive, found.cut.value, found.cut.recall) == ("bee", 0.5, 0)
    assert judgement.sections["test"].accuracy == (truth == 0).mean()
    # One output for the second class is as good as one for each.
    both = Raw(*(np.concatenate([1 - part, part], axis=1) for part in (answers.validation, answers.test)))
    assert judge_classes(data, use_case(), both).sections == judgement.sections


@pytest.mark.parametrize(
    ("cut", "chosen"), [("best_f1", "the highest F1 on the validation part"), (0.2, "given in the use case")]
)
def test_the_cut_is_chosen_on_the_validation_part(two: tuple[Dataset, Raw], cut: str | float, chosen: str) -> None:
    data, answers = two
    judgement = judge_classes(data, use_case({"cut": cut}), answers)
    decision, found = judgement.decision, judgement.sections["binary"]
    assert isinstance(decision, Classes)
    assert decision.cut == found.cut.value
    assert found.cut.chosen == chosen
    validated = data.targets[data.parts.validation]
    scores = [f1_score(validated, answers.validation[:, 0] >= value) for value in np.linspace(0, 0.4, 400)]
    if cut == "best_f1":
        assert f1_score(validated, answers.validation[:, 0] >= decision.cut) >= max(scores)
    else:
        assert decision.cut == 0.2
    # What the report counts is what the bundle will answer.
    truth = data.targets[data.parts.test]
    given = decision.chosen(decision.probabilities(answers.test))
    assert found.cut.f1 == pytest.approx(f1_score(truth, given))
    assert judgement.sections["test"].accuracy == pytest.approx((given == truth).mean())


def test_a_contender(two: tuple[Dataset, Raw]) -> None:
    judgement = judge_classes(*two[:1], use_case(), two[1])
    found = judgement.contender("network", "model", "AUC", 1.5)
    assert found is not None
    assert (found.score, found.interval) == (
        judgement.sections["binary"].auc,
        judgement.sections["binary"].auc_interval,
    )
    assert found.figures["accuracy"] == judgement.sections["test"].accuracy
    assert "AUC" not in found.figures
