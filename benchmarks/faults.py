"""Faults of a network: single minutes of real data, and a base network that is taught, and moved, without training.

- `minutes`: minutes.yaml of the gallery on the ITU challenge's data, trained on one part and tested on the other.
- `hours`: a use case of the gallery on its simulator. Unless --quick, it is base.yaml, the wide base network.
  - `taught`: kinds of fault that training never met, each taught from five hours that end with the fault, by
    `afield teach`: from the hours of the gallery, and from others drawn from unseen.parquet. Recall is the share of the
    fault's hours in unseen.parquet that bear its name, without those near a teaching hour; false alarms are the normal
    hours of the test part of operator_a.parquet that bear it.
  - `moved`: operator b's hours, answered by operator a's references, and by those that `afield adapt` makes of a few
    normal hours. An answer `unknown` is counted as wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from corpus import data_folder

import afield
from afield.gallery.copying import start
from afield.gallery.faults.states import UNSEEN
from afield.runtime.decisions import UNKNOWN, Nearest
from afield.runtime.predictor import Predictor
from afield.runtime.teaching import adapt, teach

LENGTH = 60
NORMAL = "normal"
APART = 180
"""Minutes that an hour must lie from every hour that taught, or adapted."""
LESSONS = 5
NORMAL_HOURS = 10


def minutes(folder: Path, seeds: int, quick: bool) -> dict:
    """The network of minutes.yaml, and the rows of its comparison."""
    from afield.train.comparing import compare

    start("faults", folder, data=str(data_folder() / "itu_ipcore_faults"))
    runs = []
    for seed in range(seeds):
        began = time.perf_counter()
        report = afield.load(folder / "minutes.yaml", [f"train.seed={seed}"]).train().report
        seconds = time.perf_counter() - began
        recalls = {row.name: row.recall for row in report.test.per_class}
        runs.append(
            {"accuracy": report.test.accuracy, "macro_f1": report.test.macro.f1, "recall": recalls, "s": seconds}
        )
    found = {"rows": report.test.rows, "runs": runs, "accuracy": float(np.median([run["accuracy"] for run in runs]))}
    if not quick:
        rows = compare(afield.load(folder / "minutes.yaml").loaded).contenders
        found["compared"] = {row.name: {"accuracy": row.score} | row.figures for row in rows}
    return found


@dataclass
class Hours:
    """The windows of a file of the simulator, as a version's network sees them.

    Args:
        table: its rows, node after node.
        vectors: float32[M, D].
        labels: of each, by the rule that one bad minute makes the hour bad.
        ends: int64[M]; its last row.
    """

    table: pa.Table
    vectors: np.ndarray
    labels: np.ndarray
    ends: np.ndarray

    @classmethod
    def of(cls, predictor: Predictor, file: Path) -> Hours:
        table = pq.read_table(file)
        (batch,) = table.combine_chunks().to_batches()
        read = predictor.pipeline.read(batch)
        rows = np.array(table["label"].to_pylist(), object)
        labels = np.full(len(read.ends), NORMAL, object)
        for place, end in enumerate(read.ends):
            bad, counts = np.unique([x for x in rows[end - LENGTH + 1 : end + 1] if x != NORMAL], return_counts=True)
            labels[place] = bad[counts.argmax()] if len(bad) else NORMAL
        return cls(table, predictor.session.answer(read.features), labels, read.ends)

    def records(self, ends: np.ndarray) -> list[pa.RecordBatch]:
        """The hours that end at some rows, as records in the order of time."""
        times = self.table["time"].take(pa.array(ends)).to_numpy()
        hours = [self.table.slice(int(end) - LENGTH + 1, LENGTH) for end in ends[np.argsort(times)]]
        return [hour.combine_chunks().to_batches()[0] for hour in hours]

    def away(self, ends: np.ndarray) -> np.ndarray:
        """bool[M]: far from the hours that end at some rows."""
        return np.abs(self.ends[:, None] - ends[None, :]).min(axis=1) > APART

    def incidents(self, name: str) -> np.ndarray:
        """int64[I]: the last row of each incident of a fault that has an hour before it."""
        rows = np.array(self.table["label"].to_pylist(), object)
        nodes = np.array(self.table["node"].to_pylist(), object)
        last = np.flatnonzero((rows[:-1] == name) & ((rows[1:] != name) | (nodes[1:] != nodes[:-1])))
        return last[(last >= LENGTH) & (nodes[np.maximum(last - LENGTH, 0)] == nodes[last])]


def given(decision: Nearest, vectors: np.ndarray) -> np.ndarray:
    """The answers, as texts."""
    return np.array(decision.answer(vectors)["prediction"].to_pylist(), object)


def hours(folder: Path, file: str, overrides: list[str], draws: int) -> dict:
    """One training, taught and moved."""
    began = time.perf_counter()
    version = afield.load(folder / file, overrides).train()
    seconds = time.perf_counter() - began
    predictor = Predictor(version.bundle)
    parts = {name: Hours.of(predictor, folder / "data" / f"{name}.parquet") for name in ("operator_a", "unseen")}
    a = parts["operator_a"]
    times = a.table["time"].take(pa.array(a.ends)).to_numpy()
    tested = times > np.sort(times)[int(0.75 * len(times))] + np.timedelta64(LENGTH, "m")
    answers = given(predictor.decision, a.vectors[tested])
    report = version.report
    found = {
        "seconds": seconds,
        "fit_seconds": sum(epoch.seconds for epoch in report.history),
        "parameters": sum(row.parameters for row in report.layers),
        "nearest_accuracy": report.test.accuracy,
        "linear_accuracy": next(one.score for one in report.baselines if one.name.startswith("linear")),
        "accuracy": float((answers == a.labels[tested]).mean()),
        "normal_recall": float((answers == NORMAL)[a.labels[tested] == NORMAL].mean()),
        "unknown": float((answers == UNKNOWN).mean()),
    }
    normal = a.vectors[tested][a.labels[tested] == NORMAL]
    found["taught"] = {name: taught(folder, name, parts["unseen"], normal, draws) for name in UNSEEN}
    kinds = found["taught"].values()
    found["taught_mean"] = {key: float(np.mean([kind[key] for kind in kinds])) for key in ("recall", "false_alarms")}
    found["moved"] = moved(folder, folder / "data" / "operator_b.parquet", found["accuracy"], draws, predictor)
    return found


def taught(folder: Path, name: str, unseen: Hours, normal: np.ndarray, draws: int) -> dict:
    """Recall and false alarms of one kind of fault; the medians of several draws of its teaching hours."""
    ends = unseen.incidents(name)
    rows = []
    for draw in range(draws + 1):
        if draw == 0:
            lessons, far = (
                pq.read_table(folder / "data" / "teach" / f"{name}.parquet").to_batches(),
                np.ones(len(unseen.ends), bool),
            )
        else:
            chosen = np.random.default_rng(draw).choice(ends, LESSONS, replace=False)
            lessons, far = unseen.records(chosen), unseen.away(chosen)
        began = time.perf_counter()
        made = teach(folder, name, lessons, "v1")
        seconds = time.perf_counter() - began
        assert made.examples == LESSONS, made
        decision = Predictor(made.version.bundle).decision
        answers = given(decision, unseen.vectors[far & (unseen.labels == name)])
        elsewhere = given(decision, unseen.vectors[(unseen.labels != name) & (unseen.labels != NORMAL)])
        alarms = given(decision, normal)
        rows.append(
            {
                "recall": float((answers == name).mean()),
                "as_normal": float((answers == NORMAL).mean()),
                "false_alarms": float((alarms == name).mean()),
                "any_alarms": float((alarms != NORMAL).mean()),
                "other_unseen": float((elsewhere == name).mean()),
                "seconds": seconds,
            }
        )
    median = {key: float(np.median([row[key] for row in rows])) for key in rows[0]}
    return median | {"gallery": rows[0], "recalls": [row["recall"] for row in rows]}


def moved(folder: Path, file: Path, accuracy: float, draws: int, predictor: Predictor) -> dict:
    """Accuracy on operator b before and after `adapt`, from a few normal hours of it; the median of several draws."""
    b = Hours.of(predictor, file)
    before = float((given(predictor.decision, b.vectors) == b.labels).mean())
    rows = []
    for draw in range(max(draws, 1)):
        chosen = np.random.default_rng(draw).choice(b.ends[b.labels == NORMAL], NORMAL_HOURS, replace=False)
        after = Predictor(adapt(folder, NORMAL, b.records(chosen), "v1").version.bundle)
        far = b.away(chosen)
        rows.append(float((given(after.decision, Hours.of(after, file).vectors) == b.labels)[far].mean()))
    after = float(np.median(rows))
    lost = accuracy - before
    return {"before": before, "after": after, "afters": rows, "lost": lost, "recovered": (after - before) / lost}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true", help="the small network of usecase.yaml, and no comparison")
    arguments.add_argument("--seeds", type=int, default=1, help="trainings of each")
    arguments.add_argument("--draws", type=int, default=8, help="draws of the hours that teach and adapt")
    arguments.add_argument("--only", choices=("minutes", "hours"))
    arguments.add_argument("--set", action="append", default=[], help="as of afield train, for `hours`")
    arguments.add_argument("--base", help="a file of use case in place of the gallery's, for `hours`")
    options = arguments.parse_args()
    found: dict = {}
    with tempfile.TemporaryDirectory() as temporary:
        if options.only != "hours":
            found["minutes"] = minutes(Path(temporary) / "minutes", options.seeds, options.quick)
        if options.only != "minutes":
            found["hours"] = []
            for seed in range(options.seeds):
                folder = Path(temporary) / f"hours{seed}"
                start("faults", folder)
                file = "usecase.yaml" if options.quick else "base.yaml"
                if options.base:
                    (folder / file).write_text(Path(options.base).read_text())
                found["hours"].append(hours(folder, file, [*options.set, f"train.seed={seed}"], options.draws))
    json.dump(found, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
