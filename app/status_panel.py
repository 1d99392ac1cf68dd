"""What the server says of itself, at the foot of the page: closed until somebody wants to know."""

from __future__ import annotations

import gradio as gr

from app import text

_LOAD = """
const address = new URL('stage/' + props.version + '/status.js', document.baseURI).href;
import(address).then((status) => status.mount({ element, props }));
"""


def status_panel(*, version: str) -> gr.HTML:
    """Drawn inside the Blocks context it is made in; its script asks /health while the panel is open."""
    return gr.HTML(
        html_template='<div id="nayer-status" class="nayer"></div>',
        js_on_load=_LOAD,
        apply_default_css=False,
        elem_id="status",
        version=version,
        title=text.STATUS_TITLE,
        intro=text.STATUS_INTRO,
        rows=list(text.STATUS_ROWS.items()),
    )
