"""The ids of the answers that were written last, so that each is kept once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence


class Recent:
    """Ids in the order they were added, up to a number; the oldest are forgotten first.

    Ids that were found are those of a process before this one, which may not have committed them: they may be given
    again. Once all were, or as many others as are remembered, none of them will be.

    Args:
        most: how many are remembered.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._expected: set[str] = set()
        self._given = 0

    @property
    def settled(self) -> bool:
        """Whether no id that was found will be given again."""
        return not self._expected or self._given >= self._most

    def find(self, ids: Sequence[str]) -> None:
        """Remembers ids of answers that another process wrote."""
        if self._given < self._most:
            self._expected.update(ids)
        self._add(ids)

    def new(self, ids: Sequence[str], values: Sequence[bytes]) -> list[tuple[str, bytes]]:
        """The ids that are not remembered, each once, with their values; the others are given again herewith."""
        new = {name: value for name, value in zip(ids, values, strict=True) if name not in self._ids}
        self.give([name for name in ids if name not in new])
        return list(new.items())

    def give(self, ids: Sequence[str]) -> None:
        """Remembers ids of answers that are written now."""
        self._given += len(ids)
        if self._given < self._most:
            self._expected.difference_update(ids)
        else:
            self._expected.clear()
        self._add(ids)

    def _add(self, ids: Sequence[str]) -> None:
        self._ids.update(dict.fromkeys(ids))
        while len(self._ids) > self._most:
            self._ids.popitem(last=False)
