"""Puts a running use case together: lock, version, source, sinks, state; and takes it apart again."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from afield.connectors.base import Sink, Source
from afield.errors import DataError, TransientError, UseCaseError
from afield.lock import use_case_lock
from afield.registry.versions import Registry
from afield.runtime.dead_letters import DeadLetters
from afield.runtime.loop import Loop, Tally
from afield.runtime.predictor import Predictor
from afield.runtime.retry import Persistent
from afield.runtime.retry import once as once_only
from afield.runtime.state import RunState
from afield.runtime.watches import OWN
from afield.store.store import open_store
from afield.usecase.components import name_of
from afield.usecase.load import LoadedUseCase

IDLE_BATCHES = 2
"""Batches without records, one after the other, after which a source that follows is at its end for now."""


def run(
    loaded: LoadedUseCase,
    *,
    version: str | None = None,
    once: bool = False,
    skip_existing: bool = False,
    stop: threading.Event | None = None,
    told: Callable[[Tally], None] | None = None,
    warned: Callable[[str], None] | None = None,
) -> Tally:
    """Answers the records of a use case until its source ends or `stop` is set.

    Args:
        loaded: the use case.
        version: which answers; the latest by default.
        once: end when the source has no more.
        skip_existing: on the first run, begin after what is there already.
        stop: ends the run after the batch in hand.
        told: called after each commit.
        warned: called once for each file that the source cannot read, with its name and why.

    Raises:
        AfieldError: it runs already, there is no version, or a source or sink fails.
    """
    model: Any = loaded.model
    declared = _sinks(loaded)
    stop = stop or threading.Event()
    with contextlib.ExitStack() as cleanup:
        cleanup.enter_context(use_case_lock(loaded.folder, "run"))
        registry = Registry(loaded.folder)
        cleanup.callback(registry.close)
        predictor = Predictor((registry.get(version) if version else registry.latest()).bundle)
        store = open_store(loaded.folder)
        cleanup.callback(store.close)
        state = RunState(store, loaded.name)
        if skip_existing and all(stream.startswith(OWN) for stream in state.positions()):
            _skip(model.source.open(base=loaded.folder, follow=True, labelled=False), state, stop)
            if stop.is_set():
                return Tally()
        warn = warned or (lambda _: None)
        # Who waits for a run to end is told at once; one that follows waits for the trouble to pass.
        retry = once_only if once else Persistent(stop, warn)
        letters = DeadLetters(loaded.folder, predictor.pipeline.covered if predictor.pipeline.hides else None)
        before = Tally()

        def attempt() -> Tally:
            """From the last commit to the end, with a source and sinks that are opened anew."""
            nonlocal before
            with contextlib.ExitStack() as opened:
                source: Source = model.source.open(base=loaded.folder, follow=not once, labelled=False)
                opened.callback(source.close)
                sinks: dict[str, Sink] = {}
                for name, spec in declared.items():
                    sinks[name] = spec.open(loaded.folder)
                    opened.callback(sinks[name].close)
                unread = _Unread(source, warn)
                latest = Tally()

                def watch(tally: Tally) -> None:
                    nonlocal latest
                    latest = tally
                    unread.look()
                    if told:
                        told(before + tally)

                loop = Loop(
                    source,
                    predictor,
                    [spec.open() for spec in model.trigger],
                    sinks,
                    state,
                    watch,
                    retry=retry,
                    letters=letters,
                    max_refused=model.max_refused,
                    warned=warn,
                )
                try:
                    tally = loop.run(stop)
                except TransientError:
                    before += latest
                    raise
                unread.look()
                return before + tally

        return retry(attempt)


class _Unread:
    """Says of each file that the source cannot read why that is so, once; a source need not keep such an account."""

    def __init__(self, source: Source, warned: Callable[[str], None]) -> None:
        self._source = source
        self._warned = warned
        self._said: set[str] = set()

    def look(self) -> None:
        report: Any = getattr(self._source, "report", None)
        if report is None:
            return
        # Copied first: the source goes on reading in its own thread.
        for name, reason in (dict(report.skipped) | dict(report.damaged)).items():
            if name not in self._said:
                self._said.add(name)
                self._warned(f"{name}: not read, or only in part: {reason}")


def _sinks(loaded: LoadedUseCase) -> dict[str, Any]:
    """The declared sinks, by the names under which their marks are committed.

    Raises:
        UseCaseError: two of a kind write to one place.
    """
    named: dict[str, Any] = {}
    places: set[tuple[str, Path]] = set()
    for number, spec in enumerate(loaded.model.sink):
        kind, path = name_of(spec), str(getattr(spec, "path", number))
        place = kind, (loaded.folder / path).resolve()
        if place in places:
            raise UseCaseError(f"sink[{number}]: another sink writes to {path} too; give each a path of its own")
        places.add(place)
        named[f"{kind}:{path}"] = spec
    return named


def _skip(source: Source, state: RunState, stop: threading.Event) -> None:
    """Commits the end of what is there, without answering it: all of it, or nothing where `stop` is set on the way.

    The source follows, so that a line that is being written is not taken for a whole one; it has no more when it has
    waited in vain.
    """
    position: dict[str, str] = {}
    with contextlib.closing(source):
        # An empty folder is nothing to skip; what else is wrong with the source, it says when it is run.
        with contextlib.suppress(DataError):
            idle = 0
            for batch in source.batches({}):
                position |= batch.position
                idle = 0 if batch.position else idle + 1
                if stop.is_set():
                    return
                if idle == IDLE_BATCHES:
                    break
    state.commit(position, {})
