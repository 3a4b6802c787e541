"""The record of who did what to the versions of a use case: added to, never changed."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from afield.store.schema import audit


@dataclass(frozen=True)
class Entry:
    """One thing that was done.

    Args:
        at: when, in UTC.
        actor: who, as user@host.
        action: what, such as "add".
        version: to which version, where it was to one.
        detail: JSON values.
    """

    at: datetime
    actor: str
    action: str
    version: str | None
    detail: dict[str, Any]


def record(
    connection: Connection, at: datetime, action: str, version: str | None, detail: Mapping[str, Any], actor: str = ""
) -> None:
    """Adds one entry, in the transaction of what it records; without `actor` it was the user of this process."""
    connection.execute(
        audit.insert().values(
            at=at.isoformat(), actor=actor or _user(), action=action, version=version, detail=dict(detail)
        )
    )


def entries(connection: Connection) -> list[Entry]:
    """All entries, oldest first."""
    rows = connection.execute(select(audit).order_by(audit.c.id))
    return [Entry(datetime.fromisoformat(row.at), row.actor, row.action, row.version, row.detail) for row in rows]


def _user() -> str:
    return f"{os.environ.get('USER') or os.getuid()}@{socket.gethostname()}"
