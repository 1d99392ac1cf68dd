"""The part of the form for an uploaded teacher: the script sends the files and sets the form's teacher."""

from __future__ import annotations

from typing import Any

import gradio as gr

from app.api.static_files import load_script
from app.content import messages
from app.gradio_ui.settings_form import Form
from app.middleware.json_body import TEACHER_BODY
from nayer.embeddings.label_table import LATENTS
from nayer.teachers.upload import PREFIX


class OwnTeacher:
    """Drawn in the Blocks context that creates it. After an upload, the run's `form` names the new teacher."""

    def __init__(self, form: Form, *, version: str) -> None:
        self._form = form
        with gr.Accordion("Your own teacher", open=False, elem_id="own-teacher"):
            panel = gr.HTML(
                html_template='<div id="nayer-upload" class="nayer"></div>',
                js_on_load=load_script("live/teacher_upload.js", "element", "props", "trigger"),
                apply_default_css=False,
                elem_id="own",
                elem_classes="nayer-frame",
                version=version,
                most=TEACHER_BODY,
                info=messages.OWN_TEACHER,
                names=messages.OWN_NAMES,
                tests=messages.OWN_TESTS,
                judge=messages.OWN_JUDGE,
            )
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        panel.select(self._uploaded, None, form.teacher, **quiet)
        panel.play(_chosen, None, form.fields["latent"], **quiet)

    def _uploaded(self, event: gr.EventData) -> Any:
        """Sets the teacher in the form. The start of a run checks that it exists and who owns it."""
        data = event._data if isinstance(event._data, dict) else {}
        name = str(data.get("teacher", ""))
        if not name.startswith(PREFIX):
            return gr.skip()
        return self._form.naming(name, str(data.get("title", ""))[:64])


def _chosen(event: gr.EventData) -> Any:
    """The table that the page offers when the encoder may be unavailable."""
    latent = str((event._data or {}).get("latent", "")) if isinstance(event._data, dict) else ""
    return latent if latent in LATENTS else gr.skip()
