"""The text step at work: records in, sparse rows out, by compiled kernels that never make a token a Python object."""

from __future__ import annotations

import os
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa

from afield.errors import DataError
from afield.preprocess.base import Carry, Features, Frozen, StepInput
from afield.preprocess.demand import demand
from afield.preprocess.rows import SparseRows, concatenate
from afield.preprocess.text.column import text_of
from afield.preprocess.text.masks import NAMES
from afield.preprocess.text.reading import Reading
from afield.preprocess.text.reduce import NORMS, reduce_rows
from afield.preprocess.text.spec import Text
from afield.preprocess.text.vocabulary import Lookup, Terms, lookup

UNICODE_VERSION = "14.0.0"
"""Version of the Unicode tables by which text is read."""
BYTES_A_THREAD = 1 << 20
"""Text below which a thread more costs more than it saves."""
BYTES_AN_ENTRY = 6
"""Text for each entry of a row, to begin with; where there are more, the rows grow."""


@dataclass(frozen=True)
class Reduced:
    """What one batch of N records becomes.

    Args:
        rows: weights of the terms; N rows.
        keys: uint64[N]; equal for records whose tokens are equal, in order, after masking and lower-casing, whether the
            vocabulary has them or not.
        terms: int32[N]; number of terms in each record.
        unknown: int32[N]; number of them that the vocabulary does not have.
    """

    rows: SparseRows
    keys: np.ndarray
    terms: np.ndarray
    unknown: np.ndarray


@dataclass(frozen=True)
class Prepared:
    """A frozen step laid out for its kernels."""

    declared: Text
    reading: Reading
    lookup: Lookup


@cache
def unicode_tables() -> tuple[np.ndarray, np.ndarray]:
    """Blocks and records of the Unicode tables, see `letters.properties`."""
    with np.load(Path(__file__).with_name("unicode.npz"), allow_pickle=False) as tables:
        return tables["blocks"], tables["records"]


def reading_of(declared: Text) -> Reading:
    """The part of the declaration that says how records are read."""
    masks = sum(1 << NAMES.index(name) for name in set(declared.mask))
    return Reading(int(declared.lowercase), masks, int(declared.tokens == "characters"), *declared.ngrams)


def vocabulary(frozen: Frozen) -> pa.LargeStringArray:
    """The terms of a frozen text step, in the order of the columns of its rows."""
    data, offsets = frozen.arrays["terms"], frozen.arrays["offsets"]
    return pa.LargeStringArray.from_buffers(
        len(offsets) - 1, pa.py_buffer(np.ascontiguousarray(offsets, np.int64)), pa.py_buffer(data)
    )


