"""What every preprocessing step must do: run over a built-in or a third-party step by its own tests.

::

    @pytest.mark.parametrize("check", STEP_CHECKS)
    def test_my_step(check):
        check(StepCase(lambda: MyStep(), my_records))
"""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from afield.errors import DataError
from afield.preprocess.base import Carry, Features, Frozen, Step
from afield.preprocess.rows import SparseRows, concatenate
from afield.preprocess.windows import Windows

Feature = np.ndarray | SparseRows | Windows
WRITTEN: tuple[Literal["names", "stand-ins"], ...] = ("names", "stand-ins")


@dataclass(frozen=True)
class StepCase:
    """A step under test.

    Args:
        open: the same step each time, not fitted.
        records: four or more that it can be fitted to.
    """

    open: Callable[[], Step[Any]]
    records: pa.RecordBatch


def check_has_records(case: StepCase) -> None:
    """There is something to check."""
    assert case.records.num_rows >= 4, f"expected four records or more, found {case.records.num_rows}"


def check_cuts_change_nothing(case: StepCase) -> None:
    """However the training records are cut into batches, empty ones among them, the frozen step is the same."""
    whole = _fitted(case, [case.records])
    for bounds in _cuts(case.records.num_rows):
        found = _fitted(case, _slices(case.records, bounds))
        where = f"fitted in batches from {bounds}"
        assert found.config == whole.config, f"{where}: expected the config {whole.config}, found {found.config}"
        _same_names(found.arrays, whole.arrays, where)
        for name, array in whole.arrays.items():
            _same_array(found.arrays[name], array, f"{where}: array '{name}'")


def check_frozen_is_plain_data(case: StepCase) -> None:
    """The config is JSON and the arrays hold no Python objects, so that both can be written and read without pickle."""
    _written_and_read(_fitted(case, [case.records]))


def check_frozen_is_everything(case: StepCase) -> None:
    """A frozen step that was written, read and given to a step opened anew gives the same features."""
    frozen = _fitted(case, [case.records])
    _same(_features(case, _written_and_read(frozen)), _features(case, frozen), "frozen, written and read")


def check_transform_is_deterministic(case: StepCase) -> None:
    """The same records give the same features, again and from another step of the same declaration."""
    frozen = _fitted(case, [case.records])
    step = case.open()
    first = step.transform(frozen, None, case.records)[0]
    _same(step.transform(frozen, None, case.records)[0], first, "a second time")
    _same(_features(case, frozen), first, "by another step")


def check_transform_changes_nothing_given(case: StepCase) -> None:
    """Neither the records nor the frozen step are changed."""
    frozen = _fitted(case, [case.records])
    config = copy.deepcopy(frozen.config)
    arrays = {name: array.copy() for name, array in frozen.arrays.items()}
    records = _copied(case.records)
    given = _copied(case.records)
    case.open().transform(frozen, None, given)
    # As bytes: NaN does not equal itself.
    assert given.serialize().equals(records.serialize()), "transform changed the records that it was given"
    assert frozen.config == config, f"transform changed the config from {config} to {frozen.config}"
    _same_names(frozen.arrays, arrays, "after transform")
    for name, array in arrays.items():
        _same_array(frozen.arrays[name], array, f"after transform: array '{name}'")


def check_slices_give_the_same(case: StepCase) -> None:
    """The features of a batch are those of its slices, one after the other, with the carry handed on."""
    frozen = _fitted(case, [case.records])
    whole = _features(case, frozen)
    for bounds in _cuts(case.records.num_rows):
        step, carry, parts = case.open(), None, list[Features]()
        for part in _slices(case.records, bounds):
            features, carry = _transformed(step, frozen, carry, part)
            parts.append(features)
        _same(_joined(parts), whole, f"in slices from {bounds}")


def check_takes_an_empty_batch(case: StepCase) -> None:
    """A batch without records gives features without rows, under the same names."""
    frozen = _fitted(case, [case.records])
    empty = _transformed(case.open(), frozen, None, case.records.slice(0, 0))[0]
    _same_names(empty, _features(case, frozen), "of no records")


