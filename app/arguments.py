"""What a command is given, checked against its own annotations before it runs: the page's sliders bound nobody else."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, ParamSpec, TypeVar

from pydantic import ConfigDict, Field, ValidationError, validate_call

from app.refusals import refused

LONGEST = 300  # characters of a word that names something
Word = Annotated[str, Field(max_length=LONGEST)]
Whole = Annotated[int, Field(ge=0, le=2**53)]  # what JSON carries exactly
Values = Annotated[dict[str, Any], Field(max_length=200)]  # settings by name; the config checks each

_WORDS = {  # what would work, by pydantic's name of the mistake
    "string_type": "a text",
    "string_unicode": "a text of valid Unicode",
    "string_too_long": "a text of at most {max_length} characters",
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "greater_than_equal": "{ge} or more",
    "less_than_equal": "{le} or less",
    "dict_type": "names with values",
    "list_type": "a list",
    "too_long": "at most {max_length} of them",
}

P = ParamSpec("P")
R = TypeVar("R")


def checked(method: Callable[P, R]) -> Callable[P, R]:
    """`method`, for arguments of its annotated types alone: no text for a number, no truth value, nothing infinite.

    A mistake is gr.Error in one sentence that names the argument.
    """
    strict = validate_call(config=ConfigDict(strict=True, allow_inf_nan=False))(method)
    names = list(inspect.signature(method).parameters)

    @wraps(method)
    def careful(*arguments: P.args, **named: P.kwargs) -> R:
        try:
            return strict(*arguments, **named)
        except ValidationError as error:
            raise refused(_sentence(error, names)) from None

    return careful


def _sentence(error: ValidationError, names: list[str]) -> str:
    first = error.errors(include_url=False)[0]
    place, *inner = first["loc"] or ("",)
    field = ".".join(str(part)[:40] for part in [names[place] if isinstance(place, int) else place, *inner])
    given = ascii(first["input"])
    given = given if len(given) <= 60 else f"{given[:57]}..."
    wanted = _WORDS.get(first["type"], "another value").format(**first.get("ctx", {}))
    return f"{field}={given} does not work; use {wanted}."
