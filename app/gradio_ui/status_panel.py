"""The server's status at the foot of the page, folded at first."""

from __future__ import annotations

import gradio as gr

from app.api.static_files import load_script
from app.content import messages


def status_panel(*, version: str) -> gr.HTML:
    """Drawn in the Blocks context that creates it. Its script asks /health while the panel is open."""
    return gr.HTML(
        html_template='<div id="nayer-status" class="nayer"></div>',
        js_on_load=load_script("status/status_panel.js", "element", "props"),
        apply_default_css=False,
        elem_id="status",
        version=version,
        title=messages.STATUS_TITLE,
        intro=messages.STATUS_INTRO,
        rows=list(messages.STATUS_ROWS.items()),
    )
