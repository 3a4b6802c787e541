"""A use case at a glance."""

from __future__ import annotations

from typing import Any

import pytest

from afield.report.flow import flow

CASE = {
    "sink": [{"jsonl": {"path": "answers"}}, {"parquet": {}}],
    "trigger": ["on_arrival"],
    "source": {"files": {"path": "data", "label": {"from": ["folder", "kind"]}}},
    "preprocess": [{"text": {"mask": ["number", "ip"]}}],
    "model": {"network": [{"dense": {"units": 8}}, {"dense": {"units": "classes"}}]},
    "train": {"epochs": 3, "early_stopping": None},
    "name": "logs",
}


def test_one_line_a_stage_in_the_order_the_data_flows() -> None:
    assert flow(CASE) == [
        ("source", "files: {path: data, label: {from: [folder, kind]}}"),
        ("preprocess", "text: {mask: [number, ip]}"),
        ("model", "network: [{dense: {units: 8}}, {dense: {units: classes}}]"),
        ("train", "epochs: 3, early_stopping"),
        ("trigger", "on_arrival"),
        ("sink", "jsonl: {path: answers} -> parquet"),
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [({}, ""), ([], ""), ("text", "text"), ({"a": {}}, "a"), ({"a": 0}, "a: 0"), ([{"a": {"b": [1]}}], "a: {b: [1]}")],
)
def test_what_is_said_of_a_stage(given: Any, said: str) -> None:
    assert flow({"train": given}) == [("train", said)]
