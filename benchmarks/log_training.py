"""Training of the log classifier: 5 epochs on 70,000 lines, beside Keras on dense rows and PyTorch on sparse ones.

The network is 512 ReLU -> dropout 0.3 -> softmax with Adam 0.0005 and batches of 32, on the TF-IDF rows of real lines
of seven kinds without any masking, so that the vocabulary is large. All three see the same rows in the same batches.

- Afield: the whole of `Loop` (laying out batches, the compiled epoch); compile time is reported apart.
- Keras 3 (JAX backend): `train_on_batch` on dense rows, as its dense layer needs; a subset of steps, as the whole
  matrix has 14 GB. Making the dense rows is not counted.
- PyTorch: `EmbeddingBag(mode="sum", sparse=True)` with `SparseAdam`, `Adam` for the rest; whole epochs,
  with one thread and with two, of which the faster counts.
"""

from __future__ import annotations

import json
import os
import sys
import time

os.environ["KERAS_BACKEND"] = "jax"

import numpy as np
import pyarrow as pa
from corpus import KINDS, lines

EPOCHS, BATCH, RATE, UNITS, DROPOUT, CLASSES = 5, 32, 0.0005, 512, 0.3, len(KINDS)
KERAS_STEPS = 40
LINES, TEST_LINES = 70_000, 15_000


def prepared() -> tuple:
    from afield.preprocess.text.spec import Text

    texts, targets = lines(LINES + TEST_LINES)
    cut = LINES
    step = Text().open()
    record = pa.RecordBatch.from_pydict({"text": pa.array(texts, pa.string())})
    frozen = step.freeze(step.observe(None, record.slice(0, cut)))
    rows = step.transform(frozen, None, record)[0]["text"]
    return rows.take(np.arange(cut)), targets[:cut], rows.take(np.arange(cut, len(texts))), targets[cut:]


def order(epoch: int, count: int) -> np.ndarray:
    return np.random.default_rng([1, epoch]).permutation(count)


def network(columns: int):
    import keras

    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.layers.Input((columns,)),
            keras.layers.Dense(UNITS, activation="relu"),
            keras.layers.Dropout(DROPOUT),
            keras.layers.Dense(CLASSES, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(RATE), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def ours(rows, targets, test, truth) -> dict:
    from afield.train.backend import prepare
    from afield.train.compiled.loop import Loop, Plan
    from afield.train.compiled.sparse import Sparse, SparseEngine

    prepare("cpu")
    nothing = rows.take(np.arange(0)), targets[:0]
    started = time.perf_counter()
    engine = SparseEngine(network, rows, targets, nothing, Sparse(BATCH, seed=1))
    loop = Loop(engine, Plan(epochs=EPOCHS))
    state = loop.run()
    total = time.perf_counter() - started
    seconds = [epoch.seconds for epoch in loop.progress.history]
    steps = -(-len(rows) // BATCH)
    accuracy = (engine.predict(state, test).argmax(axis=1) == truth).mean()
    step = float(np.median(seconds[1:])) / steps
    return {
        "ms_a_step": step * 1e3,
        "seconds_an_epoch": step * steps,
        "seconds_in_all": total,
        "compile_seconds": seconds[0] - step * steps,
        "test_accuracy": float(accuracy),
    }


def keras_dense(rows, targets) -> dict:
    model = network(rows.width)
    seconds = []
    for step in range(KERAS_STEPS):
        batch = order(1, len(rows))[step * BATCH : (step + 1) * BATCH]
        part = rows.take(batch)
        dense = np.zeros((BATCH, rows.width), np.float32)
        dense[np.repeat(np.arange(BATCH), part.lengths), part.ids] = part.weights
        started = time.perf_counter()
        model.train_on_batch(dense, targets[batch])
        seconds.append(time.perf_counter() - started)
    return {"ms_a_step": float(np.median(seconds[5:])) * 1e3, "steps": KERAS_STEPS}


def pytorch(rows, targets, test, truth, threads: int) -> dict:
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    bag = torch.nn.EmbeddingBag(rows.width, UNITS, mode="sum", sparse=True)
    limit = (6 / (rows.width + UNITS)) ** 0.5
    torch.nn.init.uniform_(bag.weight, -limit, limit)  # as Keras draws it
    bias = torch.nn.Parameter(torch.zeros(UNITS))
    head = torch.nn.Linear(UNITS, CLASSES)
    dropout, loss_of = torch.nn.Dropout(DROPOUT), torch.nn.CrossEntropyLoss()
    optimizers = [
        torch.optim.SparseAdam(bag.parameters(), lr=RATE),
        torch.optim.Adam([bias, *head.parameters()], lr=RATE),
    ]

    def hidden(part):
        starts = torch.from_numpy(part.indptr[:-1])
        return torch.relu(
            bag(torch.from_numpy(part.ids), starts, per_sample_weights=torch.from_numpy(part.weights)) + bias
        )

    seconds = []
    truth_of = torch.from_numpy(targets.astype(np.int64))
    for epoch in range(1, EPOCHS + 1):
        shuffled = order(epoch, len(rows))
        batches = [shuffled[start : start + BATCH] for start in range(0, len(rows), BATCH)]
        laid = [(rows.take(batch), truth_of[torch.from_numpy(batch)]) for batch in batches]  # not counted
        started = time.perf_counter()
        for part, wanted in laid:
            loss = loss_of(head(dropout(hidden(part))), wanted)
            for optimizer in optimizers:
                optimizer.zero_grad()
            loss.backward()
            for optimizer in optimizers:
                optimizer.step()
        seconds.append(time.perf_counter() - started)
    with torch.no_grad():
        accuracy = (head(hidden(test)).argmax(dim=1).numpy() == truth).mean()
    steps = -(-len(rows) // BATCH)
    return {
        "ms_a_step": float(np.median(seconds)) / steps * 1e3,
        "seconds_an_epoch": float(np.median(seconds)),
        "seconds_in_all": sum(seconds),
        "test_accuracy": float(accuracy),
        "threads": threads,
    }


def main() -> None:
    rows, targets, test, truth = prepared()
    found = {
        "lines": len(rows) + len(test),
        "vocabulary": rows.width,
        "steps_an_epoch": -(-len(rows) // BATCH),
        "afield": ours(rows, targets, test, truth),
        "pytorch": min(
            (pytorch(rows, targets, test, truth, threads) for threads in (1, 2)), key=lambda found: found["ms_a_step"]
        ),
        "keras_dense": keras_dense(rows, targets),
    }
    step = found["afield"]["ms_a_step"]
    found["times_keras"] = found["keras_dense"]["ms_a_step"] / step
    found["times_pytorch"] = found["pytorch"]["ms_a_step"] / step
    found["accuracy_difference_to_pytorch"] = found["afield"]["test_accuracy"] - found["pytorch"]["test_accuracy"]
    json.dump(found, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
