"""Simulates bidders of an auction: eight figures of behaviour over many powers of ten, one bidder in twenty a robot."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from afield.gallery.simulated import Simulated

_ROBOTS: Final = 0.05


def simulate(folder: Path, *, seed: int, bidders: int = 2000) -> Simulated:
    """Writes `bidders.csv`.

    Args:
        folder: where to; made if it is not there.
        seed: start of the random numbers; the same seed writes the same bytes.
        bidders: how many.
    """
    rng = np.random.default_rng(seed)
    robot = rng.random(bidders) < _ROBOTS
    # A robot may hide as a human does, so that the two overlap as they do among real bidders.
    busy = rng.normal(2.6, 2.2, bidders) + np.where(robot, rng.normal(3.0, 1.2, bidders), 0)
    hasty = rng.normal(0, 1, bidders) + np.where(robot, rng.normal(1.8, 0.8, bidders), 0)
    bids = 1 + np.floor(np.exp(busy))
    auctions = np.minimum(bids, 1 + np.floor(bids ** rng.uniform(0.5, 0.95, bidders)))
    response = np.exp(5.5 - 1.4 * hasty + rng.normal(0, 1.2, bidders))
    between = np.exp(10.5 - 0.5 * np.log(bids) - hasty + rng.normal(0, 1, bidders))
    addresses = np.log(bids) * bids ** rng.uniform(0.1, 0.9, bidders)
    pages = np.log(bids) * bids ** np.where(robot, rng.uniform(0, 0.7, bidders), rng.uniform(0, 0.95, bidders))
    columns = {
        "bidder_id": [f"{number:016x}" for number in rng.integers(2**60, size=bidders)],
        "outcome": np.where(robot, "1.0", "0.0"),
        "total_bids": bids.astype(int),
        "total_auctions": auctions.astype(int),
        "bids_per_auction": pa.array(np.round(bids / auctions, 4), mask=rng.random(bidders) < 0.015),
        "mean_time_diff": pa.array(np.round(between, 2), mask=bids < 2),
        "mean_response": pa.array(np.round(response, 4), mask=rng.random(bidders) < 0.015),
        "min_response": np.floor(response * rng.random(bidders) ** np.log1p(bids)),
        "ip_entropy": np.round(addresses, 4),
        "url_entropy": np.round(pages, 4),
    }
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "bidders.csv"
    pacsv.write_csv(pa.table(columns), file, pacsv.WriteOptions(quoting_style="none"))
    return Simulated(f"{bidders:,} simulated bidders, {int(robot.sum())} of them robots", files=(file,))
