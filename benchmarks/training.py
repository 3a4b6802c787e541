"""Training: seconds an epoch of `afield.fit`, beside Keras on three backends, PyTorch, skorch, Lightning, scikit-learn.

Each peer trains the same network on the same rows with the same batches and Adam, in a process of its own. They take
turns: one works, the others wait, and every round has a turn of each in another order, so that whatever else the
machine does hits all alike. A peer is one long call of its own `fit`; an epoch lasts from the end of the one before to
its own end. A turn is four epochs, of which the last counts. The first epoch of all, in which programs are compiled,
is reported apart. PyTorch's and scikit-learn's threads are tried both as one and as all on the small networks, and the
faster setting counts.

`times` is how many times longer the peer's epoch takes than Afield's in the same round, the median of the rounds.
`floor` is what the machine could do at best, see `peers/floor.py`.

The whole process is measured too: `afield train` on a small table, from its start to the end of its first epoch.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
from statistics import median

from peers.networks import Network, networks
from peers.starting import whole_process
from peers.turns import LeftOut, Peer

KERAS = ("keras-jax", "keras-tensorflow", "keras-torch")
OTHERS = ("pytorch", "skorch", "lightning", "scikit-learn")
PEERS = ("afield", *KERAS, *OTHERS)
LIMITED = ("keras-torch", *OTHERS)
"""Peers whose number of threads can be set."""
EPOCHS = 4
"""Of a turn; the last one counts."""
WHOLE_PROCESS = "whole-process"


def environment(peer: str, device: str) -> dict[str, str]:
    """Of a peer's process."""
    backend = peer.removeprefix("keras-") if peer in KERAS else "jax"
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}
    # Several processes share an accelerator: none may take all of its memory.
    shared = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", "TF_FORCE_GPU_ALLOW_GROWTH": "true"}
    without = {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""} if device == "cpu" else {}
    return os.environ | {"KERAS_BACKEND": backend} | quiet | shared | without


def measured(name: str, network: Network, peers: list[str], device: str, rounds: int, size: str) -> dict:
    """One network, all peers."""
    working: dict[str, Peer] = {}
    left_out: dict[str, str] = {}
    first: dict[str, float] = {}
    threads = len(os.sched_getaffinity(0))
    tried: dict[str, list[int]] = {}
    for peer in peers:
        several = network.alone and peer in LIMITED and device == "cpu"
        tried[peer] = sorted({1, threads}) if several else [threads]
        try:
            working[peer] = Peer(["train", peer, name, device, size], environment(peer, device))
            first[peer] = working[peer].turn(tried[peer][0])
        except LeftOut as reason:
            left_out[peer] = str(reason)
            working.pop(peer, None)
    seconds: dict[tuple[str, int], list[float]] = {(peer, n): [] for peer in working for n in tried[peer]}
    order = list(seconds)
    for number in range(rounds):
        random.Random(number).shuffle(order)
        for peer, limit in order:
            if peer not in working:
                continue
            try:
                seconds[peer, limit].append(working[peer].turn(limit, EPOCHS))
            except LeftOut as reason:
                left_out[peer] = str(reason)
                del working[peer]
    found = {}
    for peer, process in working.items():
        best = min(tried[peer], key=lambda limit: median(seconds[peer, limit]))
        found[peer] = {
            "seconds": median(seconds[peer, best]),
            "first_epoch_seconds": first[peer],
            "rounds": seconds[peer, best],
            "threads": best,
            "versions": process.hello["versions"],
            "learned": process.result(),
        }
    for peer, entry in found.items():
        if "afield" in found and peer != "afield":
            pairs = zip(entry["rounds"], found["afield"]["rounds"], strict=True)
            entry["times"] = median(theirs / ours for theirs, ours in pairs)
    entries = {"rows": network.rows, "batch": network.batch, "steps": network.steps, "peers": found}
    entries |= best_of(found, "keras", KERAS) | best_of(found, "other", OTHERS)
    try:
        entries["floor"] = Peer(["floor", name, device, size], environment("floor", device)).result()
    except LeftOut as reason:
        left_out["floor"] = str(reason)
    if "afield" in found and "floor" in entries:
        entries["times_floor"] = found["afield"]["seconds"] / entries["floor"]["seconds"]
    return entries | {"left_out": left_out}


def best_of(found: dict, kind: str, peers: tuple[str, ...]) -> dict:
    """The fastest of several peers, and how many times longer than Afield it takes."""
    there = [peer for peer in peers if "times" in found.get(peer, {})]
    if not there:
        return {}
    best = min(there, key=lambda peer: found[peer]["times"])
    return {f"best_{kind}": best, f"times_best_{kind}": found[best]["times"]}


def main() -> None:
    names = [*networks(), WHOLE_PROCESS]
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--networks", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names))
    arguments.add_argument("--peers", nargs="+", choices=PEERS, default=PEERS, metavar="NAME", help=", ".join(PEERS))
    arguments.add_argument("--rounds", type=int, default=7, help="epochs of each peer, the first one not counted")
    arguments.add_argument("--device", choices=("auto", "cpu", "gpu"), default="auto")
    arguments.add_argument("--quick", action="store_true", help="few rows and two rounds: to see that all peers work")
    given = arguments.parse_args()
    device = given.device
    if device == "auto":
        device = "gpu" if shutil.which("nvidia-smi") else "cpu"
    rounds, size = (2, "quick") if given.quick else (given.rounds, "whole")
    load = os.getloadavg()[0]
    found: dict = {"device": device, "processors": len(os.sched_getaffinity(0)), "load_before": load, "networks": {}}
    for name, network in networks(given.quick).items():
        if name in given.networks:
            found["networks"][name] = measured(name, network, list(given.peers), device, rounds, size)
            print(f"{name}: {summary(found['networks'][name])}", file=sys.stderr)
    if WHOLE_PROCESS in given.networks:
        found[WHOLE_PROCESS.replace("-", "_")] = whole_process(1 if given.quick else 5)
    json.dump(found, sys.stdout, indent=2)
    print()


def summary(entries: dict) -> str:
    """One network in a line, while the next ones are still to come."""
    times = {peer: entry["times"] for peer, entry in entries["peers"].items() if "times" in entry}
    said = [f"{peer} {value:.2f}" for peer, value in sorted(times.items(), key=lambda pair: pair[1])]
    ours = entries["peers"].get("afield", {}).get("seconds", float("nan"))
    return f"afield {ours:.3f} s an epoch; times longer: {', '.join(said)}"


if __name__ == "__main__":
    main()
