"""Every built-in step against the suite of its seam, and the suite against steps that break it."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest
from pictures import encoded

from afield.checks import step as checks
from afield.checks.step import STEP_CHECKS, StepCase
from afield.preprocess.base import Carry, Features, Frozen, StepInput
from afield.preprocess.demand import demand
from afield.preprocess.image.spec import Image
from afield.preprocess.rows import SparseRows
from afield.preprocess.text.spec import Text

LINES = [
    "disk 7 full on node12",
    "",
    "Disk almost FULL: 91 of 100",
    None,
    "user ada@example.org logged in from 10.0.0.7",
    "Größe überschritten, Γάμμα",
    "user bob@example.org logged out",
    "x" * 300,
    "disk 8 full on node3",
]
RECORDS = pa.record_batch({"text": LINES, "_line": range(len(LINES))})
DECLARATIONS = [
    Text(),
    Text(lowercase=False, sublinear_tf=True, norm="l1", output="words"),
    Text(mask=["number", "ip", "email", "digits"], min_df=2),
    Text(tokens="characters", ngrams=(1, 3), max_features=50),
    Text(ngrams=(1, 2), use_idf=False, norm="none", max_df=0.9),
]


@pytest.mark.parametrize("declared", DECLARATIONS, ids=lambda declared: str(declared.model_dump(exclude_defaults=True)))
@pytest.mark.parametrize("check", STEP_CHECKS)
def test_text(check: Callable[[StepCase], None], declared: Text) -> None:
    check(StepCase(declared.open, RECORDS))


PIXELS = np.random.default_rng(0).integers(0, 256, (6, 4), np.uint8)
IMAGES = [
    (Image(), pa.record_batch({"image": PIXELS.tolist()})),
    (Image(size=(3, 1), invert=True), pa.record_batch({"image": PIXELS.tolist()})),
    (Image(columns="p*"), pa.record_batch({f"p{place}": PIXELS[:, place].astype(str) for place in range(4)})),
    (Image(channels=3), pa.record_batch({"image": [encoded(row.reshape(2, 2)) for row in PIXELS]})),
]


@pytest.mark.parametrize(("declared", "records"), IMAGES)
@pytest.mark.parametrize("check", STEP_CHECKS)
def test_images(check: Callable[[StepCase], None], declared: Image, records: pa.RecordBatch) -> None:
    check(StepCase(declared.open, records))


@pytest.mark.parametrize("check", STEP_CHECKS)
def test_text_of_records_that_are_themselves_a_slice(check: Callable[[StepCase], None]) -> None:
    check(StepCase(Text().open, RECORDS.slice(2, 6)))


class Growth:
    """Length of a text less that of the one before it, over the mean length: a dense feature and a carry."""

    def columns(self, frozen: Frozen | None, schema: pa.Schema) -> list[str]:
        demand(schema, "text", "preprocess.growth.column")
        return ["text"]

    def masked(self, batch: pa.RecordBatch, written: str) -> dict[str, pa.Array]:
        return {"text": pa.array(["x" * length for length in lengths(batch)])}

    def inputs(self, frozen: Frozen) -> list[StepInput]:
        return [StepInput("growth", ())]

    def observe(self, state: list[int] | None, batch: pa.RecordBatch) -> list[int]:
        return [*(state or []), *lengths(batch).tolist()]

    def freeze(self, state: list[int]) -> Frozen:
        return Frozen({"records": len(state)}, {"mean": np.array([np.mean(state)])})

    def transform(self, frozen: Frozen, carry: Carry, batch: pa.RecordBatch) -> tuple[Features, Carry]:
        found = lengths(batch)
        grown = np.diff(found, prepend=carry or 0) / frozen.arrays["mean"]
        return {"growth": grown.astype(np.float32)}, int(found[-1]) if len(found) else carry


def lengths(batch: pa.RecordBatch) -> np.ndarray:
    return np.array([len(text or "") for text in batch.column("text").to_pylist()], np.int64)


@pytest.mark.parametrize("check", STEP_CHECKS)
def test_a_dense_step_with_a_carry(check: Callable[[StepCase], None]) -> None:
    check(StepCase(Growth, RECORDS))


class LastBatchAlone(Growth):
    def observe(self, state: list[int] | None, batch: pa.RecordBatch) -> list[int]:
        return lengths(batch).tolist() or [1]


class CountsBatches(Growth):
    batches = 0

    def observe(self, state: list[int] | None, batch: pa.RecordBatch) -> list[int]:
        self.batches += 1
        return super().observe(state, batch)

    def freeze(self, state: list[int]) -> Frozen:
        return Frozen({"batches": self.batches}, super().freeze(state).arrays)


class ConfigOfTuples(Growth):
    def freeze(self, state: list[int]) -> Frozen:
        return Frozen({"range": (min(state), max(state))}, super().freeze(state).arrays)


class ConfigOfSets(Growth):
    def freeze(self, state: list[int]) -> Frozen:
        return Frozen({"lengths": set(state)}, super().freeze(state).arrays)


class ArrayOfObjects(Growth):
    def freeze(self, state: list[int]) -> Frozen:
        return Frozen({}, {"mean": np.array([np.mean(state), None], object)})


class ListForArray(Growth):
    def freeze(self, state: list[int]) -> Frozen:
        return Frozen({}, {"mean": [1.0]})


class KeepsToItself(Growth):
    """Knows the mean only of the very object that it froze."""

    latest: ClassVar[Frozen | None] = None

    def freeze(self, state: list[int]) -> Frozen:
        KeepsToItself.latest = super().freeze(state)
        return self.latest

    def transform(self, frozen: Frozen, carry: Carry, batch: pa.RecordBatch) -> tuple[Features, Carry]:
        mean = frozen.arrays["mean"] if frozen is self.latest else 1.0
        return {"growth": lengths(batch) / mean}, carry


class Draws(Growth):
    random = np.random.default_rng(0)

    def transform(self, frozen: Frozen, carry: Carry, batch: pa.RecordBatch) -> tuple[Features, Carry]:
        return {"noise": self.random.random(batch.num_rows)}, carry


class WritesIntoRecords(Growth):
    def transform(self, frozen: Frozen, carry: Carry, batch: pa.RecordBatch) -> tuple[Features, Carry]:
        features = super().transform(frozen, carry, batch)
        ctypes.memset(batch.column("text").buffers()[2].address, ord("_"), 5)
        return features


class WritesIntoFrozen(Growth):
    def transform(self, frozen: Frozen, carry: Carry, batch: pa.RecordBatch) -> tuple[Features, Carry]:
        frozen.arrays["mean"] += 1
        return super().transform(frozen, carry, batch)


class NotesInConfig(Growth):
    def transform(self, frozen: Frozen, carry: Carry, batch: pa.RecordBatch) -> tuple[Features, Carry]:
        frozen.config["seen"] = batch.num_rows
        return super().transform(frozen, carry, batch)


class ReadsAll(Growth):
    def columns(self, frozen: Frozen | None, schema: pa.Schema) -> list[str]:
        return schema.names


class ReadsMore(Growth):
    """Reads a column that it does not name."""

    def transform(self, frozen: Frozen, carry: Carry, batch: pa.RecordBatch) -> tuple[Features, Carry]:
        features, carry = super().transform(frozen, carry, batch)
        return {"growth": features["growth"] * batch.num_columns}, carry


class ReadsOurs(Growth):
    def columns(self, frozen: Frozen | None, schema: pa.Schema) -> list[str]:
        return [*super().columns(frozen, schema), "_line"]


class ReadsTwice(Growth):
    def columns(self, frozen: Frozen | None, schema: pa.Schema) -> list[str]:
        return 2 * super().columns(frozen, schema)


class ReadsWhatIsNotThere(Growth):
    def columns(self, frozen: Frozen | None, schema: pa.Schema) -> list[str]:
        return [*super().columns(frozen, schema), "more"]


class SaysAnotherShape(Growth):
    def inputs(self, frozen: Frozen) -> list[StepInput]:
        return [StepInput("growth", (1,))]


class SaysAnotherType(Growth):
    def inputs(self, frozen: Frozen) -> list[StepInput]:
        return [StepInput("growth", (), "int32")]


class SaysSparse(Growth):
    def inputs(self, frozen: Frozen) -> list[StepInput]:
        return [StepInput("growth", (), sparse=True)]


class SaysAnotherName(Growth):
    def inputs(self, frozen: Frozen) -> list[StepInput]:
        return [StepInput("length", ())]


class TooManyCategories(Growth):
    def transform(self, frozen: Frozen, carry: Carry, batch: pa.RecordBatch) -> tuple[Features, Carry]:
        return {"growth": lengths(batch)[:, None].astype(np.int32)}, carry

    def inputs(self, frozen: Frozen) -> list[StepInput]:
        return [StepInput("growth", (1,), "int32", cardinalities=(300,))]


class MasksAway(Growth):
    def masked(self, batch: pa.RecordBatch, written: str) -> dict[str, pa.Array]:
        return {"text": pa.array([""] * batch.num_rows)}


class MasksTooFew(Growth):
    def masked(self, batch: pa.RecordBatch, written: str) -> dict[str, pa.Array]:
        return {"text": batch.column("text").drop_null()}


class MasksAnother(Growth):
    def masked(self, batch: pa.RecordBatch, written: str) -> dict[str, pa.Array]:
        return {"line": batch.column("text")}


class LosesItsCarry(Growth):
    def transform(self, frozen: Frozen, carry: Carry, batch: pa.RecordBatch) -> tuple[Features, Carry]:
        return super().transform(frozen, None, batch)


class SparseByBatch(Growth):
    """Weighs a record by the longest of its batch."""

    def transform(self, frozen: Frozen, carry: Carry, batch: pa.RecordBatch) -> tuple[Features, Carry]:
        found = lengths(batch)
        indptr = np.arange(len(found) + 1, dtype=np.int64)
        weights = (found / found.max(initial=1)).astype(np.float32)
        return {"rows": SparseRows(indptr, np.zeros(len(found), np.int32), weights, 1)}, carry


class NothingOfNothing(Growth):
    def transform(self, frozen: Frozen, carry: Carry, batch: pa.RecordBatch) -> tuple[Features, Carry]:
        return super().transform(frozen, carry, batch) if batch.num_rows else ({}, carry)


class DropsEmptyTexts(Growth):
    def transform(self, frozen: Frozen, carry: Carry, batch: pa.RecordBatch) -> tuple[Features, Carry]:
        found = lengths(batch)
        return {"length": found[found > 0]}, carry


class NoFeature(Growth):
    def transform(self, frozen: Frozen, carry: Carry, batch: pa.RecordBatch) -> tuple[Features, Carry]:
        return {}, carry


BROKEN = [
    (checks.check_cuts_change_nothing, LastBatchAlone),
    (checks.check_cuts_change_nothing, CountsBatches),
    (checks.check_frozen_is_plain_data, ConfigOfTuples),
    (checks.check_frozen_is_plain_data, ConfigOfSets),
    (checks.check_frozen_is_plain_data, ArrayOfObjects),
    (checks.check_frozen_is_plain_data, ListForArray),
    (checks.check_frozen_is_everything, KeepsToItself),
    (checks.check_transform_is_deterministic, Draws),
    (checks.check_transform_changes_nothing_given, WritesIntoRecords),
    (checks.check_transform_changes_nothing_given, WritesIntoFrozen),
    (checks.check_transform_changes_nothing_given, NotesInConfig),
    (checks.check_slices_give_the_same, LosesItsCarry),
    (checks.check_slices_give_the_same, SparseByBatch),
    (checks.check_takes_an_empty_batch, NothingOfNothing),
    (checks.check_one_row_a_record, DropsEmptyTexts),
    (checks.check_one_row_a_record, NoFeature),
    (checks.check_names_its_columns, ReadsAll),
    (checks.check_names_its_columns, ReadsMore),
    (checks.check_names_its_columns, ReadsOurs),
    (checks.check_names_its_columns, ReadsTwice),
    (checks.check_names_its_columns, ReadsWhatIsNotThere),
    (checks.check_features_are_as_said, SaysAnotherShape),
    (checks.check_features_are_as_said, SaysAnotherType),
    (checks.check_features_are_as_said, SaysSparse),
    (checks.check_features_are_as_said, SaysAnotherName),
    (checks.check_features_are_as_said, TooManyCategories),
    (checks.check_masked_columns_keep_their_rows, MasksAway),
    (checks.check_masked_columns_keep_their_rows, MasksTooFew),
    (checks.check_masked_columns_keep_their_rows, MasksAnother),
]


@pytest.mark.parametrize(("check", "step"), BROKEN)
def test_the_suite_catches(check: Callable[[StepCase], None], step: Callable[[], Any]) -> None:
    with pytest.raises(AssertionError):
        check(StepCase(step, RECORDS))


def test_too_few_records_are_said() -> None:
    with pytest.raises(AssertionError, match="expected four records or more, found 3"):
        checks.check_has_records(StepCase(Growth, RECORDS.slice(0, 3)))


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(AssertionError) as raised:
        checks.check_slices_give_the_same(StepCase(LosesItsCarry, RECORDS))
    assert str(raised.value) == (
        "in slices from [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]: feature 'growth': 6 of 9 values differ"
    )
