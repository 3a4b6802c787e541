"""Runs a command that cannot write files larger than so many bytes; the system answers as where the disk is full.

Arguments: bytes, then the command. A limit set between fork and exec would fork pytest itself, threads and all.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys


def limited(largest: int, *command: object, **options: str) -> subprocess.CompletedProcess[str]:
    """Runs a Python command to its end under the limit.

    Args:
        largest: bytes of a file.
        command: what comes after `python`.
        options: environment on top of this process's own.
    """
    words = [sys.executable, __file__, str(largest), sys.executable, *map(str, command)]
    return subprocess.run(words, env=os.environ | options, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    bound = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_FSIZE, (bound, bound))
    os.execv(sys.argv[2], sys.argv[2:])
