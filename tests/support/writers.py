"""A network that writes, with random weights, and its bundle."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from bundles import FACTS, packed

from afield.bundle.examples import EXPECTED, FIGURE
from afield.bundle.manifest import Input
from afield.preprocess.characters.spec import Characters
from afield.preprocess.pipeline import Pipeline
from afield.runtime.decisions import Text, frozen
from afield.runtime.session import Session
from afield.runtime.writing import EXAMPLE_CHARACTERS, Writer
from afield.train.backend import prepare

ALPHABET = "\n abcdef"
SAID = Text(np.array([ord(letter) for letter in ALPHABET], np.uint32), 12, 0.8)


def fitted(**declared: Any) -> Pipeline:
    """The preprocessing that knows the alphabet."""
    pipeline = Pipeline.of([Characters.model_validate(declared)])
    pipeline.fit([pa.record_batch({"text": list(ALPHABET)})])
    return pipeline


def network(places: int) -> Any:
    """A Keras network with random weights, for texts of a length."""
    prepare("cpu")  # before Keras is imported
    import keras
    from exporting import unsettled

    made = [
        keras.layers.Input((places,), dtype="int32"),
        keras.layers.Embedding(len(ALPHABET), 4),
        keras.layers.LSTM(6, return_sequences=True),
        keras.layers.GRU(5, return_sequences=True),
        keras.layers.Dense(len(ALPHABET), activation="softmax"),
    ]
    return unsettled(keras.Sequential(made))


@functools.cache
def exported() -> tuple[bytes, list[Input]]:
    """The network as ONNX, and how it is fed."""
    model = network(7)
    from afield.train.export.stateful import export_stateful

    content, states = export_stateful(model, "characters", "answers")
    carried = [Input(name=state.name, dtype="float32", feature="", form="state") for state in states]
    return content, [Input(name="characters", dtype="int32", feature="characters"), *carried]


def session() -> Session:
    return Session(*exported(), "the network", threads=1)


def bundle(path: Path, example: str | None = None, **declared: Any) -> Path:
    """The bundle of the network; `example` is the text that its example must go on with, by default the right one."""
    content, inputs = exported()
    pipeline = fitted(**declared)
    records = pa.record_batch({"text": ["abc", "fed a"]})
    answers = SAID.answer(Writer.of(session(), pipeline).continued(records, EXAMPLE_CHARACTERS, 0.0))
    expected = answers["prediction"].to_pylist() if example is None else [example, example]
    packed(
        path,
        network=content,
        steps=pipeline.frozen(),
        decision=frozen(SAID),
        examples=pa.table({"text": records["text"], EXPECTED: expected, FIGURE: answers["nats"]}),
        facts=FACTS | {"kind": "write", "classes": [], "inputs": [one.model_dump() for one in inputs]},
    )
    return path
