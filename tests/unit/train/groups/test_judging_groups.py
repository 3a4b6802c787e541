"""What groups are worth: the report on them, their names in the answers, and what is typical of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from cases import records, use_case

import afield
from afield.report.metrics import adjusted_rand
from afield.train.base import Unwatched
from afield.train.dataset import Dataset, build
from afield.train.judging.base import Raw
from afield.train.judging.columns import column_of, named_values
from afield.train.judging.groups import judge_groups
from afield.usecase.model import UseCase

KINDS = np.array(["small", "tall", "wide"])
ROWS = 600


def people(seed: int) -> tuple[dict[str, Any], np.ndarray]:
    """Three kinds of records, half of them small."""
    random = np.random.default_rng(seed)
    kind = random.choice(3, ROWS, p=[0.5, 0.3, 0.2])
    height = np.array([100, 180, 120])[kind] + 5 * random.normal(size=ROWS)
    width = np.array([40, 50, 90])[kind] + 3 * random.normal(size=ROWS)
    town = np.array(["Oslo", "Rome"])[(kind == 2).astype(int)]
    return {"height": height, "width": width, "town": town}, kind


def grouping(declared: dict[str, Any], steps: list[Any]) -> UseCase:
    case = use_case({"kind": "group"}, steps)
    model = UseCase.model_validate(case.model_dump(mode="json") | {"model": {"groups": declared}}).model
    return case.model_copy(update={"model": model})


def judged(case: UseCase, data: Dataset) -> Any:
    vectors = [np.asarray(data.features["table"])[rows] for _, rows in data.parts.items()]
    return judge_groups(data, case, Raw(vectors[1], vectors[2], vectors[0]))


def test_groups_of_a_table() -> None:
    columns, kind = people(0)
    case = grouping({"count": 3}, ["table"])
    labels = [name if row % 4 else None for row, name in enumerate(KINDS[kind])]
    data = build(records(case, labels, **columns), case, Unwatched())
    judgement = judged(case, data)
    decision, found = judgement.decision, judgement.sections["groups"]
    assert [group.name for group in found.groups] == decision.names == ["group 1", "group 2", "group 3"]
    assert found.method == "k-means"
    test = data.parts.test
    answers = decision.answer(np.asarray(data.features["table"])[test])["prediction"].to_pylist()
    assert answers.count("group 2") == found.groups[1].size
    assert answers.count("unknown") == found.outside
    # By the rows whose label is known.
    known = data.targets[test] >= 0
    members = np.array([-1 if answer == "unknown" else int(answer[-1]) for answer in answers])
    assert found.agreement == pytest.approx(adjusted_rand(data.targets[test][known], members[known]))
    described = [({one.column: one for one in group.typical}, group.examples) for group in found.groups]
    typical, examples = next(pair for pair in described if pair[0]["width"].value > 80)
    # As it was read, not as it was scaled.
    assert typical["width"].value == pytest.approx(90, abs=2)
    assert typical["width"].overall == pytest.approx(np.mean(columns["width"][test]))
    assert typical["town=Rome"].value == 1
    assert all("town: Rome" in shown.text for shown in examples)


def test_no_labels_and_no_agreement() -> None:
    columns, _ = people(1)
    case = grouping({}, ["table"])
    judgement = judged(case, build(records(case, None, **columns), case, Unwatched()))
    found = judgement.sections["groups"]
    assert (found.agreement, len(found.groups)) == (None, 3)
    assert judgement.contender("groups", "model", "silhouette", 1.0).score == found.silhouette


def test_values_of_windows() -> None:
    columns = {"a": np.arange(200.0), "b": np.where(np.arange(200) % 2, "x", "y")}
    case = grouping({}, [{"table": {}}, {"window": {"length": 4, "stride": 4}}])
    data = build(records(case, None, **columns), case, Unwatched())
    names, values = named_values(data, data.parts.test)
    assert values is not None
    ends = data.layout.ends[data.parts.test]
    np.testing.assert_allclose(values[:, names.index("a")], ends - 1.5)
    np.testing.assert_allclose(values[:, names.index("b=x")], 0.5)


def test_missing_values_are_their_mean() -> None:
    columns = {"a": [None if row % 10 == 0 else float(row) for row in range(100)]}
    case = grouping({}, ["table"])
    data = build(records(case, None, **columns), case, Unwatched())
    names, values = named_values(data, np.array([0, 1]))
    assert values is not None
    mean = np.mean([row for row in range(100) if row % 10])
    np.testing.assert_allclose(values[:, names.index("a")], [mean, 1])


@pytest.mark.parametrize(
    ("name", "column"),
    [("age", "age"), ("age missing", "age"), ("a=b", "a"), ("a.b=c", "a.b"), ("day.hour sin", "day"), ("a", "a")],
)
def test_the_column_of_a_number(name: str, column: str) -> None:
    assert column_of(name, ["a", "a.b", "age", "day"]) == column


CASE = """
name: t
source: {files: {path: data}}
question: {kind: group}
preprocess: [PREPROCESS]
model: {groups: {count: 3, dimensions: 4}}
"""


def test_a_table_from_records_to_answers(tmp_path: Path) -> None:
    (tmp_path / "usecase.yaml").write_text(CASE.replace("PREPROCESS", "table"))
    (tmp_path / "data").mkdir()
    columns, kind = people(2)
    version = afield.load(tmp_path).train(pa.table(columns))
    assert (version.report.metric, version.report.subject) == ("silhouette", "groups")
    assert version.report.stopped == "4 principal components of 4 columns"
    answers = version.predict(pa.table(columns))
    assert answers.column_names == ["prediction", "distance", "version"]
    assert adjusted_rand(kind, np.unique(answers["prediction"].to_pylist(), return_inverse=True)[1]) > 0.9
    stranger = version.predict(pa.table({"height": [900.0], "width": [5.0], "town": ["Rome"]}))
    assert stranger["prediction"].to_pylist() == ["unknown"]


def test_text_from_records_to_answers(tmp_path: Path) -> None:
    (tmp_path / "usecase.yaml").write_text(CASE.replace("PREPROCESS", "{text: {mask: [number]}}"))
    (tmp_path / "data").mkdir()
    random = np.random.default_rng(0)
    subjects = {"link": "link port cable down", "login": "user password login refused", "disk": "disk full quota write"}
    lines = [" ".join(random.permutation(list(subjects.values())[row % 3].split())) + f" {row}" for row in range(300)]
    version = afield.load(tmp_path).train(pa.table({"text": lines}), [list(subjects)[row % 3] for row in range(300)])
    found = version.report.groups
    assert found.agreement > 0.95
    for group in found.groups:
        high = {one.column for one in group.typical if one.deviations > 0}
        assert any(high <= set(words.split()) for words in subjects.values())
        # Numbers are masked where rows are shown.
        assert all("<number>" in shown.text for shown in group.examples)
    asked = ["link port cable 7", "password refused login 1", "quota full disk 3", "nothing known"]
    *answers, stranger = version.predict(pa.table({"text": asked}))["prediction"].to_pylist()
    assert set(answers) == {"group 1", "group 2", "group 3"}
    assert stranger == "unknown"
