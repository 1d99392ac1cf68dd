"""The Blocks: a form on the left, the stage beside it, and the public endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr
from gradio.events import api

from app.api.commands import COMMANDS, Commands
from app.api.example_routes import example_files
from app.content import lessons, messages
from app.embeddings.explorer import Explorer
from app.fairness.executors import Executors
from app.fairness.fair_executor import in_turn
from app.gradio_ui.compat import Page, bound_queue, event_data
from app.gradio_ui.embeddings_tab import ExplorerTab
from app.gradio_ui.lab_tab import lab_tab
from app.gradio_ui.script_panel import QUIET, script_panel
from app.gradio_ui.settings_form import Form
from app.gradio_ui.teacher_upload import OwnTeacher
from app.run_state.teacher_cards import card_json
from app.runs.manager import RunManager
from nayer.errors import NayerError
from nayer.exports.reproduce import config_of
from nayer.networks.cards import TeacherCard


def build(
    registry: RunManager,
    commands: Commands,
    explorer: Explorer,
    teachers: Sequence[TeacherCard],
    pools: Executors,
    *,
    version: str,
    local: bool,
    on_space: bool = False,
    greets: bool = False,
    lends: bool = False,
) -> gr.Blocks:
    """The page, ready to mount. `version` names the state of the static files. `greets`: a recording plays.
    `lends`: a GPU is available for a short time."""
    page = Page(title=messages.TITLE, analytics_enabled=False, fill_width=True)
    with page:
        gr.HTML(_header(), elem_id="masthead", apply_default_css=False)
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab("Live", id="live"):
                gr.HTML(
                    html_template='<div id="nayer-bar"></div>', js_on_load=None, elem_id="bar", apply_default_css=False
                )
                with gr.Row(elem_id="workbench"):
                    with gr.Column(scale=0, min_width=264, elem_id="settings"):
                        form = Form(teachers, local=local)
                        OwnTeacher(form, version=version)
                        gr.HTML(f"<p>{messages.SETTINGS_APPLY}</p>", elem_id="settings-note", apply_default_css=False)
                    with gr.Column(elem_id="stage-column"):
                        stage = script_panel(
                            "stage",
                            "live/live_page.js",
                            ["element", "props", "trigger", "watch"],
                            framed=False,
                            version=version,
                            first=form.teacher.value,
                            fields=["teacher", "preset", *form.fields],
                            preset=form.preset.value,
                            teachers=[card_json(card) for card in teachers],
                            parts=messages.PARTS,
                            greets=greets,
                            lends=lends,
                            watching=messages.WATCHING,
                            gone=messages.WATCHED_GONE,
                            recorded=messages.RECORDED,
                            empty=[messages.EMPTY_TITLE, messages.EMPTY_TEXT],
                            grace=messages.GRACE.format(seconds=registry.grace_seconds)
                            + (f" {messages.ON_A_SPACE}" if on_space else ""),
                        )
            with gr.Tab("Reset lab", id="lab-tab"):
                lab_tab(teachers, first=str(form.teacher.value), version=version)
            with gr.Tab("Embeddings", id="embeddings"):
                ExplorerTab(form, teachers, version=version, local=local)
            with gr.Tab("Learn", id="learn"):
                script_panel(
                    "tour",
                    "lessons/lessons_page.js",
                    ["element", "props"],
                    host="lessons",
                    version=version,
                    lessons=lessons.lessons_json(),
                    examples=sorted(example_files()),
                )
            with gr.Tab("My runs", id="runs"):
                script_panel("runs", "runs/runs_page.js", ["element"], version=version)
        script_panel(
            "status",
            "status/status_panel.js",
            ["element", "props"],
            framed=False,
            version=version,
            title=messages.STATUS_TITLE,
            intro=messages.STATUS_INTRO,
            rows=list(messages.STATUS_ROWS.items()),
        )
        _wire(stage, form, commands, registry, pools)
        for command in COMMANDS:
            if command.endpoint and (lends or not command.needs_gpu):
                api(command.of(commands, pools.asking, pools.checking), queue=False)
        for question in (explorer.embeddings, explorer.embeddings_umap):
            api(in_turn(pools.work, question), queue=False)
    bound_queue(page)
    return page


def _wire(stage: gr.HTML, form: Form, commands: Commands, registry: RunManager, pools: Executors) -> None:
    """Play starts a run with the values of the form. A page that finds its run again gets its earlier form values."""

    begin, config_here = in_turn(pools.checking, commands.begin), in_turn(pools.checking, commands.config)
    revise = in_turn(pools.asking, commands.revise)

    async def play(event: gr.EventData, *entered: object) -> dict[str, Any]:
        asked = event_data(event)
        preset, values = form.values(entered)
        try:
            begun = await begin(preset, values, str(asked.get("token", "")), paused=bool(asked.get("paused")))
        except NayerError as error:
            return {"error": str(error), "asked": asked.get("asked")}
        return begun | {"asked": asked.get("asked")}

    def restore(event: gr.EventData) -> list[Any]:
        asked = event_data(event)
        try:
            run = registry.owned(str(asked.get("run", "")), str(asked.get("token", "")))
        except NayerError:
            return [gr.skip() for _ in form.inputs]
        return form.showing(run.config)

    async def apply(event: gr.EventData, *entered: object) -> dict[str, Any]:
        asked = event_data(event)
        _, values = form.values(entered)
        try:
            sentence = await revise(str(asked.get("run", "")), str(asked.get("token", "")), values)
        except NayerError as error:
            return {"said": str(error), "refused": True, "asked": asked.get("asked")}
        return {"said": sentence, "asked": asked.get("asked")}

    async def arrive(event: gr.EventData) -> list[Any]:
        """Fills the form with the values in the address."""
        asked = event_data(event).get("words")
        given = {str(name): str(value) for name, value in asked.items()} if isinstance(asked, dict) else {}
        try:
            preset, config = config_of(given)
            config = await config_here(preset, config.model_dump())
        except NayerError as error:
            sentence = f"This address does not work: {error}"
            return [{"said": sentence, "refused": True, "asked": "address"}, *(gr.skip() for _ in form.inputs)]
        return [{"chosen": config.teacher, "asked": "address"}, *form.showing(config, preset)]

    stage.apply(apply, form.inputs, stage, **QUIET)
    stage.play(play, form.inputs, stage, **QUIET)
    stage.submit(arrive, None, [stage, *form.inputs], **QUIET)
    stage.select(restore, None, form.inputs, **QUIET)
    form.teacher.input(None, form.teacher, None, js="(name) => window.nayerChooseTeacher?.(name)", **QUIET)
    entered: list[Any] = form.inputs  # the script asks how long such a run would take
    gr.on(
        [one.change for one in entered],
        None,
        form.inputs,
        None,
        js="(...values) => window.nayerForm?.(values)",
        **QUIET,
    )


def _header() -> str:
    sentence = f"{messages.TAGLINE} {messages.TO_THE_LESSONS} {messages.TO_A_CLASS}"
    return f"<header><h1>{messages.TITLE}</h1><p>{sentence}</p></header>"
