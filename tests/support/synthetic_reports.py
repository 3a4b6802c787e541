"""Reports of every kind of question, made from drawn numbers by the functions that judge real answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from afield.report.metrics import (
    abnormal,
    binary,
    embedding,
    evaluate,
    groups,
    image_mistakes,
    regression,
    tags,
    text_scores,
)
from afield.report.model import (
    Comparison,
    Contender,
    Contribution,
    Epoch,
    Failure,
    Language,
    LayerRow,
    Part,
    Parts,
    Report,
    Sample,
    Shown,
    SourceCounts,
    State,
    States,
)
from afield.report.verdict import verdict, with_verdict

ROWS = 600
CREATED = datetime(2025, 3, 14, 15, 9, 26, tzinfo=UTC)


def report_of(kind: str, seed: int = 3) -> Report:
    """A report of a kind: "binary", "tag", "regress", "abnormal", "group", "write", "states" or "images"."""
    return MAKERS[kind](np.random.default_rng(seed))


def shown(rows: np.ndarray) -> list[Shown]:
    """Rows as a table's might be shown."""
    return [
        Shown(text=f"age: {row % 90}, city: <b>Óbidos</b>", file="people.csv", line=row + 2) for row in rows.tolist()
    ]


def binary_report(random: np.random.Generator) -> Report:
    """Two classes, compared by the area under the curve."""
    truth = random.random(ROWS) < 0.3
    scores = np.clip(0.35 + 0.3 * truth + random.normal(0, 0.2, ROWS), 0, 1)
    weaker = np.clip(0.4 + 0.1 * truth + random.normal(0, 0.2, ROWS), 0, 1)
    classes = ["human", "machine"]

    def sections(given: np.ndarray) -> dict[str, Any]:
        both = np.stack([1 - given, given], axis=1)
        test = evaluate(truth.astype(int), both, classes, (given >= 0.52).astype(int))
        return {
            "test": test,
            "binary": binary(truth, given, "machine", 0.52, "the highest F1 on the validation part"),
        }

    found = sections(scores)
    baseline = Contender.of("linear", "AUC", *reversed(list(sections(weaker).values())), seconds=0.4)
    return finished("classify", metric="AUC", classes=classes, baselines=[baseline], **found)


def tag_report(random: np.random.Generator) -> Report:
    """Four tags, one of which no row has."""
    names = ["disk", "network", "memory", "never"]
    truth = random.random((ROWS, 4)) < np.array([0.5, 0.2, 0.1, 0.0])
    probabilities = np.clip(0.3 + 0.4 * truth + random.normal(0, 0.2, truth.shape), 0, 1)
    weaker = np.clip(0.5 + 0.1 * truth + random.normal(0, 0.2, truth.shape), 0, 1)
    cuts = np.array([0.5, 0.52, 0.55, 0.5])
    found, below = (tags(truth, given, names, cuts, 1) for given in (probabilities, weaker))
    baseline = Contender.of("linear", "micro F1", below, seconds=0.4)
    return finished("tag", classes=names, tags=found, baselines=[baseline])


def value_report(random: np.random.Generator) -> Report:
    """Rentals an hour."""
    truth = random.gamma(2, 90, ROWS)
    found = regression(truth, truth + random.normal(4, 40, ROWS), 1, "rentals", "an hour", shown)
    mean = regression(truth, np.full(ROWS, 180.0), 1, "rentals")
    baselines = [Contender.of("mean", "R2", mean, seconds=0.0)]
    return finished("regress", regression=found, baselines=baselines, metrics="mean_absolute_error")


def abnormal_report(random: np.random.Generator) -> Report:
    """Scores of rows of which some are known to be abnormal."""
    labels = random.random(ROWS) < 0.03
    scores = random.gamma(2, 1, ROWS) + 6 * labels * random.random(ROWS)
    weaker = random.gamma(2, 1, ROWS) + 2 * labels

    def contributions(rows: np.ndarray) -> list[list[Contribution]]:
        parts = [Contribution(column=f"counter {k}", value=f"{k * 7}", share=0.5 / k) for k in (1, 2, 3)]
        return [parts for _ in rows]

    found = abnormal(scores, labels, 6.5, 0.02, shown, contributions)
    baseline = Contender.of("isolation forest", "average precision", abnormal(weaker, labels, 6, 0.02), seconds=1.2)
    return finished("abnormal", abnormal=found, baselines=[baseline], metrics=None)


def unlabelled_report(random: np.random.Generator) -> Report:
    """The same without labels."""
    return finished("abnormal", abnormal=abnormal(random.gamma(2, 1, ROWS), None, 6.5, 0.02, shown), metrics=None)


def group_report(random: np.random.Generator) -> Report:
    """Four groups in twelve dimensions, and a few rows that belong to none."""
    labels = random.integers(0, 4, ROWS)
    vectors = random.normal(0, 4, (4, 12))[labels] + random.normal(0, 1.5, (ROWS, 12))
    members = np.where(random.random(ROWS) < 0.04, -1, labels)
    names = [f"column {k}" for k in range(12)]
    found = groups(vectors, members, "density, 4 groups", 1, shown, names, vectors, labels, dimensions=3)
    return finished("group", groups=found, metrics=None)


