"""Tuning: seconds of the whole process to try many networks, beside Optuna with Keras's `fit`, and Ray Tune.

Each peer tries the same settings, drawn at random with the same seed: learning rates and dropout rates of a network of
64, 64 and 10 units on 20,000 rows of 64 numbers, 10 epochs each, judged on 4,000 rows apart. They take turns: one
works, the others wait. A turn is a process, from its start to its end; compiled programs are kept on disk between
turns, by all peers that can, and the first turn of each, which fills that cache, is reported apart.

`times` is how many times longer the peer's process takes than Afield's in the same round, the median of the rounds, and
`times_halving` the same against Afield with successive halving. `same_best` says whether the best score of halving lies
in the 95 % interval of the best score without.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

AFIELD, HALVING = "afield", "afield-halving"
PEERS = ("optuna-keras", "ray-tune")
WORK = Path(__file__).parent / "peers" / "tuned.py"


def turn(peer: str, trials: int, epochs: int, rows: int, cache: str) -> dict:
    """One process of a peer: what it found, and its seconds from start to end."""
    environment = os.environ | {"KERAS_BACKEND": "jax", "XDG_CACHE_HOME": cache, "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment |= {"JAX_COMPILATION_CACHE_DIR": f"{cache}/jax", "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    command = [sys.executable, str(WORK), peer, str(trials), str(epochs), str(rows)]
    started = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(f"{peer} failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1]) | {"seconds": seconds}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--trials", type=int, default=64)
    arguments.add_argument("--epochs", type=int, default=10)
    arguments.add_argument("--rows", type=int, default=20_000)
    arguments.add_argument("--peers", nargs="*", choices=PEERS, default=PEERS)
    arguments.add_argument("--rounds", type=int, default=3, help="turns of each peer, after the first one")
    arguments.add_argument("--quick", action="store_true", help="few trials and rows, one round: to see that all work")
    given = arguments.parse_args()
    trials, epochs, rows, rounds = given.trials, given.epochs, given.rows, given.rounds
    if given.quick:
        trials, epochs, rows, rounds = 6, 4, 2_000, 1
    names = (AFIELD, HALVING, *given.peers)
    turns: dict[str, list[dict]] = {name: [] for name in names}
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as cache:
        for number in range(rounds + 1):
            for name in names if number % 2 else names[::-1]:
                turns[name].append(turn(name, trials, epochs, rows, cache))
                print(f"{name}, turn {number}: {turns[name][-1]['seconds']:.1f} s", file=sys.stderr)
    found: dict = {"trials": trials, "epochs": epochs, "rows": rows, "load_before": load, "peers": {}}
    found["processors"] = len(os.sched_getaffinity(0))
    for name, (first, *rest) in turns.items():
        seconds = [one["seconds"] for one in rest]
        entry = {"seconds": median(seconds), "rounds": seconds, "seconds_cold": first["seconds"]}
        if name in PEERS:
            for key, ours in (("times", AFIELD), ("times_halving", HALVING)):
                pairs = zip(seconds, turns[ours][1:], strict=True)
                entry[key] = median(theirs / mine["seconds"] for theirs, mine in pairs)
        found["peers"][name] = entry | {"best": rest[-1]["best"], "interval": rest[-1]["interval"]}
    low, high = found["peers"][AFIELD]["interval"]
    found["same_best"] = low <= found["peers"][HALVING]["best"] <= high
    json.dump(found, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
