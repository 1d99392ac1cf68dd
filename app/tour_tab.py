"""The tab of the lessons: what its script needs to know, and where it draws."""

from __future__ import annotations

import gradio as gr

from app import tour

_LOAD = """
const address = new URL('stage/' + props.version + '/tour.js', document.baseURI).href;
import(address).then((tour) => tour.mount({ element, props }));
"""


def tour_tab(*, version: str) -> gr.HTML:
    """Drawn inside the Blocks context it is made in."""
    return gr.HTML(
        html_template='<div id="nayer-tour" class="nayer"></div>',
        js_on_load=_LOAD,
        apply_default_css=False,
        elem_id="tour",
        elem_classes="nayer-frame",
        version=version,
        lessons=tour.shown(),
    )
