"""Accuracy on the 16 systems of Loghub-2k: four use cases, each trained by `afield train`, with their linear baseline.

- `file`: raw lines, the class is the file. Nothing is masked.
- `system`: the message text alone (column Content of the structured CSV), numbers masked, the class is the system.
- `event`: the same text as words and pairs of words, the class is system and event type, of those with at least 4
  rows; 25 % test.
- `event_by_group`: the same, split so that no masked text of the test part stands in training.
- `tuned`: `event_by_group` of single words, as it is, and after `afield tune` has searched n-grams, units, dropout and
  learning rate on the validation part.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from corpus import data_folder

FILES = "files: {path: '%s/*/*_2k.log', label: file_name}"
COLUMN = "files: {path: '%s/*/*_structured.csv', label: %s}"
MASKED = "text: {column: Content, mask: [number, hex, ip, uuid, email]}"
PAIRS = "text: {column: Content, mask: [number, hex, ip, uuid, email], ngrams: [1, 2]}"
LONG = "epochs: 30, early_stopping: {patience: 4}"
CASES = {
    "file": (FILES, "text: {}", "min_rows: 2", "split: {test: 0.25, validation: 0.1}"),
    "system": (COLUMN % ("%s", "folder"), MASKED, "min_rows: 2", "split: {test: 0.25, validation: 0.1}"),
    "event": (
        COLUMN % ("%s", "{from: [folder, EventId]}"),
        PAIRS,
        "min_rows: 4, rare: drop",
        f"split: {{test: 0.25, validation: 0.1}}, {LONG}",
    ),
    "event_by_group": (
        COLUMN % ("%s", "{from: [folder, EventId]}"),
        PAIRS,
        "min_rows: 4, rare: drop",
        f"split: {{test: 0.25, validation: 0.1, by: group, group: masked_text}}, {LONG}",
    ),
}
USE_CASE = """
name: loghub
question: {{{question}}}
source:
  {source}
preprocess:
  - {text}
model:
  network:
    - dense: {{units: 512, activation: relu}}
    - dropout: {{rate: 0.3}}
    - dense: {{units: classes, activation: softmax}}
train: {{{train}}}
"""


SEARCHES = (
    "preprocess.0.text.ngrams={search: [[1, 1], [1, 2], [1, 3]]}",
    "model.network.0.dense.units={search: [256, 512, 1024]}",
    "model.network.1.dropout.rate={range: [0.0, 0.6]}",
    "train.optimizer={adam: {learning_rate: {range: [0.0003, 0.01], log: true}}}",
)


def trained(folder: Path, name: str) -> dict:
    """Trains one of the use cases and takes the figures out of its report."""
    import afield

    source, text, question, train = CASES[name]
    folder.mkdir()
    (folder / "usecase.yaml").write_text(
        USE_CASE.format(source=source % (data_folder() / "loghub_2k"), text=text, question=question, train=train)
    )
    started = time.perf_counter()
    report = afield.load(folder).train().report
    linear = next(baseline for baseline in report.baselines if baseline.name.startswith("linear"))
    return {
        "accuracy": report.test.accuracy,
        "interval": report.test.interval,
        "macro_f1": report.test.macro.f1,
        "test_rows": report.test.rows,
        "classes": len(report.classes),
        "unseen": {"accuracy": report.unseen.accuracy, "rows": report.unseen.rows} if report.unseen else None,
        "linear": {"accuracy": linear.score, "interval": linear.interval, "seconds": linear.seconds},
        "epochs": len(report.history),
        "fit_seconds": sum(epoch.seconds for epoch in report.history),
        "seconds": time.perf_counter() - started,
    }


def tuned(folder: Path, trials: int) -> dict:
    """The network as it is, and with the values that a search found."""
    from afield.tune.workflow import Options, tune
    from afield.usecase.load import load

    CASES["untuned"] = (CASES["event_by_group"][0], MASKED, *CASES["event_by_group"][2:])
    before = trained(folder, "untuned")
    started = time.perf_counter()
    found = tune(load(folder, SEARCHES), Options(trials=trials)).tuning
    return {
        "untuned": before,
        "accuracy": found.test.score,
        "interval": found.test.interval,
        "test_rows": found.rows,
        "best": found.best_trial.values,
        "validation": found.best_trial.score,
        "trials": [(trial.state, trial.score) for trial in found.trials],
        "seconds": time.perf_counter() - started,
    }


def main() -> None:
    arguments = argparse.ArgumentParser()
    names = [*CASES, "tuned"]
    arguments.add_argument("names", nargs="*", default=names, help=f"of {', '.join(names)}; all by default")
    arguments.add_argument("--trials", type=int, default=16, help="of `tuned`")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        found = {
            name: tuned(Path(temporary) / name, given.trials)
            if name == "tuned"
            else trained(Path(temporary) / name, name)
            for name in given.names
        }
    json.dump(found, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
