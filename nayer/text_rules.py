"""Rules for texts from outside: which characters they may hold, and which class names are valid.

A text may hold every character except invisible ones that programs act on: control characters other than
tab, line feed and carriage return (Unicode category Cc), half characters (Cs), characters that reorder the text after
them (explicit directional formatting, https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters), and code
points that Unicode never assigns (noncharacters). The joiners within emoji and the marks of right-to-left
scripts (U+200E, U+200F, U+061C) are allowed: they do not change the text around them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

from nayer.errors import ConfigError, excerpt

MAX_NAMES = 200
MAX_NAME_LENGTH = 64  # characters
_CONTROLS = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_DIRECTIONS = "\u202a-\u202e\u2066-\u2069"
_HALVES = "\ud800-\udfff"
_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(
    f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)
)
_FORBIDDEN = re.compile(f"[{_CONTROLS}{_DIRECTIONS}{_HALVES}{_NONCHARACTERS}]")
_LONGEST_PLACE = 100  # characters of a sentence that say where
_HOLD_TEXTS = (str, list, dict)  # of the values that JSON has
_UNSEEN = frozenset({"Cf", "Mn", "Me", "Zs"})  # Unicode categories
_LINE_BREAKS = re.compile("[\t\n\r\u2028\u2029]")  # fine in a text, not in a name


def forbidden(text: str) -> str:
    """The first forbidden character of `text`, in the form `U+202E`; empty if there is none."""
    if text.isprintable():  # then it has no forbidden character; this check is 20 times faster
        return ""
    found = _FORBIDDEN.search(text)
    return f"U+{ord(found[0]):04X}" if found else ""


def text_error(content: Any, place: str) -> str:
    """Returns one sentence on an invalid text or key in a JSON value. The sentence begins with the place of the text.

    Returns an empty text if all are valid. `place`: the sentence's name for the whole value.
    """
    for where, text in _texts(content, place):
        if found := forbidden(text):
            return f"{where[:_LONGEST_PLACE]} contains {found}, a character that cannot be shown; leave it out."
    return ""


def without_forbidden(content: Any) -> Any:
    """Returns a JSON value with U+FFFD for each forbidden character; older stored values were never checked."""
    if isinstance(content, str):
        return _FORBIDDEN.sub("\ufffd", content)
    if isinstance(content, list):
        return [without_forbidden(one) for one in content]
    if isinstance(content, dict):
        return {without_forbidden(key): without_forbidden(one) for key, one in content.items()}
    return content


def is_invisible(text: str) -> bool:
    """Whether no character of `text` can be seen: spaces, marks without their letter, and joiners."""
    return all(unicodedata.category(character) in _UNSEEN for character in text)


def check_names(names: Sequence[str]) -> tuple[str, ...]:
    """`names` in Unicode's NFC without white space around them; ConfigError names the first that cannot be used."""
    if not 2 <= len(names) <= MAX_NAMES:
        count = "is 1 class name" if len(names) == 1 else f"are {len(names)} class names"
        raise ConfigError(f"there {count}; use 2 to {MAX_NAMES}.")
    checked: dict[str, str] = {}  # how a name reads ignoring case and look-alikes (Unicode's NFKC) -> the name
    for place, given in enumerate(names, start=1):
        name = unicodedata.normalize("NFC", given).strip()
        if not 1 <= len(name) <= MAX_NAME_LENGTH:
            excerpted = f"{name[:20]}…" if name else given
            raise ConfigError(
                f"class name {place}, {excerpted!r}, has {len(name)} characters; use 1 to {MAX_NAME_LENGTH}."
            )
        if forbidden(name) or _LINE_BREAKS.search(name):
            raise ConfigError(
                f"class name {place}, {name!r}, contains control characters; use visible characters only."
            )
        if is_invisible(name):
            raise ConfigError(f"class name {place}, {name!r}, is invisible; use a name that can be seen.")
        twin = checked.setdefault(unicodedata.normalize("NFKC", name).casefold(), name)
        if len(checked) < place:
            raise ConfigError(
                f"class name {place}, {name!r}, appears already as {twin!r}; give every class its own name."
            )
    return tuple(checked.values())


def _texts(content: Any, place: str) -> Iterator[tuple[str, str]]:
    """Yields every text of a JSON value with a description of its place; a key comes before its content."""
    if isinstance(content, str):
        yield place, content
    elif isinstance(content, list):
        for number, inner in enumerate(content):
            if isinstance(inner, _HOLD_TEXTS):
                yield from _texts(inner, f"{place}[{number}]")
    elif isinstance(content, dict):
        for name, inner in content.items():
            yield f"a name in {place}", name
            if isinstance(inner, _HOLD_TEXTS):
                yield from _texts(inner, f"{place}.{excerpt(name, 40)}")
