"""The order in which populations are judged does not depend on who is fast."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

from afield.tune.base import Outcome
from afield.tune.cluster.relay import Question, Relay
from afield.tune.halving import Halving

PARTS: Mapping[int, tuple[int, list[int]]] = {0: (0, [0, 1]), 1: (0, [2, 3]), 2: (1, [4, 5])}
"""A population of two parts, and one of one."""


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, 5))


async def waits(task: asyncio.Task[Any]) -> bool:
    await asyncio.sleep(0.01)
    return not task.done()


async def questions(relay: Relay) -> list[Question]:
    return (await relay.news(0.01))[1]


def test_a_population_is_asked_as_a_whole_and_after_those_before_it() -> None:
    async def scenario() -> None:
        relay = Relay(PARTS, [], [1])
        later = asyncio.create_task(relay.leave(2, 1, {4: 0.4, 5: 0.5}))
        half = asyncio.create_task(relay.leave(0, 1, {0: 0.0, 1: 0.1}))
        assert await waits(half)
        assert await questions(relay) == []
        other = asyncio.create_task(relay.leave(1, 1, {2: 0.2, 3: 0.3}))
        assert await waits(other)
        (first,) = await questions(relay)
        assert first == Question(0, 1, {0: 0.0, 1: 0.1, 2: 0.2, 3: 0.3})
        await relay.answer(first, {0, 2})
        assert await half == {0}
        assert await other == {2}
        assert await waits(later)
        (second,) = await questions(relay)
        assert second == Question(1, 1, {4: 0.4, 5: 0.5})
        await relay.answer(second, [])
        assert await later == set()

    run(scenario())


def test_who_is_over_is_not_waited_for() -> None:
    async def scenario() -> None:
        relay = Relay(PARTS, [2, 3], [1])  # the second part had ended before
        asking = asyncio.create_task(relay.leave(2, 1, {4: 0.4}))
        assert await waits(asking)
        assert await questions(relay) == []
        await relay.finish(0)
        (question,) = await questions(relay)
        assert question.population == 1
        await relay.answer(question, {4})
        assert await asking == {4}

    run(scenario())


def test_a_task_that_is_run_again_gets_the_answers_of_before_and_tells_nothing_twice() -> None:
    async def scenario() -> None:
        relay = Relay({0: (0, [0, 1])}, [], [1])
        asking = asyncio.create_task(relay.leave(0, 1, {0: 0.0, 1: 0.1}))
        assert await waits(asking)
        (question,) = await questions(relay)
        await relay.answer(question, {0})
        assert await asking == {0}
        await relay.tell(Outcome(0, "pruned", 0.0))
        assert await relay.leave(0, 1, {0: 0.0, 1: 0.1}) == {0}
        await relay.tell(Outcome(0, "pruned", 0.0))
        told, asked = await relay.news(0)
        assert [outcome.number for outcome in told] == [0]
        assert asked == []
        assert await relay.ended() == {0}

    run(scenario())


def test_a_part_that_goes_on_as_two_is_waited_for() -> None:
    async def scenario() -> None:
        relay = Relay(PARTS, [], [1])
        later = asyncio.create_task(relay.leave(2, 1, {4: 0.4}))
        await relay.finish(1)
        await relay.finish(0, halves=[7, 8])
        assert await waits(later)
        assert await questions(relay) == []
        await relay.finish(7)
        assert await questions(relay) == []
        await relay.finish(8)
        assert [question.population for question in await questions(relay)] == [1]
        later.cancel()

    run(scenario())


def test_epochs_that_are_no_rungs_are_not_asked_about_and_the_end_wakes_who_waits() -> None:
    async def scenario() -> None:
        relay = Relay(PARTS, [], [3])
        assert await relay.leave(2, 2, {4: 0.4}) == set()
        waiting = asyncio.create_task(relay.leave(2, 3, {4: 0.4}))
        assert await waits(waiting)
        assert not await relay.over()
        await relay.end()
        assert await waiting == set()
        assert await relay.over()

    run(scenario())


def test_the_verdicts_are_those_of_one_machine_whoever_is_first() -> None:
    values = dict(enumerate([0.3, 0.9, 0.1, 0.8, 0.7, 0.2]))
    expected = Halving(3, True)
    here = [expected.losers(1, {n: values[n] for n in numbers}) for numbers in ([0, 1, 2, 3], [4, 5])]

    async def scenario(order: list[int]) -> None:
        relay, halving = Relay(PARTS, [], [1]), Halving(3, True)
        tasks: dict[int, asyncio.Task[set[int]]] = {}
        for part in order:
            tasks[part] = asyncio.create_task(relay.leave(part, 1, {n: values[n] for n in PARTS[part][1]}))
            await asyncio.sleep(0)
        while not all(task.done() for task in tasks.values()):
            for question in await questions(relay):
                await relay.answer(question, halving.losers(question.epoch, question.values))
        found = [tasks[0].result() | tasks[1].result(), tasks[2].result()]
        assert found == here

    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        run(scenario(order))
