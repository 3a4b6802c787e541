"""Puts a running use case together: lock, version, source, sinks, state; and takes it apart again."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

from afield.connectors.base import Sink, Source
from afield.errors import UseCaseError
from afield.lock import use_case_lock
from afield.registry.versions import Registry
from afield.runtime.loop import Loop, Tally
from afield.runtime.predictor import Predictor
from afield.runtime.state import RunState
from afield.store.store import open_store
from afield.usecase.components import name_of
from afield.usecase.load import LoadedUseCase


def run(
    loaded: LoadedUseCase,
    *,
    version: str | None = None,
    once: bool = False,
    skip_existing: bool = False,
    stop: threading.Event | None = None,
    told: Callable[[Tally], None] | None = None,
) -> Tally:
    """Answers the records of a use case until its source ends or `stop` is set.

    Args:
        loaded: the use case.
        version: which answers; the latest by default.
        once: end when the source has no more.
        skip_existing: on the first run, begin after what is there already.
        stop: ends the run after the batch in hand.
        told: called after each commit.

    Raises:
        AfieldError: it runs already, there is no version, or a source or sink fails.
    """
    model: Any = loaded.model
    with contextlib.ExitStack() as cleanup:
        cleanup.enter_context(use_case_lock(loaded.folder, "run"))
        registry = Registry(loaded.folder)
        cleanup.callback(registry.close)
        predictor = Predictor((registry.get(version) if version else registry.latest()).bundle)
        store = open_store(loaded.folder)
        cleanup.callback(store.close)
        state = RunState(store, loaded.name)
        if skip_existing and not state.positions():
            _skip(model.source.open(base=loaded.folder, follow=False, labelled=False), state)
        source: Source = model.source.open(base=loaded.folder, follow=not once, labelled=False)
        cleanup.callback(source.close)
        sinks: dict[str, Sink] = {}
        for number, spec in enumerate(model.sink):
            place = getattr(spec, "path", number)
            name = f"{name_of(spec)}:{place}"
            if name in sinks:
                raise UseCaseError(f"sink[{number}]: another sink writes to {place} too; give each a path of its own")
            sinks[name] = spec.open(loaded.folder)
            cleanup.callback(sinks[name].close)
        triggers = [spec.open() for spec in model.trigger]
        return Loop(source, predictor, triggers, sinks, state, told).run(stop)


def _skip(source: Source, state: RunState) -> None:
    """Commits the end of what is there, without answering it."""
    with contextlib.closing(source):
        for batch in source.batches(state.positions()):
            state.commit(batch.position, {})
