"""What a use case says about files: the declaration of the `files` source, light enough for `afield check`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from afield.errors import UseCaseError
from afield.usecase.base import Component, Declared, Problem, shorthand

if TYPE_CHECKING:
    from afield.connectors.sources.files.source import FilesSource

Format = Literal["auto", "lines", "csv", "jsonl", "parquet", "idx", "images"]


class ColumnRef(Declared):
    """A column that bears the name of one of the words `file_name` or `folder`."""

    column: str = Field(description="Name of the column.", examples=["folder"], min_length=1)


LabelPart = str | ColumnRef


class Label(Declared):
    """Where the known answer of a record stands."""

    model_config = ConfigDict(populate_by_name=True)

    origin: LabelPart | list[LabelPart] = Field(
        alias="from",
        description="`file_name`, `folder` (the one the file lies in) or the name of a column; a list of these is "
        'joined with "/". A column that is itself called `folder` is written `{column: folder}`.',
        examples=["file_name", "folder", "EventId", ["folder", "EventId"]],
    )
    pattern: str | None = Field(
        default=None,
        description="A regular expression with one group, searched in the name of the file or folder: what the group "
        "finds is the label. Where it finds nothing, there is none.",
        examples=[r"^(\d)_", r"-(\w+)\.png$"],
    )
    strip: str | None = Field(
        default=None,
        min_length=1,
        description='Characters that are taken off both ends of the label: " ." makes ` <=50K.` the class `<=50K`.',
        examples=[" ."],
    )
    merge_rotated: bool = Field(
        default=False,
        description="Gives rotated files one label: `system.log.1.gz` and `system.log-20180711` become `system.log`.",
        examples=[True],
    )

    @property
    def parts(self) -> list[LabelPart]:
        """The parts of the label, in order."""
        return self.origin if isinstance(self.origin, list) else [self.origin]

    @property
    def columns(self) -> list[str]:
        """The columns the label is read from."""
        names = [part.column if isinstance(part, ColumnRef) else part for part in self.parts]
        return [
            name
            for part, name in zip(self.parts, names, strict=True)
            if isinstance(part, ColumnRef) or name not in {"file_name", "folder"}
        ]


class Files(Component):
    """Records from files: each line, row, object or image is one."""

    summary: ClassVar[str] = "Lines, tables or images from a folder; read once or followed as they grow."

    path: str = Field(
        min_length=1,
        description="A folder (every file below it, hidden ones left out), a glob (`**` crosses folders) or a file; "
        "relative to the folder of the use case.",
        examples=["logs", "/var/log/**/*.log", "data/train.csv"],
    )
    format: Format = Field(
        default="auto",
        description="What a file holds; `auto` goes by the name, without .gz, .bz2 or .zst: .csv and .tsv, .jsonl, "
        ".ndjson and .json, .parquet, else lines. Columns of CSV are text; Parquet and JSON bring their types. `idx` "
        "and `images` must be said, and give a column `image`. `idx`: the files of MNIST, such as "
        "`train-images-idx3-ubyte.gz`; where the label is `label`, it is read from `train-labels-idx1-ubyte.gz` beside "
        "it. `images`: PNG or JPEG files, each a record; a damaged one is named in the report and left out.",
        examples=["lines"],
    )
    exclude: list[str] = Field(
        default=[],
        description="Glob patterns of file names to leave out.",
        examples=[["*.bak", "lastlog"]],
    )
    label: Annotated[
        Label | None,
        BeforeValidator(shorthand("from"), json_schema_input_type=Label | LabelPart | list[LabelPart] | None),
    ] = Field(
        default=None,
        description="Where the known answer stands; needed for training, not for running.",
        examples=["file_name", {"from": ["folder", "EventId"]}, {"from": "file_name", "merge_rotated": True}],
    )
    record_start: str | None = Field(
        default=None,
        description="A regular expression (RE2) matched at the start of a line: a line that matches begins a record, "
        "the lines after it that do not match belong to it. Only for lines.",
        examples=[r"\d{4}-\d{2}-\d{2} "],
    )
    columns: list[str] | None = Field(
        default=None,
        description="Only these columns of CSV, JSON Lines or Parquet; all of them where it is left out.",
        examples=[["Content", "Level"]],
    )
    header: list[str] | None = Field(
        default=None,
        min_length=1,
        description="Names of the columns of CSV files whose first line is a record; where it is left out, the first "
        "line has the names.",
        examples=[["age", "work", "income"]],
    )
    strip: bool = Field(
        default=False,
        description="Takes the blanks off both ends of all names and values of CSV, as in `39, Private, Male`.",
        examples=[True],
    )
    max_record_bytes: int = Field(
        default=2**20,
        ge=16,
        le=2**28,
        description="A longer record is cut there, and counted; of lines, CSV and JSON Lines.",
        examples=[65536],
    )

    def lint(self) -> Sequence[Problem]:
        """Problems that types alone cannot say, found without reading data."""
        return [*self._lint_patterns(), *self._lint_label(), *self._lint_columns()]

    def _lint_patterns(self) -> Iterator[Problem]:
        for path, pattern in [(("path",), self.path), *((("exclude", i), p) for i, p in enumerate(self.exclude))]:
            if message := _glob_problem(pattern):
                yield Problem(path, message)
        if self.record_start is None:
            return
        if self.format not in {"auto", "lines"}:
            yield Problem(
                ("record_start",),
                f"record_start joins lines, and format is {self.format}; remove it, or set format: lines",
            )
        import pyarrow as pa
        import pyarrow.compute as pc

        try:
            pc.call_function("match_substring_regex", [pa.array([""])], pc.MatchSubstringOptions(self.record_start))
        except pa.ArrowInvalid as error:
            yield Problem(
                ("record_start",),
                f"expected a regular expression of RE2 (no look-around, no back-references), found "
                f"{self.record_start!r}: {str(error).removeprefix('Invalid regular expression: ')}",
            )

    def _lint_label(self) -> Iterator[Problem]:
        if self.label is None:
            return
        if not self.label.parts:
            yield Problem(
                ("label", "from"), "expected at least one of file_name, folder, or a column; found an empty list"
            )
        if self.label.merge_rotated and "file_name" not in self.label.parts:
            yield Problem(
                ("label", "merge_rotated"),
                "merge_rotated joins the names of rotated files, and the label is not taken from file_name; remove it, "
                "or set from: file_name",
            )
        if self.label.pattern is not None:
            yield from _pattern_problems(self.label)
        known = {"lines": ("lines", []), "images": ("images", []), "idx": ("IDX files", ["label"])}.get(self.format)
        if known and (unknown := [name for name in self.label.columns if name not in known[1]]):
            yield Problem(
                ("label", "from"),
                f"{known[0]} have no column {unknown[0]!r}; "
                f"expected {', '.join([*known[1], 'file_name'])} or folder, or another format",
            )

    def _lint_columns(self) -> Iterator[Problem]:
        for name, given in (("header", self.header is not None), ("strip", self.strip)):
            if given and self.format not in {"auto", "csv"}:
                yield Problem((name,), f"{name} is of CSV, and format is {self.format}; remove it, or set format: csv")
        if self.header and (twice := [name for name in self.header if self.header.count(name) > 1]):
            yield Problem(("header",), f"expected names that differ, found {twice[0]!r} more than once")
        if self.columns is None:
            return
        if self.format in {"lines", "images"}:
            yield Problem(("columns",), f"{self.format} have no columns; remove it, or set another format")
        if not self.columns:
            yield Problem(("columns",), "expected at least one column, found an empty list; leave it out to read all")

    def would_read(self, path: Path, base: Path) -> bool:
        """Whether a file would be read once it is there.

        Args:
            path: where the file would be.
            base: the folder that a relative path of the source starts from.
        """
        from afield.connectors.sources.files.discover import would_find

        return would_find(self, base, path)

    def open(self, *, base: Path, follow: bool, labelled: bool, poll: float = 0.5) -> FilesSource:
        """Opens the files for reading.

        Args:
            base: the folder that a relative path starts from.
            follow: goes on for ever with what is added; otherwise ends with what is there.
            labelled: adds the column LABEL.
            poll: seconds between two looks at the files, when following.

        Returns:
            The source, to be closed after use.

        Raises:
            UseCaseError: a label is asked for and none is declared.
        """
        if labelled and self.label is None:
            raise UseCaseError(
                "source.files: training needs the known answer of each record, and no label is declared; "
                "add label: file_name, label: folder or label: NAME-OF-A-COLUMN"
            )
        from afield.connectors.sources.files.source import FilesSource

        return FilesSource(self, base=base, follow=follow, labelled=labelled, poll=poll)


def _pattern_problems(label: Label) -> Iterator[Problem]:
    path = ("label", "pattern")
    try:
        groups = re.compile(label.pattern or "").groups
    except re.error as error:
        yield Problem(path, f"expected a regular expression, found {label.pattern!r}: {error}")
        return
    if groups != 1:
        yield Problem(path, f"expected one group in parentheses, found {groups} in {label.pattern!r}")
    if len(label.columns) == len(label.parts):
        yield Problem(path, "searches names of files and folders, and the label is not taken from one; remove it")


def _glob_problem(pattern: str) -> str | None:
    for part in pattern.split("/"):
        if "**" in part and part != "**":
            return f"expected ** to stand alone between slashes, found {part!r} in {pattern!r}"
        if "[" in part and "]" not in part[part.index("[") + 2 :]:
            return f"expected a ] after the [ in {pattern!r}; write [[] for the character itself"
    return None
