"""`afield explore` as a person runs it: wall time of the whole process on a table, on logs, and on a large table.

The large table is generated with a fixed seed: 1,000,000 rows x 50 columns, 30 of numbers with four digits, 10 of whole
numbers, 8 of categories, one of dates, one of classes. Each command is run several times in turn; the median counts.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

DATA = Path(os.environ.get("AFIELD_DATA", Path(__file__).parent.parent.parent / "shared" / "data"))
ROWS, BAR = 1_000_000, 10.0


def write_table(path: Path, rows: int) -> None:
    """A CSV file whose last column is an answer."""
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(30, rows))
    columns: dict[str, object] = {f"number_{place}": np.round(values, 4) for place, values in enumerate(numbers)}
    columns |= {f"count_{place}": rng.integers(0, 1000, rows) for place in range(10)}
    words = pa.array([f"kind {place}" for place in range(12)])
    columns |= {f"kind_{place}": words.take(pa.array(rng.integers(0, 12, rows))) for place in range(8)}
    columns["when"] = np.datetime64("2020-01-01T00:00:00") + rng.integers(0, 10**8, rows).astype("m8[s]")
    columns["answer"] = np.where(numbers[0] + numbers[1] * numbers[2] + rng.normal(size=rows) > 0, "yes", "no")
    pa_csv.write_csv(pa.table(columns), path)


def seconds(arguments: list[str]) -> tuple[float, dict]:
    """Wall time of the whole process, and what it found."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "afield", "explore", *arguments, "--json"], check=True, capture_output=True
    )
    return time.perf_counter() - started, json.loads(done.stdout)


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--rows", type=int, default=ROWS, help="of the large table")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "large.csv"
        write_table(large, given.rows)
        ways = {
            "adult": [str(DATA / "tabular" / "adult-train.csv"), "--target", "column_15"],
            "logs": [str(DATA / "logs")],
            "large": [str(large), "--target", "answer"],
        }
        times: dict[str, list[float]] = {name: [] for name in ways}
        found: dict[str, dict] = {}
        for _ in range(given.rounds):
            for name, way in ways.items():
                took, found[name] = seconds(way)
                times[name].append(took)
        measured = {
            name: {
                "seconds": round(statistics.median(times[name]), 2),
                "within_the_bar": statistics.median(times[name]) <= BAR,
                "rows": one["rows"],
                "columns": len(one["columns"]),
                "megabytes": round(one["bytes"] / 1e6, 1),
                "findings": [finding["kind"] for finding in one["findings"]],
                "answer": one["signal"]["answer"],
            }
            for name, one in found.items()
        }
    json.dump({"bar_seconds": BAR, "cores": os.cpu_count(), **measured}, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
