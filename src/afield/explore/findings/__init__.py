"""Kinds of findings, one a file; `KINDS` has them all, in the order in which a person reads them."""

from __future__ import annotations

from afield.explore.base import Look
from afield.explore.findings import (
    classes,
    columns,
    duplicates,
    files,
    formats,
    labels,
    leakage,
    order,
    personal,
)

KINDS: tuple[Look, ...] = (
    leakage.look,
    order.look,
    duplicates.look,
    labels.look,
    classes.look,
    personal.look,
    files.look,
    formats.look,
    columns.look,
)
"""Every kind of finding, the gravest first."""
