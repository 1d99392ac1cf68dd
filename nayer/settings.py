"""Declares each setting once. Forms, parsers and error messages read the declaration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, Field, ValidationError
from pydantic.fields import FieldInfo

Level = Literal[1, 2, 3]
_TRUTH_VALUES = {"true": True, "yes": True, "false": False, "no": False}


def setting(
    default: Any,
    *,
    help: str,
    group: str,
    place: str,
    symbol: str = "",
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    max_length: int | None = None,
    level: Level = 3,
    fixed: bool = False,
    resumable: bool = False,
    rebuilds_generator: bool = False,
    decides_inputs: bool = False,
) -> Any:
    """A field of a pydantic model; `low` and `high` are inclusive, `unit` is the unit of a number.

    `place`: where it acts, as a file of `nayer` and a name in it: `distillation/losses.py:batchnorm_loss`.
    `symbol`: the paper's, else that of the paper that the term comes from; empty if it has none.
    `level`: 1 for the three settings that a form shows first, 2 for about a dozen more, 3 for all others.

    These say when a value may change, and the effect of a change:
    `fixed`: the value is the same for a whole run; a continued run refuses another value.
    `resumable`: a run that is resumed from its folder takes another value.
    `rebuilds_generator`: with another value the generator is another network.
    `decides_inputs`: names the teacher, its test images or the device; runs that agree in all of these share them.
    """
    extra: dict[str, Any] = {
        "group": group,
        "place": place,
        "symbol": symbol,
        "unit": unit,
        "level": level,
        "fixed": fixed,
        "resumable": resumable,
        "rebuilds_generator": rebuilds_generator,
        "decides_inputs": decides_inputs,
    }
    return Field(default, description=help, ge=low, le=high, max_length=max_length, json_schema_extra=extra)


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of `Config` as a form or a parser needs it."""

    name: str
    kind: type  # bool, int, float or str
    default: Any
    choices: tuple[str, ...]  # empty unless the field is one of a few words
    low: float | None
    high: float | None
    help: str
    unit: str
    group: str
    place: str
    symbol: str
    level: int
    fixed: bool
    resumable: bool
    rebuilds_generator: bool
    decides_inputs: bool


def read_value(kind: type, text: str) -> object:
    """A value of `kind` from the text of a flag or an address; true, yes, false and no are truth values.

    A text that is not such a value stays a text. `Config` then refuses it with its own message.
    """
    if kind is bool:
        return _TRUTH_VALUES.get(text.lower(), text)
    try:
        value: object = kind(text)
    except ValueError:
        return text
    return value


def describe(model: type[BaseModel]) -> list[Setting]:
    """Every field of `model`, in order; each was declared with `setting`."""
    return [_described(name, field) for name, field in model.model_fields.items()]


def sentence(error: ValidationError, known: list[Setting]) -> str:
    """The first complaint of pydantic, as one sentence for a person."""
    first = error.errors()[0]
    if not first["loc"]:  # about several fields at once; the validator wrote the sentence
        return str(first["ctx"]["error"])
    name = str(first["loc"][0])
    given = _excerpt(first["input"])
    field = next((field for field in known if field.name == name), None)
    if field is None:
        name = name if name.isidentifier() and len(name) <= 60 else _excerpt(name)
        return f"{name} is not a setting; the list of settings shows the {len(known)} that exist."
    return f"{name} must be {_what_works(field, first)}; {given} was given."


def what_works(field: Setting) -> str:
    """The values that a setting takes, such as `a whole number from 1 to 100,000 rounds`."""
    if field.choices:
        return "one of " + ", ".join(field.choices)
    noun = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}[field.kind]
    if field.low is None and field.high is None:
        return noun
    unit = f" {field.unit}" if field.unit and field.unit != field.name and "×" not in field.unit else ""
    return f"{noun} from {_bound(field.low, field.kind)} to {_bound(field.high, field.kind)}{unit}"


def _excerpt(value: object) -> str:
    """`value` on one line and in 60 characters."""
    whole = repr(value)
    return whole if len(whole) <= 60 else whole[:57] + "…"


def _described(name: str, field: FieldInfo) -> Setting:
    is_choice = get_origin(field.annotation) is Literal
    extra = field.json_schema_extra
    assert isinstance(extra, dict)  # `setting` is the only way fields are made
    low, high = (next((getattr(m, bound) for m in field.metadata if hasattr(m, bound)), None) for bound in ("ge", "le"))
    return Setting(
        name=name,
        kind=str if is_choice or not isinstance(field.annotation, type) else field.annotation,
        default=field.default,
        choices=get_args(field.annotation) if is_choice else (),
        low=low,
        high=high,
        help=field.description or "",
        unit=str(extra["unit"]),
        group=str(extra["group"]),
        place=str(extra["place"]),
        symbol=str(extra["symbol"]),
        level=int(str(extra["level"])),
        fixed=bool(extra["fixed"]),
        resumable=bool(extra["resumable"]),
        rebuilds_generator=bool(extra["rebuilds_generator"]),
        decides_inputs=bool(extra["decides_inputs"]),
    )


def _what_works(field: Setting, complaint: Any) -> str:
    if complaint["type"] == "value_error":
        return f"a text that {complaint['ctx']['error']}"
    if complaint["type"] == "string_too_long":
        return f"a text of at most {complaint['ctx']['max_length']} characters"
    return what_works(field)


def _bound(bound: float | None, kind: type) -> str:
    """A bound with commas between thousands; a whole number keeps all of its digits."""
    return f"{int(bound or 0):,}" if kind is int else f"{bound or 0:,g}"
