"""Use cases ready to copy, each a folder with its use case, its README and a simulator of its data.

A folder of the gallery holds:

- `usecase.yaml`, and further `*.yaml` files that are variants of it; the source's `path: data` stands on a line of its
  own, and takes the person's path where one is given;
- `README.md`;
- `copied/*.py`, where there is any: code that the use case names, copied beside `usecase.yaml`; it is no part of the
  package, and the folder has no `__init__.py`;
- `simulator.py` with `simulate(folder: Path, *, seed: int) -> Simulated`, which writes data into a folder, and, where a
  person's data come in a layout that no source reads, `prepare(data: Path, folder: Path) -> str | None`, which writes
  them into the folder in one that is read, and says what it wrote; None where they can be read where they are.
"""
