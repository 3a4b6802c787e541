"""What a use case says about its standard input as a source."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from afield.connectors.messages import Messages
from afield.connectors.spool.spec import SpooledFields
from afield.usecase.base import Component

if TYPE_CHECKING:
    from afield.connectors.spool.spooled import Spooled


class Stdin(Messages, SpooledFields, Component):
    """Records from the standard input: each line is one; the source ends with the input."""

    summary: ClassVar[str] = "Lines of the standard input, spooled to the disk."

    def open(self, *, base: Path, follow: bool, labelled: bool, poll: float = 0.5) -> Spooled:
        """Opens the source; the input is read with `batches`.

        Args:
            base: the folder of the use case, for the spool.
            follow: waits for the end of the input; otherwise also ends when no line has come for `idle_end` seconds.
            labelled: adds the column LABEL.
            poll: unused: the lines come.

        Returns:
            The source, to be closed after use.

        Raises:
            UseCaseError: a label is asked for and none is declared.
        """
        self.require_label(labelled, "source.stdin")
        from afield.connectors.sources.standard_input.receiver import StdinReceiver
        from afield.connectors.spool.records import Records

        receiver = StdinReceiver(self.max_record_bytes)
        return self.spooled("stdin", receiver, Records(self, labelled), base=base, follow=follow)
