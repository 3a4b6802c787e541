"""The use cases that ask without labels: their simulators, and what their settings find."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

import afield
from afield.gallery.abnormal import simulator as nodes
from afield.gallery.copying import start
from afield.gallery.groups import simulator as customers


def test_simulated_nodes(tmp_path: Path) -> None:
    simulated = nodes.simulate(tmp_path, seed=0, days=2, nodes=2, faults_a_day=2)
    table = pq.read_table(tmp_path / "nodes.parquet")
    assert simulated.files == (tmp_path / "nodes.parquet",)
    faulty = (np.array(table["label"].to_pylist()) != "normal").sum()
    assert simulated.note == (
        f"2 days of 2 simulated nodes, 132 counters a minute; {faulty:,} of 5,760 minutes are faulty"
    )
    assert 0 < faulty < 1000


def test_simulated_customers(tmp_path: Path) -> None:
    simulated = customers.simulate(tmp_path / "first", seed=0)
    table = pacsv.read_csv(tmp_path / "first" / "customers.csv")
    assert simulated.note == "4,000 simulated customers of 5 kinds"
    kinds = np.array(table["kind"].to_pylist())
    for name, kind in customers.KINDS.items():
        own = kinds == name
        assert own.mean() == pytest.approx(kind.part, abs=0.03)
        assert table["night"].to_numpy()[own].mean() == pytest.approx(kind.night, abs=0.02)
        assert np.median(table["gigabytes"].to_numpy()[own]) == pytest.approx(kind.amounts[3], rel=0.2)
    customers.simulate(tmp_path / "second", seed=0)
    assert (tmp_path / "first" / "customers.csv").read_bytes() == (tmp_path / "second" / "customers.csv").read_bytes()


def test_the_kinds_of_customers_are_found(tmp_path: Path) -> None:
    start("groups", tmp_path)
    report = afield.load(tmp_path).train().report
    assert len(report.groups.groups) == len(customers.KINDS)
    assert report.groups.agreement > 0.9


@pytest.mark.long
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_network_finds_more_faults_than_an_isolation_forest(tmp_path: Path, seed: int) -> None:
    start("abnormal", tmp_path)
    nodes.simulate(tmp_path / "data", seed=seed)
    report = afield.load(tmp_path).train().report
    (forest,) = report.baselines
    assert report.abnormal.known.precision_at_count > 0.88
    assert forest.figures["precision at the true count"] < 0.7
