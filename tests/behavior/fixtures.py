"""The recorded files: where they lie, how they are written, and how what the code does now is held against them."""

from __future__ import annotations

import json
import platform
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch

FOLDER = Path(__file__).parent / "recorded"
STORED = FOLDER / "stored"
RUNS, CONVERSATION, SENTENCES, NAMES = "runs.json", "conversation.json", "sentences.json", "names.json"
OPENED, VOCABULARY = "opened.json", "vocabulary.json"
_WIDTH = 118  # characters of a line
_TOLD = 12  # differences that a failure tells

# On another machine sums round otherwise. Emulating a machine without AVX moved no loss by more than 3.4 % and no share
# by more than 0.008; these bounds leave room for a flip of one image of a batch of sixteen.
LOSS_SHARE, SHARE = 0.1, 0.13
# A principal axis has no sign, a label is a maximum: on another machine these may be quite different numbers.
_ARBITRARY = re.compile(r"/(anchors|sketch|dots|outputs|samples|order|closest|cosines|labels|teacher|student)/")


def machine() -> dict[str, str]:
    """What decides how sums round: digests hold bit for bit where all of it is the same."""
    return {
        "torch": torch.__version__,
        "numpy": np.__version__,
        "machine": platform.machine(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "processor": _processor(),
    }


def _processor() -> str:
    """Vendor, family and model as Linux numbers them, for the libraries choose their kernels by these."""
    try:
        told = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return platform.processor()
    found = [re.search(rf"^{name}\s*: (.+)$", told, re.MULTILINE) for name in ("vendor_id", "cpu family", "model")]
    return " ".join(one[1] for one in found if one) or platform.processor()


def read(name: str) -> Any:
    return json.loads((FOLDER / name).read_text("utf-8"))


def write(name: str, value: object) -> None:
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / name).write_text(_pretty(value) + "\n", "utf-8")


def as_json(value: object) -> Any:
    """The value as it comes back from a file: tuples are lists."""
    return json.loads(json.dumps(value))


def differences(recorded: object, now: object, *, exact: bool = True, place: str = "") -> list[str]:
    """One sentence for every place where the two differ.

    `exact`: whether both are of the same machine. Elsewhere numbers have a tolerance, and digits in texts do not count.
    """
    if isinstance(recorded, dict) and isinstance(now, dict):
        found = [f"{place}/{name} is gone." for name in recorded if name not in now]
        found += [f"{place}/{name} is new: {_short(now[name])}." for name in now if name not in recorded]
        for name in recorded:
            if name in now:
                found += differences(recorded[name], now[name], exact=exact, place=f"{place}/{name}")
        return found
    if isinstance(recorded, list) and isinstance(now, list):
        if len(recorded) != len(now):
            return [f"{place} has {len(now)} entries instead of {len(recorded)}: {_short(now)}."]
        pairs = enumerate(zip(recorded, now, strict=True))
        return [one for i, (a, b) in pairs for one in differences(a, b, exact=exact, place=f"{place}/{i}")]
    if type(recorded) is type(now) and (recorded == now or (not exact and _near(recorded, now, place))):
        return []
    return [f"{place} is {_short(now)} instead of {_short(recorded)}."]


def complaint(found: list[str]) -> str:
    """What a failed test says of these differences."""
    rest = f"\n… and {len(found) - _TOLD} more." if len(found) > _TOLD else ""
    return "\n".join(found[:_TOLD]) + rest


def _near(recorded: object, now: object, place: str) -> bool:
    if isinstance(recorded, bool) or _ARBITRARY.search(place):
        return isinstance(recorded, int | float)
    if isinstance(recorded, int | float) and isinstance(now, int | float):
        return abs(recorded - now) <= max(SHARE, LOSS_SHARE * abs(recorded))
    digits = r"[-–]?[\d.]+"
    return isinstance(recorded, str) and re.sub(digits, "0", recorded) == re.sub(digits, "0", str(now))


def _short(value: object) -> str:
    told = json.dumps(value, ensure_ascii=False)
    return told if len(told) <= 200 else told[:197] + "…"


def _pretty(value: object, indent: int = 0) -> str:
    """JSON with what is short on one line."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + indent <= _WIDTH or not isinstance(value, dict | list) or not value:
        return line
    margin = " " * (indent + 1)
    if isinstance(value, dict):
        parts = [
            f"{margin}{json.dumps(str(k), ensure_ascii=False)}: {_pretty(v, indent + 1)}" for k, v in value.items()
        ]
        return "{\n" + ",\n".join(parts) + "\n" + " " * indent + "}"
    if not any(isinstance(one, dict | str) for one in value):  # numbers: as many as fit on a line
        return _wrapped(value, margin, indent)
    return "[\n" + ",\n".join(margin + _pretty(one, indent + 1) for one in value) + "\n" + " " * indent + "]"


def _wrapped(values: list[object], margin: str, indent: int) -> str:
    lines = [margin]
    for place, value in enumerate(values):
        part = json.dumps(value) + (", " if place + 1 < len(values) else "")
        if len(lines[-1]) + len(part) > _WIDTH and lines[-1].strip():
            lines.append(margin)
        lines[-1] += part
    return "[\n" + "\n".join(line.rstrip() for line in lines) + "\n" + " " * indent + "]"
