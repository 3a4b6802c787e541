"""The tokens that speak for a class, asked of the network."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from afield.preprocess.rows import SparseRows
from afield.train.explain import tokens

VOCABULARY = pa.array(["apple", "sky", "the", "once", "pear"], pa.large_string())
CLASSES = ["fruit", "weather"]
SAYS = np.array([[2.0, 0.0], [0.0, 3.0], [1.0, 1.0], [9.0, 0.0], [1.0, 0.0]])
"""What each token says for each class; "the" says the same for both."""
ALWAYS = np.array([0.0, 0.7])


def network(rows: SparseRows) -> np.ndarray:
    logits = np.tile(ALWAYS, (len(rows), 1))
    np.add.at(logits, np.repeat(np.arange(len(rows)), rows.lengths), SAYS[rows.ids] * rows.weights[:, None])
    return (np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)).astype(np.float32)


def training(*records: list[int]) -> SparseRows:
    indptr = np.cumsum([0, *map(len, records)]).astype(np.int64)
    ids = np.array([token for record in records for token in record], np.int32)
    return SparseRows(indptr, ids, np.full(len(ids), 0.3, np.float32), len(VOCABULARY))


ROWS = training([0, 2], [0, 2], [1, 2], [1], [3], [4], [4], [])


def test_the_tokens_of_each_class_most_telling_first() -> None:
    spoken = tokens(network, ROWS, VOCABULARY, CLASSES)
    assert [token.token for token in spoken["fruit"]] == ["apple", "pear"]
    assert [token.token for token in spoken["weather"]] == ["sky"]
    # The log-probabilities of two classes rise by half of what the token says, more for one and less for the other.
    assert [token.score for token in spoken["fruit"]] == pytest.approx([1.0, 0.5], abs=1e-5)
    assert spoken["weather"][0].score == pytest.approx(1.5, abs=1e-5)


def test_as_many_as_are_asked_for() -> None:
    assert [token.token for token in tokens(network, ROWS, VOCABULARY, CLASSES, most=1)["fruit"]] == ["apple"]


def test_a_token_of_one_record_is_not_asked_about() -> None:
    assert "once" not in {
        token.token for found in tokens(network, ROWS, VOCABULARY, CLASSES).values() for token in found
    }
    assert tokens(network, training([0], [1], []), VOCABULARY, CLASSES) == {"fruit": [], "weather": []}
