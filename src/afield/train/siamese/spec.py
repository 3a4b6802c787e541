"""`model: siamese:` of a use case: a base network, and how its vectors are pulled together and pushed apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from afield.train.networks.spec import Network
from afield.usecase.base import Component, Problem
from afield.usecase.choice import Number, Whole

if TYPE_CHECKING:
    from pathlib import Path

    from afield.train.base import Task, Trainer
    from afield.usecase.model import UseCase


def _network(value: Any) -> Any:
    return Network.model_validate(value) if isinstance(value, list) else value


class Siamese(Component):
    """A network whose vectors lie near each other for records of one state, and apart for those of two."""

    summary: ClassVar[str] = "A network that compares: the answer is the nearest known state, or `unknown`."

    layers: Annotated[Network, BeforeValidator(_network)] = Field(
        description="The base network: Keras layers from the record to its vector.",
        examples=[[{"lstm": {"units": 64}}, {"dense": {"units": 3, "activation": "sigmoid"}}]],
    )
    loss: Literal["triplet", "unclamped_triplet", "lossless_triplet"] = Field(
        default="triplet",
        description="With AP and AN the squared distances of an anchor to a record of its state and to one of another: "
        "`triplet` is max(AP - AN + margin, 0); `unclamped_triplet` is AP - AN + margin; `lossless_triplet` goes on "
        "learning however far apart they are, and needs a sigmoid at the end of the network.",
        examples=["lossless_triplet"],
    )
    margin: Annotated[Number, Field(gt=0)] = Field(
        default=0.2, description="By how much AN should exceed AP.", examples=[0.5]
    )
    triplets: Annotated[Whole, Field(ge=1)] = Field(
        default=20_000,
        description="Triplets an epoch; they are drawn where they are used and never stored.",
        examples=[100_000],
    )
    mining: Literal["none", "semi_hard"] = Field(
        default="none",
        description="`none` draws triplets at random; `semi_hard` draws records, and makes triplets of those "
        "pairs in a step that are still to be told apart.",
        examples=["semi_hard"],
    )
    virtual_states: Annotated[Whole, Field(ge=0)] = Field(
        default=0,
        description="For `semi_hard`: states that are made up anew in each step, of records of the most frequent state "
        "in which some features are shifted for a while. The network learns to tell them apart too, so that it notices "
        "what no known state has, which `afield teach` can name afterwards.",
        examples=[32],
    )
    radius: Annotated[Number, Field(gt=0, lt=1)] = Field(
        default=0.99,
        description="Share of the validation part's records of a state that must lie within its radius; beyond it the "
        "answer is `unknown`.",
        examples=[0.95],
    )

    def lint(self) -> Sequence[Problem]:
        """What is wrong with the layers, and a loss that does not fit them."""
        problems = [Problem(("layers", *one.path), one.message, one.severity) for one in self.layers.lint()]
        if problems:
            return problems
        last, arguments = self.layers.named()[-1]
        if self.loss == "lossless_triplet" and not _ends_in_sigmoid(last, arguments):
            message = "lossless_triplet needs vectors between 0 and 1: end the layers with `activation: sigmoid`"
            problems.append(Problem(("loss",), message))
        if self.mining == "semi_hard" and self.loss != "triplet":
            problems.append(
                Problem(("mining",), f"semi_hard makes triplets of its own for `loss: triplet`, not {self.loss}")
            )
        return problems

    def lint_in(self, case: UseCase, folder: Path) -> Sequence[Problem]:
        """A question that it does not answer."""
        if case.question.kind == "classify":
            return ()
        return [Problem((), f"siamese answers `kind: classify`, not `kind: {case.question.kind}`")]

    def open(self, task: Task) -> Trainer:
        """What fits it to a task."""
        from afield.train.siamese.trainer import SiameseTrainer

        return SiameseTrainer(self, task)


def _ends_in_sigmoid(name: str, arguments: dict[str, Any]) -> bool:
    return arguments.get("activation") == "sigmoid" and name in ("dense", "activation")
