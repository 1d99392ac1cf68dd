"""The tab of the embedding explorer: a form for names, a prompt and a table, and the stage that draws the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from app.content import messages
from app.content.help import caption
from app.gradio_ui.compat import event_data
from app.gradio_ui.script_panel import QUIET, script_panel
from app.gradio_ui.settings_form import Form, latent_choices
from app.support.class_names import listed
from nayer.config import Config
from nayer.embeddings.label_table import LATENTS
from nayer.networks.cards import TeacherCard

_ASK = "(typed, prompt, latent, encoder) => window.nayerEmbed?.({ typed, prompt, latent, encoder })"


class ExplorerTab:
    """Drawn in the Blocks context that creates it. It starts with the classes of the teacher in the run's `form`."""

    def __init__(self, form: Form, teachers: Sequence[TeacherCard], *, version: str, local: bool) -> None:
        self._classes = {card.name: listed(card.classes) for card in teachers}
        first = self._classes.get(str(form.teacher.value), "")
        with gr.Row(elem_classes="nayer-workbench"):
            with gr.Column(scale=0, min_width=264, elem_classes="nayer-settings", elem_id="explorer-settings"):
                self.names = gr.Textbox(
                    first,
                    label="Class names",
                    info=messages.NAMES_INFO,
                    lines=10,
                    max_lines=10,
                    elem_id="explorer-names",
                )
                take = gr.Button("Use the teacher's classes", size="sm", elem_id="explorer-take")
                self.prompt = gr.Textbox(
                    Config().prompt,
                    label="Prompt",
                    info=f"{messages.PROMPT_INFO} {caption('prompt')}",
                    max_lines=1,
                    elem_id="explorer-prompt",
                )
                choices = latent_choices(LATENTS)
                self.latent = gr.Dropdown(
                    choices,
                    value=Config().latent,
                    label="Table",
                    info=f"{messages.TABLE_INFO} {caption('latent')}",
                    elem_id="explorer-latent",
                )
                self.encoder = gr.Textbox(
                    Config().encoder,
                    label="Text encoder",
                    info=f"{messages.ENCODER_INFO} {caption('encoder')}",
                    max_lines=1,
                    visible=local,
                    elem_id="explorer-encoder",
                )
                show = gr.Button("Show", variant="primary", elem_id="explorer-show")
            with gr.Column(elem_classes="nayer-column"):
                self.stage = script_panel(
                    "explorer",
                    "embeddings/embeddings_page.js",
                    ["element", "props", "trigger"],
                    version=version,
                )
        self._wire(form, show, take)

    def _wire(self, form: Form, show: gr.Button, take: gr.Button) -> None:
        """Gradio keeps the form. The script asks the plain route, because it knows the last question."""
        entered = [self.names, self.prompt, self.latent, self.encoder]
        for asked in (show.click, self.names.submit, self.prompt.submit, self.latent.input, self.stage.select):
            asked(None, entered, None, js=_ASK, **QUIET)
        taken = take.click(lambda name: self._classes.get(name, gr.skip()), form.teacher, self.names, **QUIET)
        followed = form.teacher.change(self._follow, [form.teacher, self.names], self.names, **QUIET)
        chosen = self.stage.play(_chosen, None, self.latent, **QUIET)
        for changed in (taken, followed, chosen):
            changed.then(None, entered, None, js=_ASK, **QUIET)

    def _follow(self, teacher: str, names: str) -> Any:
        """A new teacher replaces the class names, unless the visitor typed their own names."""
        return self._classes.get(teacher, names) if names in self._classes.values() else gr.skip()


def _chosen(event: gr.EventData) -> str:
    """The table that the page offers when the encoder cannot run."""
    return str(event_data(event).get("latent", Config().latent))
