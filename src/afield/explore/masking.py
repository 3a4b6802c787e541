"""The steps of a use case that would remove the personal data that was found."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML

from afield.explore.base import Sample
from afield.explore.findings.personal import within
from afield.explore.keys import MASKS
from afield.explore.personal import Kind

COVERED = frozenset({"e-mail", "IP", "MAC"})
"""What the masks of the step `text` cover."""


def mask(sample: Sample, found: Mapping[str, Kind]) -> str:
    """The steps as YAML; empty where there is nothing to remove.

    Args:
        sample: the data.
        found: column -> kind of personal data that it holds.
    """
    steps: list[Any] = []
    if found:
        steps.append({"mask": {"columns": {name: kind.action for name, kind in found.items()}}})
    for column, kinds in within(sample).items():
        if COVERED & set(kinds):
            steps.append({"text": {"column": column, "mask": list(MASKS)}})
    if not steps:
        return ""
    out = io.StringIO()
    yaml = YAML()
    yaml.default_flow_style = None
    yaml.width = 120
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump({"preprocess": steps}, out)
    return out.getvalue()
