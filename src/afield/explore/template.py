"""The text of a use case from what an exploration has chosen, with comments where a person may want another choice."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML

from afield.explore.findings.classes import FEWEST
from afield.explore.keys import MASKS
from afield.explore.recipe import Recipe

SMALL = 2000
"""Rows below which a small network is proposed."""


def written(found: Recipe) -> str:
    """The text of `usecase.yaml`."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Recipe) -> Iterator[str]:
    yield f"# Written by `afield new auto` from what {_one_line(found.name)} holds."
    yield "# Check it with `afield check`, override a value with `--set train.epochs=20`."
    yield "# Every field: `afield schema`, or docs/reference/usecase.md."
    yield ""
    yield from _question(found)
    yield ""
    yield from _source(found)
    yield ""
    yield from _preprocess(found)
    yield ""
    yield from _model(found)
    yield ""
    yield from _train(found)
    yield ""
    yield "trigger:"
    yield "  - on_arrival"
    yield ""
    yield "sink:"
    yield "  - jsonl: {path: answers}"


def _question(found: Recipe) -> Iterator[str]:
    asks = {"classify": "Which {} does a row have?", "regress": "How much is {}?", "tag": "Which {} does a row have?"}
    of_file = found.form == "lines"
    ask = "Which file does this line come from?" if of_file else asks[found.kind].format(found.target)
    yield "question:"
    yield f"  kind: {found.kind}"
    yield f"  ask: {_value(ask)}"
    if found.metric:
        yield f"  metric: {found.metric}             # one class is rare: right answers alone would say little"
    if found.positive:
        yield f"  positive: {_value(found.positive)}"
    if found.rare:
        yield f"  rare: drop                # classes of fewer than {FEWEST} rows are left out"
        yield f"  min_rows: {FEWEST}"


def _source(found: Recipe) -> Iterator[str]:
    yield "source:"
    yield "  files:"
    yield f"    path: {_value(str(found.path))}"
    yield f"    format: {found.form}"
    if found.header:
        yield "    header:                   # the files begin with a record"
        yield from (f"      - {_value(name)}" for name in found.header)
    if found.strip:
        yield "    strip: true               # blanks around the values"
    yield f"    label: {_label(found)}"


def _label(found: Recipe) -> str:
    if found.target in ("file_name", "folder") and found.form != "lines":
        return f"{{from: {{column: {found.target}}}}}"
    return _value(found.target)


def _preprocess(found: Recipe) -> Iterator[str]:
    yield "preprocess:"
    kept = {name: action for name, action in found.masked.items() if action != "drop" and name not in found.excluded}
    if kept and not found.text:
        yield "  - mask:                     # data of persons; the key of `hash` is read from AFIELD_MASK_KEY"
        yield "      columns:"
        yield from (f"        {_value(name)}: {action}" for name, action in kept.items())
    if found.text:
        yield "  - text:"
        if found.text != "text":
            yield f"      column: {_value(found.text)}"
        yield f"      mask: [{', '.join(MASKS)}]   # one token each"
        return
    yield "  - table:" if found.excluded or found.as_number else "  - table"
    if found.excluded:
        yield "      exclude:"
        yield from (f"        - {_value(name)}    # {why}" for name, why in found.excluded.items())
    if found.as_number:
        yield f"      as_number: {_value(found.as_number)}   # what is no number there is read as missing"


def _model(found: Recipe) -> Iterator[str]:
    last = {
        "classify": "{units: classes, activation: softmax}",
        "tag": "{units: classes, activation: sigmoid}",
        "regress": "{units: 1}",
    }[found.kind]
    first = 512 if found.text else 64 if found.rows < SMALL else 128
    yield "model:"
    yield "  network:                    # any Keras layers, in snake case"
    yield f"    - dense: {{units: {first}, activation: relu}}"
    yield "    - dropout: {rate: 0.3}"
    if not found.text:
        yield f"    - dense: {{units: {first // 2}, activation: relu}}"
        yield "    - dropout: {rate: 0.3}"
    yield f"    - dense: {last}"
    if found.text or found.kind == "tag":
        return
    kind = "Regressor" if found.kind == "regress" else "Classifier"
    yield ""
    yield "models:                       # what `afield compare` trains beside it"
    yield "  boosting:"
    yield f"    sklearn: {{HistGradientBoosting{kind}: {{}}}}"
    yield "  forest:"
    yield f"    sklearn: {{RandomForest{kind}: {{n_estimators: 200, min_samples_leaf: 3, n_jobs: -1}}}}"


def _train(found: Recipe) -> Iterator[str]:
    yield "train:"
    if found.time:
        yield "  # the answer changes with time"
        yield f"  split: {{by: time, time: {_value(found.time)}, test: 0.2, validation: 0.1}}"
    elif found.order:
        yield "  split: {by: time, test: 0.2, validation: 0.1}   # the answer changes along the file"
    else:
        yield "  split: {test: 0.2, validation: 0.1}"
    yield f"  batch_size: {32 if found.text or found.rows < SMALL else 128}"
    yield f"  epochs: {5 if found.text else 40}"
    yield "  optimizer:"
    yield f"    adam: {{learning_rate: {0.0005 if found.text else 0.001}}}"
    if not found.text:
        yield "  early_stopping: {patience: 5}"


def _value(value: Any) -> str:
    """A value as YAML on one line, with quotes where it needs them."""
    out = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = True
    yaml.width = 2**20
    yaml.dump(value, out)
    return out.getvalue().removesuffix("\n").removesuffix("\n...")


def _one_line(text: str) -> str:
    return " ".join(text.split())
