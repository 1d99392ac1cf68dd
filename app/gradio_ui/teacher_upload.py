"""The part of the form for an uploaded teacher: the script sends the files and sets the form's teacher."""

from __future__ import annotations

from typing import Any

import gradio as gr

from app.content import messages
from app.gradio_ui.compat import event_data
from app.gradio_ui.script_panel import QUIET, script_panel
from app.gradio_ui.settings_form import Form
from app.middleware.json_body import TEACHER_BODY
from nayer.embeddings.label_table import LATENTS
from nayer.teachers.upload import PREFIX


class OwnTeacher:
    """Drawn in the Blocks context that creates it. After an upload, the run's `form` names the new teacher."""

    def __init__(self, form: Form, *, version: str) -> None:
        self._form = form
        with gr.Accordion("Your own teacher", open=False, elem_id="own-teacher"):
            panel = script_panel(
                "own",
                "live/teacher_upload.js",
                ["element", "props", "trigger"],
                host="upload",
                version=version,
                most=TEACHER_BODY,
                info=messages.OWN_TEACHER,
                names=messages.OWN_NAMES,
                tests=messages.OWN_TESTS,
                judge=messages.OWN_JUDGE,
            )
        panel.select(self._uploaded, None, form.teacher, **QUIET)
        panel.play(_chosen, None, form.fields["latent"], **QUIET)

    def _uploaded(self, event: gr.EventData) -> Any:
        """Sets the teacher in the form. The start of a run checks that it exists and who owns it."""
        data = event_data(event)
        name = str(data.get("teacher", ""))
        if not name.startswith(PREFIX):
            return gr.skip()
        return self._form.naming(name, str(data.get("title", ""))[:64])


def _chosen(event: gr.EventData) -> Any:
    """The table that the page offers when the encoder may be unavailable."""
    latent = str(event_data(event).get("latent", ""))
    return latent if latent in LATENTS else gr.skip()
