"""report.html in a real browser, offline, with foreign text in every place."""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from synthetic_reports import MAKERS, comparison, report_of

from afield.errors import AfieldError, StateError, TransientError
from afield.report import Report, evaluate
from afield.report.figures import comparison_figures, figures, label
from afield.report.model import Epoch, Token
from afield.report.page import comparison_html, html, write

EVIL = [
    "<script>alert(1)</script>",
    "<img src=x onerror=\"document.title='ran'\">",
    "</script><script>document.title='ran'</script>",
    "<b>bold</b> <a href='javascript:alert(1)'>link</a>",
    "%{x} 'quoted' \"twice\" &amp; {{ 7 * 7 }}",
    "2020-01-01",
]


class Elements(HTMLParser):
    """Tags of a page, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def named(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]


@pytest.fixture(scope="session")
def chromium() -> str:
    """A browser; skips where there is none, fails where AFIELD_REQUIRE_DATA=1."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        reason = "no chromium to open the page with; install one: apt-get install chromium"
        if os.environ.get("AFIELD_REQUIRE_DATA") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture(scope="session")
def hostile(systems: Report) -> Report:
    """A report whose names and lines try to run as code."""
    truth = np.arange(len(EVIL)).repeat(5)
    answers = np.roll(truth, 2)
    mistakes = [
        row.model_copy(update={"text": evil, "file": evil, "truth": evil, "prediction": evil})
        for row, evil in zip(systems.mistakes, EVIL, strict=False)
    ]
    return systems.model_copy(
        update={
            "use_case": EVIL[2],
            "question": EVIL[1],
            "classes": EVIL,
            "test": evaluate(truth, np.eye(len(EVIL), dtype=np.float32)[answers], EVIL),
            "mistakes": mistakes,
            "warnings": EVIL,
            "baselines": [
                row.model_copy(update={"name": evil}) for row, evil in zip(systems.baselines, EVIL, strict=False)
            ],
            "tokens": {evil: [Token(token=evil, score=1.0)] for evil in EVIL},
            "facts": {evil: evil for evil in EVIL},
            "verdict": EVIL[0],
        }
    )


