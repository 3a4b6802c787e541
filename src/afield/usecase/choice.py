"""A mapping with exactly one key, `name: arguments`: how a use case says which one of several it wants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler, create_model, model_validator
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

Whole = Annotated[int, Field(strict=True)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Flag = Annotated[bool, Field(strict=True)]
Positive = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0)]


class Choice(BaseModel):
    """A mapping with one key: the base of the models that `choice` builds."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"minProperties": 1, "maxProperties": 1})

    @model_validator(mode="after")
    def _one_only(self) -> Choice:
        given = sorted(self.model_fields_set)
        if len(given) == 1:
            return self
        listed = ", ".join(f"'{name}'" for name in given or type(self).model_fields)
        found = f"found {len(given)}: {listed}" if given else f"found none; there are {listed}"
        raise PydanticCustomError("one_only", "{text}", {"text": f"expected one {type(self).__name__}, {found}"})

    def chosen(self) -> Any:
        """What stands under the one key."""
        (name,) = self.model_fields_set
        return getattr(self, name)


def choice(noun: str, kinds: Mapping[str, type[BaseModel]], broken: Mapping[str, str] | None = None) -> type[Choice]:
    """The model of a mapping with exactly one key.

    Args:
        noun: what is chosen, for messages and as the name of the model ("source").
        kinds: name -> the model of what stands under it.
        broken: name -> why it cannot be used, said when it is.
    """
    fields: dict[str, Any] = {}
    for name, model in kinds.items():
        summary = getattr(model, "summary", None)
        fields[name] = (model, Field(default=None, description=summary or None, json_schema_extra=_drop_default))
    for name, reason in (broken or {}).items():
        fields[name] = (Annotated[SkipJsonSchema[Any], BeforeValidator(_refusal(reason))], None)
    return create_model(noun, __base__=Choice, **fields)


def _drop_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


def _refusal(reason: str) -> Callable[[Any], Any]:
    def refuse(value: Any) -> Any:
        raise ValueError(reason)

    return refuse


def spelt_out(value: Any) -> Any:
    """`name` and `name:` mean `name: {}`."""
    if isinstance(value, str):
        return {value: {}}
    if isinstance(value, dict):
        return {name: {} if arguments is None else arguments for name, arguments in value.items()}
    return value


@dataclass(frozen=True, eq=False)
class OneNamed:
    """Annotation of a field that holds `{name: arguments}`, checked against a table and kept as it was written.

    Args:
        noun: what is named.
        table: name -> argument -> default.
    """

    noun: str
    table: Mapping[str, Mapping[str, Any]]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        kinds = {name: _arguments(name, defaults) for name, defaults in self.table.items()}

        def as_written(chosen: Choice) -> dict[str, dict[str, Any]]:
            return chosen.model_dump(exclude_unset=True)

        return core_schema.no_info_before_validator_function(
            spelt_out,
            core_schema.no_info_after_validator_function(as_written, handler.generate_schema(choice(self.noun, kinds))),
            serialization=core_schema.plain_serializer_function_ser_schema(dict),
        )


def _arguments(name: str, defaults: Mapping[str, Any]) -> type[BaseModel]:
    fields: dict[str, Any] = {argument: (_type_of(argument, value), value) for argument, value in defaults.items()}
    return create_model(name, __config__=ConfigDict(extra="forbid", frozen=True), **fields)


def _type_of(argument: str, default: Any) -> Any:
    if default is None:
        return Annotated[float | None, Field(strict=True, allow_inf_nan=False, gt=0)]
    if argument == "learning_rate":
        return Positive
    if isinstance(default, bool):
        return Flag
    if isinstance(default, int):
        return Annotated[Whole, Field(ge=0)]
    return Annotated[Number, Field(ge=0)]
