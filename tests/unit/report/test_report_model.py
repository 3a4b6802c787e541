"""report.json: what is written can be read back, and what is not a report is refused."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from pydantic import ValidationError
from synthetic_reports import MAKERS, comparison, report_of

from afield.errors import DataError, StateError
from afield.report import Report, from_json, json_text
from afield.report.model import Confusion, Contender, Embedding, Epoch, Frame, Mistake, comparison_from_json


def test_a_report_is_read_back_as_written(systems: Report) -> None:
    text = json_text(systems)
    assert from_json(text, "report.json") == systems
    assert json_text(from_json(text, "report.json")) == text


def test_the_text_is_plain_json_with_its_schema_first(systems: Report) -> None:
    content = json.loads(json_text(systems))
    assert next(iter(content.items())) == ("schema", 2)
    assert content["created"] == "2025-03-14T15:09:26Z"
    assert len(content["test"]["confusion"]["counts"]) == len(content["classes"]) == 16


def test_many_classes_are_stored_sparse(events: Report) -> None:
    confusion = json.loads(json_text(events))["test"]["confusion"]
    assert confusion["counts"] is None
    assert sum(count for _, _, count in confusion["cells"]) == events.test.rows


def test_a_loss_that_ran_away_survives(systems: Report) -> None:
    lost = Epoch(
        epoch=1, loss=math.nan, metrics={"accuracy": 0.1}, validation_loss=math.inf, learning_rate=9.0, seconds=0.1
    )
    report = systems.model_copy(update={"history": [lost]})
    text = json_text(report)
    assert json.loads(text)["history"][0]["loss"] == "NaN"
    back = from_json(text, "report.json").history[0]
    assert math.isnan(back.loss)
    assert back.validation_loss == math.inf


def test_values_never_change(systems: Report) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        systems.verdict = "perfect"  # pyright: ignore[reportAttributeAccessIssue]


def test_a_certain_answer_is_no_surer_than_one(systems: Report) -> None:
    certain = {**systems.mistakes[0].model_dump(), "probability": float(np.nextafter(np.float32(1), np.float32(2)))}
    assert Mistake.model_validate(certain).probability == 1
    with pytest.raises(ValidationError):
        Mistake.model_validate({**certain, "probability": 1.1})


def test_a_newer_schema_is_refused() -> None:
    with pytest.raises(StateError) as raised:
        from_json('{"schema": 3, "more": []}', "report.json")
    assert str(raised.value) == (
        "report.json: expected a report of schema 2, found schema 3; "
        "read it with a newer afield: pip install --upgrade afield"
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"schema": 2}', "use_case: Field required"),
        ("[]", "the whole text: Input should be an object"),
        ('{"schema', "the whole text: Invalid JSON: EOF while parsing a string at line 1 column 8"),
    ],
)
def test_what_is_no_report_is_refused(text: str, found: str) -> None:
    with pytest.raises(StateError) as raised:
        from_json(text, "report.json")
    assert str(raised.value) == (
        f"report.json: expected a report of schema 2, found at {found}; train the version again"
    )


@pytest.mark.parametrize(
    "form",
    [
        {"size": 2},
        {"size": 2, "counts": [[1, 0]]},
        {"size": 2, "counts": [[1, 0], [0, 1]], "cells": []},
        {"size": 2, "cells": [(0, 2, 1)]},
    ],
)
def test_a_confusion_matrix_has_one_whole_form(form: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Confusion.model_validate(form)


@pytest.mark.parametrize("kind", MAKERS)
def test_a_report_of_every_kind_is_read_back_as_written(kind: str) -> None:
    report = report_of(kind)
    assert from_json(json_text(report), "report.json") == report


@pytest.mark.parametrize(
    ("kind", "metric"),
    [
        ("binary", "AUC"),
        ("tag", "micro F1"),
        ("regress", "R2"),
        ("abnormal", "average precision"),
        ("group", "silhouette"),
        ("write", "bits a character"),
        ("images", "accuracy"),
    ],
)
def test_every_kind_has_a_score_within_its_interval(kind: str, metric: str) -> None:
    report = report_of(kind)
    assert report.metric == metric
    assert report.score is not None
    assert report.interval is not None
    assert report.interval[0] < report.score < report.interval[1]
    assert report.higher_is_better == (kind != "write")
    contender = report.contender()
    assert contender is not None
    assert (contender.score, contender.interval) == (report.score, report.interval)
    assert metric not in contender.figures


def test_without_labels_there_is_nothing_to_compare() -> None:
    report = report_of("unlabelled")
    assert (report.score, report.interval, report.contender(), report.best_baseline()) == (None, None, None, None)


def test_the_best_baseline_is_the_lowest_where_low_is_better() -> None:
    written = report_of("write")
    others = [Contender(name=str(score), score=score) for score in (3.0, 2.0, 4.0)]
    best = written.model_copy(update={"baselines": others}).best_baseline()
    assert best is not None
    assert best.name == "2.0"


def test_a_comparison_is_read_back_as_written() -> None:
    assert comparison_from_json(json_text(comparison()), "compare.json") == comparison()
    with pytest.raises(StateError) as raised:
        comparison_from_json("{}", "compare.json")
    assert str(raised.value) == (
        "compare.json: expected a comparison of schema 1, found at use_case: Field required; compare the models again"
    )


def test_an_older_report_is_refused() -> None:
    with pytest.raises(StateError) as raised:
        from_json('{"schema": 1}', "report.json")
    assert str(raised.value) == "report.json: expected a report of schema 2, found schema 1; train the version again"


def test_a_contender_needs_its_metric() -> None:
    regression = report_of("regress").regression
    assert regression is not None
    with pytest.raises(DataError) as raised:
        Contender.of("mean", "AUC", regression)
    assert str(raised.value) == (
        "mean: expected a figure named 'AUC' to compare by, found R2, mean absolute error, mean squared error, "
        "root mean squared error, median absolute error; name one of these"
    )


def test_every_frame_of_an_embedding_has_the_same_rows() -> None:
    with pytest.raises(ValidationError, match="every frame must have 2 points, one for each member"):
        Embedding(names=["a"], members=[0, 0], frames=[Frame(epoch=0, points=[(0, 0, 0)])], method="as they are")
