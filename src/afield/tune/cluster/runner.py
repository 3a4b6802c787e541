"""The runner on a Ray cluster: parts of populations as tasks, in order, as many at a time as there is room for."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from afield.errors import AfieldError, StateError, TransientError
from afield.tune.alone import KILLED
from afield.tune.base import Outcome, Referee
from afield.tune.cluster.connection import LOST, Cluster, measured
from afield.tune.cluster.parts import Part, halved, planned
from afield.tune.cluster.relay import Relay
from afield.tune.datasets import Datasets
from afield.tune.together import CaseTrial

GLANCE_SECONDS = 0.5
"""How often tasks are looked at while nothing is told."""
RETRIES = 2
"""How often a task whose worker was killed is run again as it is, before its trials are divided."""


class OnRay:
    """Trains each trial of a use case on a cluster.

    Args:
        ray: its module, connected.
        datasets: of the use case.
        folder: in which interrupted trainings are kept, for the nodes that see it.
        identity: names the search.
        device: as in the use case: with "auto", GPUs where the cluster has some.
    """

    def __init__(self, ray: Any, datasets: Datasets, folder: Path, identity: str, device: str) -> None:
        self._ray = ray
        self._datasets = datasets
        self._folder = folder
        self._identity = identity
        self._device = device

    def run(self, trials: Sequence[CaseTrial], referee: Referee, ended: Collection[int] = ()) -> Iterator[Outcome]:
        """Trains all of them; when the time is up, those that have not ended are left as they are."""
        with _translated(self._ray):
            cluster = measured(self._ray)
            parts, refused = planned(trials, self._datasets, self._tasks(cluster))
            yield from (outcome for outcome in refused if outcome.number not in ended)
            self._folder.mkdir(parents=True, exist_ok=True)
            yield from _Flight(self, cluster, parts, referee, set(ended)).outcomes()

    def _tasks(self, cluster: Cluster) -> int:
        return cluster.accelerators if self.on_gpus(cluster) else max(cluster.processors, 1)

    def on_gpus(self, cluster: Cluster) -> bool:
        """Whether each task takes a GPU."""
        return self._device == "gpu" or (self._device == "auto" and cluster.accelerators > 0)

    def submitted(self, relay: Any, name: int, part: Part, data: Any, rungs: Sequence[int], needs: Any) -> Any:
        """Has a part trained: what Ray knows the task by."""
        from afield.tune.cluster.work import train

        # Not as it is in this process: nodes have it installed.
        options = needs | {"max_retries": RETRIES, "scheduling_strategy": "SPREAD"}
        task: Any = self._ray.remote(train).options(**options)
        given = (rungs, self._folder.absolute(), self._identity, self._device)
        return task.remote(relay, name, list(part.trials), data, *given)

    @property
    def ray(self) -> Any:
        """Its module, connected."""
        return self._ray


class _Flight:
    """One batch of trials on the cluster."""

    def __init__(
        self, runner: OnRay, cluster: Cluster, parts: Sequence[Part], referee: Referee, ended: set[int]
    ) -> None:
        self._runner, self._ray, self._referee, self._ended = runner, runner.ray, referee, ended
        self._parts = dict(enumerate(parts))
        self._names = itertools.count(len(parts))
        waiting = [name for name, part in self._parts.items() if not ended.issuperset(part.numbers)]
        self._waiting = deque(waiting)
        self._flying: dict[Any, int] = {}
        self._gpus = runner.on_gpus(cluster)
        if self._gpus:
            self._needs, self._most = {"num_cpus": 1, "num_gpus": 1}, cluster.accelerators
        else:
            each = max(1, min(cluster.processors // max(len(waiting), 1), cluster.smallest))
            self._needs, self._most = {"num_cpus": each}, max(1, cluster.processors // each)
        self._data: dict[int, Any] = {}

    def outcomes(self) -> Iterator[Outcome]:
        numbered = {name: (part.population, part.numbers) for name, part in self._parts.items()}
        relay: Any = self._ray.remote(Relay).options(num_cpus=0, max_concurrency=1000)
        relay = relay.remote(numbered, sorted(self._ended), self._referee.rungs)
        try:
            while self._waiting or self._flying:
                self._submit(relay)
                told, questions = self._ray.get(relay.news.remote(GLANCE_SECONDS))
                for outcome in told:
                    self._ended.add(outcome.number)
                    yield outcome
                for question in questions:
                    leaving = self._referee.leave(question.epoch, question.values)
                    self._ray.get(relay.answer.remote(question, leaving))
                if self._referee.over:
                    self._waiting.clear()
                    self._ray.get(relay.end.remote())
                yield from self._landed(relay)
            told, _ = self._ray.get(relay.news.remote(0))
            yield from told
        finally:
            for task in self._flying:
                self._ray.cancel(task, force=True)
            self._ray.kill(relay)

    def _submit(self, relay: Any) -> None:
        while self._waiting and len(self._flying) < self._most:
            name = self._waiting.popleft()
            part = self._parts[name]
            if id(part.data) not in self._data:
                self._data[id(part.data)] = self._ray.put(part.data)
            data = self._data[id(part.data)]
            task = self._runner.submitted(relay, name, part, data, self._referee.rungs, self._needs)
            self._flying[task] = name

    def _landed(self, relay: Any) -> Iterator[Outcome]:
        """Takes the tasks that are over; what a crash left of one is divided, or told as failed."""
        if not self._flying:
            return
        if self._gpus and measured(self._ray).accelerators < len(self._flying):
            # Tasks that wait for one another hold their GPUs: without one of them nobody would go on.
            raise TransientError(f"--on: a node with a GPU has left the cluster; {LOST}")
        landed, _ = self._ray.wait(list(self._flying), num_returns=len(self._flying), timeout=0)
        for task in landed:
            name = self._flying.pop(task)
            if not self._crashed(task):
                self._ray.get(relay.finish.remote(name))
                continue
            left = [trial for trial in self._parts[name].trials if trial.number not in self._ended]
            part = Part(self._parts[name].population, tuple(left), self._parts[name].data)
            if len(left) > 1:
                halves = [next(self._names), next(self._names)]
                self._parts |= dict(zip(halves, halved(part), strict=True))
                self._waiting.extendleft(reversed(halves))
                self._ray.get(relay.finish.remote(name, halves))
            else:
                for trial in left:
                    yield Outcome(trial.number, "failed", reason=KILLED)
                    self._ended.add(trial.number)
                self._ray.get(relay.finish.remote(name))

    def _crashed(self, task: Any) -> bool:
        errors = self._ray.exceptions
        try:
            self._ray.get(task)
        except (errors.WorkerCrashedError, errors.OutOfMemoryError, errors.NodeDiedError):
            return True
        return False


@contextmanager
def _translated(ray: Any) -> Generator[None]:
    try:
        yield
    except AfieldError:
        raise
    except ray.exceptions.RayTaskError as failed:
        cause = failed.cause
        if isinstance(cause, AfieldError):
            raise cause from failed
        if isinstance(cause, ImportError):
            raise StateError(
                f"--on: a node lacks {cause.name}: run `pip install 'afield[train,ray]'` there, of the same version"
            ) from failed
        raise
    except (ray.exceptions.RayError, ConnectionError) as lost:
        said = [*str(lost).strip().splitlines(), type(lost).__name__][0]
        raise TransientError(f"--on: the cluster is lost ({said}); {LOST}") from lost
