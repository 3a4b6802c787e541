"""The verdict says what the figures allow, and no more."""

from __future__ import annotations

import numpy as np
import pytest

from afield.report import evaluate
from afield.report.metrics import wilson
from afield.report.model import Baseline, Scores
from afield.report.verdict import verdict


def scores(right: int, rows: int) -> Scores:
    truth = np.zeros(rows, np.int64)
    answers = np.r_[np.zeros(right, np.int64), np.ones(rows - right, np.int64)]
    return evaluate(truth, np.eye(2, dtype=np.float32)[answers], ["a", "b"])


def baseline(right: int, rows: int, name: str = "linear") -> Baseline:
    return Baseline(name=name, accuracy=right / rows, interval=wilson(right, rows), macro_f1=0.5, seconds=1.0)


@pytest.mark.parametrize(
    ("network", "linear", "rows", "sentence"),
    [
        (9931, 9874, 10_000, "The network is above the linear baseline (0.9931 against 0.9874)."),
        (
            496,
            493,
            500,
            "The network is above the linear baseline (0.9920 against 0.9860), "
            "but the difference is within the noise of 500 test rows.",
        ),
        (
            4945,
            4950,
            5000,
            "The network does not beat the linear baseline "
            "(0.9890 against 0.9900, within the noise of 5,000 test rows): "
            "use the linear model, or ask whether the data holds more.",
        ),
        (
            490,
            490,
            500,
            "The network does not beat the linear baseline (both 0.9800): "
            "use the linear model, or ask whether the data holds more.",
        ),
        (
            800,
            950,
            1000,
            "The network is clearly below the linear baseline (0.8000 against 0.9500): "
            "use the linear model, or ask whether the data holds more.",
        ),
    ],
)
def test_against_the_linear_baseline(network: int, linear: int, rows: int, sentence: str) -> None:
    assert verdict(scores(network, rows), [baseline(100, rows, "majority"), baseline(linear, rows)]) == sentence


def test_a_network_no_better_than_the_majority_has_learned_nothing() -> None:
    assert verdict(scores(50, 100), [baseline(50, 100, "majority"), baseline(40, 100)]) == (
        "The network does not beat the majority baseline (both 0.5000): "
        "it has learned nothing, so ask whether the data can answer the question."
    )


def test_without_baselines() -> None:
    assert verdict(scores(99, 100), []) == (
        "The network reaches 0.9900 (0.9455 to 0.9982); no baseline was run beside it."
    )


def test_the_best_possible_is_named_when_it_is_known() -> None:
    assert verdict(scores(900, 1000), [baseline(800, 1000)], best_possible=0.98) == (
        "The network is above the linear baseline (0.9000 against 0.8000); the best possible on this data is 0.9800."
    )


def test_nobody_is_sent_for_more_where_nothing_more_is_to_be_had() -> None:
    assert verdict(scores(900, 1000), [baseline(905, 1000)], best_possible=0.91) == (
        "The network does not beat the linear baseline (0.9000 against 0.9050, within the noise of 1,000 test rows): "
        "use the linear model; the best possible on this data is 0.9100, within the network's interval."
    )
