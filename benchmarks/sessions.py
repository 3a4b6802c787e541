"""One row at work: a bundle in process, beside Keras's `predict_on_batch` and PyTorch's eager mode.

Three use cases of the gallery are trained for one epoch and packed: the wide network of `subscribers` (batch
normalization and two LSTM layers of 512 units on 12 days of 208 features), the default one of `digits` (MNIST where it
is at hand) and that of `logs`. Two figures of Afield: `afield-session`, from features to what the network computes, and
`afield-record`, from raw records (of a window, all its rows) through the preprocessing to the answer as Python values.
The peers have a network of the same shape and are given features: the right one to compare is `afield-session`.

Each has a process of its own; they take turns of 40 calls in many rounds, and a turn counts by its median. PyTorch's
threads are tried both as one and as all. `times` is the time of `afield-session` as a part of the peer's, in the same
round, the median of the rounds: 0.5 is half the peer's time.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from corpus import data_folder
from peers.rows import LAYERS
from peers.turns import LeftOut, Peer
from training import KERAS, environment

OURS = ("afield-session", "afield-record")
PEERS = (*KERAS, "pytorch")
LIMITED = ("keras-torch", "pytorch")
VARIANTS = {"subscribers": "wide.yaml"}


def bundle(case: str, folder: Path) -> Path:
    """A use case of the gallery, trained for one epoch and packed."""
    data: list[str] = []
    if case == "subscribers":
        simulator = importlib.import_module(f"afield.gallery.{case}.simulator")
        simulator.simulate(folder / "days", seed=0, subscribers=240)
        data = ["--data", str(folder / "days")]
    elif case == "digits" and (data_folder() / "mnist").is_dir():
        data = ["--data", str(data_folder() / "mnist")]
    quiet = {"env": environment("afield", "cpu"), "check": True, "stdout": subprocess.DEVNULL}
    subprocess.run([sys.executable, "-m", "afield", "new", case, folder / case, *data], **quiet)
    declared = folder / case / VARIANTS.get(case, "usecase.yaml")
    subprocess.run([sys.executable, "-m", "afield", "train", declared, "--set", "train.epochs=1"], **quiet)
    (found,) = (folder / case).glob(".afield/versions/*.afield")
    return found


def measured(case: str, packed: Path, rounds: int) -> dict:
    """One row of one case, all peers."""
    threads = len(os.sched_getaffinity(0))
    working: dict[str, Peer] = {}
    left_out: dict[str, str] = {}
    facts: dict = {"bundle": str(packed)}
    row: dict = {}
    for peer in (*OURS, *PEERS):
        try:
            known = facts if peer in OURS else row
            working[peer] = Peer(["row", peer, case, json.dumps(known)], environment(peer, "cpu"))
            row = row or working[peer].hello
            working[peer].turn(threads)
        except LeftOut as reason:
            left_out[peer] = str(reason)
            working.pop(peer, None)
    settings = [(peer, n) for peer in working for n in sorted({1, threads} if peer in LIMITED else {threads})]
    seconds: dict[tuple[str, int], list[float]] = {setting: [] for setting in settings}
    for number in range(rounds):
        random.Random(number).shuffle(settings)
        for peer, limit in settings:
            seconds[peer, limit].append(working[peer].turn(limit))
    for process in working.values():
        process.result()
    ours = seconds["afield-session", threads]
    found = {}
    for peer in working:
        limit = min((n for name, n in seconds if name == peer), key=lambda n: median(seconds[peer, n]))
        taken = seconds[peer, limit]
        found[peer] = {"milliseconds": median(taken) * 1e3, "fastest_milliseconds": min(taken) * 1e3, "threads": limit}
        if peer in PEERS:
            found[peer]["times"] = median(a / b for a, b in zip(ours, taken, strict=True))
    keras = [peer for peer in KERAS if peer in found]
    best = max(keras, key=lambda peer: found[peer]["times"])
    entries = {"row": row, "peers": found, "best_keras": best, "times_best_keras": found[best]["times"]}
    return entries | {"times_pytorch": found["pytorch"]["times"], "left_out": left_out}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--cases", nargs="+", choices=LAYERS, default=list(LAYERS), metavar="NAME")
    arguments.add_argument("--rounds", type=int, default=25)
    arguments.add_argument("--quick", action="store_true", help="three rounds: to see that all peers work")
    given = arguments.parse_args()
    found: dict = {"processors": len(os.sched_getaffinity(0)), "load_before": os.getloadavg()[0], "cases": {}}
    with tempfile.TemporaryDirectory() as temporary:
        for case in given.cases:
            packed = bundle(case, Path(temporary))
            found["cases"][case] = measured(case, packed, 3 if given.quick else given.rounds)
    json.dump(found, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
