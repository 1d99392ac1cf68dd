"""The tab of the lessons: the data for its script, and the element that the script draws in."""

from __future__ import annotations

import gradio as gr

from app.api.example_routes import example_files
from app.api.static_files import load_script
from app.content import lessons


def tour_tab(*, version: str) -> gr.HTML:
    """Drawn in the Blocks context that creates it."""
    return gr.HTML(
        html_template='<div id="nayer-lessons" class="nayer"></div>',
        js_on_load=load_script("lessons/lessons_page.js", "element", "props"),
        apply_default_css=False,
        elem_id="tour",
        elem_classes="nayer-frame",
        version=version,
        lessons=lessons.lessons_json(),
        examples=sorted(example_files()),
    )
