"""docs/reference.md, made from the code: `make reference` writes it, and a test compares it with the code."""

from __future__ import annotations

import dataclasses
import inspect
import io
import sys
import tokenize
from pathlib import Path

from app.content.help import Explanation, event_types, explanations, with_subscript
from app.content.help_page import CONTROLS, MEASURES, PANELS
from app.gradio_ui.settings_form import plain
from nayer import presets
from nayer.config import GROUPS, settings
from nayer.settings import Setting

TARGET = Path(__file__).parents[2] / "docs" / "reference.md"
_HEAD = """# Reference

This page lists every setting, preset, measure, panel, control and event, with its symbol in papers and its place in the
code. `make reference` writes it from the code.
"""

_EVENTS = """## Events

Every event has `round`, `seconds` since the run started and `arm`. Events count rounds from 0: the first round is
`"round": 0`. The page, `metrics.csv`, the tables and the trackers count rounds from 1: there it is round 1. Steps
within a round are counted from 0, too.
"""

_LEVELS = {1: "first", 2: "main", 3: "all"}  # where the form shows a setting


def reference() -> str:
    """The whole page, in Markdown."""
    table = explanations()
    parts = [_HEAD, "## Settings\n"]
    for group, title in GROUPS.items():
        rows = [_setting_row(one, table[f"setting/{one.name}"]) for one in settings() if one.group == group]
        parts.append(
            _table(
                f"### {title}\n", ("setting", "what it does", "default", "range", "on the page", "symbol", "code"), rows
            )
        )
    rows = [_preset_row(name, method) for name, method in presets.PRESETS.items()]
    parts.append(_table("## Presets\n", ("preset", "what it does", "paper"), rows))
    for title, kind, names in (
        ("Measures", "measure", MEASURES),
        ("Panels", "panel", PANELS),
        ("Controls", "control", CONTROLS),
    ):
        rows = [_row(name, table[f"{kind}/{name}"]) for name in names]
        parts.append(_table(f"## {title}\n", (kind, "what it is", "symbol", "code"), rows))
    parts.append(_EVENTS)
    for event in event_types()[1:]:
        one = table[f"event/{event.__name__}"]
        parts.append(f"**{event.__name__}** ({_code(one)}): {one.says}\n\n" + "".join(_fields(event)))
    return "\n".join(parts)


def field_comments(kind: type[object]) -> dict[str, str]:
    """What stands behind each field of a dataclass in its source, without the `#`; empty where nothing does."""
    comments = {field.name: "" for field in dataclasses.fields(kind) if field.name in vars(kind)["__annotations__"]}  # type: ignore[arg-type]
    tokens = tokenize.generate_tokens(io.StringIO(inspect.getsource(kind)).readline)
    for token in tokens:
        name = token.line.strip().partition(":")[0]
        if token.type == tokenize.COMMENT and name in comments:
            comments[name] = token.string.lstrip("# ")
    return comments


def main() -> None:
    """Write docs/reference.md."""
    TARGET.write_text(reference(), "utf-8")
    sys.stdout.write(f"{TARGET.relative_to(TARGET.parents[1])} is written.\n")


def _fields(event: type[object]) -> list[str]:
    return [f"- `{name}`{f': {comment}' if comment else ''}\n" for name, comment in field_comments(event).items()]


def _setting_row(one: Setting, explanation: Explanation) -> tuple[str, ...]:
    bounds = ", ".join(f"`{choice}`" for choice in one.choices)
    if one.low is not None and one.high is not None:
        bounds = f"{plain(one.low)} to {plain(one.high)} {one.unit}".strip()
    default = repr(one.default) if one.kind is not str or not one.default else f"`{one.default}`"
    fixed = "fixed during a run" if one.fixed else ""
    span = "; ".join(part for part in (bounds, fixed) if part)
    return (
        f"`{one.name}`",
        one.help,
        default,
        span,
        _LEVELS[one.level],
        with_subscript(explanation.symbol),
        _code(explanation),
    )


def _preset_row(name: str, method: presets.Method) -> tuple[str, ...]:
    return (f"`{name}`", f"{method.title}. {method.summary}", method.paper)


def _row(name: str, explanation: Explanation) -> tuple[str, ...]:
    return (f"`{name}`", explanation.says, with_subscript(explanation.symbol), _code(explanation))


def _code(explanation: Explanation) -> str:
    return f"[`{explanation.name}`](../{explanation.file})"


def _table(title: str, heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return (
        title
        + "\n"
        + "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)
    )


if __name__ == "__main__":
    main()