class TextStep:
    """Text to sparse rows of term weights.

    Args:
        declared: the step as declared in the use case.
        threads: most threads that reduce one batch; by default one for each core at hand, at most 4.
    """

    def __init__(self, declared: Text, threads: int | None = None) -> None:
        self.declared = declared
        self.threads = threads or min(4, len(os.sched_getaffinity(0)))
        self._prepared: dict[int, Prepared] = {}

    def observe(self, state: Terms | None, batch: pa.RecordBatch) -> Terms:
        """Counts the terms of a batch of training records; the state given is changed and returned."""
        from afield.preprocess.text.learn import learn_rows

        terms = state or Terms()
        data, offsets = text_of(batch, self.declared.column)
        row = 0
        while row < batch.num_rows:
            row, terms.size = learn_rows(
                data,
                offsets,
                row,
                self._reading,
                *unicode_tables(),
                terms.table,
                terms.arena,
                terms.bounds,
                terms.documents,
                terms.totals,
                terms.latest,
                terms.size,
                terms.records,
            )
            if row < batch.num_rows:
                terms.grow()
        terms.records += batch.num_rows
        return terms

    def freeze(self, state: Terms) -> Frozen:
        """Chooses the vocabulary and computes the inverse document frequencies.

        Raises:
            DataError: no term is left.
        """
        declared = self.declared
        records = state.records
        if not state.size:
            raise DataError(
                f"column '{declared.column}': expected text with terms in it, found none in {records} records; "
                "name another column, or count characters (tokens: characters)"
            )
        least, most = (
            value * records if isinstance(value, float) else value for value in (declared.min_df, declared.max_df)
        )
        data, offsets, documents = state.select(least, most, declared.max_features)
        if not len(documents):
            raise DataError(
                f"column '{declared.column}': expected terms in {least:g} to {most:g} of {records} records, found none "
                f"among {state.size} terms; lower min_df or raise max_df"
            )
        idf = np.ones(len(documents))
        if declared.use_idf:
            smooth = int(declared.smooth_idf)
            idf += np.log((records + smooth) / (documents + smooth))
        config = {"text": declared.model_dump(mode="json"), "records": records}
        return Frozen(config, {"terms": data, "offsets": offsets, "idf": idf})

    def transform(self, frozen: Frozen, carry: Carry, batch: pa.RecordBatch) -> tuple[Features, Carry]:
        """The sparse rows of a batch, under the name of the output; the carry is passed on."""
        prepared = self.prepare(frozen)
        return {prepared.declared.output: self._reduce(prepared, batch).rows}, carry

    def reduce(self, frozen: Frozen, batch: pa.RecordBatch) -> Reduced:
        """The sparse rows of a batch, and what else is known of its records."""
        return self._reduce(self.prepare(frozen), batch)

    def keys(self, frozen: Frozen | None, batch: pa.RecordBatch) -> np.ndarray:
        """uint64[N], equal for records that read the same; needs no fit.

        Args:
            frozen: the step after the fit, or None: the keys are the same.
            batch: N records.
        """
        return self._reduce(self._unfitted if frozen is None else self.prepare(frozen), batch).keys

    @property
    def line(self) -> str:
        """The column that a line of text is read as."""
        return self.declared.column

    def columns(self, frozen: Frozen | None, schema: pa.Schema) -> list[str]:
        """The column that it reads.

        Raises:
            DataError: it is not there.
        """
        demand(schema, self.declared.column, "preprocess.text.column")
        return [self.declared.column]

    def inputs(self, frozen: Frozen) -> list[StepInput]:
        """One feature of sparse rows."""
        return [StepInput(self.declared.output, (self.prepare(frozen).lookup.size,), sparse=True)]

    def masked(self, batch: pa.RecordBatch, written: Literal["names", "stand-ins"]) -> dict[str, pa.Array]:
        """Its column with everything that a mask covers replaced, see `masked_text`."""
        return {self.declared.column: self.masked_text(batch, written)}

    def masked_text(self, batch: pa.RecordBatch, written: Literal["names", "stand-ins"]) -> pa.StringArray:
        """The text of a batch with everything that a mask covers replaced, and all else as it is.

        Args:
            batch: N records.
            written: "names" for people (`<number>`; `0` for digits within words), or "stand-ins": values of the same
                kind, as short as they come, that give the same features. In a record where those would be read
                differently for what stands beside them, the covered letters and digits are replaced one by one.
        """
        from afield.preprocess.text import writing

        column = self.declared.column
        texts = writing.texts(*text_of(batch, column))
        absent = batch.column(column).is_null().to_numpy(zero_copy_only=False)
        masks = self._reading.masks
        if not masks:
            return pa.array(texts, pa.string(), mask=absent)
        read = pa.record_batch({column: pa.array(texts, pa.string())})
        found = writing.covered_in(*text_of(read, column), self._reading, *unicode_tables())
        if written == "names":
            return pa.array(writing.write(texts, found, masks, writing.named), pa.string(), mask=absent)
        short = writing.write(texts, found, masks, writing.neutral)
        long = writing.write(texts, found, masks, writing.levelled)
        same = self.keys(None, pa.record_batch({column: pa.array(short, pa.string())})) == self.keys(None, read)
        chosen = [one if equal else other for equal, one, other in zip(same, short, long, strict=True)]
        return pa.array(chosen, pa.string(), mask=absent)

    def prepare(self, frozen: Frozen) -> Prepared:
        """The look-up table of a frozen step, built at its first use and kept as long as it lives."""
        known = self._prepared.get(id(frozen))
        if known is None:
            declared = Text.model_validate(frozen.config["text"])
            arrays = frozen.arrays
            table = lookup(arrays["terms"], arrays["offsets"], arrays["idf"])
            known = self._prepared[id(frozen)] = Prepared(declared, reading_of(declared), table)
            weakref.finalize(frozen, self._prepared.pop, id(frozen), None)
        return known

    @cached_property
    def _reading(self) -> Reading:
        return reading_of(self.declared)

    @cached_property
    def _unfitted(self) -> Prepared:
        nothing = lookup(np.zeros(0, np.uint8), np.zeros(1, np.int64), np.zeros(0))
        return Prepared(self.declared, self._reading, nothing)

    def _reduce(self, prepared: Prepared, batch: pa.RecordBatch) -> Reduced:
        data, offsets = text_of(batch, prepared.declared.column)
        threads = min(self.threads, int(offsets[-1] - offsets[0]) // BYTES_A_THREAD, batch.num_rows)
        if threads < 2:
            return reduce_part(prepared, data, offsets)
        cuts = np.searchsorted(offsets, np.linspace(offsets[0], offsets[-1], threads + 1))
        cuts[0], cuts[-1] = 0, batch.num_rows
        with ThreadPoolExecutor(threads) as pool:
            parts = list(
                pool.map(
                    lambda begin, end: reduce_part(prepared, data, offsets[begin : end + 1]),
                    cuts[:-1].tolist(),
                    cuts[1:].tolist(),
                )
            )
        return Reduced(
            concatenate([part.rows for part in parts]),
            np.concatenate([part.keys for part in parts]),
            np.concatenate([part.terms for part in parts]),
            np.concatenate([part.unknown for part in parts]),
        )


def reduce_part(prepared: Prepared, data: np.ndarray, offsets: np.ndarray) -> Reduced:
    """Reduces the records between the offsets on this thread.

    Args:
        prepared: the step.
        data: uint8; UTF-8 of the records.
        offsets: int64[N + 1].
    """
    declared = prepared.declared
    table = prepared.lookup
    rows = len(offsets) - 1
    # NumPy's own arrays, not the kernel's: large ones come in huge pages, which costs far fewer page faults.
    ids = np.empty(int(offsets[-1] - offsets[0]) // BYTES_AN_ENTRY + 16, np.int32)
    weights = np.empty(len(ids), np.float32)
    indptr = np.zeros(rows + 1, np.int64)
    keys = np.empty(rows, np.uint64)
    terms = np.empty(rows, np.int32)
    unknown = np.empty(rows, np.int32)
    row = 0
    while True:
        row = reduce_rows(
            data,
            offsets,
            row,
            prepared.reading,
            *unicode_tables(),
            table.table,
            table.factors,
            table.arena,
            int(declared.sublinear_tf),
            NORMS.index(declared.norm),
            ids,
            weights,
            indptr,
            keys,
            terms,
            unknown,
        )
        used = int(indptr[row])
        if row == rows:
            break
        ids = np.concatenate([ids[:used], np.empty(2 * len(ids), np.int32)])
        weights = np.concatenate([weights[:used], np.empty(2 * len(weights), np.float32)])
    return Reduced(SparseRows(indptr, ids[:used], weights[:used], table.size), keys, terms, unknown)
