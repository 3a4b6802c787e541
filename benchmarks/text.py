"""Text to TF-IDF rows: lines a second against scikit-learn's transform, on the same lines with the same vocabulary.

The 200,000 lines are drawn without replacement, with a fixed seed, from all lines of logs/*.gz (nginx, PgBouncer,
PostgreSQL, sshd) and of the 16 systems of loghub_2k together. The fit is not measured: scikit-learn fits, and Afield
fits on the same lines; both vocabularies must be equal. The three are measured in turn, round after round.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import scipy.sparse as sp
from sklearn.feature_extraction.text import TfidfVectorizer

from afield.preprocess.text.spec import Text
from afield.preprocess.text.step import TextStep, vocabulary

DATA = Path(os.environ.get("AFIELD_DATA", Path(__file__).parent.parent.parent / "shared" / "data"))
SEED = 0


def read_lines(folder: Path, count: int) -> list[str]:
    """Lines of all logs, mixed."""
    lines: list[str] = []
    for path in sorted(folder.glob("logs/*.gz")):
        with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
            lines += file.read().splitlines()
    for path in sorted(folder.glob("loghub_2k/*/*.log")):
        lines += path.read_text(encoding="utf-8", errors="replace").splitlines()
    if len(lines) < count:
        sys.exit(f"{folder}: expected at least {count} lines in logs/*.gz and loghub_2k/*/*.log, found {len(lines)}")
    return random.Random(SEED).sample(lines, count)


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(lines: list[str], rounds: int) -> dict[str, object]:
    """Lines a second of either, and how far apart their matrices are."""
    peer = TfidfVectorizer().fit(lines)
    batch = pa.record_batch({"text": lines})
    single, double = TextStep(Text(), threads=1), TextStep(Text(), threads=2)
    masked = TextStep(Text(mask=["number", "hex", "ip", "uuid", "email"]), threads=1)
    frozen = single.freeze(single.observe(None, batch))
    frozen_masked = masked.freeze(masked.observe(None, batch))
    if vocabulary(frozen).to_pylist() != peer.get_feature_names_out().tolist():
        sys.exit("the vocabularies differ")

    rows = single.reduce(frozen, batch).rows
    ours = sp.csr_matrix((rows.weights, rows.ids, rows.indptr), shape=(len(rows), rows.width))
    difference = float(abs(ours - peer.transform(lines)).max())
    one = batch.slice(0, 1)
    ways: dict[str, Callable[[], object]] = {
        "afield_1_thread": lambda: single.transform(frozen, None, batch),
        "afield_2_threads": lambda: double.transform(frozen, None, batch),
        "afield_1_thread_masked": lambda: masked.transform(frozen_masked, None, batch),
        "scikit_learn": lambda: peer.transform(lines),
    }
    for way in ways.values():
        way()
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            times[name].append(seconds(way))
    medians = {name: statistics.median(found) for name, found in times.items()}
    alone = statistics.median(seconds(lambda: single.transform(frozen, None, one)) for _ in range(1000))
    return {
        "lines": len(lines),
        "bytes_a_line": round(sum(len(line.encode()) for line in lines) / len(lines), 1),
        "entries_a_line": round(len(rows.ids) / len(lines), 1),
        "vocabulary": rows.width,
        "rounds": rounds,
        "lines_a_second": {name: round(len(lines) / median) for name, median in medians.items()},
        "ratio_1_thread": round(medians["scikit_learn"] / medians["afield_1_thread"], 1),
        "ratio_2_threads": round(medians["scikit_learn"] / medians["afield_2_threads"], 1),
        "one_line_microseconds": round(alone * 1e6, 1),
        "max_abs_difference": difference,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the data sets (default: %(default)s)")
    parser.add_argument("--lines", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print JSON alone")
    arguments = parser.parse_args()
    result = measure(read_lines(arguments.data, arguments.lines), arguments.rounds)
    if not arguments.json:
        print(f"{result['ratio_1_thread']} times scikit-learn on one thread, {result['ratio_2_threads']} on two")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
