"""The mask step at work: a batch in, the same batch without what must not be seen."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from functools import cached_property

import pyarrow as pa

from afield.preprocess.demand import demand
from afield.preprocess.mask.spec import Mask

TOKEN = "masked:"
"""What a token begins with: masked values stay as they are when they are masked again."""
_DONE = re.compile(re.escape(TOKEN) + "[0-9a-f]{32}", re.ASCII)
CUT = "…"
"""What a text that was cut short ends with."""
_NETWORKS = {4: 24, 6: 48}
"""Version of an IP address -> bits that stay."""


class MaskStep:
    """Makes columns unreadable. Masking what is masked changes nothing, so that stored records can be read again.

    Source of the token: BLAKE2b with a key (RFC 7693), 128 bits.

    Args:
        declared: the step as declared in the use case.
    """

    def __init__(self, declared: Mask) -> None:
        self.declared = declared

    def schema(self, given: pa.Schema) -> pa.Schema:
        """The columns of a batch after it."""
        return self.apply(pa.RecordBatch.from_pylist([], schema=given)).schema

    def demand(self, schema: pa.Schema) -> None:
        """Refuses records in which a column to be masked is not there, but for those that are taken away.

        Raises:
            DataError: the column is not there.
        """
        for name, how in self.declared.columns.items():
            if how != "drop":
                demand(schema, name, "preprocess.mask.columns")

    def apply(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """A batch with its columns masked; those that it does not have are none of its business.

        Raises:
            UseCaseError: the key is not there.
        """
        for name, how in self.declared.columns.items():
            place = batch.schema.get_field_index(name)
            if place < 0:
                continue
            if how == "drop":
                batch = batch.remove_column(place)
                continue
            masked = self._masked(batch.column(place), self._token if how == "hash" else self._cut)
            batch = batch.set_column(place, name, masked)
        return batch

    def _masked(self, column: pa.Array, of: object) -> pa.Array:
        """Each distinct value is masked once."""
        texts = column.cast(pa.string()) if not pa.types.is_dictionary(column.type) else column
        encoded = texts if pa.types.is_dictionary(texts.type) else texts.dictionary_encode()
        values = encoded.dictionary.cast(pa.string()).to_pylist()
        assert callable(of)
        masked = pa.array([None if value is None else of(value) for value in values], pa.string())
        return pa.DictionaryArray.from_arrays(encoded.indices, masked).cast(pa.string())

    def _token(self, value: str) -> str:
        if not value or _DONE.fullmatch(value):
            return value
        return TOKEN + hashlib.blake2b(value.encode(), digest_size=16, key=self._key).hexdigest()

    def _cut(self, value: str) -> str:
        try:
            address = ipaddress.ip_address(value)
        except ValueError:
            keep = self.declared.keep
            return value if len(value) <= keep or value == value[:keep] + CUT else value[:keep] + CUT
        bits = _NETWORKS[address.version]
        return str(ipaddress.ip_network((address, bits), strict=False).network_address)

    @cached_property
    def _key(self) -> bytes:
        return hashlib.sha256(self.declared.key.read("preprocess.mask.key").encode()).digest()
