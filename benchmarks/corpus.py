"""Real log lines of several kinds, for the benchmarks that need many."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np

KINDS = {
    "nginx": "logs/nginx_access_zanbil_100k.log.gz",
    "pgbouncer": "logs/pgbouncer_2018.log.gz",
    "postgres": "logs/postgres_syslog.log.gz",
    "auth": "logs/linux_auth_elastic.log.gz",
    "android": "loghub_2k/Android/Android_2k.log",
    "hdfs": "loghub_2k/HDFS/HDFS_2k.log",
    "spark": "loghub_2k/Spark/Spark_2k.log",
}


def data_folder() -> Path:
    """Where the data sets lie: AFIELD_DATA, or beside the checkout."""
    return Path(os.environ.get("AFIELD_DATA", Path(__file__).parents[2] / "shared" / "data"))


def read(kind: str) -> list[str]:
    """Every line of a kind."""
    path = data_folder() / KINDS[kind]
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        return file.read().decode("utf-8", errors="replace").splitlines()


def lines(most: int, seed: int = 0) -> tuple[list[str], np.ndarray]:
    """Lines of all seven kinds in random order with their kind, no kind more than its share allows.

    Args:
        most: how many; the small kinds give all they have, the large ones share the rest equally.
        seed: of the draw.
    """
    random = np.random.default_rng(seed)
    texts = {kind: read(kind) for kind in KINDS}
    left, taken = most, {}
    for place, kind in enumerate(sorted(texts, key=lambda kind: len(texts[kind]))):
        count = min(len(texts[kind]), left // (len(texts) - place))
        taken[kind] = random.choice(len(texts[kind]), count, replace=False)
        left -= count
    pairs = [(texts[kind][i], number) for number, kind in enumerate(KINDS) for i in taken[kind]]
    order = random.permutation(len(pairs))
    return [pairs[i][0] for i in order], np.array([pairs[i][1] for i in order], np.int32)
