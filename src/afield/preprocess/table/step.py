"""The table step at work: records in, one row of numbers each out, and the numbers of categories for embeddings."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from afield.preprocess import cells
from afield.preprocess.base import Carry, Features, Frozen, StepInput
from afield.preprocess.demand import demand
from afield.preprocess.table import dates
from afield.preprocess.table.choose import freeze, scaling_of
from afield.preprocess.table.columns import chosen, matches, selected
from afield.preprocess.table.learn import BLOCK, Learned, Seen, drop, sentinels
from afield.preprocess.table.levels import leveled, levels_of
from afield.preprocess.table.scaling import Scaling
from afield.preprocess.table.spec import Table
from afield.preprocess.table.whitening import Whitening

CATEGORIES = "categories"
"""Name of the feature that holds the numbers of categories."""
_READ = {"number": cells.numbers, "truth": cells.truths, "date": cells.moments}


@dataclass(frozen=True)
class Category:
    """How one column of categories is read.

    Args:
        column: its name.
        codes: value -> its number: from 0 of columns of 0 and 1, from 1 of embeddings.
        other: number of all other values: -1 where no column stands for them.
        size: of numbers.
    """

    column: str
    codes: dict[str | None, int]
    other: int
    size: int


@dataclass(frozen=True)
class Prepared:
    """A frozen step laid out for work.

    Args:
        readers: column and kind of each column that is read as numbers.
        sources: int64[S]; the reader of each scaled number.
        dated: place among the scaled numbers, "year" or "elapsed", and origin, of those read from dates.
        cycles: reader and part of each cycle.
        absent: int64[A]; the reader of each indicator.
        categories: of the columns of categories.
        scaling: of the numbers.
        whitening: of the scaled numbers, or None.
        missing: text that stands for a missing value.
        sentinels: numbers that stand for one.
        embedded: whether categories are a feature of their own.
        width: of a row of numbers.
    """

    readers: list[tuple[str, str]]
    sources: np.ndarray
    dated: list[tuple[int, str, float]]
    cycles: list[tuple[int, str]]
    absent: np.ndarray
    categories: list[Category]
    scaling: Scaling
    whitening: Whitening | None
    missing: frozenset[str]
    sentinels: list[float]
    embedded: bool
    width: int


class TableStep:
    """Numbers, categories, dates and missing values of a table to features.

    Args:
        declared: the step as declared in the use case.
    """

    def __init__(self, declared: Table) -> None:
        self.declared = declared
        self._prepared: dict[int, Prepared] = {}

    def columns(self, frozen: Frozen | None, schema: pa.Schema) -> list[str]:
        """The columns that it reads; before the fit, those it would read.

        Raises:
            DataError: one of them is not there.
        """
        if frozen is None:
            return chosen(self.declared, schema)
        prepared = self.prepare(frozen)
        names = [name for name, _ in prepared.readers] + [one.column for one in prepared.categories]
        for name in names:
            demand(schema, name, "preprocess.table.columns")
        return names

    def masked(self, batch: pa.RecordBatch, written: Literal["names", "stand-ins"]) -> dict[str, pa.Array]:
        """Its columns as they are: nothing is covered."""
        return {name: batch.column(name) for name in selected(self.declared, batch.schema.names)}

    def observe(self, state: Learned | None, batch: pa.RecordBatch) -> Learned:
        """Takes in a batch of training records; the state given is changed and returned.

        Raises:
            DataError: a column is not there.
        """
        declared = self.declared
        learned = state
        if learned is None:
            seen = [
                Seen(name, matches(name, declared.as_category), matches(name, declared.as_number))
                for name in chosen(declared, batch.schema)
            ]
            learned = Learned.of(seen, declared.max_categories, declared.missing)
        for one in learned.columns:
            demand(batch.schema, one.name, "preprocess.table.columns")
        learned.observe(batch)
        return learned

    def freeze(self, state: Learned) -> Frozen:
        """Chooses the features; `notes` of the config say what is left out.

        Raises:
            DataError: no column is left.
        """
        frozen = freeze(self.declared, state)
        if not (self.declared.whiten and frozen.config["numbers"]):
            return frozen
        prepared = _prepared(frozen, 0)
        place = {one.name: number for number, one in enumerate(state.columns)}
        values = state.sample.rows()[:, [place[name] for name, _ in prepared.readers]]
        whitening = Whitening.of(prepared.scaling.apply(_numbers(prepared, values)))
        arrays = {"whitening_centers": whitening.centers, "whitening_turn": whitening.turn}
        return Frozen(frozen.config, {**frozen.arrays, **arrays})

    def transform(self, frozen: Frozen, carry: Carry, batch: pa.RecordBatch) -> tuple[Features, Carry]:
        """The features of a batch; the carry is passed on.

        Returns:
            float32[N, F] under the name of the output, and int32[N, K] under `categories` where they are embedded;
            what has no column is not there.
        """
        prepared = self.prepare(frozen)
        rows = np.empty((batch.num_rows, prepared.width), np.float32)
        codes = np.empty((batch.num_rows, len(prepared.categories)), np.int32)
        taken = batch.select([*(name for name, _ in prepared.readers), *(one.column for one in prepared.categories)])
        for begin in range(0, batch.num_rows, BLOCK):
            end = begin + BLOCK
            _fill(prepared, taken.slice(begin, BLOCK), rows[begin:end], codes[begin:end])
        features: dict[str, np.ndarray] = {}
        if prepared.width:
            features[self.declared.output] = rows
        if prepared.embedded:
            features[CATEGORIES] = codes
        return features, carry

    def inputs(self, frozen: Frozen) -> list[StepInput]:
        """Its features: a row of numbers, and the numbers of categories where they are embedded."""
        prepared = self.prepare(frozen)
        sizes = tuple(one.size for one in prepared.categories)
        found = [StepInput(self.declared.output, (prepared.width,))] if prepared.width else []
        embedded = [StepInput(CATEGORIES, (len(sizes),), "int32", cardinalities=sizes)] if prepared.embedded else []
        return found + embedded

    def levels(self, frozen: Frozen, batch: pa.RecordBatch) -> np.ndarray:
        """Its numbers as in `Leveled`: those that it scales."""
        prepared = self.prepare(frozen)
        values = _values(prepared, batch.select([name for name, _ in prepared.readers]))
        return levels_of(frozen, _numbers(prepared, values))

    def leveled(self, frozen: Frozen, times: np.ndarray) -> Frozen:
        """As in `Leveled`."""
        return leveled(frozen, times)

    def names(self, frozen: Frozen) -> list[str]:
        """What each column of the row of numbers is, such as `age`, `workclass=Private` or `dteday.month sin`;
        whitened numbers are directions, that of the least spread first."""
        config = frozen.config
        called = {"year": ".year", "elapsed": ".elapsed days"}
        found = [name + called.get(what, "") for name, what in config["numbers"]]
        if "whitening_turn" in frozen.arrays:
            found = [f"direction {number}" for number in range(1, len(found) + 1)]
        found += [f"{name}.{part} {wave}" for name, part in config["cycles"] for wave in ("sin", "cos")]
        found += [f"{name} missing" for name in config["absent"]]
        if config["table"]["categories"] == "embedding":
            return found
        for one in config["categories"]:
            name = one["column"]
            found += [f"{name} missing" if value is None else f"{name}={value}" for value in one["values"]]
            found += [f"{name} other"] if one["other"] else []
        return found

    def prepare(self, frozen: Frozen) -> Prepared:
        """A frozen step laid out for work, at its first use, and kept as long as it lives."""
        known = self._prepared.get(id(frozen))
        if known is None:
            known = self._prepared[id(frozen)] = _prepared(frozen, len(self.names(frozen)))
            weakref.finalize(frozen, self._prepared.pop, id(frozen), None)
        return known


def _prepared(frozen: Frozen, width: int) -> Prepared:
    config: dict[str, Any] = frozen.config
    arrays = frozen.arrays
    readers = [(name, kind) for name, kind in config["readers"]]
    at = {name: place for place, (name, _) in enumerate(readers)}
    origins = iter(arrays["origins"].tolist())
    dated = [
        (place, what, next(origins) if what == "elapsed" else 0.0)
        for place, (_, what) in enumerate(config["numbers"])
        if what in ("year", "elapsed")
    ]
    embedded = config["table"]["categories"] == "embedding"
    categories: list[Category] = []
    for one in config["categories"]:
        codes = {value: place + embedded for place, value in enumerate(one["values"])}
        other = 0 if embedded else len(codes) if one["other"] else -1
        categories.append(Category(one["column"], codes, other, len(codes) + (embedded or one["other"])))
    return Prepared(
        readers,
        np.array([at[name] for name, _ in config["numbers"]], np.int64),
        dated,
        [(at[name], part) for name, part in config["cycles"]],
        np.array([at[name] for name in config["absent"]], np.int64),
        categories,
        scaling_of(frozen),
        Whitening(arrays["whitening_centers"], arrays["whitening_turn"]) if "whitening_turn" in arrays else None,
        frozenset(config["table"]["missing"]),
        sentinels(config["table"]["missing"]),
        embedded and bool(categories),
        width,
    )


def _fill(prepared: Prepared, block: pa.RecordBatch, rows: np.ndarray, codes: np.ndarray) -> None:
    """Writes the features of a block of records, whose columns are those of the readers and of the categories."""
    values = _values(prepared, block)
    numbers = prepared.scaling.apply(_numbers(prepared, values))
    filled = numbers.shape[1]
    rows[:, :filled] = prepared.whitening.apply(numbers) if prepared.whitening else numbers
    for place, part in prepared.cycles:
        rows[:, filled], rows[:, filled + 1] = dates.circle(part, values[:, place])
        filled += 2
    after = filled + len(prepared.absent)
    rows[:, filled:after] = ~np.isfinite(values[:, prepared.absent])
    first = len(prepared.readers)
    for place, category in enumerate(prepared.categories):
        codes[:, place] = _codes(category, block.column(first + place), prepared.missing)
        if not prepared.embedded:
            rows[:, after : after + category.size] = codes[:, place, None] == np.arange(category.size)
            after += category.size


def _numbers(prepared: Prepared, values: np.ndarray) -> np.ndarray:
    """float32 or float64 [N, S]: the numbers to scale, of the columns of the readers."""
    if not prepared.dated and len(prepared.sources) == values.shape[1]:
        return values
    numbers = values[:, prepared.sources]
    for place, what, origin in prepared.dated:
        moments = numbers[:, place]
        numbers[:, place] = dates.year(moments) if what == "year" else (moments - origin) / dates.DAY
    return numbers


def _values(prepared: Prepared, block: pa.RecordBatch) -> np.ndarray:
    """float32 or float64 [N, R]: the columns of the readers as numbers, NaN where they hold none."""
    readers = prepared.readers
    types = block.schema.types
    plain = [place for place, (_, kind) in enumerate(readers) if kind == "number" and cells.is_number(types[place])]
    values = cells.matrix(block, plain)
    if len(plain) < len(readers):
        known, values = values, np.empty((block.num_rows, len(readers)))
        values[:, plain] = known
        for place in set(range(len(readers))) - set(plain):
            values[:, place] = _READ[readers[place][1]](cells.plain(block.column(place)))
    drop(values, prepared.sentinels)
    return values


def _codes(category: Category, array: pa.Array, missing: frozenset[str]) -> np.ndarray:
    """int32[N]: the number of each value."""
    array = cells.plain(array)
    absent = category.codes.get(None, category.other)

    def code(text: str | None) -> int:
        return absent if text is None or text in missing else category.codes.get(text, category.other)

    if len(array) <= cells.FEW:
        return np.array([code(text) for text in cells.texts(array)], np.int32)
    encoded: Any = array.dictionary_encode()
    found = np.array([*(code(text) for text in cells.texts(encoded.dictionary)), absent], np.int32)
    return found[encoded.indices.fill_null(len(found) - 1).to_numpy(zero_copy_only=False)]
