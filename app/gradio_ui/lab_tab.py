"""The tab of the reset lab: the data for its script, and the element that the script draws in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from app.api.example_routes import example_files
from app.content import messages
from app.gradio_ui.script_panel import script_panel
from app.gradio_ui.settings_form import form_settings, label_of
from nayer.compare.experiments import EXPERIMENTS
from nayer.config import GROUPS, Config
from nayer.networks.cards import TeacherCard
from nayer.presets import PRESETS
from nayer.settings import Setting

_SHARED = frozenset({"seed", "work", "rounds", "seconds"})  # all arms of a lab have the same
_KINDS: dict[type, str] = {bool: "flag", int: "whole", float: "number", str: "text"}


def lab_tab(teachers: Sequence[TeacherCard], *, first: str, version: str) -> gr.HTML:
    """Drawn in the Blocks context that creates it. `first` is the first teacher."""
    return script_panel(
        "lab",
        "lab/lab_page.js",
        ["element", "props"],
        version=version,
        first=first,
        experiments={
            name: [
                one.title,
                one.question,
                [{"preset": arm.preset, "settings": dict(arm.changes)} for arm in one.variations],
            ]
            for name, one in EXPERIMENTS.items()
        },
        presets=[[name, method.title] for name, method in PRESETS.items()],
        teachers=[[card.name, card.title] for card in teachers],
        settings=arm_settings(),
        example=messages.LAB_EXAMPLE if "lab" in example_files() else "",
    )


def arm_settings() -> list[dict[str, Any]]:
    """What an arm may set by itself, for the pickers of the script, in the order of the form's groups."""
    offered = [one for one in form_settings(local=False) if one.name not in _SHARED]
    return [_facts(one) for group in GROUPS for one in offered if one.group == group]


def _facts(one: Setting) -> dict[str, Any]:
    return {
        "name": one.name,
        "label": label_of(one),
        "group": GROUPS[one.group],
        "help": one.help,
        "kind": _KINDS[one.kind],
        "choices": list(one.choices),
        "low": one.low,
        "high": one.high,
        "value": getattr(Config(), one.name),
        "fixed": one.fixed,
    }
