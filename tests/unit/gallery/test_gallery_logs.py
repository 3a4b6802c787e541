"""The simulated logs: the same bytes from the same seed, and a best possible accuracy that is the true one."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from afield.gallery.logs.messages import KINDS
from afield.gallery.logs.simulator import SHARED_PART, best_accuracy, fresh_lines, simulate

SHARED_WORDS = re.compile(
    r"last message repeated|clock moved by|rate limit reached|device \S+ changed state to (online|offline|degraded|rec)"
)


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    first, second = (simulate(tmp_path / name, 50, seed=3) for name in ("a", "b"))
    assert [file.read_bytes() for file in first.files] == [file.read_bytes() for file in second.files]
    assert first.files[0].read_bytes() != simulate(tmp_path / "c", 50, seed=4).files[0].read_bytes()


def test_one_file_a_kind(tmp_path: Path) -> None:
    simulated = simulate(tmp_path / "data", 20)
    assert [file.name for file in simulated.files] == [f"{kind}.log" for kind in KINDS]
    assert {len(file.read_text(encoding="utf-8").splitlines()) for file in simulated.files} == {20}


def test_the_best_accuracy_stands_beside_the_data_and_not_in_it(tmp_path: Path) -> None:
    simulated = simulate(tmp_path / "data", 20)
    facts = json.loads((tmp_path / "data.json").read_text())
    assert facts["best_accuracy"] == simulated.best == best_accuracy() == pytest.approx(1 - 0.05 / 7)
    assert {file.suffix for file in (tmp_path / "data").iterdir()} == {".log"}


def test_rotated_files_hold_the_older_half(tmp_path: Path) -> None:
    whole = simulate(tmp_path / "whole", 21, seed=1)
    simulate(tmp_path / "rotated", 21, seed=1, rotated=True)
    for file in whole.files:
        parts = [tmp_path / "rotated" / name for name in (f"{file.name}.1", file.name)]
        assert "".join(part.read_text(encoding="utf-8") for part in parts) == file.read_text(encoding="utf-8")


def test_the_best_rule_reaches_the_best_accuracy(tmp_path: Path) -> None:
    """The rule: a shared line is of the kind that writes more of them, any other line is of the kind that wrote it."""
    lines = 4000
    simulated = simulate(tmp_path / "data", lines, seed=5)
    right = 0
    for file in simulated.files:
        shared = sum(bool(SHARED_WORDS.search(line)) for line in file.read_text(encoding="utf-8").splitlines())
        right += lines if file.stem == "system" else lines - shared
        assert abs(shared / lines - SHARED_PART.get(file.stem, 0)) < 0.02
    assert right / (lines * len(KINDS)) == pytest.approx(best_accuracy(), abs=0.003)


def test_no_other_line_could_be_of_two_kinds(tmp_path: Path) -> None:
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for file in simulate(tmp_path / "data", 2000, seed=2).files:
        for line in file.read_text(encoding="utf-8").splitlines():
            kinds[re.sub(r"0x\w+|\d+", "#", line)][file.stem] += 1
    for masked, stems in kinds.items():
        assert len(stems) == 1 or (set(stems) == set(SHARED_PART) and SHARED_WORDS.search(masked)), masked


def test_fresh_lines_are_never_among_the_simulated(tmp_path: Path) -> None:
    fresh = fresh_lines(500, seed=2)
    known = {
        line
        for file in simulate(tmp_path / "data", 500, seed=2).files
        for line in file.read_text(encoding="utf-8").splitlines()
    }
    assert not known & {line for _, line in fresh}
    assert {kind for kind, _ in fresh} == set(KINDS)
    assert fresh == fresh_lines(500, seed=2)


def test_every_slot_is_filled(tmp_path: Path) -> None:
    for file in simulate(tmp_path / "data", 500).files:
        assert not re.search(r"\{\w+\}", file.read_text(encoding="utf-8"))
