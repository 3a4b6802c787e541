"""The verdict says what the figures allow, and no more."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic_reports import comparison, report_of

from afield.report import Report, evaluate
from afield.report.metrics import wilson
from afield.report.model import Contender, Part
from afield.report.verdict import comparison_verdict, verdict


def report(right: int, rows: int, *baselines: Contender, best_possible: float | None = None) -> Report:
    truth = np.zeros(rows, np.int64)
    answers = np.r_[np.zeros(right, np.int64), np.ones(rows - right, np.int64)]
    bare = report_of("images")
    return bare.model_copy(
        update={
            "test": evaluate(truth, np.eye(2, dtype=np.float32)[answers], ["a", "b"]),
            "parts": bare.parts.model_copy(update={"test": Part(rows=rows)}),
            "baselines": list(baselines),
            "best_possible": best_possible,
        }
    )


def baseline(right: int, rows: int, name: str = "linear") -> Contender:
    return Contender(name=name, score=right / rows, interval=wilson(right, rows), seconds=1.0)


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
    assert verdict(report(network, rows, baseline(100, rows, "majority"), baseline(linear, rows))) == sentence


def test_a_network_no_better_than_the_majority_has_learned_nothing() -> None:
    assert verdict(report(50, 100, baseline(50, 100, "majority"), baseline(40, 100))) == (
        "The network does not beat the majority baseline (both 0.5000): "
        "it has learned nothing, so ask whether the data can answer the question."
    )


def test_without_baselines() -> None:
    assert verdict(report(99, 100)) == ("The network reaches 0.9900 (0.9455 to 0.9982); no baseline was run beside it.")


def test_the_best_possible_is_named_when_it_is_known() -> None:
    assert verdict(report(900, 1000, baseline(800, 1000), best_possible=0.98)) == (
        "The network is above the linear baseline (0.9000 against 0.8000); the best possible on this data is 0.9800."
    )


def test_nobody_is_sent_for_more_where_nothing_more_is_to_be_had() -> None:
    assert verdict(report(900, 1000, baseline(905, 1000), best_possible=0.91)) == (
        "The network does not beat the linear baseline (0.9000 against 0.9050, within the noise of 1,000 test rows): "
        "use the linear model; the best possible on this data is 0.9100, within the network's interval."
    )


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("binary", "The network is above the linear baseline (AUC 0."),
        ("tag", "The network is above the linear baseline (micro F1 0."),
        ("regress", "The network is above the mean baseline (R2 0."),
        ("abnormal", "% of the test rows are alarms ("),
        ("unlabelled", "2.00% asked for; no labels say whether they are right."),
        ("group", "4 groups that lie apart (silhouette 0."),
        ("write", "The network is better than the character frequencies baseline (bits a character 2."),
    ],
)
def test_every_kind_has_its_sentence(kind: str, said: str) -> None:
    assert said in verdict(report_of(kind))


def test_of_a_figure_that_is_better_when_low_the_higher_one_is_worse() -> None:
    written = report_of("write")
    better = Contender(name="pairs", score=1.0, interval=(0.9, 1.1))
    assert verdict(written.model_copy(update={"baselines": [better]})) == (
        f"The network is clearly worse than the pairs baseline (bits a character {written.score:.4f} against 1.0000): "
        "use the pairs model, or ask whether the data holds more."
    )


def test_alarms_that_miss_their_share_are_named() -> None:
    found = report_of("unlabelled")
    assert found.abnormal is not None
    wrong = found.abnormal.model_copy(update={"share": 0.2})
    assert "not the 20.00% asked for: the test part differs from the validation part" in verdict(
        found.model_copy(update={"abnormal": wrong})
    )


def test_a_comparison_names_the_best_and_those_within_its_noise() -> None:
    compared = comparison()
    assert [one.name for one in compared.contenders] == ["boosted trees", "network", "rhythm <b>", "majority"]
    assert compared.verdict == "boosted trees is best (AUC 0.9150, 0.9050 to 0.9250); within its noise: network."
    assert comparison_verdict("AUC", compared.contenders[1:]) == (
        "network is best (AUC 0.9100, 0.9000 to 0.9200), and no other is near it."
    )
    assert comparison_verdict("AUC", compared.contenders[:1]) == (
        "boosted trees stands alone (AUC 0.9150, 0.9050 to 0.9250)."
    )
    assert comparison_verdict("AUC", []) == "No model gave a score."
