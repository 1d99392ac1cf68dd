"""The tab of the embedding explorer: a form for names, a prompt and a table, and the stage that draws the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from app import text
from app.controls import Form, latent_choices
from app.explorer import Explorer
from app.names import listed, split
from nayer.config import Config
from nayer.errors import EncoderError, NayerError
from nayer.labels import LATENTS, at_hand
from nayer.teachers import TeacherCard

_LOAD = """
const address = new URL('stage/' + props.version + '/explorer.js', document.baseURI).href;
import(address).then((explorer) => explorer.mount({ element, props, trigger, watch }));
"""


class ExplorerTab:
    """Drawn inside the Blocks context it is made in; begins with the classes of the teacher in the run's `form`."""

    def __init__(
        self, explorer: Explorer, form: Form, teachers: Sequence[TeacherCard], *, version: str, local: bool
    ) -> None:
        self._explorer = explorer
        self._classes = {card.name: listed(card.classes) for card in teachers}
        first = self._classes.get(str(form.teacher.value), "")
        with gr.Row(elem_classes="nayer-workbench"):
            with gr.Column(scale=0, min_width=264, elem_classes="nayer-settings", elem_id="explorer-settings"):
                self.names = gr.Textbox(
                    first, label="Class names", info=text.NAMES_INFO, lines=10, max_lines=10, elem_id="explorer-names"
                )
                take = gr.Button("Take the teacher's classes", size="sm", elem_id="explorer-take")
                self.prompt = gr.Textbox(
                    Config().prompt, label="Prompt", info=text.PROMPT_INFO, max_lines=1, elem_id="explorer-prompt"
                )
                choices = latent_choices(LATENTS)
                self.latent = gr.Dropdown(
                    choices, value=Config().latent, label="Table", info=text.TABLE_INFO, elem_id="explorer-latent"
                )
                self.encoder = gr.Textbox(
                    Config().encoder,
                    label="Text encoder",
                    info=text.ENCODER_INFO,
                    max_lines=1,
                    visible=local,
                    elem_id="explorer-encoder",
                )
                show = gr.Button("Show", variant="primary", elem_id="explorer-show")
            with gr.Column(elem_classes="nayer-column"):
                self.stage = gr.HTML(
                    value=self._first(first),
                    html_template='<div id="nayer-explorer" class="nayer"></div>',
                    js_on_load=_LOAD,
                    apply_default_css=False,
                    elem_id="explorer",
                    elem_classes="nayer-frame",
                    version=version,
                    pause_ms=1000 if local else 2000,
                )
        self._wire(form, show, take)

    def _wire(self, form: Form, show: gr.Button, take: gr.Button) -> None:
        entered = [self.names, self.prompt, self.latent, self.encoder]
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        for asked in (show.click, self.names.submit, self.prompt.submit, self.latent.input):
            asked(self._answer, entered, self.stage, **quiet)
        take.click(self._take, [form.teacher, *entered[1:]], [self.names, self.stage], **quiet)
        form.teacher.change(self._follow, [form.teacher, *entered], [self.names, self.stage], **quiet)
        self.stage.play(self._again, None, self.stage, **quiet)
        self.stage.select(self._control, entered, [self.latent, self.stage], **quiet)

    def _answer(self, names: str, prompt: str, latent: str, encoder: str) -> dict[str, Any]:
        return self._looked({"names": split(names), "prompt": prompt, "latent": latent, "encoder": encoder})

    def _first(self, names: str) -> dict[str, Any] | None:
        """The answer that the page comes with, where it takes no encoder."""
        config = Config()
        if not names or not at_hand(split(names), encoder=config.encoder, prompt=config.prompt):
            return None
        return self._answer(names, config.prompt, config.latent, config.encoder)

    def _looked(self, values: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return self._explorer.look(values)
        except NayerError as error:
            return {"state": "refused", "sentence": str(error), "controls": isinstance(error, EncoderError)}

    def _again(self, event: gr.EventData) -> dict[str, Any]:
        """The page asks again for what was still loading."""
        return self._looked(event._data or {})

    def _take(self, teacher: str, prompt: str, latent: str, encoder: str) -> list[Any]:
        names = self._classes.get(teacher, "")
        return [names, self._answer(names, prompt, latent, encoder)]

    def _follow(self, teacher: str, names: str, prompt: str, latent: str, encoder: str) -> list[Any]:
        """Another teacher brings its classes along, unless the names are the visitor's own."""
        if names not in self._classes.values():
            return [gr.skip(), gr.skip()]
        return self._take(teacher, prompt, latent, encoder)

    def _control(self, event: gr.EventData, names: str, prompt: str, latent: str, encoder: str) -> list[Any]:
        """The table that the page offers where the encoder cannot run."""
        chosen = str((event._data or {}).get("latent", latent))
        return [chosen, self._answer(names, prompt, chosen, encoder)]
