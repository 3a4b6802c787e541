"""One search by one peer, as a process of its own: `tuned.py PEER TRIALS EPOCHS ROWS` prints what it found as JSON."""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np

TEST_ROWS = 4_000
LOW, HIGH = 1e-4, 1e-1
"""Learning rates, searched by their logarithm."""
MOST = 0.5
"""Dropout rates, from 0."""
SEED = 0
BATCH = 32


def problem(rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Ten clouds of points that lie over each other, so that no network is right always."""
    random = np.random.default_rng(SEED)
    count = rows + TEST_ROWS
    centres = 0.35 * random.normal(size=(10, 64))
    y = random.integers(0, 10, count).astype(np.int32)
    x = (centres[y] + random.normal(size=(count, 64))).astype(np.float32)
    return x[:rows], y[:rows], x[rows:], y[rows:]


def build(learning_rate: float, rate: float) -> Any:
    """The network that is searched."""
    import keras

    layers = [keras.layers.Input((64,)), keras.layers.Dense(64, activation="relu"), keras.layers.Dropout(rate)]
    layers += [keras.layers.Dense(64, activation="relu"), keras.layers.Dense(10, activation="softmax")]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(learning_rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def afield(trials: int, epochs: int, rows: int, halving: bool) -> float:
    import afield

    x, y, *validation = problem(rows)
    space = {"learning_rate": afield.Range(LOW, HIGH, log=True), "rate": (0.0, MOST)}
    return afield.tune(
        build,
        x,
        y,
        space,
        trials=trials,
        epochs=epochs,
        batch_size=BATCH,
        validation_data=tuple(validation),
        monitor="val_accuracy",
        sampler="random",
        halving=halving,
        seed=SEED,
    ).score


def settings(trials: int) -> list[dict[str, float]]:
    """What Optuna's random sampler draws with the seed."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=SEED))
    asked = [study.ask() for _ in range(trials)]
    return [
        {"learning_rate": trial.suggest_float("learning_rate", LOW, HIGH, log=True)}
        | {"rate": trial.suggest_float("rate", 0.0, MOST)}
        for trial in asked
    ]


def optuna_keras(trials: int, epochs: int, rows: int) -> float:
    import keras
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    x, y, *validation = problem(rows)

    def objective(trial: Any) -> float:
        keras.utils.set_random_seed(SEED)
        rate = trial.suggest_float("learning_rate", LOW, HIGH, log=True)
        model = build(rate, trial.suggest_float("rate", 0.0, MOST))
        fitted = model.fit(x, y, BATCH, epochs, verbose=0, validation_data=tuple(validation))
        return fitted.history["val_accuracy"][-1]

    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=SEED), direction="maximize")
    study.optimize(objective, trials)
    return study.best_value


def ray_tune(trials: int, epochs: int, rows: int) -> float:
    import ray
    from ray import tune

    ray.init(log_to_driver=False, include_dashboard=False)
    data = ray.put(problem(rows))

    def trainable(config: dict[str, Any]) -> dict[str, float]:
        import keras

        x, y, *validation = ray.get(data)
        keras.utils.set_random_seed(SEED)
        model = build(**config["setting"])
        fitted = model.fit(x, y, BATCH, epochs, verbose=0, validation_data=tuple(validation))
        return {"accuracy": fitted.history["val_accuracy"][-1]}

    space = {"setting": tune.grid_search(settings(trials))}
    tuner = tune.Tuner(tune.with_resources(trainable, {"cpu": 1}), param_space=space)
    best = tuner.fit().get_best_result("accuracy", "max")
    ray.shutdown()
    return best.metrics["accuracy"]


def main(peer: str, trials: int, epochs: int, rows: int) -> None:
    if peer.startswith("afield"):
        best = afield(trials, epochs, rows, peer == "afield-halving")
    elif peer == "optuna-keras":
        best = optuna_keras(trials, epochs, rows)
    else:
        best = ray_tune(trials, epochs, rows)
    half = 1.96 * (best * (1 - best) / TEST_ROWS) ** 0.5
    print(json.dumps({"best": best, "interval": [best - half, best + half]}))


if __name__ == "__main__":
    name, *numbers = sys.argv[1:]
    main(name, *map(int, numbers))
