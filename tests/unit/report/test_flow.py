"""A use case at a glance."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from afield.report.flow import flow, network_table
from afield.report.model import LayerRow

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


def test_the_table_of_a_network_adds_up() -> None:
    layers = [
        LayerRow(layer="Dense", name="dense_1", output_shape="(rows, 512)", parameters=1_234_000),
        LayerRow(layer="Dropout", name="dropout_2", output_shape="(rows, 512)", parameters=0),
    ]
    out = io.StringIO()
    Console(file=out, width=80).print(network_table(layers, "network of v3"))
    words = [line.replace("│", " ").replace("┃", " ").split() for line in out.getvalue().splitlines()]
    assert words[0] == ["network", "of", "v3"]
    assert ["layer", "name", "output", "shape", "parameters"] in words
    assert ["Dense", "dense_1", "(rows,", "512)", "1,234,000"] in words
    assert words[-2] == ["total", "1,234,000"]
