"""docs/fidelity.md, made from `nayer.compare.fidelity` and the presets: `make reference` writes it."""

from __future__ import annotations

import sys
from pathlib import Path

from nayer.compare.fidelity import OTHER_RATIOS, SHEETS, Sheet
from nayer.config import settings
from nayer.presets import PRESETS, get

TARGET = Path(__file__).parents[2] / "docs" / "fidelity.md"
_HEAD = """# Presets and what was published

`make reference` writes this page from `nayer/compare/fidelity.py` and the presets. A test compares each value. Every
`…-paper` preset has a table: the published value, ours, and the reason where they differ. *Differs* lists what no
setting holds. *Done right* lists faults of the published code that are not repeated here. All codes were read, and none
was copied.

The presets without `-paper` are shrunk for two cores. The last table says what was shrunk. They keep the published
ratio of student steps to generator steps, with the exceptions that are named there.
"""


def fidelity() -> str:
    """The whole page, in Markdown."""
    parts = [_HEAD, *(_sheet(sheet) for sheet in SHEETS), _controls(), _shrunk()]
    return "\n".join(parts)


def _sheet(sheet: Sheet) -> str:
    method, config = get(sheet.preset), get(sheet.preset).config
    lines = [f"## `{sheet.preset}`\n", f"{method.paper}. Read: {sheet.where}.\n"]
    if sheet.read:
        lines.append(f"How sure: {sheet.read}.\n")
    lines += ["| setting | published | ours | reason or place |", "| --- | ---: | ---: | --- |"]
    for setting in sheet.constants:
        one = sheet.constant(setting)
        remark = one.reason or one.where
        lines.append(f"| `{setting}` | {_value(one.published)} | {_value(getattr(config, setting))} | {remark} |")
    for title, sentences in (("Differs", sheet.differs), ("Done right", sheet.done_right)):
        if sentences:
            lines += ["", f"*{title}.*\n", *(f"* {sentence}" for sentence in sentences)]
    return "\n".join(lines) + "\n"


def _controls() -> str:
    rows = [f"* `{name}`: {PRESETS[name].summary}" for name in ("untrained", "noise")]
    return "\n".join(
        [
            "## The controls\n",
            "No published table has them. Every comparison of methods here shows them.\n",
            *rows,
            "",
            "In the published work on noise, images are chosen so that the teacher's classes are balanced. The control",
            "takes them as they come.",
            "",
        ]
    )


def _shrunk() -> str:
    lines = ["## What is shrunk\n", "| preset | setting: full size → small |", "| --- | --- |"]
    for sheet in SHEETS:
        name = sheet.preset.removesuffix("-paper")
        full, small = get(sheet.preset).config, get(name).config
        changed = [
            f"`{one.name}` {_value(getattr(full, one.name))} → {_value(getattr(small, one.name))}"
            for one in settings()
            if getattr(full, one.name) != getattr(small, one.name)
        ]
        lines.append(f"| `{name}` | {', '.join(changed)} |")
    lines += ["", *(f"* `{name.removesuffix('-paper')}`: {reason}." for name, reason in OTHER_RATIOS.items())]
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
    return str(value)


def main() -> None:
    """Writes docs/fidelity.md."""
    TARGET.write_text(fidelity(), "utf-8")
    sys.stdout.write(f"{TARGET.relative_to(TARGET.parents[1])} is written.\n")


if __name__ == "__main__":
    main()
