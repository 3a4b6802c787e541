"""The mask step as it is declared in a use case; everything heavy is imported when the step is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from afield.usecase.base import Component, Problem
from afield.usecase.secret import Secret

if TYPE_CHECKING:
    from afield.preprocess.mask.step import MaskStep

How = Literal["hash", "truncate", "drop"]


class Mask(Component):
    """Personal data made unreadable before any other step, a report, an example or a log sees it."""

    summary: ClassVar[str] = "Columns hashed, cut short or taken away before anything else; stands first."

    columns: Mapping[str, How] = Field(
        description="Column -> what is done to it. `hash`: a token that is the same for the same value, made with the "
        "site's key, so that it still joins and counts but cannot be guessed; `truncate`: an IP address to its network "
        "(/24, /48), any other text or number to its first characters; `drop`: the column is taken away.",
        examples=[{"imsi": "hash", "ip": "truncate", "name": "drop"}],
    )
    key: Secret = Field(
        default_factory=lambda: Secret(env="AFIELD_MASK_KEY", file=None),
        description="Where the key of `hash` is kept. Training and sites that read hashed columns need the same one; "
        "another key gives other tokens, which cannot be joined with these.",
        examples=[{"env": "AFIELD_MASK_KEY"}, {"file": "/run/secrets/mask-key"}],
    )
    keep: int = Field(4, description="Characters that `truncate` keeps of what is no IP address.", examples=[2])

    def lint(self) -> Sequence[Problem]:
        """Values that mask nothing."""
        problems = [Problem(("key", *one.path), one.message) for one in self.key.lint()]
        if not self.columns:
            problems.append(Problem(("columns",), "expected a column or more, found none"))
        if self.keep < 0:
            problems.append(Problem(("keep",), f"expected 0 or more, found {self.keep}"))
        return problems

    def open(self) -> MaskStep:
        """The step, ready to apply: it has nothing to fit."""
        from afield.preprocess.mask.step import MaskStep

        return MaskStep(self)