def check_one_row_a_record(case: StepCase) -> None:
    """There is at least one feature, and each has as many rows as there are records."""
    frozen = _fitted(case, [case.records])
    assert _features(case, frozen), "expected a feature, found none"
    for count in (1, case.records.num_rows):
        _transformed(case.open(), frozen, None, case.records.slice(0, count))


def check_names_its_columns(case: StepCase) -> None:
    """It names columns that there are, reads no others, and says so where one of them is missing."""
    frozen, schema = _fitted(case, [case.records]), case.records.schema
    before, after = case.open().columns(None, schema), case.open().columns(frozen, schema)
    for when, found in (("before the fit", before), ("after it", after)):
        unknown = sorted(set(found) - set(schema.names))
        assert not unknown, f"columns {when}: expected some of {schema.names}, found {unknown}"
        own = [name for name in found if name.startswith("_")]
        assert not own, f"columns {when}: expected none that begins with _, found {own}"
        assert len(set(found)) == len(found), f"columns {when}: expected each once, found {found}"
    assert after, "expected a column that it reads, found none"
    alone = case.records.select(after)
    narrow = _transformed(case.open(), frozen, None, alone)[0]
    _same(narrow, _features(case, frozen), f"of the columns {after} alone")
    without = pa.schema([field for field in schema if field.name not in after])
    try:
        found = case.open().columns(frozen, without)
    except DataError:
        return
    raise AssertionError(f"without the columns {after}: expected a DataError, found {found}")


def check_features_are_as_said(case: StepCase) -> None:
    """What it says of its features is how they come: names, shape, type, and values of categories."""
    frozen = _fitted(case, [case.records])
    said = {one.feature: one for one in case.open().inputs(frozen)}
    features = _features(case, frozen)
    _same_names(said, features, "inputs")
    for name, one in said.items():
        feature = features[name]
        sparse = isinstance(feature, SparseRows)
        assert one.sparse == sparse, f"input '{name}': expected sparse={sparse}, found {one.sparse}"
        shape = (
            (feature.width,) if isinstance(feature, SparseRows) else feature.shape[isinstance(feature, np.ndarray) :]
        )
        assert tuple(one.shape) == shape, f"input '{name}': expected the shape {shape}, found {one.shape}"
        dtype = "float32" if isinstance(feature, SparseRows) else str(_values(feature).dtype)
        assert one.dtype == dtype, f"input '{name}': expected {dtype}, found {one.dtype}"
        if one.cardinalities:
            values = _values(feature).reshape(-1, len(one.cardinalities))
            fits = (values >= 0).all() and (values < np.array(one.cardinalities)).all()
            assert fits, f"input '{name}': expected categories from 0 below {one.cardinalities}, found others"


def check_masked_columns_keep_their_rows(case: StepCase) -> None:
    """What it masks are columns that it reads, a value for each record, and stand-ins give the same features."""
    frozen = _fitted(case, [case.records])
    step = case.open()
    read = step.columns(frozen, case.records.schema)
    for written in WRITTEN:
        masked = step.masked(case.records.select(read), written)
        unknown = sorted(set(masked) - set(read))
        assert not unknown, f"masked by {written}: expected some of the columns {read}, found {unknown}"
        for name, column in masked.items():
            rows, found = case.records.num_rows, len(column)
            assert found == rows, f"masked by {written}: column '{name}': expected {rows} values, found {found}"
    columns = {name: case.records.column(name) for name in read} | step.masked(case.records.select(read), "stand-ins")
    shown = pa.RecordBatch.from_pydict(columns)
    _same(_transformed(step, frozen, None, shown)[0], _features(case, frozen), "of stand-ins")


STEP_CHECKS: tuple[Callable[[StepCase], None], ...] = (
    check_has_records,
    check_cuts_change_nothing,
    check_frozen_is_plain_data,
    check_frozen_is_everything,
    check_transform_is_deterministic,
    check_transform_changes_nothing_given,
    check_slices_give_the_same,
    check_takes_an_empty_batch,
    check_one_row_a_record,
    check_names_its_columns,
    check_features_are_as_said,
    check_masked_columns_keep_their_rows,
)


def _fitted(case: StepCase, batches: Iterable[pa.RecordBatch]) -> Frozen:
    step, state = case.open(), None
    for batch in batches:
        state = step.observe(state, batch)
    return step.freeze(state)


