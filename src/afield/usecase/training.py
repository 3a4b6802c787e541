"""The `train:` section: how the rows are split, and how the model is fitted to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from afield.usecase.base import Declared, Problem
from afield.usecase.choice import Flag, Number, OneNamed, Positive, Whole

_EVERY: dict[str, Any] = {"weight_decay": None, "clipnorm": None, "clipvalue": None, "global_clipnorm": None}
_ADAM: dict[str, Any] = {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-07, **_EVERY}

OPTIMIZERS: Mapping[str, Mapping[str, Any]] = {
    "adam": {**_ADAM, "amsgrad": False},
    "adamw": {**_ADAM, "amsgrad": False, "weight_decay": 0.004},
    "adamax": _ADAM,
    "nadam": _ADAM,
    "lion": {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.99, **_EVERY},
    "sgd": {"learning_rate": 0.01, "momentum": 0.0, "nesterov": False, **_EVERY},
    "rmsprop": {"learning_rate": 0.001, "rho": 0.9, "momentum": 0.0, "epsilon": 1e-07, "centered": False, **_EVERY},
    "adagrad": {"learning_rate": 0.001, "initial_accumulator_value": 0.1, "epsilon": 1e-07, **_EVERY},
    "adadelta": {"learning_rate": 0.001, "rho": 0.95, "epsilon": 1e-07, **_EVERY},
}
"""Keras's optimizers whose update of a row depends on that row alone, with the arguments that a use case may give and
Keras's defaults of them."""

SCHEDULES: Mapping[str, Mapping[str, Any]] = {
    "cosine_decay": {"alpha": 0.0},
    "reduce_on_plateau": {"factor": 0.1, "patience": 10, "min_delta": 0.0001, "cooldown": 0, "min_lr": 0.0},
}
"""Learning-rate schedules, with Keras's names of the arguments."""


class Split(Declared):
    """Which rows train, which are held back to watch the training, and which are kept for the test alone."""

    test: Annotated[Number, Field(gt=0, lt=1)] = Field(
        default=0.25, description="Share of all rows kept for the test.", examples=[0.25]
    )
    validation: Annotated[Number, Field(ge=0, lt=1)] = Field(
        default=0.1,
        description="Share of all rows held back to watch the training and to stop it; 0 for none.",
        examples=[0.1],
    )
    by: Literal["random", "time", "group", "file"] = Field(
        default="random",
        description="`random` draws the rows; `time` tests on the newest; `group` never puts rows of one group in two "
        "parts; `file` tests on the rows of some files.",
        examples=["group"],
    )
    stratify: Flag = Field(
        default=True, description="Each class has the same share of every part; for `by: random`.", examples=[True]
    )
    group: str | None = Field(
        default=None,
        min_length=1,
        description="For `by: group`: `masked_text` (the text after masking) or the name of a column.",
        examples=["masked_text"],
    )
    test_files: str | None = Field(
        default=None,
        min_length=1,
        description="For `by: file`: the files of the test part, a glob of their names.",
        examples=["t10k-*", "*-test.csv"],
    )
    time: str | None = Field(
        default=None,
        min_length=1,
        description="For `by: time`: the column to order by; without it the order of the files and their lines.",
        examples=["timestamp"],
    )

    def lint(self) -> Sequence[Problem]:
        """Values that do not go together."""
        problems: list[Problem] = []
        if self.test + self.validation >= 1:
            problems.append(
                Problem((), f"test and validation leave nothing to train on: {self.test} + {self.validation} >= 1")
            )
        if self.by == "group" and self.group is None:
            problems.append(Problem(("by",), "`by: group` needs `group: masked_text` or `group:` with a column's name"))
        if self.by != "group" and self.group is not None:
            problems.append(Problem(("group",), f"has no effect with `by: {self.by}`; write `by: group` or remove it"))
        if self.by == "file" and self.test_files is None:
            problems.append(Problem(("by",), "`by: file` needs `test_files:` with a glob such as `*-test.csv`"))
        if self.by != "file" and self.test_files is not None:
            problems.append(
                Problem(("test_files",), f"has no effect with `by: {self.by}`; write `by: file` or remove it")
            )
        if self.by != "time" and self.time is not None:
            problems.append(Problem(("time",), f"has no effect with `by: {self.by}`; write `by: time` or remove it"))
        return problems


