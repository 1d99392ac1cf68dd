"""docs/fidelity.md, made from `nayer.compare.fidelity` and the presets: `make reference` writes it."""

from __future__ import annotations

import sys
from pathlib import Path

from nayer.compare.fidelity import OTHER_RATIOS, PUBLISHED, PublishedMethod
from nayer.config import settings
from nayer.presets import PRESETS, get

TARGET = Path(__file__).parents[2] / "docs" / "fidelity.md"
_HEAD = """# Presets and what was published

`make reference` writes this page from `nayer/compare/fidelity.py` and the presets. A test compares each value. Every
`…-paper` preset has a table: the published value, its file and line, our value, and the reason if the two differ. A row
without a file: the published code has no such value. *Differs* lists the differences that no setting can express. *Done
right* lists faults of the published code that are not repeated here. Each repository was read at the commit that is
named, and no code was copied. The terms of the losses are the published ones if no table says otherwise: the direction
of the KL, reduction, temperature, mask and BatchNorm statistics were compared line by line.

The presets without `-paper` are small versions for two cores. The last table lists their smaller values. They have the
published ratio of student steps to generator steps; the exceptions are below that table.
"""


def fidelity() -> str:
    """The whole page, in Markdown."""
    parts = [_HEAD, *(_method(published) for published in PUBLISHED), _controls(), _shrunk()]
    return "\n".join(parts)


def _method(published: PublishedMethod) -> str:
    method, config = get(published.preset), get(published.preset).config
    lines = [f"## `{published.preset}`\n", f"{method.paper}. Read: {published.where}.\n"]
    if published.read:
        lines.append(f"Reliability: {published.read}.\n")
    lines += ["| setting | published | place | ours | reason or note |", "| --- | ---: | --- | ---: | --- |"]
    for setting in published.constants:
        one, place = published.constant(setting), published.place(setting)
        cells = (_value(one.published), place, _value(getattr(config, setting)), one.reason or one.note)
        lines.append(f"| `{setting}` | {' | '.join(cells)} |")
    for title, sentences in (("Differs", published.differs), ("Done right", published.done_right)):
        if sentences:
            lines += ["", f"*{title}.*\n", *(f"* {sentence}" for sentence in sentences)]
    return "\n".join(lines) + "\n"


def _controls() -> str:
    rows = [f"* `{name}`: {PRESETS[name].summary}" for name in ("untrained", "noise")]
    return "\n".join(
        [
            "## The controls\n",
            "Hardly any published table has such controls. One for MNIST (LeNet-5 → LeNet-5-half) has noise: 75 to",
            "88 %, and 98 % with DAFL. The comparison of methods in [findings.md](findings.md) and the ready-made",
            "experiments with methods have both.\n",
            *rows,
            "",
            "The published code for noise (Piyush-555/GaussianDistillation at a5242dc, distill_gaussian.py:61) never",
            "trains its images, as here. Its learning rate falls when the loss on real test images stops falling; ours",
            "falls along a cosine.",
            "",
        ]
    )


def _shrunk() -> str:
    lines = ["## The small versions\n", "| preset | setting: full size → small |", "| --- | --- |"]
    for published in PUBLISHED:
        name = published.preset.removesuffix("-paper")
        full, small = get(published.preset).config, get(name).config
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
