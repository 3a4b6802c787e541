"""Data that comes in pieces is trained as data in memory is."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from keras_models import TABLE, Case

import afield
from afield.preprocess.windows import Windows
from afield.train.compiled.fitting import arguments, chunks, source
from afield.train.compiled.fitting.source import Arrays

CASE = TABLE["dense"]
X, Y, _ = CASE.arrays()
SETTINGS: dict[str, Any] = {"epochs": 2, "verbose": 0, "shuffle": False}


def weights(case: Case, *data: Any, **more: Any) -> tuple[list[float], list[np.ndarray]]:
    model = case.make()
    history = afield.fit(model, *data, **SETTINGS | more).history
    return history["loss"], model.get_weights()


def assert_equal(one: tuple[list[float], list[np.ndarray]], other: tuple[list[float], list[np.ndarray]]) -> None:
    np.testing.assert_allclose(one[0], other[0], rtol=1e-6)
    for left, right in zip(one[1], other[1], strict=True):
        np.testing.assert_allclose(left, right, atol=1e-6)


@pytest.fixture
def whole() -> tuple[list[float], list[np.ndarray]]:
    return weights(CASE, X, Y, batch_size=8)


def test_arrays_larger_than_the_device_are_moved_in_pieces(whole: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arguments, "MEMORY_SHARE", 0.0)
    monkeypatch.setattr(source, "PIECE_STEPS", 2)
    assert_equal(weights(CASE, X, Y, batch_size=8), whole)


def test_a_file_in_memory_map(whole: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(arguments, "MEMORY_SHARE", 0.0)
    np.save(tmp_path / "x.npy", X.astype(np.float64))
    assert_equal(weights(CASE, np.load(tmp_path / "x.npy", mmap_mode="r"), Y, batch_size=8), whole)


def test_chunks_of_any_size(whole: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "PIECE_STEPS", 2)

    def read() -> Iterator[Any]:
        for start, end in ((0, 3), (3, 30), (30, 30), (30, 43)):
            yield X[start:end], Y[start:end]

    assert_equal(weights(CASE, afield.Chunks(read, rows=43), batch_size=8), whole)
    assert_equal(weights(CASE, afield.Chunks(read), batch_size=8), whole)


def test_chunks_are_mixed_within_and_across() -> None:
    parts = [lambda start=start: [(np.arange(start, start + 50), None)] for start in range(0, 400, 50)]
    data = chunks.Chunks(parts, rows=400, mixed_rows=100)

    def rows(number: int) -> np.ndarray:
        made = chunks.ChunkSource(data, 32, True, 1, None, lambda chunk: chunk[0])
        with_order = [(np.asarray(run.data), run.order[: run.last]) for run in made.epoch(number)]
        return np.concatenate([values[order.ravel()] for values, order in with_order])

    first, second = rows(0), rows(1)
    assert sorted(first) == sorted(second) == list(range(400))
    assert (first != second).any()
    assert len({int(row) // 50 for row in first[:32]}) > 1  # rows of several parts in one batch
    np.testing.assert_array_equal(first, rows(0))


def test_parquet_is_read_a_row_group_at_a_time(tmp_path: Path) -> None:
    case = TABLE["weights of rows"]
    x, y, more = case.arrays()
    columns = {f"c{i}": x[:, i] for i in range(4)} | {"y": y[:, 0], "w": more["sample_weight"]}
    table = pa.table(columns)
    pq.write_table(table, tmp_path / "data.parquet", row_group_size=10)
    expected = weights(case, x, y[:, 0], batch_size=8, sample_weight=more["sample_weight"])
    dataset = ds.dataset(tmp_path / "data.parquet")
    assert_equal(weights(case, dataset, "y", batch_size=8, sample_weight="w"), expected)
    assert_equal(weights(case, table, "y", batch_size=8, sample_weight="w"), expected)
    frame = table.to_pandas()
    given = frame[["c0", "c1", "c2", "c3"]], frame["y"]
    assert_equal(weights(case, *given, batch_size=8, sample_weight=frame["w"]), expected)


def test_columns_of_a_table_are_the_inputs_of_their_names() -> None:
    one, two = keras.layers.Input((1,), name="one"), keras.layers.Input((2,), name="two")

    def make() -> keras.Model:
        keras.utils.set_random_seed(1)
        model = keras.Model([one, two], keras.layers.Dense(1)(keras.layers.concatenate([one, two])))
        model.compile("sgd", "mse")
        return model

    pairs = pa.FixedSizeListArray.from_arrays(pa.array(np.arange(20.0) / 20), 2)
    table = pa.table({"one": np.ones(10), "two": pairs, "y": np.arange(10.0)})
    arrays = {"one": np.ones((10, 1)), "two": np.arange(20.0).reshape(10, 2) / 20}
    left = afield.fit(make(), table, "y", verbose=0, shuffle=False).history["loss"]
    right = afield.fit(make(), arrays, np.arange(10.0), verbose=0, shuffle=False).history["loss"]
    assert left == pytest.approx(right)


class Dataset(keras.utils.PyDataset):
    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.begun, self.ended = 0, 0

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> Any:
        time.sleep(0.001 * (index % 2))
        return X[8 * index : 8 * index + 8], Y[8 * index : 8 * index + 8]

    def on_epoch_begin(self) -> None:
        self.begun += 1

    def on_epoch_end(self) -> None:
        self.ended += 1


@pytest.mark.parametrize("workers", [1, 3])
def test_a_dataset_of_batches(whole: Any, workers: int) -> None:
    dataset = Dataset(workers=workers)
    assert_equal(weights(CASE, dataset), whole)
    assert dataset.begun == 2
    theirs = CASE.make()
    theirs.fit(Dataset(), **SETTINGS)
    np.testing.assert_allclose(theirs.get_weights()[0], whole[1][0], atol=1e-6)


def test_a_generator_goes_on_from_epoch_to_epoch(whole: Any) -> None:
    def endless() -> Iterator[Any]:
        while True:
            for start in range(0, 43, 8):
                yield X[start : start + 8], Y[start : start + 8]

    assert_equal(weights(CASE, endless(), steps_per_epoch=6), whole)


def test_a_generator_that_ends_early_ends_training() -> None:
    def short() -> Iterator[Any]:
        for start in range(0, 32, 8):
            yield X[start : start + 8], Y[start : start + 8]

    model = CASE.make()
    with pytest.warns(UserWarning, match="x: expected 3 batches in an epoch, found 1; training stops"):
        history = afield.fit(model, short(), steps_per_epoch=3, epochs=5, verbose=0)
    assert len(history.history["loss"]) == 2


def test_batches_are_read_ahead_and_errors_come_through() -> None:
    def broken() -> Iterator[Any]:
        yield X[:8], Y[:8]
        raise OSError("the disk is gone")

    before = threading.active_count()
    model = CASE.make()
    start = model.get_weights()[0]
    with pytest.raises(OSError, match="the disk is gone"):
        afield.fit(model, broken(), verbose=0)
    assert threading.active_count() == before
    assert np.isfinite(model.get_weights()[0]).all()
    assert start.shape == model.get_weights()[0].shape


def test_windows_are_gathered_on_the_device() -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=(60, 2)).astype(np.float32)
    windows = Windows(values, random.integers(0, 57, 43), 3)

    def make() -> keras.Model:
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.layers.Input((3, 2)), keras.layers.Flatten(), keras.layers.Dense(3)])
        model.compile("adam", "mse")
        return model

    targets = random.normal(size=(43, 3))
    settings = SETTINGS | {"batch_size": 8, "validation_split": 0.2}
    one = afield.fit(make(), windows, targets, **settings).history
    other = make().fit(windows.dense(), targets, **settings).history
    np.testing.assert_allclose(one["val_loss"], other["val_loss"], rtol=1e-6)


def test_pieces_are_made_while_the_last_one_is_used() -> None:
    made: list[int] = []

    def read() -> Iterator[Any]:
        for number in range(4):
            made.append(number)
            yield np.zeros((8, 1), np.float32), None

    runs = chunks.ChunkSource(chunks.Chunks(read), 8, False, 0, None, lambda chunk: chunk[0]).epoch(0)
    next(runs)
    runs.close()
    arrays = Arrays(np.zeros((8, 1)), 4, whole=True)
    assert [run.last for run in arrays.epoch(0)] == [2]
