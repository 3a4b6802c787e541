"""The end of the table step's fit: which columns become which features, and what they are scaled by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from afield.errors import DataError
from afield.preprocess import cells
from afield.preprocess.base import Frozen
from afield.preprocess.table import dates
from afield.preprocess.table.learn import MOMENT, TRUTH, UNREADABLE, Learned, Seen
from afield.preprocess.table.scaling import LARGEST, Scaling, knots_of, middle_of
from afield.preprocess.table.spec import Table

FEWEST = 20
"""Values from which on a column can be told to identify records."""
DIFFERENT = 0.9
"""Share of distinct values from which on text identifies records."""
NEARLY = 0.9
"""Share of numbers from which on a column of text is said to be nearly numbers."""


@dataclass
class Chosen:
    """What is chosen so far; all but the numbers is JSON already.

    Args:
        readers: [column, kind] of each column that is read as numbers.
        numbers: [column, what] of each scaled number.
        cycles: [column, part] of each part of a date that is a cycle.
        absent: columns with an indicator.
        categories: column, its values, and whether others stand beside them.
        notes: what is left out, and why.
        scaled: center, scale, fill, knots and scores of each scaled number.
        origins: column of dates -> its first day.
    """

    readers: list[list[str]] = field(default_factory=list[list[str]])
    numbers: list[list[str]] = field(default_factory=list[list[str]])
    cycles: list[list[str]] = field(default_factory=list[list[str]])
    absent: list[str] = field(default_factory=list[str])
    categories: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    notes: list[str] = field(default_factory=list[str])
    scaled: list[tuple[float, float, float, np.ndarray, np.ndarray]] = field(
        default_factory=list[tuple[float, float, float, np.ndarray, np.ndarray]]
    )
    origins: list[float] = field(default_factory=list[float])


def freeze(declared: Table, learned: Learned) -> Frozen:
    """Ends the fit.

    Raises:
        DataError: no column is left.
    """
    chosen = Chosen()
    rows = learned.sample.rows() if learned.records else np.zeros((0, len(learned.columns)))
    for place, seen in enumerate(learned.columns):
        if seen.kinds & UNREADABLE:
            chosen.notes.append(f"'{seen.name}' is left out: columns of type {seen.refused} are not read")
        elif seen.mixed:
            _category(declared, seen, chosen)
        elif not learned.moments.counts[place]:
            chosen.notes.append(f"'{seen.name}' is left out: it has no value in training")
        else:
            values = rows[:, place]
            _number(declared, learned, place, values[np.isfinite(values)], chosen)
    if not (chosen.numbers or chosen.cycles or chosen.absent or chosen.categories):
        raise DataError(
            f"preprocess.table: no column is left to learn from in {learned.records} records: "
            f"{'; '.join(chosen.notes)}; name the columns under as_category or as_number, or read others"
        )
    config = {
        "table": declared.model_dump(mode="json"),
        "records": learned.records,
        "readers": chosen.readers,
        "numbers": chosen.numbers,
        "cycles": chosen.cycles,
        "absent": chosen.absent,
        "categories": chosen.categories,
        "notes": chosen.notes,
    }
    return Frozen(config, _arrays(chosen))


def scaling_of(frozen: Frozen) -> Scaling:
    """How a frozen step scales its numbers."""
    arrays = frozen.arrays
    clip = frozen.config["table"]["clip"]
    ranged = frozen.config["table"]["numbers"] in ("standardize", "quantile")
    return Scaling(
        *(arrays[name] for name in ("centers", "scales", "fills", "knots", "scores", "bounds")),
        limit=clip if clip is not None and ranged else LARGEST,
        drawn=frozen.config["table"]["numbers"] == "robust",
    )


def _category(declared: Table, seen: Seen, chosen: Chosen) -> None:
    counted = sum(seen.counts.values())
    distinct = len(seen.counts)
    if not seen.category and counted >= FEWEST and distinct >= DIFFERENT * counted:
        chosen.notes.append(
            f"'{seen.name}' is left out: {distinct:,} of {counted:,} values differ, as those of a name or number that "
            "identifies a record; list it under as_category to read it nevertheless"
        )
        return
    _say_nearly_numbers(seen, counted, chosen)
    frequent = sorted(seen.counts.items(), key=lambda item: (-item[1], item[0]))
    kept: list[str | None] = [text for text, count in frequent if count >= declared.min_count]
    kept = kept[: declared.max_categories]
    rest = seen.full or len(kept) < distinct
    if seen.absent:
        told = declared.missing_indicator and seen.absent >= declared.min_count
        kept += [None] if told else []
        rest = rest or not told
    if len(kept) + rest < 2:
        what = "one value" if kept else f"no value that stands {declared.min_count:,} times or more"
        chosen.notes.append(f"'{seen.name}' is left out: it has {what} in training")
        return
    chosen.categories.append({"column": seen.name, "values": kept, "other": rest})


def _say_nearly_numbers(seen: Seen, counted: int, chosen: Chosen) -> None:
    if seen.category:
        return
    others = {text: count for text, count in seen.counts.items() if cells.number_of(text) is None}
    share = sum(others.values()) / max(counted, 1)
    if others and share <= 1 - NEARLY:
        chosen.notes.append(
            f"'{seen.name}' is taken as categories: {share:.1%} of its values are no numbers, such as "
            f"'{next(iter(others))}'; list it under as_number to read those as missing"
        )


def _number(declared: Table, learned: Learned, place: int, values: np.ndarray, chosen: Chosen) -> None:
    """Chooses the features of a column of numbers, truths or dates; `values` are those of the sample."""
    seen, moments = learned.columns[place], learned.moments
    constant = moments.lows[place] == moments.highs[place]
    gaps = declared.missing_indicator and int(moments.counts[place]) < learned.records
    if constant:
        kept = "only where it is missing is read" if gaps else "it is left out"
        chosen.notes.append(f"'{seen.name}': {kept}, for it has one value in training")
    if constant and not gaps:
        return
    kind = "date" if seen.kinds == MOMENT else "truth" if seen.kinds == TRUTH and not seen.number else "number"
    chosen.readers.append([seen.name, kind])
    if gaps:
        chosen.absent.append(seen.name)
    if constant:
        return
    if kind != "date":
        figures = moments.means[place], moments.deviations[place], moments.lows[place], moments.highs[place]
        _scaled(declared, [seen.name, kind], figures, values, chosen)
        return
    origin = float(moments.lows[place])
    if "year" in declared.dates:
        years = dates.year(values)
        if years.min() < years.max():
            figures = years.mean(), years.std(), years.min(), years.max()
            _scaled(declared, [seen.name, "year"], figures, years, chosen)
    if "elapsed" in declared.dates:
        days = (moments.means[place] - origin, moments.deviations[place], 0.0, moments.highs[place] - origin)
        _scaled(
            declared,
            [seen.name, "elapsed"],
            tuple(figure / dates.DAY for figure in days),
            (values - origin) / dates.DAY,
            chosen,
        )
        chosen.origins.append(origin)
    for part in declared.dates:
        if part in dates.PERIODS and np.ptp(dates.place(part, values)) > 0:
            chosen.cycles.append([seen.name, part])


def _scaled(declared: Table, name: list[str], figures: tuple[float, ...], values: np.ndarray, chosen: Chosen) -> None:
    """Adds a scaled number; its figures are mean, standard deviation, least and greatest."""
    mean, deviation, low, high = figures
    center, scale = 0.0, 1.0
    knots = scores = np.zeros(0)
    if name[1] != "truth":
        if declared.numbers == "standardize":
            # Of numbers near the least that there are, the squares are 0.
            center, scale = mean, deviation or high - low
        elif declared.numbers == "robust":
            center, scale = middle_of(values, deviation or high - low)
        elif declared.numbers == "min_max":
            center, scale = low, high - low
        elif declared.numbers == "quantile":
            knots, scores = knots_of(values)
    middle = float(np.median(values))
    fill = float(np.interp(middle, knots, scores)) if len(knots) else (middle - center) / scale
    fill = float(np.arcsinh(fill)) if declared.numbers == "robust" else fill
    chosen.numbers.append(name)
    chosen.scaled.append((center, scale, fill, knots, scores))


def _arrays(chosen: Chosen) -> dict[str, np.ndarray]:
    centers, scales, fills, knots, scores = zip(*chosen.scaled, strict=True) if chosen.scaled else ((), (), (), (), ())
    nothing = [np.zeros(0)]
    return {
        "centers": np.array(centers, np.float64),
        "scales": np.array(scales, np.float64),
        "fills": np.array(fills, np.float64),
        "knots": np.concatenate([*nothing, *knots]),
        "scores": np.concatenate([*nothing, *scores]),
        "bounds": np.cumsum([0, *(len(one) for one in knots)], dtype=np.int64),
        "origins": np.array(chosen.origins, np.float64),
    }
