"""The tab of the reset lab: the data for its script, and the element that the script draws in."""

from __future__ import annotations

from collections.abc import Sequence

import gradio as gr

from app.api.static_files import load_script
from nayer.compare.experiments import EXPERIMENTS
from nayer.networks.cards import TeacherCard
from nayer.presets import PRESETS


def lab_tab(teachers: Sequence[TeacherCard], *, first: str, version: str) -> gr.HTML:
    """Drawn in the Blocks context that creates it. `first` is the first teacher."""
    return gr.HTML(
        html_template='<div id="nayer-lab" class="nayer"></div>',
        js_on_load=load_script("lab/lab_page.js", "element", "props"),
        apply_default_css=False,
        elem_id="lab",
        elem_classes="nayer-frame",
        version=version,
        first=first,
        experiments={name: [one.title, one.question] for name, one in EXPERIMENTS.items()},
        presets=[[name, method.title] for name, method in PRESETS.items()],
        teachers=[[card.name, card.title] for card in teachers],
    )
