"""The settings as a form, made from the config's own declarations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from app.content import messages
from app.content.help import caption, preset_caption
from app.gradio_ui.script_panel import QUIET
from app.runs.requested_config import MACHINE
from nayer import presets
from nayer.config import GROUPS, Config, settings
from nayer.networks.cards import TeacherCard
from nayer.settings import Setting

_PRESET = "nayer-clear"  # Play starts this preset, and the shipped recording shows it
_NOT_IN_THE_FORM = frozenset({"teacher", "event_every"})
_WORDS = {"ce": "CE", "bn": "BN", "lr": "learning rate", "std": "standard deviation", "beta1": "beta 1"}
_TITLES = {
    "lte": "label-text embeddings",
    "one-hot": "one-hot",
    "random": "random numbers",
    "shuffled": "shuffled embeddings",
}


def form_settings(*, local: bool) -> list[Setting]:
    """The settings that the form shows, by their level: the first three, about a dozen more, then the rest."""
    hidden = _NOT_IN_THE_FORM if local else _NOT_IN_THE_FORM | MACHINE
    return sorted((one for one in settings() if one.name not in hidden), key=lambda one: one.level)


def latent_choices(latents: Sequence[str]) -> list[tuple[str, str]]:
    """Tables as (label, value)."""
    return [(_TITLES.get(latent, latent), latent) for latent in latents]


class Form:
    """The widgets, drawn in the Blocks context that creates the form."""

    def __init__(self, teachers: Sequence[TeacherCard], *, local: bool) -> None:
        self.settings = form_settings(local=local)
        self.teachers, self.local = teachers, local
        self._teachers = [(card.title, card.name) for card in teachers]
        self.teacher = gr.Dropdown(
            self._teachers,
            value=_default_teacher(teachers),
            label="Teacher",
            elem_id="field-teacher",
            info=f"{messages.TEACHER_HERE if local else messages.TEACHER} {caption('teacher')}",
            allow_custom_value=local,
        )
        self.preset = gr.Dropdown(
            [(method.title, name) for name, method in presets.PRESETS.items()],
            value=_PRESET,
            label="Preset",
            elem_id="field-preset",
            info=preset_caption(_PRESET),
        )
        self.fields: dict[str, gr.Component] = self._widgets(level=1)
        with gr.Accordion("Main settings", open=False, elem_id="reset-policy"):  # the id is in addresses: hide=…
            self.fields |= self._widgets(level=2)
        with gr.Accordion("All settings", open=False, elem_id="all-settings"):
            for group, title in GROUPS.items():
                with gr.Accordion(title, open=False):
                    self.fields |= self._widgets(level=3, group=group)
        self.preset.input(
            self._preset_values,
            self.preset,
            [self.preset, *(field for name, field in self.fields.items() if name != "seed")],
            **QUIET,
        )

    @property
    def inputs(self) -> list[gr.Component]:
        """Teacher, preset, then every field."""
        return [self.teacher, self.preset, *self.fields.values()]

    def _widgets(self, level: int, group: str = "") -> dict[str, gr.Component]:
        """Widgets by the name of the setting: those of one level, and of one group if `group` is given."""
        return {
            one.name: _widget(one, getattr(presets.get(_PRESET).config, one.name))
            for one in self.settings
            if one.level == level and (not group or one.group == group)
        }

    def values(self, entered: Sequence[object]) -> tuple[str, dict[str, object]]:
        """The values of `inputs`, as (preset, values by name)."""
        teacher, preset, *rest = entered
        return str(preset), {"teacher": teacher} | dict(zip(self.fields, rest, strict=True))

    def naming(self, teacher: str, title: str = "") -> Any:
        """The update that selects a teacher in the form. A teacher that is not shipped joins the list under `title`."""
        if teacher in [name for _, name in self._teachers]:
            return teacher
        return gr.update(choices=[*self._teachers, (title or messages.OWN_TITLE, teacher)], value=teacher)

    def showing(self, config: Config, preset: str = "") -> list[object]:
        """The values of `inputs` that show this config. The preset stays if none is named."""
        chosen = gr.update(value=preset, info=preset_caption(preset)) if preset else gr.skip()
        return [self.naming(config.teacher), chosen, *(getattr(config, name) for name in self.fields)]

    def _preset_values(self, preset: object) -> list[Any]:
        method = presets.get(str(preset))
        update = gr.update(info=preset_caption(str(preset)))
        return [update, *(getattr(method.config, name) for name in self.fields if name != "seed")]


def label_of(setting: Setting) -> str:
    """The name of a setting as people read it."""
    label = " ".join(_WORDS.get(word, word) for word in setting.name.split("_"))
    return label[0].upper() + label[1:]


def _widget(setting: Setting, value: Any) -> gr.Component:
    """One field that holds `value`. The text states the bounds; the config enforces them with its own sentences."""
    common: dict[str, Any] = {"label": label_of(setting), "info": _info(setting), "elem_id": f"field-{setting.name}"}
    if setting.choices:
        choices = [(_TITLES.get(choice, choice), choice) for choice in setting.choices]
        return gr.Dropdown(choices, value=value, **common)
    if setting.kind is bool:
        return gr.Checkbox(value=value, **common)
    if setting.kind is str:
        return gr.Textbox(value=value, lines=1, max_lines=1, **common)
    return gr.Number(value=value, precision=0 if setting.kind is int else None, **common)


def _info(setting: Setting) -> str:
    """Help, bounds with their unit, the paper's symbol and a link to the code, in Markdown."""
    bounds = ""
    if setting.low is not None and setting.high is not None:
        unit = f" {setting.unit}" if setting.unit else ""
        bounds = f" {plain(setting.low)} to {plain(setting.high)}{unit}."
    return f"{setting.help}{bounds} {caption(setting.name)}"


def plain(bound: float) -> str:
    """A bound as people write it: no exponent, commas between thousands."""
    if abs(bound) >= 1000:
        return f"{bound:,.0f}"
    return f"{bound:.6f}".rstrip("0").rstrip(".")


def _default_teacher(teachers: Sequence[TeacherCard]) -> str | None:
    names = [card.name for card in teachers]
    default = Config().teacher
    return default if default in names else next(iter(names), None)
