"""Pages of a report, a comparison, a search: one file each that opens offline, its plots, style and script inside."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from pathlib import Path
from typing import Any

from afield.errors import StateError
from afield.files import replacing
from afield.report.beside import beside
from afield.report.cards import cards
from afield.report.confusion import confused_classes, confused_pairs
from afield.report.diagram import svg
from afield.report.figures import HEAT_CLASSES, comparison_figures, figures, history_names, tuning_figures
from afield.report.figures.exploration import exploration_figures
from afield.report.model import Comparison, Report, Tuning
from afield.report.model.exploration import Exploration
from afield.report.searched import among, failures, short_names, value_text
from afield.report.spark import spark
from afield.report.text import duration, figure, prose, size, visible, within, written

PAIRS = 30
SECTIONS = (
    ("test", "classes.j2"),
    ("binary", "binary.j2"),
    ("tags", "tags.j2"),
    ("regression", "values.j2"),
    ("abnormal", "abnormal.j2"),
    ("groups", "groups.j2"),
    ("states", "states.j2"),
    ("embedding", "embedding.j2"),
    ("language", "language.j2"),
    ("images", "images.j2"),
)
"""Fields of a report, and the template of each that is filled."""


def write(document: Report | Comparison | Tuning | Exploration, path: Path) -> None:
    """Writes the page; a file that is there already is replaced only once the new one is whole.

    Raises:
        StateError: the page cannot be written there, or jinja2 or plotly is not installed.
        TransientError: the disk is full.
    """
    match document:
        case Report():
            made = html(document)
        case Comparison():
            made = comparison_html(document)
        case Tuning():
            made = tuning_html(document)
        case Exploration():
            made = exploration_html(document)
    content = made.encode()
    with replacing(path, len(content)) as file:
        file.write(content)


def html(report: Report) -> str:
    """The page of a report as text; the same report gives the same text.

    Raises:
        StateError: jinja2 or plotly is not installed.
    """
    matrix = report.test.confusion.matrix() if report.test is not None else None
    model = report.contender()
    contenders = [*([model] if model else []), *report.baselines]
    return _rendered(
        "report.html.j2",
        report=report,
        figures=figures(report),
        cards=list(cards(report)),
        contenders=contenders,
        others=beside(contenders, report.metric),
        sections=[template for field, template in SECTIONS if getattr(report, field)],
        history_names=history_names(report.history),
        diagram=svg(report.layers),
        pairs=[] if matrix is None else confused_pairs(matrix, PAIRS),
        drawn=0 if matrix is None else len(confused_classes(matrix, HEAT_CLASSES)),
    )


def comparison_html(comparison: Comparison) -> str:
    """The page of a comparison as text; the same comparison gives the same text.

    Raises:
        StateError: jinja2 or plotly is not installed.
    """
    others = beside(comparison.contenders, comparison.metric)
    figures = comparison_figures(comparison)
    return _rendered("comparison.html.j2", comparison=comparison, others=others, figures=figures)


def tuning_html(tuning: Tuning) -> str:
    """The page of a search as text; the same search gives the same text.

    Raises:
        StateError: jinja2 or plotly is not installed.
    """
    names = short_names([searched.name for searched in tuning.searched])
    figures = tuning_figures(tuning)
    return _rendered("tuning.html.j2", tuning=tuning, names=names, failures=failures(tuning), figures=figures)


def exploration_html(found: Exploration) -> str:
    """The page of an exploration as text; the same exploration gives the same text.

    Raises:
        StateError: jinja2 or plotly is not installed.
    """
    names = sorted({name for one in (found.signal.contenders if found.signal else ()) for name in one.figures})
    labelled = sum(one.rows for one in found.classes)
    figures = exploration_figures(found)
    return _rendered("exploration.html.j2", found=found, others=names, labelled=labelled, figures=figures)


def _rendered(template: str, **values: Any) -> str:
    try:
        from jinja2 import Environment, FunctionLoader, StrictUndefined
        from plotly.offline import get_plotlyjs
    except ImportError as error:
        raise StateError(
            f"report.html: expected the packages jinja2 and plotly, found no {error.name}; "
            "install them: pip install 'afield[report]'"
        ) from error

    environment = Environment(
        loader=FunctionLoader(lambda name: _resource(f"templates/{name}")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Any] = {
        "duration": duration,
        "figure": figure,
        "prose": prose,
        "size": size,
        "spaced": _spaced,
        "spark": spark,
    }
    filters |= {"among": among, "value_text": value_text}
    filters |= {"spark": spark, "upper_first": _upper_first, "visible": visible, "within": within, "written": written}
    for name, made in filters.items():
        environment.filters[name] = made
    scripts = [get_plotlyjs(), _resource("page.js")]
    return environment.get_template(template).render(
        style=_resource("page.css"), scripts=scripts, policy=_policy(scripts), **values
    )


def _upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def _spaced(name: str) -> str:
    """A metric's name as words."""
    return visible(name.replace("_", " "))


def _policy(scripts: list[str]) -> str:
    """A content security policy: nothing is fetched, and no script runs but these."""
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:"


def _resource(name: str) -> str:
    return resources.files("afield.report").joinpath(name).read_text(encoding="utf-8")
