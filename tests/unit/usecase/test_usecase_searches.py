"""Searches: values that a use case leaves open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from afield.errors import UseCaseError
from afield.usecase.load import load
from afield.usecase.searches import Dimension, asked

Found = Callable[..., list[str]]


def with_batches(written: Callable[[str], Path], case: Path) -> Path:
    text = (case / "usecase.yaml").read_text()
    return written(text.replace("  epochs: 3\n", "  epochs: 3\n  batch_size: {search: [16, 32]}\n"))


def decide(values: Mapping[str, Any]) -> Callable[[Dimension], Any]:
    return lambda dimension: values[dimension.name]


def test_a_file_with_searches_has_no_problems(found: Found) -> None:
    assert found("  epochs: 3\n", "  epochs: {range: [2, 9]}\n  batch_size: {search: [16, 32]}\n") == []


def test_searches_are_known_by_their_paths(written: Callable[[str], Path]) -> None:
    folder = written(
        "source:\n  files: {path: data, label: file_name}\n"
        "preprocess:\n  - text: {min_df: {range: [1, 8], log: true}}\n"
        "model:\n  network:\n    - dense: {units: {search: [8, 16]}}\n    - dense: {units: 2}\n"
        "train: {optimizer: {adam: {learning_rate: {range: [1e-4, 0.1], log: true}}}}\n"
    )
    one, two, three = load(folder).space
    assert (one.name, one.bounds, one.log, one.whole) == ("preprocess.0.text.min_df", (1, 8), True, True)
    assert (two.name, two.choices, two.bounds) == ("model.network.0.dense.units", (8, 16), None)
    assert (three.name, three.bounds, three.whole) == ("train.optimizer.adam.learning_rate", (0.0001, 0.1), False)


def test_the_first_values_stand_in_the_model(written: Callable[[str], Path], case: Path) -> None:
    model = load(with_batches(written, case)).model
    assert model.train.batch_size == 16


def test_settled_values_stand_in_their_places(case: Path) -> None:
    loaded = load(case, ["train.batch_size={search: [16, 32]}", "train.epochs={range: [2, 9]}"])
    settled = loaded.at(decide({"train.batch_size": 1, "train.epochs": 7}))
    assert (settled.model.train.batch_size, settled.model.train.epochs) == (32, 7)
    assert settled.space == ()
    assert settled.overrides[-2:] == ("train.epochs=7", "train.batch_size=32")
    assert "batch_size: 32" in settled.resolved


def test_an_alternative_may_hold_searches_of_its_own(case: Path) -> None:
    loaded = load(case, ["train.optimizer={search: [adam, {sgd: {momentum: {range: [0.5, 0.9]}}}]}"])
    outer, inner = loaded.space
    assert (outer.name, inner.name) == ("train.optimizer", "train.optimizer[1].sgd.momentum")
    assert not outer.inner
    assert inner.inner
    assert [one.name for one in asked(loaded.document, {"train.optimizer": 0})] == ["train.optimizer"]
    settled = loaded.at(decide({outer.name: 1, inner.name: 0.75}))
    assert settled.model.train.optimizer == {"sgd": {"momentum": 0.75}}
    assert loaded.at(decide({outer.name: 0})).model.train.optimizer == {"adam": {}}


def test_whole_networks_are_alternatives(case: Path) -> None:
    loaded = load(case, ["model.network={search: [[{dense: {units: 2}}], [{dense: {units: 8}}, {dense: {units: 2}}]]}"])
    for choice, layers in ((0, 1), (1, 2)):
        model: Any = loaded.at(decide({"model.network": choice})).model.model
        assert len(model.layers) == layers


@pytest.mark.parametrize(
    ("written_as", "message"),
    [
        ("{search: 5}", "search: expected a list of the values to try, found 5"),
        ("{search: []}", "search: expected at least two values to try, found 0; add others, or write one value"),
        ("{search: [3]}", "search: expected at least two values to try, found 1; add others, or write one value"),
        ("{search: [3, 4, 3]}", "search: the value 3 stands in it twice; write each once"),
        ("{range: [3, 3]}", "range: an empty range, expected the first number below the second, found 3 and 3"),
        ("{range: [9, 3]}", "range: an empty range, expected the first number below the second, found 9 and 3"),
        ("{range: [3]}", "range: expected two numbers, [low, high]; for a list of values write {search: [...]}"),
        ("{range: [a, b]}", "range: expected two numbers, [low, high]; for a list of values write {search: [...]}"),
        ("{range: [1, .inf]}", "range: expected two numbers, [low, high]; for a list of values write {search: [...]}"),
        ("{range: [true, 5]}", "range: expected two numbers, [low, high]; for a list of values write {search: [...]}"),
        ("{range: [0, 5], log: true}", "range: with `log: true` it must begin above 0, found 0"),
        ("{range: [1, 5], log: 2}", "log: expected true or false, found 2"),
    ],
)
def test_a_search_that_is_none(found: Found, written_as: str, message: str) -> None:
    assert found("  epochs: 3\n", f"  epochs: {written_as}\n") == [f"11:11: train.epochs: {message}"]


@pytest.mark.parametrize(
    ("old", "new", "place", "why"),
    [
        ("name: lines", "name: {search: [a, b]}", "1:7: name", "it names the use case"),
        (
            "file_name}",
            "{search: [file_name, folder]}}",
            "3:30: source.files.label",
            "trials learn from the same records",
        ),
        ("  epochs: 3", "  seed: {range: [0, 9]}", "11:9: train.seed", None),
        ("  epochs: 3", "  split: {test: {range: [0.1, 0.5]}}", "11:17: train.split.test", None),
        ("  epochs: 3", "  split: {search: [{test: 0.1}, {test: 0.2}]}", "11:10: train.split", None),
    ],
)
def test_a_search_over_what_cannot_vary(found: Found, old: str, new: str, place: str, why: str | None) -> None:
    (finding,) = found(old, new)
    assert finding.startswith(f"{place}: a search over a value that cannot vary: {why or ''}")
    assert finding.endswith("; write one value")


def test_every_value_of_a_search_is_checked_where_it_is_written(found: Found) -> None:
    assert found("  epochs: 3\n", "  epochs: {search: [3, ten, 0]}\n") == [
        "11:24: train.epochs: expected a whole number of at least 1, found the text 'ten'",
        "11:29: train.epochs: expected a whole number of at least 1, found 0",
    ]
    assert found("  epochs: 3\n", "  epochs: {range: [0, 5]}\n") == [
        "11:20: train.epochs: expected a whole number of at least 1, found 0"
    ]
    assert found("  epochs: 3\n", "  epochs: {range: [1, 5.5]}\n") == [
        "11:23: train.epochs: expected a whole number of at least 1, found 5.5"
    ]


def test_a_fault_beside_a_search_is_told_once(found: Found) -> None:
    assert len(found("  epochs: 3\n", "  epoch: 3\n  batch_size: {search: [16, 32, 64]}\n")) == 1


def test_a_wrong_search_of_the_command_line_is_told_as_such(found: Found) -> None:
    assert found("", "", "train.epochs={range: [5, 2]}")[0].startswith(
        "--set train.epochs={range: [5, 2]}: train.epochs: range: an empty range"
    )


def test_commands_that_need_values_say_what_to_do(written: Callable[[str], Path], case: Path) -> None:
    loaded = load(with_batches(written, case))
    with pytest.raises(UseCaseError) as refused:
        loaded.refuse_searches()
    assert str(refused.value) == (
        "my-logs/usecase.yaml:12:15: train.batch_size: a search, not yet a value; `afield tune my-logs` finds one,"
        " or give it: --set train.batch_size=VALUE"
    )
    load(case, ["train.batch_size=16"]).refuse_searches()
