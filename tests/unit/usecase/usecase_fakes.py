"""Components that stand in for the real ones, so that these tests are about the use case alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from afield.usecase.base import Component, Declared, Problem, shorthand
from afield.usecase.model import UseCase


class Label(Declared):
    origin: Literal["file_name", "folder"] = Field(description="Where it stands.", examples=["file_name"])
    merged: bool = Field(default=False, description="Rotated files are one.", examples=[True])


class Files(Component):
    summary: ClassVar[str] = "Records from files."

    path: str = Field(description="A folder.", examples=["data"])
    format: Literal["lines", "csv"] = Field(default="lines", description="What is in a file.", examples=["csv"])
    label: Annotated[Label | None, BeforeValidator(shorthand("origin"))] = Field(
        default=None, description="The answer."
    )


class Text(Component):
    summary: ClassVar[str] = "Text to numbers."

    min_df: int = Field(default=1, ge=1, description="Records a token needs.", examples=[2])
    mask: tuple[Literal["number", "hex"], ...] = Field(default=(), description="What is masked.", examples=[["hex"]])
    column: str = Field(default="text", description="The column.", examples=["Content"])

    @field_validator("column")
    @classmethod
    def _no_blank(cls, value: str) -> str:
        if " " in value:
            raise ValueError(f"a column's name has no blank, found '{value}'")
        return value


class Network(Component):
    summary: ClassVar[str] = "Layers."

    layers: list[dict[str, Any]] = Field(description="The layers.", examples=[[{"dense": {"units": 2}}]])

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, value: Any) -> Any:
        return {"layers": value} if isinstance(value, list) else value

    def lint(self) -> Sequence[Problem]:
        problems: list[Problem] = []
        for index, layer in enumerate(self.layers):
            for name, arguments in layer.items():
                if arguments.get("units") == 0:
                    problems.append(Problem((index, name, "units"), "expected at least 1, found 0"))
                if arguments.get("units") == 1:
                    problems.append(Problem((index, name, "units"), "one unit is few", severity="warning"))
        return problems

    def lint_in(self, case: UseCase, folder: Path) -> Sequence[Problem]:
        place = len(self.layers) - 1
        units = self.layers[place].get("dense", {}).get("units")
        message = f"three units suit no '{case.question.kind}'"
        return [Problem((place, "dense", "units"), message)] if units == 3 else []


class OnArrival(Component):
    summary: ClassVar[str] = "At once."


class JsonLines(Component):
    summary: ClassVar[str] = "JSON."

    path: str = Field(default="answers", description="A folder.", examples=["answers"])


class Parquet(JsonLines):
    summary: ClassVar[str] = "Parquet."
