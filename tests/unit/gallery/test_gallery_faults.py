"""The simulated nodes: 132 counters that add up, faults that last, two operators that differ."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from afield.gallery.faults.operators import FEATURES, OPERATIONS, OUTCOMES
from afield.gallery.faults.simulator import simulate, simulate_operator
from afield.gallery.faults.states import EVERY, FAULTS, NORMAL, TRAINED, UNSEEN


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return simulate_operator("a", days=10, nodes=2, seed=1)


def values(table: pa.Table, name: str) -> np.ndarray:
    return table[name].to_numpy().astype(float)


def runs(table: pa.Table) -> list[tuple[str, int]]:
    """The states of all nodes in order, each with its minutes."""
    pairs = zip(table["node"].to_pylist(), table["label"].to_pylist(), strict=True)
    return [(label, len(list(run))) for (_, label), run in groupby(pairs)]


def test_a_row_a_node_and_minute(table: pa.Table) -> None:
    assert table.column_names == ["operator", "node", "time", *FEATURES, "label"]
    assert len(set(FEATURES)) == 132
    assert table.num_rows == 2 * 10 * 1440
    assert set(table["operator"].to_pylist()) == {"a"}
    assert table["node"].to_pylist()[:: 10 * 1440] == ["a-1", "a-2"]
    steps = np.diff(table["time"].to_numpy()[: 10 * 1440])
    assert (steps == np.timedelta64(60, "s")).all()
    assert {table.schema.field(name).type for name in FEATURES} == {pa.float32()}
    assert all(table[name].null_count == 0 for name in table.column_names)


def test_the_same_seed_gives_the_same_rows(table: pa.Table) -> None:
    assert simulate_operator("a", days=10, nodes=1, seed=1).equals(table.slice(0, 14_400).combine_chunks())
    assert not simulate_operator("a", days=1, nodes=1, seed=2).equals(simulate_operator("a", days=1, nodes=1, seed=1))


def test_every_operation_ends_in_one_way(table: pa.Table) -> None:
    for operation in OPERATIONS:
        ended = sum(values(table, f"{operation}_{outcome}") for outcome in OUTCOMES)
        np.testing.assert_array_equal(ended, values(table, f"{operation}_attempts"))


def test_times_are_there_where_something_ended(table: pa.Table) -> None:
    for operation in OPERATIONS:
        ended = values(table, f"{operation}_attempts") - values(table, f"{operation}_timeout")
        assert ((values(table, f"{operation}_time_mean") > 0) == (ended > 0)).all()


def test_a_fault_lasts_from_minutes_to_hours_between_normal_ones(table: pa.Table) -> None:
    found = runs(table)
    faults = [minutes for label, minutes in found if label != NORMAL]
    assert 10 <= min(faults) <= 30
    assert 60 < max(faults) <= 180
    between = [minutes for (_, minutes) in found if _ == NORMAL]
    assert min(between[1:-1]) >= 75
    assert 0.8 < sum(between) / table.num_rows < 0.95


def test_every_kind_happens_as_often() -> None:
    found = [label for label, _ in runs(simulate_operator("b", days=30, nodes=1, seed=0)) if label != NORMAL]
    counts = [found.count(name) for name in TRAINED]
    assert sum(counts) == len(found)
    assert max(counts) - min(counts) <= 1
    assert len(found) / 30 == pytest.approx(3, abs=0.8)


def test_at_least_eight_states() -> None:
    assert len(TRAINED) + 1 >= 8
    assert not set(TRAINED) & set(UNSEEN)
    assert {"subscriber_server_link_down", "all_traffic_blocked", "link_at_capacity"} <= set(TRAINED)
    for fault in FAULTS.values():
        assert set(fault.effects) <= {*OPERATIONS, EVERY}
        assert sum(fault.failures.values()) == pytest.approx(1)
        assert set(fault.failures) <= set(OUTCOMES)


def test_traffic_follows_the_day_and_the_week() -> None:
    quiet = simulate_operator("b", days=7, nodes=1, seed=0, states=())
    assert set(quiet["label"].to_pylist()) == {NORMAL}
    hours = values(quiet, "invite_originating_attempts").reshape(7, 24, 60).mean(axis=2)
    assert hours[:5, 16].mean() > 3 * hours[:5, 3].mean()
    assert hours[5:, 16].mean() < 0.7 * hours[:5, 16].mean()


def test_a_fault_shows_against_the_same_traffic_without_it() -> None:
    """The link to the subscriber server: registrations fail and are tried again, sessions that go out do not."""
    table = simulate_operator("a", days=10, nodes=1, seed=3, states=("subscriber_server_link_down",))
    bad = np.array(table["label"].to_pylist()) != NORMAL
    failing = values(table, "register_5xx") + values(table, "register_timeout")
    share = failing / np.maximum(values(table, "register_attempts"), 1)
    assert np.median(share[bad]) > 0.4 > 0.05 > np.median(share[~bad])
    originating = values(table, "invite_originating_timeout") / values(table, "invite_originating_attempts")
    assert np.median(originating[bad]) == pytest.approx(np.median(originating[~bad]), abs=0.005)


def test_a_fault_grows_and_goes() -> None:
    table = simulate_operator("a", days=20, nodes=1, seed=5, states=("all_traffic_blocked",))
    attempts = values(table, "options_attempts")
    start = 0
    rising: list[bool] = []
    for label, minutes in runs(table):
        if label != NORMAL:
            rising.append(attempts[start] > attempts[start + minutes // 2])
        start += minutes
    assert np.mean(rising) > 0.6


def test_no_single_counter_tells_all_states(table: pa.Table) -> None:
    """The best cut of the best counter, against guessing the most frequent state."""
    fault = np.array(table["label"].to_pylist()) != NORMAL
    best = 0.0
    for name in FEATURES:
        order = fault[np.argsort(values(table, name), kind="stable")]
        below = np.cumsum(order)
        cut = np.arange(1, len(order) + 1)
        above = (below[-1] - below) + (cut - below)
        best = max(best, above.max() / len(order), 1 - above.min() / len(order))
    assert best < 0.5 * (1 + (~fault).mean())


def test_the_operators_differ() -> None:
    a, b = (simulate_operator(name, days=2, nodes=2, seed=0, states=()) for name in "ab")
    challenged = [values(one, "register_4xx").sum() / values(one, "register_attempts").sum() for one in (a, b)]
    assert challenged[1] > 1.4 * challenged[0]
    assert values(b, "message_attempts").mean() > 2 * values(a, "message_attempts").mean()


def test_the_files(tmp_path: Path) -> None:
    simulated = simulate(tmp_path / "data", seed=0, days=4, nodes=1)
    names = [file.relative_to(tmp_path / "data").as_posix() for file in simulated.files]
    assert names == [
        "operator_a.parquet",
        "operator_b.parquet",
        "unseen.parquet",
        *(f"teach/{name}.parquet" for name in UNSEEN),
    ]
    a, b, unseen = (pq.read_table(file) for file in simulated.files[:3])
    assert set(b["operator"].to_pylist()) == {"b"}
    assert unseen["time"][0].as_py() > a["time"][-1].as_py()
    assert set(unseen["label"].to_pylist()) - {NORMAL} <= set(UNSEEN)
    assert not set(a["label"].to_pylist()) & set(UNSEEN)
    assert simulated.note == (
        "4 days of 1 simulated nodes of each of two operators, 132 counters a minute, with 8 kinds of fault, "
        "and 3 more kinds in unseen.parquet and, to teach from, in teach"
    )


def test_hours_to_teach_from(tmp_path: Path) -> None:
    for file in simulate(tmp_path / "data", seed=0, days=1, nodes=1).files[3:]:
        lesson = pq.read_table(file)
        times = lesson["time"].to_numpy().reshape(5, 60)
        assert (np.diff(times, axis=1) == np.timedelta64(60, "s")).all()
        assert (times[1:, 0] - times[:-1, -1] > np.timedelta64(120, "s")).all()
        labels = np.array(lesson["label"].to_pylist()).reshape(5, 60)
        assert set(labels.ravel()) <= {NORMAL, file.stem}
        assert (labels[:, -1] == file.stem).all()
        assert ((labels != NORMAL).sum(axis=1) >= 10).all()


def test_no_such_operator_or_fault() -> None:
    with pytest.raises(KeyError, match="c"):
        simulate_operator("c", days=1, nodes=1, seed=0)
    with pytest.raises(KeyError, match="fire"):
        simulate_operator("a", days=1, nodes=1, seed=0, states=("fire",))
