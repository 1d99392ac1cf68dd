"""Checks the arguments of a command against its annotations before it runs: programs call it without the page."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Annotated, Any, ParamSpec, TypeVar

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, ConfigDict, Field, ValidationError, validate_call

from nayer.errors import ConfigError

LONGEST = 300  # characters of a word that names something


def _wholes(text: str) -> str:
    if not re.fullmatch(r"([0-9]{1,15}(,[0-9]{1,15})*)?", text):
        raise ValueError("whole numbers, separated by commas")
    return text


Word = Annotated[str, Field(max_length=LONGEST)]
Whole = Annotated[int, Field(ge=0, le=2**53)]  # JSON carries these numbers exactly
Wholes = Annotated[str, AfterValidator(_wholes)]  # one number for each arm
Values = Annotated[dict[str, Any], Field(max_length=200)]  # settings by name; the config checks each

_WORDS = {  # the words for a correct value, by pydantic's name of the mistake
    "int_parsing": "a whole number",
    "int_parsing_size": "a smaller whole number",
    "value_error": "{error}",  # our own validator gives the sentence
    "string_type": "a text",
    "string_unicode": "a text of valid Unicode",
    "string_too_long": "a text of at most {max_length} characters",
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "greater_than_equal": "{ge} or more",
    "less_than_equal": "{le} or less",
    "dict_type": "an object of names and values",
    "model_attributes_type": "an object of names and values",
    "list_type": "a list",
    "too_long": "a collection of at most {max_length} entries",
}

P = ParamSpec("P")
R = TypeVar("R")


def checked(method: Callable[P, R]) -> Callable[P, R]:
    """`method`, limited to arguments of its annotated types: no text or bool for a number, nothing infinite.

    A mistake raises ConfigError with one sentence that names the argument.
    """
    strict = validate_call(config=ConfigDict(strict=True, allow_inf_nan=False))(method)
    names = list(inspect.signature(method).parameters)

    @wraps(method)
    def careful(*arguments: P.args, **named: P.kwargs) -> R:
        try:
            return strict(*arguments, **named)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place, *inner = first["loc"] or ("",)
            raise ConfigError(_sentence(first, [names[place] if isinstance(place, int) else place, *inner])) from None

    return careful


async def answer_invalid_request(request: Request, error: Exception) -> Response:
    """FastAPI's handler of invalid requests. It gives one sentence; FastAPI's own repeats the whole input."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    kind, *place = first["loc"]
    return JSONResponse({"error": _sentence(first, place or [kind])}, status_code=422)


def _sentence(first: Mapping[str, Any], place: Sequence[str | int]) -> str:
    """The sentence for pydantic's first error, about the value at `place`."""
    field = ".".join(str(part)[:40] for part in place)
    given = ascii(first["input"])
    given = given if len(given) <= 60 else f"{given[:57]}..."
    if first["type"] == "missing":
        return f"{field} is missing; give a value."
    if first["type"] == "extra_forbidden":
        return f"{field} is not used here; leave it out."
    wanted = _WORDS.get(first["type"], "a valid value").format(**first.get("ctx", {}))
    return f"{field} must be {wanted}; {given} was given."
