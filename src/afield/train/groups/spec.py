"""`model: groups:` of a use case: how a record becomes a vector, and how vectors are put into groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from afield.train.networks.spec import Network
from afield.usecase.base import Component, Problem
from afield.usecase.choice import Number, Whole
from afield.usecase.components import name_of

if TYPE_CHECKING:
    from pathlib import Path

    from afield.train.base import Task, Trainer
    from afield.usecase.model import UseCase


def _network(value: Any) -> Any:
    return Network.model_validate(value) if isinstance(value, list) else value


class Groups(Component):
    """Finds groups of records that are alike, and answers with the nearest one."""

    summary: ClassVar[str] = "Groups of records that are alike: the answer is the nearest group, or `unknown`."

    layers: Annotated[Network | None, BeforeValidator(_network)] = Field(
        default=None,
        description="Keras layers from the record to its vector, trained to keep what gives the record back; the "
        "layers that give it back need not be written. Without any, the vector is that of the features' principal "
        "components.",
        examples=[[{"dense": {"units": 64, "activation": "relu"}}, {"dense": {"units": 8}}]],
    )
    dimensions: Annotated[Whole, Field(ge=1)] = Field(
        default=16, description="Numbers of a vector, at most, where there are no `layers`.", examples=[32]
    )
    method: Literal["k_means", "density"] = Field(
        default="k_means",
        description="`k_means`: round groups that hold every record; `density`: groups of any shape where records lie "
        "close, and records that belong to none.",
        examples=["density"],
    )
    count: Annotated[Whole, Field(ge=2)] | None = Field(
        default=None,
        description="For `k_means`: the number of groups; without it, the one from 2 to 12 whose groups lie furthest "
        "apart.",
        examples=[8],
    )
    smallest: Annotated[Whole, Field(ge=2)] | None = Field(
        default=None,
        description="For `density`: records of the smallest group; without it, 1 % of the training part, at least 5.",
        examples=[50],
    )
    radius: Annotated[Number, Field(gt=0, lt=1)] | None = Field(
        default=0.99,
        description="Share of a group's own records that must lie within its radius; beyond it the answer is "
        "`unknown`. null for no limit.",
        examples=[0.95],
    )

    def lint(self) -> Sequence[Problem]:
        """What is wrong with the layers, and fields of another method."""
        return list(self._problems())

    def lint_in(self, case: UseCase, folder: Path) -> Sequence[Problem]:
        """A question that it does not answer, and layers on text."""
        if case.question.kind != "group":
            return [Problem((), f"groups answers `kind: group`, not `kind: {case.question.kind}`")]
        if self.layers is not None and any(name_of(step) == "text" for step in case.preprocess):
            return [Problem(("layers",), "layers give back numbers, not text; leave them out on a `text` step")]
        return ()

    def open(self, task: Task) -> Trainer:
        """What fits it to a task."""
        from afield.train.groups.trainer import GroupsTrainer, LayersTrainer

        return GroupsTrainer(self, task) if self.layers is None else LayersTrainer(self, self.layers, task)

    def _problems(self) -> Iterator[Problem]:
        if self.layers is not None:
            yield from (Problem(("layers", *one.path), one.message, one.severity) for one in self.layers.lint())
        if self.method == "density" and self.count is not None:
            yield Problem(("count",), "`method: density` finds the number by itself; remove it, or write k_means")
        if self.method == "k_means" and self.smallest is not None:
            yield Problem(("smallest",), "has no effect with `method: k_means`; write `method: density` or remove it")
