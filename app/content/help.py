"""One table of explanations: a sentence, a symbol and a place in the code for all that can be set or seen.

The page's `?` buttons, the form's captions and docs/reference.md read it; tests hold it against the code.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass

from app.content.help_page import CONTROLS, MEASURES, PANELS, Rows
from nayer import events, presets
from nayer.config import settings

_SETTINGS = {one.name: one for one in settings()}


@dataclass(frozen=True, slots=True)
class Explanation:
    """The explanation of one thing."""

    says: str  # one sentence
    symbol: str  # as papers write it; empty where they have none
    file: str  # nayer/distillation/losses.py
    name: str  # label_loss, or Pool.sample

    @property
    def link(self) -> str:
        """Where the page shows that place, relative to its own address."""
        return f"code/{self.file}#{self.name}"


def event_types() -> list[type[events.Event]]:
    """Every kind of event of a run, in the order of their declaration."""
    return [kind for kind in vars(events).values() if inspect.isclass(kind) and issubclass(kind, events.Event)]


def explanations() -> dict[str, Explanation]:
    """By `kind/name`: setting, preset, event, measure, panel, control."""
    table = {f"setting/{name}": _setting(name) for name in _SETTINGS}
    for name, method in presets.PRESETS.items():
        table[f"preset/{name}"] = _preset(method)
    for kind in event_types():
        table[f"event/{kind.__name__}"] = _placed(_summary(kind), "", f"nayer/events.py:{kind.__name__}")
    parts: Mapping[str, Rows] = {"measure": MEASURES, "panel": PANELS, "control": CONTROLS}
    for part, rows in parts.items():
        table |= {f"{part}/{name}": _placed(*row) for name, row in rows.items()}
    return table


def explanations_json(table: Mapping[str, Explanation]) -> dict[str, list[str]]:
    """The table for the scripts of the page: [sentence, symbol, address of the code, text of the link]."""
    return {key: [one.says, one.symbol, one.link, f"{one.file}, {one.name}"] for key, one in table.items()}


def preset_caption(name: str) -> str:
    """The text under the choice of a preset, in Markdown: its effect, its authors, and the place of its values."""
    method = presets.get(name)
    one = _preset(method)
    authors, year = method.paper.partition(", ")[0], re.findall(r"(?:[A-Za-z]+ )?\b(?:19|20)\d{2}\b", method.paper)[0]
    return f"{one.says} {authors}, {year}. {_link(one)}"


def caption(name: str) -> str:
    """The text after a setting's help in the form, in Markdown: its symbol, and a link to the code that uses it."""
    one = _setting(name)
    return f"{one.symbol} · {_link(one)}" if one.symbol else _link(one)


def with_subscript(symbol: str) -> str:
    """α_ce with its index lowered, in HTML."""
    return re.sub(r"_(\w+)", r"<sub>\1</sub>", symbol)


def _link(one: Explanation) -> str:
    return f"[code]({one.link})"


def _preset(method: presets.Method) -> Explanation:
    return _placed(method.summary, "", "nayer/presets.py:PRESETS")


def _setting(name: str) -> Explanation:
    one = _SETTINGS[name]
    return _placed(one.help, one.symbol, one.place, folder="nayer/")


def _placed(says: str, symbol: str, place: str, folder: str = "") -> Explanation:
    file, _, name = place.partition(":")
    return Explanation(says, symbol, folder + file, name)


def _summary(kind: type[object]) -> str:
    """The first paragraph of the docstring, on one line."""
    return " ".join((inspect.getdoc(kind) or "").split("\n\n")[0].split())