def written_report(random: np.random.Generator) -> Report:
    """A writer of plays."""
    lengths = np.full(80, 100)
    test = text_scores(random.gamma(40, 4, 80), lengths, 1, random.integers(40, 60, 80))
    samples = [
        Sample(start="ROMEO:", text="\nWhat light <script>alert(1)</script> is this?\n\nJULIET:\nNone.", temperature=t)
        for t in (0.5, 1.0)
    ]
    language = Language(
        alphabet=65, validation=text_scores(random.gamma(40, 4, 80), lengths, 1), test=test, samples=samples
    )
    worse = Language(alphabet=65, validation=None, test=text_scores(random.gamma(40, 8, 80), lengths, 1), samples=[])
    baselines = [Contender.of("character frequencies", "bits a character", worse, seconds=0.1)]
    return finished("write", language=language, baselines=baselines)


def state_report(random: np.random.Generator) -> Report:
    """Five states and an answer for what is none of them."""
    classes = ["normal", "link down", "blocked", "at capacity", "unknown"]
    truth = random.integers(0, 4, ROWS)
    probabilities = random.dirichlet(np.full(5, 0.3), ROWS) * 0.5 + 0.5 * np.eye(5)[truth]
    centres = random.normal(0, 2, (4, 3))
    noise = random.normal(0, 1, (ROWS, 3))
    frames = {epoch: centres[truth] * epoch / 12 + noise / (1 + epoch / 6) for epoch in range(13)}
    return finished(
        "classify",
        classes=classes,
        test=evaluate(truth, probabilities, classes),
        states=States(
            states=[State(name=name, examples=40, radius=1.25, taught=name == "blocked") for name in classes[:4]],
            unknown=0.021,
            strangers=0.93,
        ),
        embedding=embedding(frames, truth, classes[:4], 1),
    )


def image_report(random: np.random.Generator) -> Report:
    """Ten digits."""
    classes = [str(digit) for digit in range(10)]
    truth = random.integers(0, 10, ROWS)
    probabilities = random.dirichlet(np.full(10, 0.2), ROWS) * 0.6 + 0.4 * np.eye(10)[truth]
    images = (random.random((ROWS, 8, 8)) * 255).astype(np.uint8)
    images[:, 2:6, 3:5] = 255
    return finished(
        "classify",
        classes=classes,
        test=evaluate(truth, probabilities, classes),
        images=image_mistakes(images, truth, probabilities, classes, limit=24),
    )


def finished(kind: str, metrics: str | None = "accuracy", **sections: Any) -> Report:
    """The sections with all that every report has."""
    classes = sections.get("classes", [])
    report = Report(
        use_case="synthetic",
        question=f"What of kind {kind}?",
        version="v1",
        created=CREATED,
        kind=kind,  # pyright: ignore[reportArgumentType]
        parts=Parts(
            training=Part(rows=3000, classes={name: 3000 // len(classes) for name in classes}),
            validation=Part(rows=400),
            test=Part(rows=ROWS),
        ),
        source=SourceCounts(files=1, records=4000),
        verdict="",
        history=[
            Epoch(
                epoch=epoch,
                loss=1 / epoch,
                validation_loss=1.1 / epoch,
                metrics={metrics: 1 - 0.5 / epoch} if metrics else {},
                validation_metrics={metrics: 1 - 0.6 / epoch} if metrics else {},
                learning_rate=0.001,
                seconds=0.2,
            )
            for epoch in range(1, 9)
        ],
        stopped="all 8 epochs done",
        layers=[LayerRow(layer="Dense", name="dense", output_shape="(rows, 64)", parameters=4160)],
        facts={"afield": "0.2.0", "seed": "7"},
        **sections,
    )
    return report.model_copy(update={"verdict": verdict(report)})


def comparison(seed: int = 3) -> Comparison:
    """Four models that gave a score, one that did not."""
    random = np.random.default_rng(seed)
    rows = [("network", "network", 0.91), ("boosted trees", "scikit-learn", 0.915), ("rhythm <b>", "rule", 0.83)]
    contenders = [
        Contender(
            name=name,
            kind=kind,
            score=score,
            interval=(score - 0.01, score + 0.01),
            figures={"accuracy": score - 0.05, "average precision": score - 0.1},
            seconds=float(random.gamma(2, 5)),
            row_seconds=float(random.gamma(2, 1e-5)),
            bytes=int(random.integers(10_000, 4_000_000)),
            lines=int(random.integers(1, 30)),
            folds=[score - 0.01, score, score + 0.01],
        )
        for name, kind, score in rows
    ]
    contenders.append(Contender(name="majority", kind="baseline", score=0.5))
    return with_verdict(
        Comparison(
            use_case="bidders",
            question="Human or robot?",
            created=CREATED,
            metric="AUC",
            folds=5,
            rows=2013,
            contenders=contenders,
            failed=[Failure(name="torch", kind="torch", reason="model.py:12: no class Net")],
            verdict="",
            facts={"seed": "7"},
        )
    )


MAKERS = {
    "binary": binary_report,
    "tag": tag_report,
    "regress": value_report,
    "abnormal": abnormal_report,
    "unlabelled": unlabelled_report,
    "group": group_report,
    "write": written_report,
    "states": state_report,
    "images": image_report,
}
