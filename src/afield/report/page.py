"""report.html: one file that opens offline, with its plots, its style and its script inside."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from pathlib import Path

from afield.errors import StateError
from afield.files import replacing
from afield.report.confusion import confused_classes, confused_pairs
from afield.report.figures import HEAT_CLASSES, figures
from afield.report.model import Report
from afield.report.text import prose, visible

PAIRS = 30


def write(report: Report, path: Path) -> None:
    """Writes the page; a file that is there already is replaced only once the new one is whole.

    Raises:
        StateError: the page cannot be written there, or jinja2 or plotly is not installed.
        TransientError: the disk is full.
    """
    content = html(report).encode()
    with replacing(path, len(content)) as file:
        file.write(content)


def html(report: Report) -> str:
    """The page as text; the same report gives the same text.

    Raises:
        StateError: jinja2 or plotly is not installed.
    """
    try:
        from jinja2 import Environment, StrictUndefined
        from plotly.offline import get_plotlyjs
    except ImportError as error:
        raise StateError(
            f"report.html: expected the packages jinja2 and plotly, found no {error.name}; "
            "install them: pip install 'afield[report]'"
        ) from error

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["visible"] = visible
    scripts = [get_plotlyjs(), _resource("page.js")]
    matrix = report.test.confusion.matrix()
    return environment.from_string(_resource("page.html.j2")).render(
        report=report,
        prose=prose,
        figures=figures(report),
        pairs=confused_pairs(matrix, PAIRS),
        drawn=len(confused_classes(matrix, HEAT_CLASSES)),
        style=_resource("page.css"),
        scripts=scripts,
        policy=_policy(scripts),
    )


def _policy(scripts: list[str]) -> str:
    """A content security policy: nothing is fetched, and no script runs but these."""
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:"


def _resource(name: str) -> str:
    return resources.files("afield.report").joinpath(name).read_text(encoding="utf-8")
