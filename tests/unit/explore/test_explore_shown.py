"""An exploration on the terminal, as JSON and as a page."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from planted import faulty
from rich.console import Console

from afield.explore.exploring import explore
from afield.report.model import json_text
from afield.report.model.exploration import Exploration
from afield.report.page import exploration_html, write
from afield.report.terminal.exploration import render_exploration


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Exploration:
    return explore(faulty(tmp_path_factory.mktemp("shown"), 0, rows=1500).path, "stays").document


def printed(document: Exploration, width: int) -> str:
    out = io.StringIO()
    render_exploration(document, Console(file=out, width=width))
    return out.getvalue()


@pytest.mark.parametrize("width", [60, 100, 200])
def test_terminal(found: Exploration, width: int) -> None:
    text = printed(found, width)
    assert "faulty-0.csv, explored" in text
    assert "leakage  refund almost gives the answer away" in text
    assert "imsi: hash" in text
    assert "Verdict  Worth a network" in re.sub(r"\s+", " ", text).replace("Verdict ", "Verdict  ")
    assert max(len(line) for line in text.splitlines() if "─" in line) <= width
    assert "26201" not in text


def test_without_a_target(found: Exploration) -> None:
    bare = found.model_copy(update={"target": "", "kind": None, "classes": [], "signal": None, "findings": []})
    text = printed(bare, 120)
    assert "No faults were found." in text
    assert "No verdict  no target was named; --target COLUMN says whether the data can answer it" in text


def test_json_comes_back(found: Exploration) -> None:
    assert Exploration.model_validate_json(json_text(found)) == found


def test_page(found: Exploration, tmp_path: Path) -> None:
    evil = found.model_copy(update={"name": "<script>alert(1)</script>", "notes": ["<img src=x onerror=alert(1)>"]})
    write(evil, tmp_path / "exploration.html")
    page = (tmp_path / "exploration.html").read_text()
    assert page == exploration_html(evil)
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page
    assert 'data-figure="learning"' in page
    assert "repeated in 1 line" in page
    assert "26201" not in re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    plain = found.model_copy(update={"signal": None, "classes": []})
    assert 'class="plot"' not in exploration_html(plain)
