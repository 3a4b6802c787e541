"""Figures and pages: what a person sees of a trained version, on the terminal, as JSON and as one HTML file."""

from __future__ import annotations

from afield.report.metrics import evaluate
from afield.report.model import Report, from_json, json_text

__all__ = ["Report", "evaluate", "from_json", "json_text"]
