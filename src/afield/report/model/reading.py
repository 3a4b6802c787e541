"""A report or a comparison as text, and back."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from afield.errors import StateError
from afield.report.model.base import Fixed
from afield.report.model.contenders import COMPARISON_SCHEMA, Comparison
from afield.report.model.report import SCHEMA, Report

Document = TypeVar("Document", Report, Comparison)


def json_text(document: Fixed) -> str:
    """The text of a document such as report.json: keys in declared order, the same bytes for the same content."""
    return document.model_dump_json(indent=2) + "\n"


class _Schema(BaseModel):
    schema_version: Any = Field(default=None, alias="schema")


def from_json(text: str | bytes, where: str) -> Report:
    """Reads what `json_text` wrote of a report.

    Args:
        text: the content of a report.json.
        where: its name, for the message of an error.

    Raises:
        StateError: the text is no report, or one of another schema.
    """
    return _read(Report, text, where, "report", SCHEMA, "train the version again")


def comparison_from_json(text: str | bytes, where: str) -> Comparison:
    """Reads what `json_text` wrote of a comparison.

    Args:
        text: the content of a compare.json.
        where: its name, for the message of an error.

    Raises:
        StateError: the text is no comparison, or one of another schema.
    """
    return _read(Comparison, text, where, "comparison", COMPARISON_SCHEMA, "compare the models again")


def _read(form: type[Document], text: str | bytes, where: str, what: str, schema: int, advice: str) -> Document:
    try:
        found = _Schema.model_validate_json(text).schema_version
        if isinstance(found, int) and found > schema:
            raise StateError(
                f"{where}: expected a {what} of schema {schema}, found schema {found}; "
                "read it with a newer afield: pip install --upgrade afield"
            )
        if isinstance(found, int) and found < schema:
            raise StateError(f"{where}: expected a {what} of schema {schema}, found schema {found}; {advice}")
        return form.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole text"
        raise StateError(
            f"{where}: expected a {what} of schema {schema}, found at {place}: {first['msg']}; {advice}"
        ) from None
