"""A writer that carries its state answers character by character as Keras does on the whole text."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import onnxruntime
import pytest
from exporting import unsettled
from keras import layers

from afield.errors import UseCaseError
from afield.train.export.stateful import State, export_stateful

LETTERS, PLACES = 11, 9


def writer(*recurrent: Any) -> keras.Sequential:
    return keras.Sequential(
        [
            layers.Input((PLACES,), dtype="int32"),
            layers.Embedding(LETTERS, 6),
            *recurrent,
            layers.Dropout(0.5),
            layers.Dense(LETTERS, activation="softmax"),
        ]
    )


def written(exported: bytes, states: list[State], text: np.ndarray, at_a_time: int) -> np.ndarray:
    """The answers to a text that is fed in pieces."""
    session = onnxruntime.InferenceSession(exported)
    carried = {state.name: np.zeros((len(text), state.units), np.float32) for state in states}
    answers = []
    for start in range(0, text.shape[1], at_a_time):
        fed = {"ids": text[:, start : start + at_a_time], **carried}
        answer, *after = session.run(["probabilities", *(state.out for state in states)], fed)
        carried = {state.name: value for state, value in zip(states, after, strict=True)}
        answers.append(answer)
    return np.concatenate(answers, axis=1)


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("kind", [layers.LSTM, layers.GRU, layers.SimpleRNN])
def test_in_pieces_as_on_the_whole(kind: Any, rows: int) -> None:
    model = unsettled(writer(kind(8, return_sequences=True), kind(5, return_sequences=True)))
    exported, states = export_stateful(model)
    text = np.random.default_rng(0).integers(0, LETTERS, (rows, PLACES)).astype(np.int32)
    expected = model.predict_on_batch(text)
    for at_a_time in (1, 4, PLACES):
        np.testing.assert_allclose(written(exported, states, text, at_a_time), expected, rtol=0, atol=1e-5)


def test_the_states_have_names() -> None:
    _, states = export_stateful(writer(layers.LSTM(8, return_sequences=True), layers.GRU(5, return_sequences=True)))
    assert states == [
        State("state_0", "state_0_out", 8),
        State("state_1", "state_1_out", 8),
        State("state_2", "state_2_out", 5),
    ]


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (
            layers.Bidirectional(layers.LSTM(4, return_sequences=True), name="both"),
            'layer "both" (Bidirectional): it has no map to ONNX',
        ),
        (layers.Conv1D(4, 3, padding="same", name="conv"), 'layer "conv" (Conv1D): it has no map to ONNX'),
        (
            layers.LSTM(4, return_sequences=True, go_backwards=True, name="back"),
            'layer "back" (LSTM): a state can be carried through return_sequences: true alone, forwards, from zeros',
        ),
    ],
)
def test_a_layer_that_looks_further_than_its_place(layer: Any, message: str) -> None:
    with pytest.raises(UseCaseError) as refused:
        export_stateful(writer(layer))
    assert str(refused.value) == f"model: {message}, where the state is carried from call to call"
