"""The triggers of a run: asked in turn, and given again what each of them wants to remember."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from afield.runtime.triggers import Firings, Trigger, Waiting
from afield.runtime.waiting import Queue

OWN = "_loop:"
"""How the streams begin that the loop commits for itself; no source is given them."""
IDLE_SECONDS = 60.0
"""How long marks wait to be committed where no answer is committed with them."""


class Watches:
    """The triggers, the time, and their marks.

    Args:
        triggers: any of which fires.
        clock: seconds; never goes back.
        wall: seconds since 1970.
    """

    def __init__(self, triggers: Sequence[Trigger], clock: Callable[[], float], wall: Callable[[], float]) -> None:
        self._triggers = {
            f"{OWN}trigger:{place}:{type(trigger).__name__}": trigger for place, trigger in enumerate(triggers)
        }
        self._clock = clock
        self._wall = wall
        self.wake_at: float | None = None
        """Seconds on the clock at which to ask again though nothing arrives."""
        self._drained = False
        self._begun = self._latest = self._committed = 0.0
        # Name -> mark, and when it was given; None in an earlier run.
        self._marks: dict[str, tuple[str, float | None]] = {}
        self._moved: set[str] = set()
        # Name -> how many records of this run it was asked about.
        self._asked: dict[str, int] = {}

    def restore(self, committed: Mapping[str, str]) -> None:
        """Begins a run.

        Args:
            committed: what `marks` gave, among others.
        """
        self._begun = self._latest = self._committed = self._clock()
        self._marks = {name: (committed[name], None) for name in self._triggers if name in committed}

    def arrived(self, count: int, drained: bool) -> None:
        """The source gave something, or said that it has no more for now.

        Args:
            count: records that wait since.
            drained: whether it has no more for now.
        """
        self._drained = drained
        if count:
            self._latest = self._clock()

    def plan(self, queue: Queue) -> Firings:
        """What the first trigger that wants to wants done; no slices, and when to ask again, where none wants to."""
        wake_at: list[float] = []
        runs = 0
        for name, trigger in self._triggers.items():
            firings = trigger.plan(self._waiting(queue, name))
            runs += firings.runs
            self._asked[name] = 0 if firings.slices else queue.taken + queue.pending
            if firings.mark is not None:
                self._marks[name] = firings.mark, self._clock()
                self._moved.add(name)
            if firings.slices:
                return Firings(firings.slices, runs=runs)
            if firings.wake_at is not None:
                wake_at.append(firings.wake_at)
        self.wake_at = min(wake_at, default=None)
        return Firings([], self.wake_at, runs=runs)

    def marks(self) -> dict[str, str]:
        """The marks that moved since the last call, to be committed."""
        moved = {name: self._marks[name][0] for name in self._moved}
        self._moved.clear()
        self._committed = self._clock()
        return moved

    @property
    def moved(self) -> bool:
        """Whether there are marks to be committed."""
        return bool(self._moved)

    @property
    def due(self) -> bool:
        """Whether they have waited for long enough."""
        return self.moved and self._clock() - self._committed >= IDLE_SECONDS

    def _waiting(self, queue: Queue, name: str) -> Waiting:
        now = self._clock()
        since = queue.since()
        mark, given = self._marks.get(name, (None, None))
        return Waiting(
            pending=queue.pending,
            records=queue.records,
            seen=max(self._asked.get(name, 0) - queue.taken, 0),
            now=now,
            since=now if since is None else since,
            latest=self._latest,
            drained=self._drained,
            wall=self._wall(),
            mark=mark,
            resumed=mark is not None and given is None,
            elapsed=now - (self._begun if given is None else given),
        )
