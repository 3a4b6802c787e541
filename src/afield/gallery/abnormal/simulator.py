"""Simulates the minute counters of nodes, with rare faults of which the learning knows nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from afield.gallery.faults.operators import FEATURES
from afield.gallery.faults.simulator import simulate_operator
from afield.gallery.faults.states import NORMAL
from afield.gallery.simulated import Simulated


def simulate(folder: Path, *, seed: int, days: int = 14, nodes: int = 4, faults_a_day: float = 1.0) -> Simulated:
    """Writes `nodes.parquet`.

    Args:
        folder: where to; made if it is not there.
        seed: start of the random numbers; the same seed writes the same rows.
        days: to simulate.
        nodes: to simulate, each with traffic of its own.
        faults_a_day: of one node, on average.
    """
    table = simulate_operator("a", days=days, nodes=nodes, seed=seed, faults_a_day=faults_a_day)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "nodes.parquet"
    pq.write_table(table, file, compression="zstd")
    faulty = int((np.array(table["label"].to_pylist()) != NORMAL).sum())
    note = (
        f"{days} days of {nodes} simulated nodes, {len(FEATURES)} counters a minute; {faulty:,} of {table.num_rows:,}"
        " minutes are faulty"
    )
    return Simulated(note, files=(file,))
