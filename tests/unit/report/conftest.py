"""A report as training would write it: real log lines, a small linear model trained for a few epochs."""

from __future__ import annotations

import csv
import re
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.naive_bayes import MultinomialNB

from afield.report import Report, evaluate
from afield.report.metrics import confident_mistakes
from afield.report.model import Contender, Epoch, LayerRow, Mistake, Part, Parts, SourceCounts, Token, Vocabulary
from afield.report.verdict import verdict

WORDS = 120
"""Few enough that some lines are answered wrongly."""


@pytest.fixture(scope="session")
def systems(data: Path) -> Report:
    """16 systems told apart by the message alone."""
    rows = []
    for folder in sorted(path for path in (data / "loghub_2k").iterdir() if path.is_dir()):
        path = folder / f"{folder.name}_2k.log_structured.csv"
        with path.open(encoding="utf-8", errors="replace", newline="") as lines:
            contents = [row["Content"] for row in csv.DictReader(lines)][:600]
        rows += [(text, folder.name, f"{folder.name}_2k.log", line) for line, text in enumerate(contents, 1)]
    return report_of(rows, "Which system wrote this line?")


@pytest.fixture(scope="session")
def events(data: Path) -> Report:
    """Several hundred kinds of event."""
    rows = []
    for folder in sorted(path for path in (data / "loghub_2k").iterdir() if path.is_dir()):
        path = folder / f"{folder.name}_2k.log_structured.csv"
        with path.open(encoding="utf-8", errors="replace", newline="") as lines:
            found = [(row["Content"], f"{folder.name}/{row['EventId']}") for row in csv.DictReader(lines)][:500]
        rows += [(text, label, f"{folder.name}_2k.log", line) for line, (text, label) in enumerate(found, 1)]
    counts = Counter(label for _, label, _, _ in rows)
    return report_of([row for row in rows if counts[row[1]] >= 4], "Which event is this line?")


def report_of(rows: list[tuple[str, str, str, int]], question: str) -> Report:
    """The report of (text, label, file, line) rows."""
    random = np.random.default_rng(7)
    order = random.permutation(len(rows))
    parts = np.split(order, [len(rows) * 6 // 10, len(rows) * 75 // 100])
    texts = np.array([re.sub(r"\d+", "0", text) for text, *_ in rows], dtype=object)
    classes = sorted({label for _, label, _, _ in rows})
    labels = np.searchsorted(classes, [label for _, label, _, _ in rows])
    words = TfidfVectorizer(max_features=WORDS).fit(texts[parts[0]])
    training, validation, test = (words.transform(texts[part]) for part in parts)

    network = SGDClassifier(loss="log_loss", alpha=1e-5, random_state=7)
    history = []
    for epoch in range(1, 6):
        started = time.perf_counter()
        network.partial_fit(training, labels[parts[0]], classes=np.arange(len(classes)))
        known = evaluate(labels[parts[0]], network.predict_proba(training), classes)
        held_out = evaluate(labels[parts[1]], network.predict_proba(validation), classes)
        history.append(
            Epoch(
                epoch=epoch,
                loss=known.log_loss,
                validation_loss=held_out.log_loss,
                metrics={"accuracy": known.accuracy},
                validation_metrics={"accuracy": held_out.accuracy},
                learning_rate=0.0005,
                seconds=time.perf_counter() - started,
            )
        )

    truth = labels[parts[2]]
    probabilities = network.predict_proba(test).astype(np.float32)
    scores = evaluate(truth, probabilities, classes)
    baselines = []
    for name, model in (("majority", DummyClassifier()), ("linear", MultinomialNB(alpha=0.01))):
        model.fit(training, labels[parts[0]])
        found = np.zeros(probabilities.shape, np.float32)
        found[:, model.classes_] = model.predict_proba(test)
        figures = evaluate(truth, found, classes)
        baselines.append(Contender.of(name, "accuracy", figures, seconds=0.2))
    seen = np.isin(texts[parts[2]].astype(str), texts[parts[0]].astype(str))
    vocabulary = words.get_feature_names_out()
    report = Report(
        use_case="logs",
        question=question,
        version="3",
        created=datetime(2025, 3, 14, 15, 9, 26, tzinfo=UTC),
        classes=classes,
        parts=Parts(
            **{
                name: Part(
                    rows=len(part), classes={classes[index]: n for index, n in Counter(labels[part].tolist()).items()}
                )
                for name, part in zip(("training", "validation", "test"), parts, strict=True)
            }
        ),
        source=SourceCounts(
            files=16, records=len(rows), replaced_utf8=2, skipped={"core.bin": "binary: a zero byte in the first 8 KiB"}
        ),
        vocabulary=Vocabulary(size=len(vocabulary), unknown_share_test=0.0123),
        test=scores,
        unseen=evaluate(truth[~seen], probabilities[~seen], classes),
        duplicated_rows=int(seen.sum()),
        baselines=baselines,
        best_possible=0.998,
        verdict="",
        warnings=[f"{seen.sum():,} of {len(seen):,} test rows also stand in training once numbers are masked."],
        history=history,
        stopped="all 5 epochs done",
        mistakes=[
            Mistake(
                text=rows[parts[2][row]][0],
                truth=classes[truth[row]],
                prediction=classes[probabilities[row].argmax()],
                probability=float(probabilities[row].max()),
                file=rows[parts[2][row]][2],
                line=rows[parts[2][row]][3],
            )
            for row in confident_mistakes(truth, probabilities, 40)
        ],
        tokens={
            name: [Token(token=vocabulary[k], score=float(weights[k])) for k in np.argsort(-weights)[:8]]
            for name, weights in zip(classes, network.coef_, strict=True)
        },
        layers=[
            LayerRow(layer="Dense", name="dense", output_shape="(512)", parameters=61_952),
            LayerRow(layer="Dropout", name="dropout", output_shape="(512)", parameters=0),
            LayerRow(layer="Dense", name="classes", output_shape=f"({len(classes)})", parameters=513 * len(classes)),
        ],
        facts={"afield": "0.1.0", "python": "3.11.2", "seed": "7", "device": "cpu", "data fingerprint": "9f2c41aa"},
    )
    return report.model_copy(update={"verdict": verdict(report)})
