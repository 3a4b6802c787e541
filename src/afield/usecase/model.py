"""The use case as it is declared: its sections in the order the data flows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, cast

from pydantic import ConfigDict, Field

from afield.usecase.base import Component, Declared, Problem
from afield.usecase.choice import Number, Whole
from afield.usecase.components import OneOf, name_of
from afield.usecase.training import Train

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
"""A name that is safe as a file, a folder and a column on any system."""


METRICS: Mapping[str, tuple[str, ...]] = {
    "classify": (
        *("accuracy", "macro F1", "weighted F1", "log loss", "calibration error"),
        *("AUC", "average precision", "precision", "recall", "F1"),
    ),
    "tag": ("micro F1", "macro F1", "subset accuracy", "Hamming loss", "AUC"),
    "regress": (
        *("R2", "mean absolute error", "mean squared error"),
        *("root mean squared error", "median absolute error"),
    ),
    "abnormal": ("average precision", "AUC", "precision at the true count", "precision", "recall", "share of alarms"),
    "group": ("silhouette", "agreement"),
    "write": ("bits a character", "nats a character", "perplexity", "accuracy"),
}
"""Kind of question -> the figures that models can be compared by, the usual one first; those of a class that is looked
for (AUC and after) need two classes."""


class Question(Declared):
    """What is asked of each record."""

    kind: Literal["classify", "tag", "regress", "abnormal", "group", "write"] = Field(
        default="classify",
        description="`classify`: which one of the known classes; `tag`: which of the known tags, several at once; "
        "`regress`: which value; `abnormal`: is it unlike the others; `group`: which belong together; "
        "`write`: how a text goes on.",
        examples=["regress"],
    )
    ask: str | None = Field(
        default=None,
        description="The question in a person's words, for the report.",
        examples=["Which log does this line come from?"],
    )
    metric: str | None = Field(
        default=None,
        min_length=1,
        description="The figure by which models are compared, such as `accuracy`, `AUC`, `macro F1`, `R2` or "
        "`mean absolute error`; without it, what is usual for the question.",
        examples=["AUC"],
    )
    min_rows: Annotated[Whole, Field(ge=2)] = Field(
        default=2, description="Rows that a class needs to be learned.", examples=[4]
    )
    rare: Literal["error", "drop"] = Field(
        default="error",
        description="What to do with a class that has fewer rows: stop, or leave its rows out.",
        examples=["drop"],
    )
    positive: str | None = Field(
        default=None,
        description="Of two classes, the one that is looked for; without it, the last by name.",
        examples=["machine"],
    )
    cut: Literal["half", "best_f1"] | Annotated[Number, Field(gt=0, lt=1)] = Field(
        default="half",
        description="Of two classes, and for each tag: the probability from which it is given. `half`, a number, or "
        "`best_f1`, chosen on the validation part.",
        examples=["best_f1", 0.3],
    )
    separator: str = Field(
        default=";", min_length=1, description="For `tag`: what stands between the tags of a record.", examples=["|"]
    )
    unit: str | None = Field(
        default=None, description="For `regress`: the unit of the value, for the report.", examples=["bikes an hour"]
    )
    normal: str = Field(
        default="normal",
        description="For `abnormal`: the label of what is normal, where records have labels; they judge, and do not "
        "train.",
        examples=["ok"],
    )
    alarms: Annotated[Number, Field(gt=0, lt=1)] = Field(
        default=0.01,
        description="For `abnormal`: the share of records like those of the training part that may raise an alarm.",
        examples=[0.001],
    )

    length: Annotated[Whole, Field(ge=1)] = Field(
        default=200, description="For `write`: characters that are written after the text of a record.", examples=[80]
    )
    temperature: Annotated[Number, Field(ge=0)] = Field(
        default=0.8,
        description="For `write`: below 1, surer and duller text; above, bolder; 0 takes the most probable character "
        "always.",
        examples=[0.5],
    )

    def lint(self) -> Sequence[Problem]:
        """A figure that this kind of question does not have."""
        known = METRICS[self.kind]
        if self.metric is None or self.metric in known:
            return ()
        return [Problem(("metric",), f"expected one of {', '.join(known)}, found '{self.metric}'")]

    @property
    def labelled(self) -> bool:
        """Whether training needs the known answers."""
        return self.kind in ("classify", "tag", "regress")


class UseCase(Declared):
    """One use case: from the question to where its answers go."""

    # Built when it is first needed, so that importing this module imports no component.
    model_config = ConfigDict(defer_build=True)

    name: str | None = Field(
        default=None,
        pattern=NAME_PATTERN,
        description="Name of the use case, of letters, digits, `_`, `.` and `-`; without it, the folder's name.",
        examples=["my-logs"],
    )
    question: Question = Field(default=Question(), description="What is asked of each record.")
    source: Annotated[Component, OneOf("source")] = Field(
        description="Where records come from.", examples=[{"files": {"path": "data", "label": "file_name"}}]
    )
    preprocess: tuple[Annotated[Component, OneOf("step")], ...] = Field(
        min_length=1,
        description="The steps from a record to what the model reads. All of them read the record; what they give "
        "enters the model together. `window`, where there is one, comes last and joins records.",
        examples=[[{"text": {"mask": ["number"]}}], ["table", {"window": {"length": 60}}]],
    )
    model: Annotated[Component, OneOf("model")] = Field(
        description="What answers.",
        examples=[{"network": [{"dense": {"units": "classes", "activation": "softmax"}}]}],
    )
    models: dict[Annotated[str, Field(pattern=NAME_PATTERN)], Annotated[Component, OneOf("model")]] = Field(
        default={},
        description="Other models of the same question, by name: `afield compare` trains them beside `model`.",
        examples=[{"forest": {"sklearn": {"RandomForestClassifier": {"n_estimators": 300}}}}],
    )
    train: Train = Field(default=Train(), description="How the model is fitted.")
    trigger: tuple[Annotated[Component, OneOf("trigger")], ...] = Field(
        default=cast(Any, ("on_arrival",)),
        min_length=1,
        description="When the model answers.",
        examples=[["on_arrival"]],
    )
    max_refused: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.5,
        description="Share of the last 1,000 records that may be refused (not readable, or not answerable; 100 at "
        "least) before the run ends with an error. They are kept in `.afield/dead_letters.jsonl`.",
        examples=[0.05],
    )
    sink: tuple[Annotated[Component, OneOf("sink")], ...] = Field(
        default=cast(Any, ({"jsonl": {"path": "answers"}},)),
        min_length=1,
        description="Where answers go.",
        examples=[[{"jsonl": {"path": "answers"}}]],
    )

    def lint(self) -> Sequence[Problem]:
        """Parts that do not go together."""
        writes = self.question.kind == "write"
        steps = [name_of(step) for step in self.preprocess]
        problems = [
            Problem(("preprocess", place, name), "only `question: {kind: write}` reads characters; text becomes `text`")
            for place, name in enumerate(steps)
            if name == "characters" and not writes
        ]
        outputs = [getattr(step, "output", None) for step in self.preprocess]
        problems += [
            Problem(
                ("preprocess", place, steps[place], "output"),
                f"an earlier step gives a feature '{output}' too; give this one another `output:`",
            )
            for place, output in enumerate(outputs)
            if output is not None and output in outputs[:place]
        ]
        if not writes:
            return problems
        split, model = self.train.split, name_of(self.model)
        if steps != ["characters"]:
            message = f"`kind: write` reads `characters`, and that alone; found {', '.join(steps)}"
            problems.append(Problem(("preprocess",), message))
        if split.by != "time" and "by" in split.model_fields_set:
            message = f"a text is split by position, not `by: {split.by}`; write `by: time`, or leave it out"
            problems.append(Problem(("train", "split", "by"), message))
        if split.time is not None:
            message = "a text has the order of its files and their lines; remove it"
            problems.append(Problem(("train", "split", "time"), message))
        if model in ("onnx", "torch"):
            problems.append(Problem(("model", model), "`kind: write` needs a `network`, or a Keras model by `python`"))
        return problems
