"""Runs that would fill the memory, by settings and by files, are refused; the largest that are accepted stay within."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx

from app.runs.limits import MEMORY, check_cost
from nayer.config import Config
from nayer.errors import ConfigError
from nayer.networks.cards import SHIPPED, TeacherCard, teacher_cards
from nayer.presets import PRESETS
from nayer.runs.memory_use import resident, use_of
from tests.reliability.booting import Application
from tests.reliability.bystander import UNHARMED, Bystander, Noticed
from tests.reliability.figure import Figure
from tests.support.peak_memory import peak, shortened

BOMBS: list[dict[str, Any]] = [
    {"student": "wrn40-128", "student_batch": 16, "synthesis_batch": 20, "seconds": 10.0, "warmup_rounds": 0},
    {"student": "wrn16-128", "student_batch": 16, "synthesis_batch": 20, "seconds": 10.0},
    {"student": "wrn40-32", "student_batch": 16, "synthesis_batch": 20, "seconds": 10.0},
    {"student": "wrn40-16", "student_batch": 512, "seconds": 10.0},
    {"student": "resnet34-128", "student_batch": 1, "synthesis_batch": 10, "seconds": 10.0},
    {"routing": "1-to-1", "noisy_width": 8192, "synthesis_batch": 400, "seconds": 10.0},
    {"noisy_width": 8192, "z_size": 4096, "seconds": 10.0},
    {"generator_width": 512, "synthesis_batch": 512, "seconds": 10.0},
    {"keep": "all", "generator_steps": 2000, "synthesis_batch": 512, "seconds": 10.0},
    {"contrastive_weight": 1.0, "bank_capacity": 1_000_000, "seconds": 10.0},
]
# what is made larger until a shared page refuses it, by what the run is of: preset, settings, the one that grows
LARGEST: dict[str, tuple[str, dict[str, str | int], str]] = {
    **{
        f"student {family}": ("nayer", {"student": family}, "student")
        for family in ("lenet", "resnet9", "resnet34", "wrn40")
    },
    "a wide generator": ("nayer", {}, "generator_width"),
    "noisy layers": ("nayer", {"routing": "1-to-1", "noisy_width": 256}, "synthesis_batch"),
    "cmi's batch": ("cmi", {}, "synthesis_batch"),
    "turbo's batch": ("nayer-turbo", {}, "synthesis_batch"),
}
TEACHER = "cifar10"
SHARED = {"SPACE_ID": "t/t", "HOST": "127.0.0.1", "NAYER_DATA": "off"}


def accepted(config: Config, card: TeacherCard) -> bool:
    try:
        check_cost([config], card, local=False)
    except ConfigError:
        return False
    return True


def largest(what: str, card: TeacherCard) -> Config:
    """The largest run of its kind that a shared page accepts, to within a sixteenth."""
    preset, changes, field = LARGEST[what]
    family = changes.get("student", "")

    def of(size: int) -> Config:
        value = f"{family}-{size}" if field == "student" else size
        return shortened(Config.parse({**changes, field: value, "teacher": card.name}, PRESETS[preset].config))

    low, high = (1, 129) if field == "student" else (10, 4097) if field == "synthesis_batch" else (1, 513)
    while high - low > max(1, low // 16):
        middle = (low + high) // 2
        low, high = (middle, high) if accepted(of(middle), card) else (low, middle)
    return of(low)


def start(url: str, bomb: dict[str, Any], teacher: str = "emoji10", token: str = "") -> httpx.Response:
    body = {"data": [teacher, "nayer", 0, "lte", 0, bomb, token]}
    return httpx.post(f"{url}/gradio_api/run/start", json=body, timeout=120.0)


def refused(answer: httpx.Response) -> bool:
    return answer.status_code >= 400 or "needs too much memory" in answer.text


def bring(url: str, part: str, teachers: Path = SHIPPED) -> httpx.Response:
    """A teacher whose file says that its network, the `model`, or its `student` has 9 billion parameters."""
    folder = teachers / "emoji10"
    told = json.loads((folder / "config.json").read_bytes())
    spec = {**told[part], "architecture": "wrn40-128"}
    files = {
        "config": json.dumps({**told, part: spec}).encode(),
        "weights": (folder / "model.safetensors").read_bytes(),
    }
    return httpx.post(f"{url}/bring", files=files, timeout=120.0)


def bombs_refused() -> tuple[int, int, Noticed]:
    """(refused, tried) of a shared page, as settings and as what a file says; and what the others noticed."""
    page = Application(SHIPPED, **SHARED)  # type: ignore[arg-type]  # none of them is `root` or `flags`
    try:
        bystander = Bystander(page)
        with bystander.beside(""):
            answers = [start(page.url, bomb) for bomb in BOMBS]
            answers += [bring(page.url, part) for part in ("student", "model")]
        bystander.statuses.update(answer.status_code for answer in answers)
        noticed = bystander.after()
    finally:
        page.process.kill()
    return sum(map(refused, answers)), len(answers), noticed


def measure() -> Figure:
    card = next(card for card in teacher_cards() if card.name == TEACHER)
    kept_out, tried, noticed = bombs_refused()
    over: list[str] = []
    most, which, closest = 0, "", 0.0
    for what in LARGEST:
        config = largest(what, card)
        measured, counted = peak([config]), resident([use_of(config, card)])
        closest = max(closest, measured / counted)
        over += [what] if measured > counted else []
        if measured > most:
            most, which = measured, what
    return Figure(
        18,
        "memory bombs by settings and by files; the largest accepted run of each kind",
        f"all refused before anything is allocated; each run within what was counted, at most {MEMORY / 1e9:.1f} GB; "
        + UNHARMED,
        f"{kept_out} of {tried} refused; {len(LARGEST)} kinds, the largest peak is {most / 1e9:.2f} GB ({which}), "
        f"the closest {closest:.0%} of its count"
        + "".join(f"; {what} took more" for what in over[:3])
        + f"; {noticed}",
        kept_out == tried and not over and most <= MEMORY and noticed.held,
    )
