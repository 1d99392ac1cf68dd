"""An element of the page that one of its own scripts fills."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from app.api.static_files import load_script

QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}  # of an event for the page alone


def script_panel(
    elem_id: str, script: str, given: Sequence[str], *, host: str = "", framed: bool = True, **props: Any
) -> gr.HTML:
    """Drawn in the Blocks context that calls it. `script` finds the element `nayer-HOST` in it and fills that.

    `given`: names that Gradio hands to the script: element, props, trigger, watch. `host` is `elem_id` if it is not
    given. `framed`: the style sheets take Gradio's frame off. `props`: what the script reads in `props`.
    """
    return gr.HTML(
        html_template=f'<div id="nayer-{host or elem_id}" class="nayer"></div>',
        js_on_load=load_script(script, *given),
        apply_default_css=False,
        elem_id=elem_id,
        elem_classes="nayer-frame" if framed else None,
        **props,
    )
