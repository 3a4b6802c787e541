"""The page that says what a bundle is, what it was made from, and what each of its members must be."""

from __future__ import annotations

from typing import Any, Literal

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from afield.errors import BundleError

MANIFEST = "manifest.json"
USE_CASE = "usecase.yaml"
NETWORK = "network.onnx"
EXAMPLES = "examples.arrow"
REPORT = "report.json"

SCHEMA = 2
"""The form of a bundle that this code reads and writes."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Member(_Part):
    """One file of the archive."""

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)


class Input(_Part):
    """One array that enters the network.

    Args:
        name: of the ONNX input.
        dtype: "float32" or "int32".
        feature: name of the feature that it takes; empty for all of them.
        form: "dense": the feature itself, windows written out; "ids" or "weights": of sparse rows, padded;
            "joined": every feature written out, flattened and joined to one matrix; "state": carried from call to
            call, zeros at first, float32[rows, units]: the network's outputs after its first one are the states after
            the call, in the order of these inputs.
    """

    name: str
    dtype: str
    feature: str
    form: Literal["dense", "ids", "weights", "joined", "state"] = "dense"


class Manifest(_Part):
    """What a bundle is and what it was made from.

    Args:
        schema_: form of the bundle, `schema` in the file.
        name: the use case.
        version: its name in the registry it was packed for, such as "v3".
        created: when, with a time zone.
        kind: kind of the question, such as "classify".
        classes: the possible answers, in the order of the network's outputs.
        inputs: what enters the network.
        data: fingerprint of the training data.
        libraries: library -> version that trained it.
        revision: git revision of the use case, where it has one.
        seed: where all randomness came from.
        members: path in the archive -> what it must be; every member but the manifest itself.
    """

    schema_: int = Field(alias="schema")
    name: str
    version: str
    created: AwareDatetime
    kind: str
    classes: list[str]
    inputs: list[Input]
    data: str
    libraries: dict[str, str]
    revision: str | None
    seed: int | None
    members: dict[str, Member]

    def to_json(self) -> bytes:
        """The same bytes for the same content."""
        options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
        return orjson.dumps(self.model_dump(mode="json", by_alias=True), option=options)


def read_manifest(text: bytes) -> Manifest:
    """Reads what `to_json` wrote.

    Raises:
        BundleError: no JSON, a newer schema, a fact that is missing, unknown or of the wrong type, a member missing.
    """
    try:
        found: Any = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BundleError(f"{MANIFEST} is not JSON: {error}") from None
    schema = found.get("schema") if isinstance(found, dict) else None
    if not isinstance(schema, int):
        raise BundleError(f"{MANIFEST} names no schema: this is not a bundle of Afield")
    if schema > SCHEMA:
        raise BundleError(f"it has schema {schema}, this Afield reads {SCHEMA}; upgrade Afield to open it")
    if schema < SCHEMA:
        raise BundleError(f"it has schema {schema}, this Afield reads {SCHEMA}; train the version again")
    try:
        manifest = Manifest.model_validate(found)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        place = ".".join(map(str, problem["loc"]))
        raise BundleError(f"{MANIFEST} is wrong at {place}: {problem['msg']}") from None
    for name in (USE_CASE, NETWORK, EXAMPLES, REPORT):
        if name not in manifest.members:
            raise BundleError(f"{MANIFEST} lists no {name}")
    return manifest
