"""Models of other libraries as a use case declares them; what is heavy is imported when one is opened."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from afield.train.networks.catalogue import nearest
from afield.usecase.base import Component, Problem, or_alone

if TYPE_CHECKING:
    from afield.train.base import Task, Trainer
    from afield.usecase.model import UseCase

_WANTED = {"classify": "classifier", "regress": "regressor", "abnormal": "outlier"}
"""Kind of question -> kind of estimator that answers it."""


@cache
def estimators() -> Mapping[str, Mapping[str, Any]]:
    """scikit-learn's estimators that can be exported: name -> `kind`, and `arguments` by name."""
    return json.loads(resources.files("afield.train.frameworks").joinpath("estimators.json").read_text())


def _one_or_several(value: Any) -> Any:
    if isinstance(value, str):
        return [{value: {}}]
    if isinstance(value, Mapping):
        return [dict(value)]
    return [{step: {}} if isinstance(step, str) else step for step in value] if isinstance(value, list) else value


def _names_too(schema: dict[str, Any]) -> None:
    """Lets JSON Schema allow what `_one_or_several` reads: one step for a list of one, a name for a step."""
    step = schema.pop("items")
    several = {key: schema.pop(key) for key in ("type", "minItems") if key in schema}
    schema["anyOf"] = [{"type": "string"}, step, {**several, "items": {"anyOf": [{"type": "string"}, step]}}]


class Sklearn(Component):
    """An estimator of scikit-learn, or a pipeline of transformers that one ends."""

    model_config = ConfigDict(json_schema_extra=or_alone("steps"))

    summary: ClassVar[str] = "An estimator of scikit-learn that can be exported to ONNX."

    steps: Annotated[list[dict[str, dict[str, Any] | None]], BeforeValidator(_one_or_several)] = Field(
        min_length=1,
        description="The estimator with its arguments, by scikit-learn's name; a list puts transformers before it.",
        examples=[
            {"RandomForestClassifier": {"n_estimators": 300}},
            [{"StandardScaler": {}}, {"MLPClassifier": {"hidden_layer_sizes": [5, 5, 5]}}],
        ],
        json_schema_extra=_names_too,
    )

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        named = isinstance(value, Mapping) and set(value) == {"steps"}
        return value if named else {"steps": value}

    def named(self) -> list[tuple[str, dict[str, Any]]]:
        """The steps as (name, arguments)."""
        return [(name, arguments or {}) for step in self.steps for name, arguments in step.items()]

    def lint(self) -> Sequence[Problem]:
        """Estimators that are not there or cannot be exported, and arguments that they do not take."""
        return list(self._problems())

    def lint_in(self, case: UseCase, folder: Path) -> Sequence[Problem]:
        """An estimator that does not answer the question."""
        wanted = _WANTED.get(case.question.kind)
        name = self.named()[-1][0]
        found = estimators().get(name, {}).get("kind")
        if wanted is None:
            return [Problem((), f"scikit-learn's models do not answer `kind: {case.question.kind}`; write a network")]
        if found is None or found == wanted:
            return ()
        return [Problem((name,), f"{name} is a {found}, and `kind: {case.question.kind}` needs a {wanted}")]

    def open(self, task: Task) -> Trainer:
        """What fits it to a task."""
        from afield.train.frameworks.sklearn import SklearnTrainer

        return SklearnTrainer(self, task)

    def _problems(self) -> Iterator[Problem]:
        known = estimators()
        for name, arguments in self.named():
            if name not in known:
                yield Problem((name,), f'no estimator "{name}" that can be exported{nearest(name, known)}')
                continue
            there = known[name]["arguments"]
            for argument in arguments:
                if argument not in there:
                    yield Problem((name, argument), f'{name} has no argument "{argument}"{nearest(argument, there)}')


class _FromFile(Component):
    """A model that a Python file of the use case makes."""

    model_config = ConfigDict(json_schema_extra=or_alone("source"))

    source: str = Field(
        pattern=r"^[^:]+\.py:[A-Za-z_][A-Za-z0-9_]*$",
        description="File and name in it, joined by a colon; the file is relative to the use case.",
        examples=["model.py:build"],
    )
    arguments: dict[str, Any] = Field(
        default={}, description="Arguments by name, given beside those that Afield gives.", examples=[{"width": 128}]
    )

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"source": value} if isinstance(value, str) else value

    @property
    def file(self) -> str:
        """The file, relative to the use case."""
        return self.source.rsplit(":", 1)[0]

    @property
    def name(self) -> str:
        """What is asked of it."""
        return self.source.rsplit(":", 1)[1]

    def lint_in(self, case: UseCase, folder: Path) -> Sequence[Problem]:
        """What is wrong with the file, found without running it."""
        path = folder / self.file
        try:
            tree = ast.parse(path.read_bytes())
        except OSError as missing:
            return [Problem(("source",), f"{path}: cannot be read: {missing.strerror}")]
        except (SyntaxError, ValueError) as wrong:
            where = f":{wrong.lineno}" if isinstance(wrong, SyntaxError) else ""
            return [Problem(("source",), f"{path}{where}: {wrong.args[0]}")]
        there = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        if self.name in there:
            return ()
        return [Problem(("source",), f'{path}: has no function or class "{self.name}"{nearest(self.name, there)}')]


class Python(_FromFile):
    """A Keras model that a Python function of the use case builds."""

    summary: ClassVar[str] = "A Keras model built by a function of your own: `build(inputs, outputs)`."

    def open(self, task: Task) -> Trainer:
        """What fits it to a task."""
        from afield.train.frameworks.python import python_trainer

        return python_trainer(self, task)


class Torch(_FromFile):
    """A PyTorch module, trained by a plain loop with early stopping."""

    summary: ClassVar[str] = "A PyTorch module of your own: `Net(inputs, outputs)`, which gives logits or values."

    def open(self, task: Task) -> Trainer:
        """What fits it to a task."""
        from afield.train.frameworks.pytorch import TorchTrainer

        return TorchTrainer(self, task)


class Rule(Component):
    """The best single rule, to hold a model against."""

    summary: ClassVar[str] = "One threshold on one statistic of one column: the rule that a model must beat."

    def lint_in(self, case: UseCase, folder: Path) -> Sequence[Problem]:
        """A question that it does not answer."""
        if case.question.kind == "classify":
            return ()
        return [Problem((), f"rule tells two classes apart, and the question is `kind: {case.question.kind}`")]

    def open(self, task: Task) -> Trainer:
        """What finds it."""
        from afield.train.frameworks.rule import RuleTrainer

        return RuleTrainer(self, task)


class Onnx(Component):
    """A model that is trained already."""

    model_config = ConfigDict(json_schema_extra=or_alone("file"))

    summary: ClassVar[str] = "A ready ONNX file: it is judged and packed, not trained."

    file: str = Field(min_length=1, description="The file, relative to the use case.", examples=["model.onnx"])

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"file": value} if isinstance(value, str) else value

    def lint_in(self, case: UseCase, folder: Path) -> Sequence[Problem]:
        """A file that is not there."""
        path = folder / self.file
        return () if path.is_file() else [Problem(("file",), f"{path}: no such file")]

    def open(self, task: Task) -> Trainer:
        """What takes it as it is."""
        from afield.train.frameworks.ready import ReadyTrainer

        return ReadyTrainer(self, task)