def opened(chromium: str, page: Path, profile: Path) -> tuple[str, str]:
    """The document after its scripts ran, and what the browser had to say."""
    done = subprocess.run(
        [
            chromium,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--enable-logging=stderr",
            "--virtual-time-budget=3000",
            f"--user-data-dir={profile}",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    return done.stdout, "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)


def test_a_browser_draws_every_plot(systems: Report, chromium: str, tmp_path: Path) -> None:
    write(systems, tmp_path / "report.html")
    dom, console = opened(chromium, tmp_path / "report.html", tmp_path / "profile")
    assert console == ""
    plots = re.findall(r'<div class="plot[^"]*" data-figure="(\w+)"[^>]*>(.*?)</figure>', dom, re.DOTALL)
    assert [name for name, _ in plots] == ["baselines", "confusion", "loss", "accuracy", "calibration"]
    for name, drawing in plots:
        assert 'class="main-svg"' in drawing, name
    confusion = dict(plots)["confusion"]
    assert all(f">{name}</text>" in confusion for name in systems.classes)
    counts = systems.test.confusion.matrix()
    assert f">{counts[0, 0]}</tspan>" in confusion or f">{counts[0, 0]}</text>" in confusion


@pytest.mark.long
def test_a_browser_draws_every_kind_and_runs_nothing_foreign(chromium: str, tmp_path: Path) -> None:
    # One document with a frame for each page: a browser takes longer to start than to draw.
    kinds = [*MAKERS, "comparison"]
    for kind in kinds:
        write(comparison() if kind == "comparison" else report_of(kind), tmp_path / f"{kind}.html")
    tell = (
        "<script>addEventListener('load', () => setTimeout(() => parent.postMessage("
        "[...document.querySelectorAll('[data-figure]')].filter((place) => !place.querySelector('.main-svg'))"
        ".map((place) => place.dataset.figure).join(), '*'), 2000))</script>"
    )
    for kind in kinds:
        page = tmp_path / f"{kind}.html"
        page.write_text(re.sub('<meta http-equiv="Content-Security-Policy".*?>', "", page.read_text()) + tell)
    frames = "".join(f'<iframe src="{kind}.html" width="1000" height="800"></iframe>' for kind in kinds)
    listen = "<script>addEventListener('message', (e) => document.body.append(`drawn all but [${e.data}];`))</script>"
    (tmp_path / "all.html").write_text(f"<!doctype html><body>{listen}{frames}")
    dom, console = opened(chromium, tmp_path / "all.html", tmp_path / "profile")
    assert dom.count("drawn all but [];") == len(kinds)
    assert "drawn all but [" not in dom.replace("drawn all but [];", "").replace("drawn all but [${", "")
    assert "rror" not in console


def test_the_embedding_plays_under_the_page_s_own_policy(chromium: str, tmp_path: Path) -> None:
    report = report_of("states")
    write(report, tmp_path / "report.html")
    dom, console = opened(chromium, tmp_path / "report.html", tmp_path / "profile")
    assert "Content Security Policy" not in console
    assert "rror" not in console
    assert report.embedding is not None
    drawn = dom.partition('data-figure="embedding"')[2].partition("</figure>")[0]
    assert ">Play</text>" in drawn
    for frame in report.embedding.frames:
        assert f">{frame.epoch}</text>" in drawn


def test_every_kind_shows_its_sections_and_escapes_its_rows() -> None:
    headings = {
        "binary": ["The chosen cut", "ROC curve", "Precision and recall", "Confusion matrix"],
        "tag": ["Tags"],
        "regress": ["Residuals", "Sizes of the errors", "Largest errors", "Mean absolute error"],
        "abnormal": ["Scores", "The highest scores", "Most abnormal rows"],
        "unlabelled": ["Scores", "Most abnormal rows"],
        "group": ["The groups", "Rows nearest to the centre of each group"],
        "write": ["What it writes"],
        "states": ["Known states", "How the states came apart"],
        "images": ["Most confident mistakes as images"],
    }
    assert set(headings) == set(MAKERS)
    for kind, wanted in headings.items():
        text = html(report_of(kind))
        for heading in wanted:
            assert f">{heading}</h2>" in text, (kind, heading)
        assert "<b>Óbidos" not in text.partition('id="figures"')[0]
        assert "<script>alert" not in text
        assert ("Confusion matrix</h2>" in text) == (kind in {"binary", "states", "images"})


def test_a_comparison_shows_every_model_its_costs_and_what_failed() -> None:
    text = comparison_html(comparison())
    for wanted in (
        "boosted trees",
        "rhythm &lt;b&gt;",
        " kB</td>",
        " µs</td>",
        "torch (torch) gave no score: model.py:12",
    ):
        assert wanted in text
    bars = comparison_figures(comparison())["scores"]["data"][0]
    assert bars["x"] == [0.915, 0.91, 0.83, 0.5]
    assert bars["error_x"]["array"] == pytest.approx([0.01, 0.01, 0.01, 0])


def test_the_confusion_toggles_and_tables_sort(systems: Report, chromium: str, tmp_path: Path) -> None:
    # The page's policy lets no further script run, so the clicks go into a copy without it.
    clicks = (
        "<script>document.querySelector('input[value=shares]').click();"
        "const recall = document.querySelectorAll('[aria-labelledby=classes] th button')[2];"
        "recall.click(); recall.click();</script></body>"
    )
    text = re.sub(r"<meta http-equiv=[^>]*>", "", html(systems)).replace("</body>\n</html>", clicks + "\n</html>")
    page = tmp_path / "report.html"
    page.write_text(text, encoding="utf-8")
    dom, console = opened(chromium, page, tmp_path / "profile")
    assert console == ""
    confusion = dom[dom.index('<section aria-labelledby="confusion"') : dom.index('<section aria-labelledby="classes"')]
    shares = systems.test.confusion.matrix() / systems.test.confusion.matrix().sum(axis=1, keepdims=True)
    assert f">{shares[0, 0]:.1%}</" in confusion
    table = dom[dom.index('<section aria-labelledby="classes"') : dom.index('<section aria-labelledby="loss"')]
    assert 'class="number" aria-sort="descending"><button type="button">Recall' in table
    recalls = [float(value) for value in re.findall(r'</th><td.*?</td><td class="number" data-value="([^"]+)"', table)]
    assert recalls[:16] == sorted((row.recall for row in systems.test.per_class), reverse=True)


def test_foreign_text_never_runs(hostile: Report, chromium: str, tmp_path: Path) -> None:
    write(hostile, tmp_path / "report.html")
    dom, console = opened(chromium, tmp_path / "report.html", tmp_path / "profile")
    assert console == ""
    page = Elements(dom)
    # The data, plotly.js and the page's own script: none came from a name or a line.
    assert page.named("script") == [{"type": "application/json", "id": "figures"}, {}, {}]
    assert page.named("img") == []
    assert page.named("a") == []
    assert page.named("b") == []
    assert "<title>&lt;/script&gt;&lt;script&gt;document.title='ran'&lt;/script&gt;, version 3</title>" in dom
    ticks = re.findall(r'class="ytick"><text[^>]*>(.*?)</text>', dom)
    assert "&lt;script&gt;alert(1)&lt;/scrip…" in ticks
    assert "%{x} 'quoted' \"twice\" &amp;…" in ticks
    assert "2020-01-01" in ticks


def test_the_page_fetches_nothing(systems: Report) -> None:
    page = Elements(html(systems))
    addresses = [value for _, attributes in page.tags for key, value in attributes.items() if key in {"src", "href"}]
    assert addresses == ["data:,"]
    policy = page.named("meta")[1]["content"]
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-inline'; img" in policy


def test_backticks_become_code_and_stay_escaped(systems: Report) -> None:
    warning = "Write `mask: [<number>]`, not `<script>alert(1)</script>`; a lone ` stays. <b>"
    text = html(systems.model_copy(update={"warnings": [warning], "verdict": "Use `<i>` & more."}))
    assert (
        '<li class="foreign">Write <code>mask: [&lt;number&gt;]</code>, not '
        "<code>&lt;script&gt;alert(1)&lt;/script&gt;</code>; a lone ` stays. &lt;b&gt;</li>"
    ) in text
    assert '<p class="verdict">Use <code>&lt;i&gt;</code> &amp; more.</p>' in text


def test_every_figure_stands_in_the_page(systems: Report) -> None:
    text = html(systems)
    page = text[: text.index('id="figures"')]
    for row in [*systems.test.per_class, systems.test.micro, systems.test.macro, systems.test.weighted]:
        for figure in (row.precision, row.recall, row.f1):
            assert f'data-value="{figure}">{figure:.4f}</td>' in page
    for mistake in systems.mistakes:
        assert f"{mistake.file}:{mistake.line}</div>" in page
    for wanted in ("2,200 of 2,400 test rows", "core.bin: binary", "data fingerprint", "total", systems.stopped):
        assert wanted in page


def test_the_same_report_gives_the_same_page(systems: Report) -> None:
    assert html(systems) == html(systems)


def test_many_classes_draw_the_most_confused(events: Report) -> None:
    assert f"Only the 30 most confused of {len(events.classes)} classes are drawn" in html(events)
    drawn = figures(events)["confusion"]
    assert [len(trace["z"]) for trace in drawn["data"]] == [30] * 4


@pytest.mark.parametrize("which", ["systems", "events", "hostile"])
def test_plotly_knows_every_attribute(which: str, request: pytest.FixtureRequest) -> None:
    for figure in figures(request.getfixturevalue(which)).values():
        go.Figure(figure)


@pytest.mark.parametrize("kind", MAKERS)
def test_plotly_knows_every_attribute_of_every_kind(kind: str) -> None:
    for figure in figures(report_of(kind)).values():
        go.Figure(figure)


def test_a_loss_that_ran_away_leaves_a_gap(systems: Report) -> None:
    lost = Epoch(epoch=1, loss=float("nan"), metrics={"accuracy": 0.5}, learning_rate=1.0, seconds=1.0)
    report = systems.model_copy(update={"history": [lost]})
    loss = figures(report)["loss"]["data"]
    assert [(trace["name"], trace["y"]) for trace in loss] == [("training", [None])]
    assert "NaN" not in html(report).partition('id="figures">')[2].partition("</script>")[0]


def test_labels_are_short_and_escaped() -> None:
    assert label("<b>\x1b" + "x" * 30, 12) == "&lt;b&gt;\\x1bxxxx…"


def test_a_page_that_cannot_be_written_is_named(systems: Report, tmp_path: Path) -> None:
    path = tmp_path / "missing" / "report.html"
    with pytest.raises(StateError) as raised:
        write(systems, path)
    assert str(raised.value) == f"{path}: cannot be written: No such file or directory"


def test_a_full_disk_keeps_the_old_page(systems: Report, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
    try:
        with pytest.raises(TransientError, match=r"report\.html: the disk is full"):
            write(systems, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_mistake_without_a_file_has_no_place(systems: Report) -> None:
    mistake = systems.mistakes[0].model_copy(update={"file": "", "line": 0})
    assert 'class="place' not in html(systems.model_copy(update={"mistakes": [mistake]}))


@pytest.mark.parametrize("package", ["jinja2", "plotly"])
def test_missing_packages_are_named(systems: Report, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = {"jinja2": "jinja2", "plotly": "plotly.offline"}[package]
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(AfieldError) as raised:
        html(systems)
    assert str(raised.value) == (
        f"report.html: expected the packages jinja2 and plotly, found no {module}; "
        "install them: pip install 'afield[report]'"
    )


def test_the_room_needs_neither_plotly_nor_a_training_package() -> None:
    code = (
        "import sys, afield.report, afield.report.terminal, afield.report.page, afield.report.verdict\n"
        "print({'plotly', 'jinja2', 'sklearn', 'keras', 'jax'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
