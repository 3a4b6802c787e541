"""Found values are put into the text of a use case, and nothing else of it changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from afield.tune.writing import applied
from afield.usecase.load import load
from afield.usecase.searches import Dimension

HEAD = """\
# A use case.
source:
  files: {path: data, label: file_name}   # logs

preprocess:
  - text   # lines
"""


def case(tmp_path: Path, text: str) -> Any:
    (tmp_path / "usecase.yaml").write_text(HEAD + text)
    return load(tmp_path, ["name=lines"])


def decide(values: dict[str, Any]) -> Callable[[Dimension], Any]:
    return lambda dimension: values.get(dimension.name, 0)


@pytest.mark.parametrize(
    ("before", "values", "after"),
    [
        (
            "model:\n  network:\n    - dense: {units: {search: [8, 16]}, activation: relu}   # wide\n"
            "    - dense: {units: classes, activation: softmax}\n",
            {"model.network.0.dense.units": 1},
            "model:\n  network:\n    - dense: {units: 16, activation: relu}   # wide\n"
            "    - dense: {units: classes, activation: softmax}\n",
        ),
        (
            "model: {network: [dense: {units: classes, activation: softmax}]}\n"
            "train:\n  epochs:\n    range: [2, 9]   # passes\n  # rows\n  batch_size: {search: [16, 32]} # a step\n",
            {"train.epochs": 5, "train.batch_size": 1},
            "model: {network: [dense: {units: classes, activation: softmax}]}\n"
            "train:\n  epochs:\n    5   # passes\n  # rows\n  batch_size: 32 # a step\n",
        ),
        (
            "model: {network: [dense: {units: classes, activation: softmax}]}\n"
            "train:\n  optimizer: {search: [adam, {sgd: {momentum: {range: [0.1, 0.9]}}}]}   # which\n  epochs: 3\n",
            {"train.optimizer": 1, "train.optimizer[1].sgd.momentum": 0.25},
            "model: {network: [dense: {units: classes, activation: softmax}]}\n"
            "train:\n  optimizer: {sgd: {momentum: 0.25}}   # which\n  epochs: 3\n",
        ),
        (
            "model:\n  network:\n    search:\n      - - dense: {units: classes, activation: softmax}\n"
            "      - - dense: {units: 8, activation: relu}   # first\n"
            "        - dense: {units: classes, activation: softmax}\n\ntrain: {epochs: 3}   # all\n",
            {"model.network": 1},
            "model:\n  network:\n    - dense: {units: 8, activation: relu}\n"
            "    - dense: {units: classes, activation: softmax}\n\ntrain: {epochs: 3}   # all\n",
        ),
    ],
)
def test_values_take_the_place_of_searches(tmp_path: Path, before: str, values: dict[str, Any], after: str) -> None:
    assert applied(case(tmp_path, before), decide(values)) == HEAD + after


LAYOUTS = (
    "train: {batch_size: SEARCH, epochs: 3}\n",
    "train:\n  batch_size: SEARCH   # rows\n  epochs: 3\n",
    "train:\n  batch_size:\n    SEARCH\n\n  # after\n  epochs: 3\n",
    "train:\n    epochs: 3\n    batch_size: SEARCH",
)


@settings(max_examples=30)
@given(
    st.sampled_from(LAYOUTS),
    st.lists(st.integers(1, 10**6), min_size=2, max_size=5, unique=True),
    st.booleans(),
    st.data(),
)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, layout: str, choices: list[int], quoted: bool, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("case")
    search = '{"search": ' + f"{choices}" + "}" if quoted else f"{{search: {choices}}}"
    text = "model: {network: [dense: {units: classes, activation: softmax}]}\n" + layout.replace("SEARCH", search)
    chosen = data.draw(st.integers(0, len(choices) - 1))
    written = applied(case(folder, text), decide({"train.batch_size": chosen}))
    assert written == (HEAD + text).replace(search, str(choices[chosen]))
    assert YAML(typ="safe").load(written)["train"]["batch_size"] == choices[chosen]
