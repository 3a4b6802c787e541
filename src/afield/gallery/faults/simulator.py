"""Simulates the nodes of two operators, minute by minute, with faults that last from minutes to hours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from afield.gallery.faults.itu import prepare as prepare
from afield.gallery.faults.operators import FEATURES, MINUTES_A_DAY, OPERATORS
from afield.gallery.faults.states import FAULTS, NORMAL, TRAINED, UNSEEN
from afield.gallery.faults.traffic import Episode, counters
from afield.gallery.simulated import Simulated

_MONDAY: Final = datetime(2025, 1, 6, tzinfo=UTC)
_SHORTEST, _LONGEST = 10, 180
_QUIET: Final = 75
"""Minutes at least between two faults of a node, so that no hour holds two."""

_LESSONS: Final = 5


def simulate(folder: Path, *, seed: int, days: int = 14, nodes: int = 4) -> Simulated:
    """Writes `operator_a.parquet` and `operator_b.parquet`, and faults that neither holds.

    These are in `unseen.parquet`, and in `teach/FAULT.parquet` a few hours of each, of other nodes.

    Args:
        folder: where to; made if it is not there.
        seed: start of the random numbers; the same seed writes the same rows.
        days: of each of the operators' files; the third holds half as many.
        nodes: of each file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables = {
        "operator_a.parquet": simulate_operator("a", days=days, nodes=nodes, seed=seed),
        "operator_b.parquet": simulate_operator("b", days=days, nodes=nodes, seed=seed + 1),
        "unseen.parquet": simulate_operator(
            "a", days=max(days // 2, 1), nodes=nodes, seed=seed + 2, states=UNSEEN, first_day=days
        ),
    }
    for place, name in enumerate(UNSEEN):
        table = simulate_operator("a", days=4, nodes=1, seed=seed + 3 + place, states=(name,), first_day=2 * days)
        tables[f"teach/{name}.parquet"] = hours(table, name, _LESSONS)
    (folder / "teach").mkdir(exist_ok=True)
    for name, table in tables.items():
        pq.write_table(table, folder / name, compression="zstd")
    note = (
        f"{days} days of {nodes} simulated nodes of each of two operators, {len(FEATURES)} counters a minute, with "
        f"{len(TRAINED)} kinds of fault, and {len(UNSEEN)} more kinds in unseen.parquet "
        "and, to teach from, in teach"
    )
    return Simulated(note, files=tuple(folder / name for name in tables))


def simulate_operator(
    operator: str,
    *,
    days: int,
    nodes: int,
    seed: int,
    states: Sequence[str] = TRAINED,
    faults_a_day: float = 3.0,
    first_day: int = 0,
) -> pa.Table:
    """Simulates the nodes of one operator.

    Args:
        operator: a name of OPERATORS.
        days: to simulate, from midnight.
        nodes: to simulate, each with traffic and faults of its own.
        seed: start of the random numbers; nodes keep their traffic when their number changes.
        states: the faults that happen, names of FAULTS; none for normal traffic alone.
        faults_a_day: of one node, on average.
        first_day: days after the Monday that all simulations start from.

    Returns:
        `operator`, `node`, `time`, 132 counters and `label`: a row a node and minute, node after node.

    Raises:
        KeyError: no such operator or fault.
    """
    drawn = OPERATORS[operator]
    number = days * MINUTES_A_DAY
    minutes = np.arange(number) + first_day * MINUTES_A_DAY
    times = pa.array(int(_MONDAY.timestamp()) + 60 * minutes, pa.int64()).cast(pa.timestamp("s", tz="UTC"))
    parts: list[pa.Table] = []
    for node in range(nodes):
        rng = np.random.default_rng([seed, node])
        episodes = _episodes(number, states, faults_a_day, rng)
        labels = np.full(number, NORMAL, object)
        for episode in episodes:
            labels[episode.start : episode.start + len(episode.strength)] = episode.fault
        values = counters(drawn, minutes, episodes, rng)
        columns = {
            "operator": pa.array([operator] * number),
            "node": pa.array([f"{operator}-{node + 1}"] * number),
            "time": times,
            **dict(zip(FEATURES, map(pa.array, values.T), strict=True)),
            "label": pa.array(labels, pa.string()),
        }
        parts.append(pa.table(columns))
    return pa.concat_tables(parts).combine_chunks()


def hours(table: pa.Table, state: str, number: int) -> pa.Table:
    """The hours that end with the last minutes of a fault, each as 60 rows.

    Args:
        table: of `simulate_operator`.
        state: the fault.
        number: of hours at most.

    Returns:
        The rows of the hours, those of one fault after those of the one before.
    """
    there = np.array(table["label"].to_pylist()) == state
    ends = np.flatnonzero(there & ~np.append(there[1:], False))[:number]
    return table.take(pa.array((ends[:, None] + np.arange(-59, 1)).ravel()))


def _episodes(number: int, states: Sequence[str], a_day: float, rng: np.random.Generator) -> list[Episode]:
    """Faults of one node, each kind as often as any other."""
    unknown = [name for name in states if name not in FAULTS]
    if unknown:
        raise KeyError(unknown[0])
    episodes: list[Episode] = []
    turn: list[str] = []
    minute = 0
    while states:
        length = int(np.clip(np.exp(rng.normal(np.log(40), 0.7)), _SHORTEST, _LONGEST))
        minute += _QUIET + int(rng.exponential(max(MINUTES_A_DAY / a_day - _QUIET - 50, 1)))
        if minute + length > number:
            break
        turn = turn or list(rng.permutation(states))
        episodes.append(Episode(str(turn.pop()), minute, _strength(length, rng)))
        minute += length
    return episodes


def _strength(length: int, rng: np.random.Generator) -> np.ndarray:
    """Rises over some minutes, holds, and falls, never to 0."""
    minute = np.arange(length)
    rise = (minute + 1) / rng.integers(1, 7)
    fall = (length - minute) / rng.integers(1, 5)
    return rng.uniform(0.6, 1.0) * np.minimum(1, np.minimum(rise, fall))
