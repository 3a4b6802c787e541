"""Records of spooled messages: what the decoder of all messages makes of them, and where each came from."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from afield.connectors.base import OFFSET, Batch
from afield.connectors.decoder import Decoder
from afield.connectors.messages import Messages
from afield.connectors.spool.base import Stored

_WORDS = pa.dictionary(pa.int32(), pa.string())


class Records:
    """Decodes spooled messages.

    Args:
        declared: format, columns, label and max_record_bytes.
        labelled: adds the column LABEL.
        origin: name of a column that gets the origin of each message; None for no such column.
    """

    def __init__(self, declared: Messages, labelled: bool, origin: str | None = None) -> None:
        self._decoder = Decoder(declared, labelled)
        self._origin = origin

    def batch(self, stream: str, stored: Sequence[Stored]) -> Batch:
        """As of `Decodes`."""
        offsets = [message.sequence for message in stored]
        found = self._decoder.batch(stream, offsets, [message.payload for message in stored], str(offsets[-1]))
        return self._with_origin(found, stored)

    def empty(self) -> Batch:
        """As of `Decodes`."""
        return self._with_origin(self._decoder.empty(), [])

    def _with_origin(self, batch: Batch, stored: Sequence[Stored]) -> Batch:
        if self._origin is None:
            return batch
        kept = set(batch.records.column(OFFSET).to_pylist())
        origins = pa.array([message.origin for message in stored if message.sequence in kept], pa.string()).cast(_WORDS)
        columns = dict(zip(batch.records.schema.names, batch.records.columns, strict=True))
        return Batch(pa.RecordBatch.from_pydict({**columns, self._origin: origins}), batch.position, batch.refused)
