"""What a step costs at least: its matrix products and its bytes, at the rates that this machine was measured to have.

The products are those of the layers, forward and backward, each timed alone in its own shape by the fastest of NumPy,
PyTorch and JAX. The bytes are those that Adam must move (a parameter, its gradient and two averages are read, three of
them written) and the rows of the batch; their rate is that of a copy of as many bytes, so that what fits the cache is
measured in the cache. The floor is the larger of the two times, as if one ran wholly behind the other; the element-wise
rest is not counted.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from math import prod

import numpy as np

from peers.networks import Network
from peers.turns import Turns

Product = tuple[int, int, int]
"""(m, k, n): [m, k] times [k, n]."""
TRIES, TRY_SECONDS, CAPTURED = 25, 0.02, 50
LARGE = 256 << 20


def products(network: Network) -> Counter[Product]:
    """The matrix products of a step, and how often each is done."""
    found: Counter[Product] = Counter()
    batch, columns = network.batch, network.shape[-1]
    times = network.shape[0] if len(network.shape) == 2 else 1
    below = False  # whether a layer below needs a gradient of what enters this one
    for kind, *arguments in network.layers:
        if kind != "batch_norm":
            units = arguments[0]
            wide, rows = (4 * units, batch * times) if kind == "lstm" else (units, batch)
            found.update([(rows, columns, wide), (columns, rows, wide)])
            if below:
                found[rows, wide, columns] += 1
            if kind == "lstm":
                # The state before the first step is zero.
                found[batch, units, wide] += times - 1
                found[batch, wide, units] += times - 1
                found[units, batch * (times - 1), wide] += 1
            columns = units
        below = True
    return found


def parameters(network: Network) -> int:
    """Numbers that are trained."""
    count, columns = 0, network.shape[-1]
    for kind, *arguments in network.layers:
        if kind == "batch_norm":
            count += 2 * columns
        else:
            gates = 4 * arguments[0] if kind == "lstm" else arguments[0]
            count += gates * (columns + 1 + (arguments[0] if kind == "lstm" else 0))
            columns = arguments[0]
    return count


def serve(network: Network, device: str) -> None:
    """Measures when it is asked for its result."""
    turns = Turns({}, lambda _: None)
    turns.begin()
    libraries = _libraries(device)
    counted = products(network)
    best = {shape: min((time_of(*shape), name) for name, time_of in libraries.items()) for shape in counted}
    operations = sum(2 * count * prod(shape) for shape, count in counted.items())
    products_seconds = sum(count * best[shape][0] for shape, count in counted.items())
    size = 4 * (7 * parameters(network) + network.batch * prod(network.shape))
    rate, large = _copied(size, device), _copied(LARGE, device)
    step = max(products_seconds, size / rate)
    turns.close(
        {
            "seconds": step * network.rows / network.batch,
            "milliseconds_a_step": step * 1e3,
            "products_milliseconds": products_seconds * 1e3,
            "bytes_milliseconds": size / rate * 1e3,
            "operations": operations,
            "bytes": size,
            "operations_a_second": operations / products_seconds,
            "bytes_a_second": rate,
            "bytes_a_second_large": large,
            "fastest": sorted({name for _, name in best.values()}),
        }
    )


def _libraries(device: str) -> dict[str, Callable[[int, int, int], float]]:
    import jax
    import torch

    torch.set_float32_matmul_precision("high")
    product = jax.jit(lambda a, b: a @ b)
    threads = torch.get_num_threads()

    def by_jax(m: int, k: int, n: int) -> float:
        a, b = jax.numpy.ones((m, k)), jax.numpy.ones((k, n))
        return _timed(lambda count: jax.block_until_ready([product(a, b) for _ in range(count)]))

    def by_torch(m: int, k: int, n: int) -> float:
        where = "cuda" if device == "gpu" else "cpu"
        a, b, c = torch.ones(m, k, device=where), torch.ones(k, n, device=where), torch.ones(m, n, device=where)
        return _of_torch(lambda: torch.mm(a, b, out=c), device)

    def by_torch_alone(m: int, k: int, n: int) -> float:
        torch.set_num_threads(1)
        seconds = by_torch(m, k, n)
        torch.set_num_threads(threads)
        return seconds

    def by_numpy(m: int, k: int, n: int) -> float:
        a, b, c = np.ones((m, k), np.float32), np.ones((k, n), np.float32), np.ones((m, n), np.float32)
        return _timed(lambda count: [np.matmul(a, b, out=c) for _ in range(count)])

    if device == "gpu":
        return {"jax": by_jax, "torch": by_torch}
    return {"jax": by_jax, "torch": by_torch, "torch, one thread": by_torch_alone, "numpy": by_numpy}


def _copied(size: int, device: str) -> float:
    """Bytes a second that a copy reads and writes, both counted."""
    import torch

    there = torch.ones(size // 8, device="cuda" if device == "gpu" else "cpu")
    here = torch.empty_like(there)
    return 2 * there.nbytes / _of_torch(lambda: here.copy_(there), device)


def _of_torch(work: Callable[[], object], device: str) -> float:
    """As `_timed`; on a GPU the work is captured once, so that launching it costs nothing."""
    import torch

    if device != "gpu":
        return _timed(lambda count: [work() for _ in range(count)])
    work()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(CAPTURED):
            work()

    def replayed(count: int) -> None:
        for _ in range(count):
            graph.replay()
        torch.cuda.synchronize()

    return _timed(replayed) / CAPTURED


def _timed(work: Callable[[int], object]) -> float:
    """Seconds of a piece of work that is done so many times, the best of several tries."""
    work(1)
    started = time.perf_counter()
    work(1)
    count = max(1, min(1_000, int(TRY_SECONDS / (time.perf_counter() - started))))
    seconds = []
    for _ in range(TRIES):
        started = time.perf_counter()
        work(count)
        seconds.append(time.perf_counter() - started)
    return min(seconds) / count
