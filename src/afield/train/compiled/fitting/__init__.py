"""`afield.fit`: Keras's `fit`, the steps of an epoch as one compiled program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from afield.train.backend import require

if TYPE_CHECKING:
    import keras


def fit(
    model: keras.Model,
    x: Any = None,
    y: Any = None,
    *,
    batch_size: int | None = None,
    epochs: int = 1,
    validation_data: Any = None,
    validation_split: float = 0.0,
    class_weight: dict[int, float] | None = None,
    sample_weight: Any = None,
    callbacks: Sequence[keras.callbacks.Callback] | keras.callbacks.CallbackList | None = None,
    shuffle: bool | Literal["batch"] = True,
    seed: int | None = None,
    verbose: Literal["auto"] | int = "auto",
    initial_epoch: int = 0,
    steps_per_epoch: int | None = None,
    validation_steps: int | None = None,
    validation_batch_size: int | None = None,
    validation_freq: int | list[int] = 1,
) -> keras.callbacks.History:
    """Trains a compiled Keras model, with the meaning of its own `fit`, an epoch as one compiled program.

    Afterwards the variables of the model, its optimizer and its metrics are those that `model.fit` would have left
    with the same order of the rows.

    Callbacks run where Keras runs them. One that looks at single batches (it overrides `on_train_batch_begin`,
    `on_train_batch_end`, `on_batch_begin` or `on_batch_end`) makes each step a call of its own, which costs the time of
    a call, about that of a step of `model.fit`; `model.compile(steps_per_execution=k)` makes it k steps a call, as in
    Keras. Without one, the steps run in spans of a fraction of a second.

    Args:
        model: compiled, on Keras's JAX backend.
        x: N rows: an array, a list or dict of arrays (several inputs), `afield.preprocess.windows.Windows`, a pandas
            frame or an Arrow table (its columns side by side); or data that comes in pieces: `afield.Chunks`, an Arrow
            dataset, a `keras.utils.PyDataset`, a generator or another iterable of batches (x, y[, weights]).
        y: N answers: an array, or a list or dict of arrays (several outputs); of an Arrow table or dataset, the name of
            the column. None where the pieces hold it, or the loss needs none.
        batch_size: rows a step, 32 by default; the last one of an epoch may have fewer.
        epochs: number of the last epoch.
        validation_data: (x, y) or (x, y, weights), or pieces as above.
        validation_split: share of the rows, the last ones, to validate on.
        class_weight: number of a class -> weight of its rows in the loss.
        sample_weight: [N], or a structure as `y`.
        callbacks: Keras callbacks.
        shuffle: whether each epoch visits the rows in another order; "batch" shuffles within each batch.
        seed: of the orders; by default that of `keras.utils.set_random_seed`, else a new one.
        verbose: 0 silent, 1 a progress bar, 2 a line an epoch.
        initial_epoch: the epochs done before; the orders are those of an uninterrupted training.
        steps_per_epoch: steps that make an epoch; needed where the pieces never end.
        validation_steps: of a validation, where its pieces never end.
        validation_batch_size: as `batch_size` by default.
        validation_freq: epochs between two validations, or the numbers of the epochs that have one.

    Returns:
        The history, as of `model.fit`.

    Raises:
        UseCaseError: an argument does not fit the model or another argument.
        DataError: the loss is no number in the first epoch. In a later epoch, training ends with a warning; in both
            cases the model keeps the weights from before that epoch.
        StateError: Keras runs on another backend, or the device has too little memory.
    """
    require()
    from afield.train.compiled.fitting.arguments import check_model, sources
    from afield.train.compiled.fitting.training import Training

    check_model(model)
    training, testing = sources(
        model,
        (x, y, sample_weight),
        validation_data,
        batch_size=batch_size,
        validation_split=validation_split,
        class_weight=class_weight,
        shuffle=shuffle,
        seed=seed,
        steps_per_epoch=steps_per_epoch,
        validation_steps=validation_steps,
        validation_batch_size=validation_batch_size,
    )
    return Training(model, training, testing, validation_freq).run(callbacks, initial_epoch, epochs, verbose)
