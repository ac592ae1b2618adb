"""Params: dataclasses that a JSON Schema describes, and that are only made of JSON that fits it."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import math
import types
import typing
from collections.abc import Callable
from typing import Any, TypeVar

from . import refuse

if typing.TYPE_CHECKING:
    from fastjsonschema import JsonSchemaValueException

T = TypeVar("T")


def param(
    description: str,
    *,
    default: Any = dataclasses.MISSING,
    default_factory: Any = dataclasses.MISSING,
    min: float | None = None,
    max: float | None = None,
    min_length: int | None = None,
    max_length: int | None = None,
    pattern: str | None = None,
) -> Any:
    """Describes one param.

    ``min`` and ``max`` bound a number; the lengths bound a text, list or mapping; ``pattern`` is a
    regular expression that a text has to match.
    """
    bounds = {
        "min": min,
        "max": max,
        "min_length": min_length,
        "max_length": max_length,
        "pattern": pattern,
    }
    return dataclasses.field(
        default=default,
        default_factory=default_factory,
        metadata={"lockgate": (description, {key: bound for key, bound in bounds.items() if bound is not None})},
    )


if typing.TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_: Any) -> Callable[[T], T]:
        """Tells type checkers that a decorator makes dataclasses; nothing when the code runs."""
        return lambda decorator: decorator


@typing.overload
def params(cls: type[T], /) -> type[T]: ...
@typing.overload
def params(*, example: dict[str, Any]) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(param,))
def params(cls: Any = None, /, *, example: dict[str, Any] | None = None) -> Any:
    """Makes a class part of a policy's params: a frozen dataclass.

    A field is written in kebab-case in a gate (``min_days`` is ``min-days``). A key that is no
    field is refused: a mistyped limit would otherwise be no limit. ``lockgate policy inspect``
    shows the example, which is written as in a gate.
    """
    if cls is None:
        return lambda cls: params(_with_example(cls, example))
    return dataclasses.dataclass(frozen=True, kw_only=True)(cls)


def _with_example(cls: type[T], example: dict[str, Any] | None) -> type[T]:
    setattr(cls, "__lockgate_example__", example)
    return cls


def kebab_case(name: str) -> str:
    return name.rstrip("_").replace("_", "-").lower()


def reader(cls: type[T]) -> tuple[dict[str, Any], Callable[[Any], T]]:
    """The schema of the params, and the function that reads them.

    Made once, when the policy is built: what it prepares is part of the component.
    """
    # Here, so that the build can say that it is missing.
    import fastjsonschema

    schema = _schema(cls, {}, cls.__name__)
    validate = fastjsonschema.compile(schema, use_default=False)
    example = getattr(cls, "__lockgate_example__", None)
    if example is not None:
        schema = {**schema, "examples": [example]}

    def read(value: Any) -> T:
        try:
            validate(value)
        except fastjsonschema.JsonSchemaValueException as error:
            refuse.params(_explain(error))
        return _read(cls, value)

    if example is not None:
        read(example)
    return schema, read


def _explain(error: JsonSchemaValueException) -> str:
    place = error.name.removeprefix("data").removeprefix(".")
    problem = error.message.removeprefix(error.name).strip()
    if error.rule == "additionalProperties":
        known = error.definition.get("properties", {})
        unknown = sorted(key for key in error.value if key not in known)
        keys = ", ".join(f"`{key}`" for key in unknown)
        problem = f"unknown key {keys}; there are {', '.join(f'`{key}`' for key in known)}"
    return f"`{place}`: {problem}" if place else f"the params: {problem}"


_SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean"}

_BOUNDS = {
    "integer": {"min": "minimum", "max": "maximum"},
    "number": {"min": "minimum", "max": "maximum"},
    "string": {"min_length": "minLength", "max_length": "maxLength", "pattern": "pattern"},
    "array": {"min_length": "minItems", "max_length": "maxItems"},
    "object": {"min_length": "minProperties", "max_length": "maxProperties"},
}


def _schema(kind: Any, bounds: dict[str, Any], place: str) -> dict[str, Any]:
    """The JSON Schema of values of a type."""
    optional = _optional(kind)
    if optional is not None:
        inner = _schema(optional, bounds, place)
        if isinstance(inner.get("type"), str) and "enum" not in inner and "properties" not in inner:
            return {**inner, "type": [inner["type"], "null"]}
        return {"anyOf": [inner, {"type": "null"}]}
    schema = _plain_schema(kind, place)
    words = _BOUNDS.get(schema.get("type", ""), {})
    for key, bound in bounds.items():
        if key not in words or "enum" in schema:
            raise TypeError(f"`{place}`: `{key}` does not bound a value of this type")
        schema[words[key]] = bound
    return schema


def _plain_schema(kind: Any, place: str) -> dict[str, Any]:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind in _SCALARS:
        return {"type": _SCALARS[kind]}
    if kind is datetime.date:
        return {"type": "string", "format": "date"}
    if origin is typing.Literal and all(isinstance(word, str) for word in arguments):
        return {"type": "string", "enum": list(arguments)}
    if origin is list:
        return {"type": "array", "items": _schema(arguments[0], {}, f"{place}[]")}
    if origin is dict and arguments[0] is str:
        return {"type": "object", "additionalProperties": _schema(arguments[1], {}, f"{place}.*")}
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return {"type": "string", "enum": [_word(member) for member in kind]}
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _object_schema(kind, place)
    raise TypeError(
        f"`{place}`: params of type `{kind}` are not supported; there are str, int, float, bool, date, "
        "Literal, Enum, list[…], dict[str, …], … | None and classes with `@params`"
    )


def _object_schema(cls: type, place: str) -> dict[str, Any]:
    properties, required = {}, []
    for key, field, kind in _fields(cls):
        if "lockgate" not in field.metadata:
            raise TypeError(f"`{place}.{field.name}` has no description; write `= param(\"…\")`")
        description, bounds = field.metadata["lockgate"]
        schema = _schema(kind, bounds, f"{place}.{field.name}")
        schema = {"description": description, **schema}
        if field.default is not dataclasses.MISSING:
            if field.default is not None:
                schema["default"] = _written(field.default)
        elif field.default_factory is dataclasses.MISSING:
            required.append(key)
        properties[key] = schema
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        schema["required"] = required
    return schema


def _fields(cls: type) -> list[tuple[str, dataclasses.Field[Any], Any]]:
    """Key, field and type of each field."""
    kinds = typing.get_type_hints(cls)
    return [(kebab_case(field.name), field, kinds[field.name]) for field in dataclasses.fields(cls)]


def _optional(kind: Any) -> Any:
    """The type within ``… | None``; None for other types."""
    if typing.get_origin(kind) not in (typing.Union, types.UnionType):
        return None
    rest = [part for part in typing.get_args(kind) if part is not type(None)]
    return rest[0] if len(rest) == 1 and len(typing.get_args(kind)) == 2 else None


def _word(member: enum.Enum) -> str:
    """How a member of an enum is written in params."""
    return member.value if isinstance(member.value, str) else kebab_case(member.name)


def _written(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return _word(value)
    return value.isoformat() if isinstance(value, datetime.date) else value


def _read(kind: Any, value: Any) -> Any:
    """The value of a type from JSON that fits its schema."""
    optional = _optional(kind)
    if optional is not None:
        return None if value is None else _read(optional, value)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is list:
        return [_read(arguments[0], item) for item in value]
    if origin is dict:
        return {key: _read(arguments[1], item) for key, item in value.items()}
    if kind is int or kind is float:
        # JSON has one kind of number: 1.0 is a whole number, and 1 a fraction.
        return _number(kind, value)
    if kind is datetime.date:
        return _date(value)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return next(member for member in kind if _word(member) == value)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        given = {field.name: _read(type_, value[key]) for key, field, type_ in _fields(kind) if key in value}
        return kind(**given)
    return value


def _number(kind: type, value: Any) -> Any:
    try:
        number = kind(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        refuse.params(f"`{value}` is too large a number")
    return number


def _date(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        refuse.params(f"`{text}` is not a date; write it as `2027-03-31`")
