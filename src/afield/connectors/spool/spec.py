"""What a use case says of a spool: fields that each spooled source has, light enough for `afield check`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, ByteSize, Field

from afield.connectors.sinks.spec import Size
from afield.lock import STATE
from afield.usecase.base import Declared

if TYPE_CHECKING:
    from afield.connectors.spool.base import Decodes, Receiver
    from afield.connectors.spool.spooled import Spooled


def _file_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise ValueError(f"expected letters, digits, dots and dashes, found {name!r}")
    return name


class SpoolFields(Declared):
    """Where received messages are kept until they are answered."""

    name: Annotated[str | None, AfterValidator(lambda name: name and _file_name(name))] = Field(
        default=None,
        description="Folder of the spool, in `.afield/spool` of the use case; the kind of the source where it is "
        "left out.",
        examples=["boiler"],
    )
    limit: Size = Field(
        default=ByteSize(1_000_000_000),
        ge=1_000_000,
        description="Most bytes on the disk. When they are used up nothing is taken from the origin until some are "
        "answered.",
        examples=["256MB"],
    )


class SpooledFields(Declared):
    """Fields that each spooled source has; such a source is declared as `class Mqtt(SpooledFields, ..., Component)`."""

    spool: SpoolFields = Field(
        default=SpoolFields(),
        description="Where received messages are kept until they are answered.",
        examples=[{"limit": "256MB"}],
    )
    idle_end: float = Field(
        default=5.0,
        gt=0,
        description="Seconds without a message after which a run that does not follow ends.",
        examples=[30],
    )

    def spooled(self, kind: str, receiver: Receiver, decoder: Decodes, *, base: Path, follow: bool) -> Spooled:
        """The source, with its spool in the folder of the use case.

        Args:
            kind: name of the source in a use case.
            receiver: brings messages.
            decoder: makes records of them.
            base: the folder of the use case.
            follow: goes on for ever.
        """
        from afield.connectors.spool.spooled import Spooled

        return Spooled(
            base / STATE / "spool" / (self.spool.name or kind),
            int(self.spool.limit),
            receiver,
            decoder,
            where=f"source.{kind}",
            idle_end=None if follow else self.idle_end,
        )
