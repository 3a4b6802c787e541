"""The use case as it is declared: its sections in the order the data flows."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from pydantic import ConfigDict, Field

from afield.usecase.base import Component, Declared
from afield.usecase.choice import Number, Whole
from afield.usecase.components import OneOf
from afield.usecase.training import Train

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
"""A name that is safe as a file, a folder and a column on any system."""


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
    sink: tuple[Annotated[Component, OneOf("sink")], ...] = Field(
        default=cast(Any, ({"jsonl": {"path": "answers"}},)),
        min_length=1,
        description="Where answers go.",
        examples=[[{"jsonl": {"path": "answers"}}]],
    )
