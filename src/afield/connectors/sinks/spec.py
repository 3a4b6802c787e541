"""How the file sinks are declared in a use case."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import ByteSize, Field, WithJsonSchema, model_validator

from afield.connectors.base import Sink
from afield.usecase.base import Component, Declared, shorthand

Size = Annotated[
    ByteSize, WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^[0-9.]+ ?[kKMGT]?i?B?$"}]})
]
"""Bytes, as a number or with a unit: 256MB (of 1000 each), 256MiB (of 1024)."""

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Rotate(Declared):
    """When a new file is started: as soon as one of the limits would be passed."""

    rows: int = Field(default=1_000_000, ge=1, description="Answers in one file.", examples=[100_000])
    bytes: Size = Field(default=ByteSize(256_000_000), gt=0, description="Size of one file.", examples=["64MB"])
    age: str | None = Field(
        default=None,
        pattern=r"^[1-9]\d*[smhd]$",
        description="Time after which the next answer goes to a new file: s, m, h or d.",
        examples=["1d"],
    )

    @property
    def seconds(self) -> float | None:
        """The age as a number."""
        return None if self.age is None else int(self.age[:-1]) * _SECONDS[self.age[-1]]


class _Files(Component):
    path: str = Field(
        default="answers", min_length=1, description="Folder for the files, relative to the use case.", examples=["out"]
    )
    rotate: Rotate = Field(default=Rotate(), description="When a new file is started.", examples=[{"rows": 100_000}])
    keep: int | None = Field(
        default=None,
        ge=1,
        description="Finished files to keep; older ones are deleted. All are kept without it.",
        examples=[30],
    )
    sync: bool = Field(
        default=True,
        description="Whether answers are on the disk before the position is committed. "
        "Without it a power cut, but no crash of the process, may lose the last of them.",
        examples=[False],
    )

    suffixes: ClassVar[tuple[str, ...]]
    """Of its files."""

    _short = model_validator(mode="before")(shorthand("path"))

    def writes_to(self, base: Path) -> list[Path]:
        """The first of the files that it writes, under each name that it bears.

        Args:
            base: the folder of the use case.
        """
        return [base / self.path / f"answers-000001{suffix}" for suffix in self.suffixes]


class JsonLines(_Files):
    """Answers as one JSON object a line, in files `answers-000001.jsonl` and on."""

    summary: ClassVar[str] = "One JSON object a line, in files that are rotated."
    suffixes: ClassVar[tuple[str, ...]] = (".jsonl",)

    def open(self, base: Path) -> Sink:
        """The sink, with its folder relative to `base`, the folder of the use case."""
        from afield.connectors.sinks.files import FileSink
        from afield.connectors.sinks.jsonl import JsonLinesFormat

        return FileSink(base / self.path, JsonLinesFormat(), self.rotate, self.keep, self.sync)


class Parquet(_Files):
    """Answers as Parquet files `answers-000001.parquet` and on; the one being written is an Arrow stream, `.arrows`."""

    summary: ClassVar[str] = "Parquet files that are rotated; the newest is an Arrow stream until it is full."
    suffixes: ClassVar[tuple[str, ...]] = (".arrows", ".parquet")

    def open(self, base: Path) -> Sink:
        """The sink, with its folder relative to `base`, the folder of the use case."""
        from afield.connectors.sinks.files import FileSink
        from afield.connectors.sinks.parquet import ParquetFormat

        return FileSink(base / self.path, ParquetFormat(), self.rotate, self.keep, self.sync)
