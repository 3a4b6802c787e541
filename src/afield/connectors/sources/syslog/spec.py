"""What a use case says about syslog as a source."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from afield.connectors.spool.spec import SpooledFields
from afield.errors import UseCaseError
from afield.usecase.base import Component, Problem

if TYPE_CHECKING:
    from afield.connectors.spool.spooled import Spooled


class Syslog(SpooledFields, Component):
    """Records from syslog senders: each message of RFC 3164 or RFC 5424 is one."""

    summary: ClassVar[str] = "Messages of syslog senders over UDP, TCP or TLS, spooled to the disk."

    transport: Literal["udp", "tcp", "tls"] = Field(
        default="udp",
        description="How the messages come. Over TCP and TLS they end with a newline or begin with their length "
        "(RFC 6587).",
        examples=["tcp"],
    )
    address: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="Address that is listened on: this machine alone where it is left out; `0.0.0.0` for all.",
        examples=["0.0.0.0"],
    )
    port: int = Field(default=5514, ge=1, le=65535, description="Port that is listened on.", examples=[514, 6514])
    certificate: str | None = Field(
        default=None,
        description="File of the own certificate (PEM), of `tls`; relative to the use case.",
        examples=["server.pem"],
    )
    key: str | None = Field(
        default=None,
        description="File of its private key (PEM), where it is not in the same file.",
        examples=["server.key"],
    )
    max_record_bytes: int = Field(
        default=65536, ge=480, le=2**24, description="A longer message is refused.", examples=[8192]
    )

    def lint(self) -> Sequence[Problem]:
        """Problems that types alone cannot say."""
        problems: list[Problem] = []
        if self.transport == "tls" and self.certificate is None:
            problems.append(Problem(("transport",), "expected `certificate` too, the file that senders check"))
        for name in ("certificate", "key"):
            if self.transport != "tls" and getattr(self, name) is not None:
                problems.append(Problem((name,), f"{name} is of tls, and transport is {self.transport}; remove it"))
        return problems

    def open(self, *, base: Path, follow: bool, labelled: bool, poll: float = 0.5) -> Spooled:
        """Opens the source; the port is listened on with `batches`.

        Args:
            base: the folder of the use case, for the spool and for the certificate.
            follow: goes on for ever; otherwise ends when no message has come for `idle_end` seconds.
            labelled: not for syslog: its messages bear no answer.
            poll: unused: the senders send.

        Returns:
            The source, to be closed after use.

        Raises:
            UseCaseError: a label is asked for, or the certificate cannot be read.
        """
        if labelled:
            raise UseCaseError("source.syslog: training needs the known answer of each record, and syslog has none")
        from afield.connectors.sources.syslog.messages import SyslogRecords
        from afield.connectors.sources.syslog.receiver import SyslogReceiver

        receiver = SyslogReceiver(self, base)
        return self.spooled("syslog", receiver, SyslogRecords(self.max_record_bytes), base=base, follow=follow)
