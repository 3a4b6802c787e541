"""What became of each trial, in a database that outlives the process: an Optuna study, which its tools can read."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, create_trial
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from afield.errors import StateError, TransientError
from afield.tune.base import Outcome
from afield.tune.memory import STATES

BUSY_SECONDS = 30
_OUTCOME, _RUNNING = "afield_outcome", "afield_running"


class Ledger:
    """The trials of one study, in a database.

    Args:
        url: of the database, as SQLAlchemy reads it.
        name: of the study; the same one goes on.
        higher_is_better: whether more of the score is better.

    Raises:
        StateError: the URL is none, its driver is not installed, or the database is none of Optuna's.
        TransientError: it is out of reach.
    """

    def __init__(self, url: str, name: str, higher_is_better: bool) -> None:
        try:
            parsed = make_url(url)
        except ArgumentError:
            raise StateError(
                f"--storage: {url!r} is no URL of a database; expected one such as 'sqlite:////data/tuning.db'"
            ) from None
        self.where = parsed.render_as_string(hide_password=True)
        self._file: Path | None = None
        sqlite = parsed.get_backend_name() == "sqlite" and parsed.database is not None
        with self._translated():
            storage = RDBStorage(url, {"creator": _connected(str(parsed.database))} if sqlite else None)
            direction = "maximize" if higher_is_better else "minimize"
            self._study = optuna.create_study(
                storage=storage, study_name=name, direction=direction, load_if_exists=True
            )
        self._file = Path(str(parsed.database)) if sqlite else None

    def finished(self) -> list[tuple[FrozenTrial, Outcome]]:
        """The trials that are over, by number."""
        with self._translated():
            kept = [(trial, _outcome(trial)) for trial in self._study.get_trials(deepcopy=False)]
        return sorted(kept, key=lambda pair: pair[1].number)

    def running(self) -> dict[int, dict[str, Any]]:
        """Number -> values of the trials that had begun, finished ones among them."""
        with self._translated():
            stored = json.loads(self._study.user_attrs.get(_RUNNING, "{}"))
        return {int(number): values for number, values in stored.items()}

    def begin(self, trials: Mapping[int, Mapping[str, Any]]) -> None:
        """Notes which trials are about to be trained: number -> values."""
        with self._translated():
            self._study.set_user_attr(_RUNNING, json.dumps(trials))

    def end(self, told: Sequence[tuple[FrozenTrial, Outcome]]) -> None:
        """Notes what became of some trials, each with what Optuna knows of it."""
        with self._translated():
            for trial, outcome in told:
                self._study.add_trial(
                    create_trial(
                        state=STATES[outcome.state],
                        value=outcome.score if outcome.state == "complete" else None,
                        params=trial.params,
                        distributions=trial.distributions,
                        intermediate_values=dict(enumerate(outcome.curve, 1)),
                        user_attrs={_OUTCOME: json.dumps(asdict(outcome))},
                    )
                )

    @contextmanager
    def _translated(self) -> Generator[None]:
        # SQLite would go on to write into a file that has no name any more.
        if self._file is not None and not self._file.exists():
            raise self._lost("the file is gone")
        try:
            yield
        except (NoSuchModuleError, ImportError) as missing:
            raise StateError(f"{self.where}: no driver for this kind of database here: {missing}; install it") from None
        except (SQLAlchemyError, StorageInternalError, RuntimeError) as lost:
            raise self._lost(str(lost.__cause__ or lost).splitlines()[0]) from lost

    def _lost(self, said: str) -> TransientError:
        return TransientError(
            f"{self.where}: the database of the search is out of reach ({said}); trials that had ended are kept there;"
            " when it is back, run the same command to go on"
        )


def _connected(database: str) -> Callable[[], sqlite3.Connection]:
    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(database, timeout=BUSY_SECONDS, check_same_thread=False)
        # A crash of the process loses nothing then, and a commit does not wait for the disk.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    return connect


def _outcome(trial: FrozenTrial) -> Outcome:
    return Outcome(**json.loads(trial.user_attrs[_OUTCOME]))
