"""What every trainer must do: run over a built-in or a third-party trainer by its own tests.

::

    @pytest.mark.parametrize("check", TRAINER_CHECKS)
    def test_my_trainer(check, tmp_path):
        def open_trainer(checkpoints, identity):
            entered, train = [StepInput("table", (4,))], Train(epochs=3)
            return MyModel().open(Task("classify", ["a", "b"], entered, train, tmp_path, checkpoints, identity))

        check(TrainerCase(open_trainer, my_examples, my_other_examples, tmp_path / "training", width=2))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from afield.preprocess.rows import SparseRows, taken
from afield.report.model import Epoch

if TYPE_CHECKING:
    from afield.train.base import Examples, Kind, Trained, Trainer

ROUNDING = 1e-4
"""By how much two answers that mean the same may differ, relative to 1 or to the answer where that is larger."""


@dataclass(frozen=True)
class TrainerCase:
    """A trainer under test.

    Args:
        open: the same trainer each time, with the same seed, given the folder in which an interrupted training is kept
            (or None) and what must be equal for it to go on.
        training: examples to fit.
        validation: examples that only watch the fit.
        folder: empty, for interrupted trainings.
        width: numbers that it gives for each record: classes, tags, 1 for a value or a score.
        kind: of the question.
        resumes: whether an interrupted training goes on; it then fits for two epochs or more. A trainer that does not
            is asked only not to mind an interruption.
    """

    open: Callable[[Path | None, str], Trainer]
    training: Examples
    validation: Examples
    folder: Path
    width: int
    kind: Kind = "classify"
    resumes: bool = True


class Recorder:
    """A watcher that keeps what it is told, and interrupts as Ctrl-C does.

    Args:
        epochs: after how many the training is interrupted, in the work that follows; None for never.
    """

    def __init__(self, epochs: int | None = None) -> None:
        self._left = epochs
        self.history: list[Epoch] = []

    def stage(self, name: str, total: int | None = None) -> None:
        """A new piece of work begins."""
        self._interrupt()

    def advance(self, amount: int) -> None:
        """Work is done."""
        self._interrupt()

    def epoch(self, epoch: Epoch) -> None:
        """An epoch is over."""
        self.history.append(epoch)

    def _interrupt(self) -> None:
        if self._left is not None and len(self.history) >= self._left:
            raise KeyboardInterrupt


def check_tells_its_history(case: TrainerCase) -> None:
    """The history has one entry an epoch, the watcher is told each, and it says why training ended.

    Where there are no epochs, it says how long the training took.
    """
    watcher = Recorder()
    trained = case.open(None, "").fit(case.training, case.validation, watcher)
    if case.resumes:
        assert len(trained.history) >= 2, f"expected two epochs or more, found {len(trained.history)}"
    seconds = trained.seconds
    if not trained.history:
        assert seconds is not None, "expected how many seconds a training without epochs took, found None"
    assert seconds is None or seconds >= 0, f"expected seconds of 0 or more, found {seconds}"
    _numbered(trained)
    told, kept = _numbers(watcher.history), _numbers(trained.history)
    assert told == kept, f"expected the watcher to be told of the epochs {kept}, found {told}"
    assert trained.stopped.strip(), "expected why training ended, found nothing"


def check_answers_fit_the_question(case: TrainerCase) -> None:
    """Each record gets so many finite numbers; probabilities lie between 0 and 1, those of classes sum to 1."""
    trained = case.open(None, "").fit(case.training, case.validation, Recorder())
    for name, examples in (("training", case.training), ("validation", case.validation)):
        found = trained.predict(examples.features)
        shape = (len(examples.targets), case.width)
        assert found.shape == shape, f"{name}: expected answers of the shape {shape}, found {found.shape}"
        assert found.dtype == np.float32, f"{name}: expected float32, found {found.dtype}"
        assert np.isfinite(found).all(), f"{name}: expected finite answers, found {found[~np.isfinite(found)][0]}"
        if case.kind not in ("classify", "tag") or trained.vectors:
            continue
        least, most = float(found.min()), float(found.max())
        assert least >= 0, f"{name}: expected probabilities of 0 or more, found {least:g}"
        assert most <= 1 + ROUNDING, f"{name}: expected probabilities of 1 or less, found {most:g}"
        if case.kind == "classify" and case.width > 1:
            off = float(np.abs(found.sum(axis=1) - 1).max())
            assert off <= ROUNDING, f"{name}: expected probabilities that sum to 1, found sums off by {off:g}"


def check_says_how_it_is_fed(case: TrainerCase) -> None:
    """Every input of the exported model takes a feature that there is, in a form that it has."""
    trained = case.open(None, "").fit(case.training, case.validation, Recorder())
    fed = trained.fed()
    names = [one.name for one in fed]
    assert names, "expected an input, found none"
    assert len(set(names)) == len(names), f"expected each input once, found {names}"
    for one in fed:
        if one.form == "joined":
            continue
        feature = case.training.features.get(one.feature)
        assert feature is not None, (
            f"input '{one.name}': expected one of the features {sorted(case.training.features)}, found '{one.feature}'"
        )
        forms = ("ids", "weights") if isinstance(feature, SparseRows) else ("dense",)
        assert one.form in forms, f"input '{one.name}': expected the form {' or '.join(forms)}, found {one.form}"


def check_same_seed_same_answers(case: TrainerCase) -> None:
    """Two fits with the same seed answer the same."""
    first, second = (case.open(None, "").fit(case.training, case.validation, Recorder()) for _ in range(2))
    _agree(second.predict(case.validation.features), first.predict(case.validation.features), "fitted a second time")


def check_exported_answers_the_same(case: TrainerCase) -> None:
    """What is exported, run as it will be, answers as the trained model does."""
    from afield.runtime.session import Session

    trained = case.open(None, "").fit(case.training, case.validation, Recorder())
    exported = Session(trained.export_onnx(), trained.fed(), "the exported model")
    features = case.validation.features
    _agree(exported.answer(features), trained.predict(features), "exported")
    one = taken(features, np.arange(1))
    _agree(exported.answer(one), trained.predict(one), "exported, one record")


def check_goes_on_after_an_interruption(case: TrainerCase) -> None:
    """Opened again after an interruption, a fit does only the epochs that are left, and ends as if there were none."""
    whole = case.open(None, "").fit(case.training, case.validation, Recorder())
    if not case.resumes:
        again = case.open(case.folder, "same").fit(case.training, case.validation, Recorder())
        _agree(again.predict(case.validation.features), whole.predict(case.validation.features), "given a folder")
        return
    _interrupted(case)
    watcher = Recorder()
    resumed = case.open(case.folder, "same").fit(case.training, case.validation, watcher)
    done, expected = _numbers(watcher.history), _numbers(whole.history)[1:]
    assert done == expected, f"interrupted after epoch 1: expected the epochs {expected} to be done, found {done}"
    _numbered(resumed)
    _agree(resumed.predict(case.validation.features), whole.predict(case.validation.features), "after an interruption")


def check_another_training_starts_anew(case: TrainerCase) -> None:
    """What an interruption left is not taken for another training."""
    if case.resumes:
        _interrupted(case)
    _starts_anew(case, case.open(case.folder, "another"), "with another identity")


def check_forget_starts_anew(case: TrainerCase) -> None:
    """After `forget`, nothing that an interruption left is used."""
    if case.resumes:
        _interrupted(case)
    trainer = case.open(case.folder, "same")
    trainer.forget()
    _starts_anew(case, trainer, "after forget()")


def check_done_leaves_nothing(case: TrainerCase) -> None:
    """After `done`, the next training of the same starts anew."""
    trainer = case.open(case.folder, "same")
    trainer.fit(case.training, case.validation, Recorder())
    assert trainer.trouble is None, f"expected no trouble, found {trainer.trouble}"
    trainer.done()
    _starts_anew(case, case.open(case.folder, "same"), "after done()")


TRAINER_CHECKS: tuple[Callable[[TrainerCase], None], ...] = (
    check_tells_its_history,
    check_answers_fit_the_question,
    check_says_how_it_is_fed,
    check_same_seed_same_answers,
    check_exported_answers_the_same,
    check_goes_on_after_an_interruption,
    check_another_training_starts_anew,
    check_forget_starts_anew,
    check_done_leaves_nothing,
)


def _interrupted(case: TrainerCase) -> None:
    try:
        case.open(case.folder, "same").fit(case.training, case.validation, Recorder(epochs=1))
    except KeyboardInterrupt:
        return
    raise AssertionError("expected the fit to tell its watcher of work after epoch 1, and to let Ctrl-C through")


def _starts_anew(case: TrainerCase, trainer: Trainer, when: str) -> None:
    watcher = Recorder()
    trained = trainer.fit(case.training, case.validation, watcher)
    done, expected = _numbers(watcher.history), _numbers(trained.history)
    assert done == expected, f"{when}: expected all epochs {expected} to be done, found {done}"


def _numbers(history: Sequence[Epoch]) -> list[int]:
    return [epoch.epoch for epoch in history]


def _numbered(trained: Trained) -> None:
    found = _numbers(trained.history)
    expected = list(range(1, len(found) + 1))
    assert found == expected, f"expected one entry an epoch {expected}, found {found}"


def _agree(found: np.ndarray, expected: np.ndarray, when: str) -> None:
    assert found.shape == expected.shape, f"{when}: expected answers of the shape {expected.shape}, found {found.shape}"
    difference = float((np.abs(found - expected) / np.maximum(1, np.abs(expected))).max(initial=0))
    assert difference <= ROUNDING, f"{when}: expected answers within {ROUNDING:g}, found a difference of {difference:g}"
