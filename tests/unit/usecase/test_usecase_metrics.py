"""The figures that a use case may compare models by are those that reports have."""

from __future__ import annotations

from pathlib import Path

import pytest
from synthetic_reports import report_of

from afield.report.model import METRIC
from afield.usecase.load import check
from afield.usecase.model import METRICS


@pytest.mark.parametrize("kind", sorted(METRICS))
def test_the_usual_figure_comes_first(kind: str) -> None:
    assert METRICS[kind][0] == METRIC[kind]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(("sample", "kind"), [("tag", "tag"), ("regress", "regress"), ("write", "write")])
def test_reports_have_the_figures(sample: str, kind: str) -> None:
    assert set(METRICS[kind]) <= set(report_of(sample).figures())


def test_a_figure_that_the_question_does_not_have(tmp_path: Path) -> None:
    (tmp_path / "usecase.yaml").write_text(
        "name: x\nquestion: {kind: regress, metric: accuracy}\nsource: {files: {path: data}}\npreprocess: [table]\n"
        "model: {sklearn: Ridge}\n"
    )
    (found,) = check(tmp_path)
    assert str(found).endswith(
        "2:35: question.metric: expected one of R2, mean absolute error, mean squared error, root mean squared error, "
        "median absolute error, found 'accuracy'"
    )
