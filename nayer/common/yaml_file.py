"""Reads a YAML file strictly, so that a value is what a person sees in the file.

Numbers, `true`, `false` and `null` are those of YAML 1.2's core schema (https://yaml.org/spec/1.2.2/#103-core-schema):
`4e-3` is a number, `no` is a text, `010` is ten. Repeated keys, aliases, tags and second documents are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from nayer.common.files import read_file
from nayer.errors import ConfigError, excerpt

MAX_YAML_BYTES = 256 << 10
MAX_DEPTH = 12  # of lists and mappings in each other

_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_WHOLE = re.compile(r"[-+]?[0-9]{1,300}")
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_BARE = re.compile(r"[A-Za-z][\w.+/-]*( [\w.+/-]+)*", re.ASCII)  # a text that needs no quotes
# Texts that are no texts to readers of YAML 1.1, which many programs still are.
_NEVER_BARE = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


class _Refused(Exception):
    """What the file contains that it should not, in a few words."""

    def __init__(self, what: str, event: Any) -> None:
        super().__init__(what)
        self.line = event.start_mark.line + 1


def read_yaml(path: Path, field: str, *, instead: str) -> dict[str, Any]:
    """The mapping in a YAML file. Its values are texts, numbers, truth values, None, and lists and mappings of these.

    `field` is the name of the flag that gave the file. `instead` says what works, for the error. Raises ConfigError in
    one sentence with the line.
    """
    called = f"{field}={excerpt(path, 200)!r}"
    try:
        text = read_file(path, MAX_YAML_BYTES).decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{called} cannot be read ({error.strerror}); {instead}.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{called} is not a text in UTF-8; {instead}.") from None
    try:
        content = _document(yaml.parse(text, Loader=yaml.SafeLoader))
    except _Refused as error:
        raise ConfigError(f"{called} has {error} in line {error.line}; {instead}.") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{called} is not YAML ({_problem(error)}); {instead}.") from None
    except RecursionError:
        raise ConfigError(f"{called} nests values too deeply; {instead}.") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{called} contains no settings in the form `name: value`; {instead}.")
    return content


def bare(value: object) -> str:
    """A text, number, truth value or list of these as YAML on one line; `read_yaml` and YAML 1.1 read it alike."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(bare, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        text = repr(value)
        return text.replace("e", ".0e") if "e" in text and "." not in text else text
    if isinstance(value, int):
        return str(value)
    text = str(value)
    if _BARE.fullmatch(text) and text.lower() not in _NEVER_BARE:
        return text
    quoted: str = yaml.safe_dump(text, default_style='"', allow_unicode=True, width=1 << 20)
    return quoted.strip()


def _document(events: Iterator[Any]) -> Any:
    """The only document of the file; None for an empty file."""
    content, documents = None, 0
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise _Refused("a second document", event)
            content = _value(next(events), events, 0)
    return content


def _value(event: Any, events: Iterator[Any], depth: int) -> Any:
    if isinstance(event, yaml.AliasEvent) or event.anchor:
        raise _Refused("an anchor or alias", event)
    if event.tag:
        raise _Refused(f"the tag {excerpt(event.tag)}", event)
    if depth > MAX_DEPTH:
        raise _Refused(f"more than {MAX_DEPTH} values within each other", event)
    if isinstance(event, yaml.SequenceStartEvent):
        return [_value(one, events, depth + 1) for one in _until(yaml.SequenceEndEvent, events)]
    if isinstance(event, yaml.MappingStartEvent):
        found: dict[str, Any] = {}
        for one in _until(yaml.MappingEndEvent, events):
            name = _name(one)
            if name in found:
                raise _Refused(f"{excerpt(name)} a second time", one)
            found[name] = _value(next(events), events, depth + 1)
        return found
    return event.value if event.style else _plain(event.value)


def _until(end: Any, events: Iterator[Any]) -> Iterator[Any]:
    for event in events:
        if isinstance(event, end):
            return
        yield event


def _name(event: Any) -> str:
    if not isinstance(event, yaml.ScalarEvent) or event.anchor or event.tag:
        raise _Refused("a key that is no name", event)
    return str(event.value)


def _plain(text: str) -> Any:
    """The value of a text without quotes."""
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


def _problem(error: yaml.YAMLError) -> str:
    mark, problem = (
        getattr(error, "problem_mark", None),
        getattr(error, "problem", None) or "a character is not allowed",
    )
    return excerpt(problem, 100) + (f", line {mark.line + 1}" if mark else "")
