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
`…-paper` preset has a table: the published value, the file and line where it stands, ours, and the reason where they
differ. A row without a place: the code has nothing of the kind. *Differs* lists what no setting holds. *Done right*
lists faults of the published code that are not repeated here. All codes were read at the commits that are named, and
none was copied. Where no table says otherwise, the terms of the losses are the published ones too: direction of the KL,
reduction, temperature, mask and BatchNorm statistics were compared line by line.

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
    lines += ["| setting | published | place | ours | reason or note |", "| --- | ---: | --- | ---: | --- |"]
    for setting in sheet.constants:
        one, place = sheet.constant(setting), sheet.place(setting)
        cells = (_value(one.published), place, _value(getattr(config, setting)), one.reason or one.note)
        lines.append(f"| `{setting}` | {' | '.join(cells)} |")
    for title, sentences in (("Differs", sheet.differs), ("Done right", sheet.done_right)):
        if sentences:
            lines += ["", f"*{title}.*\n", *(f"* {sentence}" for sentence in sentences)]
    return "\n".join(lines) + "\n"


def _controls() -> str:
    rows = [f"* `{name}`: {PRESETS[name].summary}" for name in ("untrained", "noise")]
    return "\n".join(
        [
            "## The controls\n",
            "No table of results in the repositories above has them. Every comparison of methods here shows them.\n",
            *rows,
            "",
            "The published code for noise (Piyush-555/GaussianDistillation at a5242dc, distill_gaussian.py:61) takes",
            "its images as they come, too. There the rate falls when the loss on real test images stops falling; here",
            "it falls along a cosine.",
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
