"""Between the tasks that train and the search that judges: keeps the order in which one machine would have asked."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from afield.tune.base import Outcome


@dataclass(frozen=True)
class Question:
    """What the search must be asked: who of a population leaves after an epoch.

    Args:
        population: its place in the order.
        epoch: just over, from 1.
        values: number of the trial -> the watched figure, of all its members that are left.
    """

    population: int
    epoch: int
    values: Mapping[int, float]


class Relay:
    """Takes outcomes from tasks and questions of their populations, for the search to fetch and to answer.

    One machine trains population after population, and compares each with those before it alone. Tasks run side by
    side: the question of a population waits here until those before it have asked theirs after the same epoch, or are
    over. So what leaves does not depend on who is fast. A task that was killed and is run again is given the answers of
    before.

    Args:
        parts: name of the part -> (place of its population in the order, numbers of its trials).
        ended: numbers of the trials that are over already.
        rungs: epochs after which trials may leave.
    """

    def __init__(
        self, parts: Mapping[int, tuple[int, Sequence[int]]], ended: Collection[int], rungs: Collection[int]
    ) -> None:
        self._population = {part: place for part, (place, _) in parts.items()}
        self._ended = set(ended)
        self._rungs = frozenset(rungs)
        self._open = {part for part, (_, numbers) in parts.items() if not self._ended.issuperset(numbers)}
        self._asked: dict[tuple[int, int], dict[int, Mapping[int, float]]] = {}
        self._answers: dict[tuple[int, int], frozenset[int]] = {}
        self._outcomes: list[Outcome] = []
        self._over = False
        self._changed = asyncio.Condition()

    async def ended(self) -> set[int]:
        """Numbers of the trials that are over."""
        return set(self._ended)

    async def over(self) -> bool:
        """Whether the time is up."""
        return self._over

    async def leave(self, part: int, epoch: int, values: Mapping[int, float]) -> set[int]:
        """Who of a part leaves after an epoch; waits for the answer."""
        if epoch not in self._rungs:
            return set()
        asked = self._population[part], epoch
        async with self._changed:
            if asked not in self._answers:
                self._asked.setdefault(asked, {})[part] = values
                self._changed.notify_all()
                await self._changed.wait_for(lambda: asked in self._answers or self._over)
            return set(self._answers.get(asked, frozenset()) & values.keys())

    async def tell(self, outcome: Outcome) -> None:
        """Takes what became of a trial; of one that is known already, nothing."""
        async with self._changed:
            if outcome.number not in self._ended:
                self._ended.add(outcome.number)
                self._outcomes.append(outcome)
                self._changed.notify_all()

    async def news(self, seconds: float) -> tuple[list[Outcome], list[Question]]:
        """What was told, and what is to be answered; waits for some, at most that long."""
        async with self._changed:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait_for(lambda: self._outcomes or self._ready()), seconds)
            told, self._outcomes = self._outcomes, []
            return told, self._ready()

    async def answer(self, question: Question, leaving: Collection[int]) -> None:
        """Takes the answer to a question."""
        async with self._changed:
            self._answers[question.population, question.epoch] = frozenset(leaving)
            self._changed.notify_all()

    async def finish(self, part: int, halves: Sequence[int] = ()) -> None:
        """A part is over; or goes on as two others."""
        async with self._changed:
            self._open.discard(part)
            for half in halves:
                self._population[half] = self._population[part]
                self._open.add(half)
            self._changed.notify_all()

    async def end(self) -> None:
        """The time is up: who waits for an answer gets none."""
        async with self._changed:
            self._over = True
            self._changed.notify_all()

    def _ready(self) -> list[Question]:
        """The questions that all of their population have asked, and that nobody before them has still to ask."""
        ready: list[Question] = []
        for (place, epoch), asked in sorted(self._asked.items()):
            if (place, epoch) in self._answers:
                continue
            others = {part: self._population[part] for part in self._open - asked.keys()}
            earlier = {self._population[part] for part in self._open if self._population[part] < place}
            settled = all((before, epoch) in self._answers for before in earlier)
            if settled and place not in others.values():
                values = {number: value for part in asked.values() for number, value in part.items()}
                ready.append(Question(place, epoch, values))
        return ready