class EarlyStopping(Declared):
    """Training ends when the validation part gets no better, and the best weights are kept."""

    patience: Annotated[Whole, Field(ge=1)] = Field(
        default=3, description="Epochs without a better value before training ends.", examples=[3]
    )
    monitor: Annotated[str, Field(pattern=r"^validation_[a-z0-9_]+$")] = Field(
        default="validation_loss",
        description="The value that must get better: `validation_loss`, or `validation_` and a metric.",
        examples=["validation_accuracy", "validation_auc"],
    )


class Train(Declared):
    """How the model is fitted."""

    split: Split = Field(default=Split(), description="The three parts of the data.")
    batch_size: Annotated[Whole, Field(ge=1)] = Field(default=32, description="Rows a step.", examples=[50])
    epochs: Annotated[Whole, Field(ge=1)] = Field(
        default=5, description="Passes over the training part, at most.", examples=[10]
    )
    loss: Literal["auto", "cross_entropy", "mean_squared_error", "mean_absolute_error", "huber"] = Field(
        default="auto",
        description="What training makes small; `auto` takes the cross-entropy where classes or tags are asked for, "
        "the mean squared error where a value is.",
        examples=["mean_absolute_error"],
    )
    metrics: tuple[Literal["accuracy", "auc", "mean_absolute_error", "mean_squared_error", "r2"], ...] | None = Field(
        default=None,
        description="What is measured each epoch beside the loss; without it, what suits the question.",
        examples=[["accuracy", "auc"]],
    )
    standardize_target: Flag = Field(
        default=True,
        description="For `regress`: a network learns the value in standard deviations from its mean; the answers are "
        "in its own unit.",
        examples=[False],
    )
    optimizer: Annotated[dict[str, dict[str, Any]], OneNamed("optimizer", OPTIMIZERS)] = Field(
        default={"adam": {"learning_rate": 0.0005}},
        description="A Keras optimizer and its arguments.",
        examples=[{"sgd": {"learning_rate": 0.01, "momentum": 0.9}}],
    )
    learning_rate_schedule: Annotated[dict[str, dict[str, Any]], OneNamed("schedule", SCHEDULES)] | None = Field(
        default=None,
        description="`cosine_decay` lowers the learning rate over all steps to `alpha` times its start; "
        "`reduce_on_plateau` multiplies it by `factor` after `patience` epochs without a lower validation loss.",
        examples=[{"cosine_decay": {"alpha": 0.01}}],
    )
    early_stopping: EarlyStopping | None = Field(
        default=None, description="When to end before the last epoch.", examples=[{"patience": 3}]
    )
    class_weight: Literal["none", "balanced"] | dict[str, Positive] = Field(
        default="none",
        description="Weight of each class in the loss: `balanced` weighs rare classes up, a mapping gives each weight "
        "(1 for a class it does not name).",
        examples=["balanced"],
    )
    exact: Flag = Field(
        default=False,
        description="Update every row of the first layer at every step, as Keras does: slower on text, same numbers.",
        examples=[True],
    )
    seed: Annotated[Whole, Field(ge=0, lt=2**32)] = Field(
        default=0, description="Start of every random number of the training: same seed, same model.", examples=[7]
    )
    precision: Literal["float32", "mixed_bfloat16"] = Field(
        default="float32",
        description="Numbers that a network computes with; `mixed_bfloat16` is faster on an accelerator.",
        examples=["mixed_bfloat16"],
    )
    device: Literal["auto", "cpu", "gpu"] = Field(
        default="auto", description="Where to train; `auto` takes a GPU where there is one.", examples=["cpu"]
    )
    baseline_rows: Annotated[Whole, Field(ge=1)] = Field(
        default=200_000, description="Rows that the linear baseline is trained on, at most.", examples=[50_000]
    )

    def lint(self) -> Sequence[Problem]:
        """Values that do not go together."""
        needed_by = [
            *(["early_stopping"] if self.early_stopping else []),
            *(["learning_rate_schedule"] if "reduce_on_plateau" in (self.learning_rate_schedule or {}) else []),
        ]
        return [
            Problem((key,), "watches the validation part, and train.split.validation is 0; give it a share such as 0.1")
            for key in needed_by
            if self.split.validation == 0
        ]
