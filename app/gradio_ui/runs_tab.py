"""The tab of a visitor's own runs: the element that its script draws in."""

from __future__ import annotations

import gradio as gr

from app.api.static_files import load_script


def runs_tab(*, version: str) -> gr.HTML:
    """Drawn in the Blocks context that creates it."""
    return gr.HTML(
        html_template='<div id="nayer-runs" class="nayer"></div>',
        js_on_load=load_script("runs/runs_page.js", "element"),
        apply_default_css=False,
        elem_id="runs",
        elem_classes="nayer-frame",
        version=version,
    )