def _features(case: StepCase, frozen: Frozen) -> Features:
    return _transformed(case.open(), frozen, None, case.records)[0]


def _transformed(step: Step[Any], frozen: Frozen, carry: Carry, batch: pa.RecordBatch) -> tuple[Features, Carry]:
    features, carry = step.transform(frozen, carry, batch)
    for name, feature in features.items():
        assert len(feature) == batch.num_rows, f"feature '{name}': expected {batch.num_rows} rows, found {len(feature)}"
    return features, carry


def _cuts(rows: int) -> list[list[int]]:
    """Bounds of batches: one record each, halves, and uneven ones with empty ones among them."""
    return [list(range(rows + 1)), [0, rows // 2, rows], [0, 0, 1, 1, rows - 1, rows, rows]]


def _slices(records: pa.RecordBatch, bounds: list[int]) -> list[pa.RecordBatch]:
    return [records.slice(begin, end - begin) for begin, end in pairwise(bounds)]


def _copied(records: pa.RecordBatch) -> pa.RecordBatch:
    # Arrow shares memory wherever it can, and a step that writes into it would change both.
    return pa.ipc.read_record_batch(pa.py_buffer(bytes(records.serialize())), records.schema)


def _written_and_read(frozen: Frozen) -> Frozen:
    try:
        config = json.loads(json.dumps(frozen.config, allow_nan=False))
    except (TypeError, ValueError) as refused:
        raise AssertionError(f"expected a config of JSON values: {refused}") from refused
    assert config == frozen.config, f"read from JSON, the config {frozen.config} is {config}"
    arrays: dict[str, np.ndarray] = {}
    for name, array in frozen.arrays.items():
        assert isinstance(array, np.ndarray), f"array '{name}': expected an array, found {type(array).__name__}"
        file = io.BytesIO()
        try:
            np.save(file, array, allow_pickle=False)
        except ValueError as refused:
            raise AssertionError(f"array '{name}': expected no Python objects: {refused}") from refused
        file.seek(0)
        arrays[name] = np.load(file, allow_pickle=False)
        _same_array(arrays[name], array, f"array '{name}', written and read")
    return Frozen(config, arrays)


def _joined(parts: list[Features]) -> Features:
    return {name: _end_to_end([part[name] for part in parts]) for name in parts[0]}


def _end_to_end(parts: list[Feature]) -> Feature:
    sparse = [part for part in parts if isinstance(part, SparseRows)]
    return concatenate(sparse) if sparse else np.concatenate([_values(part) for part in parts])


def _values(feature: Feature) -> np.ndarray:
    assert not isinstance(feature, SparseRows)
    return feature.dense() if isinstance(feature, Windows) else feature


def _same(found: Features, expected: Features, where: str) -> None:
    _same_names(found, expected, where)
    for name, feature in expected.items():
        ours, theirs = _arrays(found[name]), _arrays(feature)
        _same_names(ours, theirs, f"{where}: feature '{name}'")
        for part, array in theirs.items():
            _same_array(ours[part], array, f"{where}: feature '{name}' {part}".rstrip())


def _arrays(feature: np.ndarray | SparseRows | Windows) -> dict[str, np.ndarray]:
    if not isinstance(feature, np.ndarray):
        return {name: np.asarray(value) for name, value in vars(feature).items()}
    return {"": _values(feature)}


def _same_names(found: Iterable[str], expected: Iterable[str], where: str) -> None:
    assert set(found) == set(expected), f"{where}: expected {sorted(expected)}, found {sorted(found)}"


def _same_array(found: np.ndarray, expected: np.ndarray, where: str) -> None:
    assert found.dtype == expected.dtype, f"{where}: expected {expected.dtype}, found {found.dtype}"
    assert found.shape == expected.shape, f"{where}: expected the shape {expected.shape}, found {found.shape}"
    if np.issubdtype(expected.dtype, np.inexact):
        # Sums may round differently where they are taken in another order.
        close = np.isclose(found, expected, rtol=1e-5, atol=1e-7, equal_nan=True)
    else:
        close = found == expected
    assert np.all(close), f"{where}: {np.size(close) - np.count_nonzero(close)} of {np.size(close)} values differ"
