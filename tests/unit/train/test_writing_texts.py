"""A text cut by position, in windows that are never written out, and the simple models of it."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import records, use_case

from afield.errors import DataError, UseCaseError
from afield.preprocess.pipeline import Pipeline
from afield.train.base import Unwatched
from afield.train.baselines import ngrams
from afield.train.baselines.models import simple_models
from afield.train.baselines.ngrams import by_context, by_frequency
from afield.train.dataset import Dataset, build
from afield.train.judging.judge import part_counts
from afield.train.networks.exportable import CARRYING
from afield.train.networks.spec import Network
from afield.train.texts import Text, text_of
from afield.usecase.model import UseCase
from afield.usecase.training import Split

LINES = ["abcabc", "", "abd" * 20, "bca" * 30, "zz" * 10]
WHOLE = "\n".join(LINES)


def writing(window: int = 5, stride: int | None = None, **train: Any) -> UseCase:
    characters = {"window": window, "stride": stride}
    return use_case({"kind": "write"}, [{"characters": characters}], **({"split": {"test": 0.2}} | train))


def dataset(lines: list[Any], case: UseCase) -> Dataset:
    return build(records(case, None, text=lines), case, Unwatched())


def text_from(training: str, validation: str, test: str, window: int = 1) -> Text:
    whole = training + validation + test
    split = Split(test=len(test) / len(whole), validation=len(validation) / len(whole))
    pipeline = Pipeline.of(writing(window).preprocess)
    return text_of(pipeline, records(writing(), None, text=whole.split("\n")).table, split)


def said(text: Text, ids: np.ndarray) -> str:
    return "".join(text.characters[number] for number in ids)


def test_the_parts_are_stretches_of_the_text_in_its_order() -> None:
    data = dataset(LINES, writing())
    text = data.text
    assert text is not None
    sizes = [len(text.training), len(text.validation), len(text.test)]
    assert sizes[:2] == [len(WHOLE) - 2 * 18 - 18, 18]
    assert said(text, text.training) == WHOLE[: sizes[0]]
    assert said(text, text.validation) == WHOLE[sizes[0] : sizes[0] + 18]
    # What the training part does not have, here the z of the last line, is not known.
    assert text.characters == ["\n", "a", "b", "c", "d"]
    assert said(text, text.test) == WHOLE[sizes[0] + 18 :].replace("z", "")
    counts = part_counts(data, "write")
    assert [counts.training.rows, counts.validation.rows, counts.test.rows] == sizes


@pytest.mark.parametrize(("stride", "expected"), [(None, 2), (1, 1), (5, 5)])
def test_windows_and_the_character_after_each_place(stride: int | None, expected: int) -> None:
    data = dataset(LINES, writing(stride=stride))
    text = data.text
    assert text is not None
    bounds = [0, *text.ends]
    for place, (rows, step) in enumerate(zip(text.parts, (expected, 5, 5), strict=True)):
        examples = data.examples(rows)
        (windows,) = examples.features.values()
        found: Any = windows
        assert found.values is text.ids
        assert set(np.diff(found.starts)) == {step}
        assert found.starts[0] == bounds[place]
        assert bounds[place + 1] - step <= found.starts[-1] + 5 < bounds[place + 1]
        np.testing.assert_array_equal(found.dense()[:, 1:], examples.targets.dense()[:, :-1])
        np.testing.assert_array_equal(examples.targets.dense()[:, -1], text.ids[found.starts + 5])


def test_the_fingerprint_says_how_the_text_is_learned() -> None:
    first = dataset(LINES, writing()).fingerprint
    assert first == dataset(LINES, writing()).fingerprint
    assert first != dataset(LINES, writing(stride=1)).fingerprint
    assert first != dataset([*LINES[:-1], "ba"], writing()).fingerprint


@pytest.mark.parametrize(
    ("lines", "train", "message"),
    [
        (
            ["abc"],
            {},
            "train.split: the training part has 2 characters, and a window of 5 needs 6: give more text or another "
            "share, or lower `window` of `characters`",
        ),
        (
            ["abcd" * 20],
            {"split": {"test": 0.3, "validation": 0.01}},
            "train.split: the validation part has 1 character, and a window of 5 needs 6: give more text or another "
            "share, or lower `window` of `characters`",
        ),
        (
            ["ab" * 60, "z" * 30],
            {"split": {"test": 0.2, "validation": 0}},
            "train.split: the test part has 0 characters, and a window of 5 needs 6: give more text or another share, "
            "or lower `window` of `characters`",
        ),
        (
            [""],
            {},
            "column 'text': expected text of two characters or more, found 0 that stand 1 times or more in 1 records; "
            "name another column or lower min_count",
        ),
        ([None, None], {}, None),
    ],
)
def test_too_little_text(lines: list[Any], train: dict[str, Any], message: str | None) -> None:
    with pytest.raises(DataError) as refused:
        dataset(lines, writing(**train))
    assert message is None or str(refused.value) == message


def test_other_steps_are_refused() -> None:
    case = use_case({"kind": "write"}, [{"text": {}}])
    with pytest.raises(UseCaseError, match=r"^preprocess: `kind: write` reads the `characters` step, and that alone$"):
        dataset(["abc"], case)


@pytest.mark.parametrize(
    ("question", "preprocess", "split", "path", "message"),
    [
        (
            "write",
            [{"text": {}}],
            {},
            ("preprocess",),
            "`kind: write` reads `characters`, and that alone; found text",
        ),
        (
            "classify",
            [{"characters": {}}],
            {},
            ("preprocess", 0, "characters"),
            "only `question: {kind: write}` reads characters; text becomes `text`",
        ),
        (
            "write",
            [{"characters": {}}],
            {"by": "random"},
            ("train", "split", "by"),
            "a text is split by position, not `by: random`; write `by: time`, or leave it out",
        ),
        (
            "write",
            [{"characters": {}}],
            {"by": "time", "time": "hour"},
            ("train", "split", "time"),
            "a text has the order of its files and their lines; remove it",
        ),
    ],
)
def test_a_use_case_that_does_not_fit(
    question: str, preprocess: Any, split: dict[str, Any], path: tuple[Any, ...], message: str
) -> None:
    (problem,) = use_case({"kind": question}, preprocess, split=split).lint()
    assert (problem.path, problem.message) == (path, message)
    assert writing(split={"by": "time"}).lint() == writing().lint() == []


def test_layers_that_cannot_write_one_character_at_a_time() -> None:
    layers = [
        {"embedding": {"input_dim": "classes", "output_dim": 4}},
        {"lstm": {"units": 4}},
        {"gru": {"units": 4, "return_sequences": True, "go_backwards": True}},
        {"conv1d": {"filters": 2, "kernel_size": 3}},
        {"dense": {"units": "classes", "activation": "softmax"}},
    ]
    found = Network.model_validate(layers).lint_in(writing(), Path())
    known = ", ".join(sorted(CARRYING))
    assert [(problem.path, problem.message) for problem in found] == [
        ((1, "lstm"), 'layer "lstm" must answer at every character; add `return_sequences: true`'),
        (
            (2, "gru", "go_backwards"),
            'layer "gru" must read forwards and keep its state to itself; leave go_backwards off',
        ),
        (
            (3, "conv1d"),
            f'layer "conv1d" looks at several characters at once; a text is written with {known}',
        ),
    ]


def test_the_layers_that_write_are_those_that_are_exported_so() -> None:
    import keras

    from afield.train.export.recurrent import KINDS
    from afield.train.export.stateful import STEPWISE
    from afield.train.networks.catalogue import catalogue

    known = catalogue()["layers"]
    assert {getattr(keras.layers, known[name]["class"]) for name in CARRYING} == (STEPWISE | set(KINDS)) - {
        keras.layers.Add,
        keras.layers.Concatenate,
    }


def witten_bell(training: str, text: str, back: int, size: int) -> list[float]:
    """Interpolated method C by hand, one character at a time."""
    after: dict[str, Counter[str]] = defaultdict(Counter)
    for place, character in enumerate(training):
        for length in range(min(back, place) + 1):
            after[training[place - length : place]][character] += 1
    found: list[float] = []
    for place in range(1, len(text)):
        chance = 1 / size
        for length in range(min(back, place) + 1):
            seen = after[text[place - length : place]]
            if seen:
                chance = (seen[text[place]] + len(seen) * chance) / (seen.total() + len(seen))
        found.append(-math.log(chance))
    return found


@pytest.mark.parametrize("back", [0, 1, 3])
def test_ngrams_are_those_counted_by_hand(back: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    training, test = ("".join(random.choice(list("abc "), size)) for size in (300, 60))
    text = text_from(training, "", test)
    monkeypatch.setattr(ngrams, "USUAL", back)
    found = by_context(text)
    assert found.validation.shape == (0, 1)
    np.testing.assert_allclose(found.test[:, 0], witten_bell(training, test, back, 4), rtol=1e-5)


def test_ngrams_look_back_as_far_as_it_helps() -> None:
    text = text_from("abcd" * 50, "abcd" * 20, "abcd" * 20)
    assert by_context(text).test[1:].mean() < 0.1 < math.log(4) == pytest.approx(by_frequency(text).test[:, 0].mean())


def test_the_simple_models_of_a_text() -> None:
    data = dataset(LINES, writing())
    made = {simple.name: simple.raw for simple in simple_models(data, writing())}
    assert list(made) == ["character frequencies", "n-grams"]
    assert data.text is not None
    training, test = (said(data.text, ids) for ids in (data.text.training, data.text.test))
    shares = {letter: (training.count(letter) + 1) / (len(training) + 5) for letter in data.text.characters}
    nats, right = made["character frequencies"].test.T
    np.testing.assert_allclose(nats, [-math.log(shares[letter]) for letter in test[1:]], rtol=1e-6)
    best = max(shares, key=lambda letter: shares[letter])
    assert right.tolist() == [letter == best for letter in test[1:]]
