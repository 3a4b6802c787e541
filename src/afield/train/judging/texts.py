"""Judges a network that writes: how well it foretells text it has not seen, and what it writes itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from afield.bundle.examples import EXPECTED, FIGURE
from afield.report.metrics import text_scores
from afield.report.model import Language, Sample, TextScores
from afield.runtime.decisions import PREDICTION, Text
from afield.runtime.session import Session
from afield.runtime.writing import EXAMPLE_CHARACTERS, STRETCH, TINY, Writer
from afield.train.base import Trained
from afield.train.dataset import Dataset
from afield.train.judging.base import Judgement, Raw
from afield.train.texts import Text as WholeText
from afield.usecase.model import UseCase

PASSAGE = 256
"""Characters of a passage: those near each other are hard or easy together, and are drawn together."""
TEMPERATURES = (0.5, 0.8, 1.0)
SAMPLE_CHARACTERS = 400
PARITY_WINDOWS = 8
EXAMPLES = 8
CANDIDATES = 48
"""Starts of which those become examples whose continuation is decided most clearly."""
DECIDED = 0.02
"""By how much the most probable character is ahead of the second where nothing can turn the choice."""


def judge_text(data: Dataset, case: UseCase, raw: Raw) -> Judgement:
    """Scores what was foretold.

    Args:
        data: the dataset, of a text.
        case: the use case.
        raw: float32[N, 1 or 2]; the nats of each character, and 1 where the most probable one was right.
    """
    text = whole(data)
    seed = case.train.seed
    validation = _scores(raw.validation, seed) if len(raw.validation) else None
    language = Language(alphabet=len(text.characters), validation=validation, test=_scores(raw.test, seed), samples=[])
    points = np.array([ord(character) for character in text.characters], np.uint32)
    return Judgement(Text(points, case.question.length, case.question.temperature), {"language": language})


def foretold(session: Session, ids: np.ndarray) -> np.ndarray:
    """How well a network foretells a text, its state carried from the first character to the last.

    Args:
        session: of the network.
        ids: int32[T].

    Returns:
        float32[T - 1, 2]: the nats of each character after the first, and 1 where the most probable one was right.
    """
    found = np.zeros((max(len(ids) - 1, 0), 2), np.float32)
    states = None
    for first in range(0, len(found), STRETCH):
        last = min(first + STRETCH, len(found))
        chances, states = session.carried(ids[None, first:last], states)
        right = ids[first + 1 : last + 1]
        found[first:last, 0] = -np.log(np.maximum(chances[0, np.arange(last - first), right], TINY))
        found[first:last, 1] = chances[0].argmax(axis=1) == right
    return found


def raw_of(data: Dataset, session: Session) -> Raw:
    """What the exported network foretells of the parts it is judged on."""
    text = whole(data)
    return Raw(foretold(session, text.validation), foretold(session, text.test))


def both(data: Dataset, session: Session, trained: Trained) -> tuple[np.ndarray, np.ndarray]:
    """Answers to some windows of the test part: of the exported network, its state carried, and of the trained one."""
    features = data.examples(data.parts.test[:PARITY_WINDOWS]).features
    (windows,) = features.values()
    values: Any = windows.dense()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    half = values.shape[1] // 2
    first, states = session.carried(values[:, :half]) if half else (np.zeros((len(values), 0, 1), np.float32), None)
    second, _ = session.carried(values[:, half:], states)
    exported = np.concatenate([first, second], axis=1) if half else second
    return exported, trained.predict(features)


def with_samples(judgement: Judgement, data: Dataset, session: Session, seed: int) -> Judgement:
    """The judgement with text that the network wrote after the first words of the test part."""
    text = whole(data)
    writer = Writer.of(session, data.pipeline)
    start = "".join(text.characters[number] for number in text.test[: text.windows.length])
    samples = [
        Sample(start=start, text=writer.write(start, SAMPLE_CHARACTERS, temperature, seed), temperature=temperature)
        for temperature in TEMPERATURES
    ]
    language: Language = judgement.sections["language"]
    return Judgement(judgement.decision, {"language": language.model_copy(update={"samples": samples})})


def starts(data: Dataset, session: Session, decision: Text, seed: int) -> pa.Table:
    """Starts from the training part with the most probable text after them, for the bundle.

    Args:
        data: the dataset.
        session: of the exported network.
        decision: how what it computes becomes text.
        seed: of the draw.
    """
    text = whole(data)
    writer = Writer.of(session, data.pipeline)
    rows = data.parts.training
    drawn = np.random.default_rng(seed).choice(rows, min(CANDIDATES, len(rows)), replace=False)
    written = ["".join(text.characters[number] for number in window) for window in text.windows.take(drawn).dense()]
    # A choice between two characters that are about as probable could fall differently on another machine.
    written.sort(key=lambda start: -min(writer.decided(start, EXAMPLE_CHARACTERS), DECIDED))
    step = data.pipeline.characters
    assert step is not None
    records = pa.record_batch({step.declared.column: pa.array(written[:EXAMPLES], pa.string())})
    answers = decision.answer(writer.continued(records, EXAMPLE_CHARACTERS, 0.0))
    table = pa.Table.from_batches([records]).append_column(EXPECTED, answers[PREDICTION])
    return table.append_column(FIGURE, answers[decision.figure])


def whole(data: Dataset) -> WholeText:
    """The text of a dataset that has one."""
    assert data.text is not None, "a text is written from a text"
    return data.text


def _scores(foretold: np.ndarray, seed: int) -> TextScores:
    passages = np.arange(0, len(foretold), PASSAGE)
    sums = np.add.reduceat(foretold.astype(np.float64), passages, axis=0)
    counts = np.diff(np.append(passages, len(foretold)))
    return text_scores(sums[:, 0], counts, seed, sums[:, 1] if sums.shape[1] > 1 else None)
