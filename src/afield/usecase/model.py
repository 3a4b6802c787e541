"""The use case as it is declared: its sections in the order the data flows."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from pydantic import ConfigDict, Field

from afield.usecase.base import Component, Declared
from afield.usecase.choice import Whole
from afield.usecase.components import OneOf
from afield.usecase.training import Train

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
"""A name that is safe as a file, a folder and a column on any system."""


class Question(Declared):
    """What is asked of each record."""

    kind: Literal["classify"] = Field(
        default="classify", description="`classify`: which one of the known classes.", examples=["classify"]
    )
    ask: str | None = Field(
        default=None,
        description="The question in a person's words, for the report.",
        examples=["Which log does this line come from?"],
    )
    min_rows: Annotated[Whole, Field(ge=2)] = Field(
        default=2, description="Rows that a class needs to be learned.", examples=[4]
    )
    rare: Literal["error", "drop"] = Field(
        default="error",
        description="What to do with a class that has fewer rows: stop, or leave its rows out.",
        examples=["drop"],
    )


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
        max_length=1,
        description="The step from a record to what the model reads; a list, of one step for now.",
        examples=[[{"text": {"mask": ["number"]}}]],
    )
    model: Annotated[Component, OneOf("model")] = Field(
        description="What answers.",
        examples=[{"network": [{"dense": {"units": "classes", "activation": "softmax"}}]}],
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
