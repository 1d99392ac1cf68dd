"""The Blocks: a form on the left, the stage beside it, and the public endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr
from gradio.events import api

from app import text
from app.cards import shown
from app.commands import Commands
from app.compat import Page, bound_queue, told
from app.controls import Form
from app.explorer import Explorer
from app.explorer_tab import ExplorerTab
from app.lab_tab import lab_tab
from app.own_teacher import OwnTeacher
from app.pools import Pools
from app.sessions import Registry
from app.static_files import load_script
from app.status_panel import status_panel
from app.tour_tab import tour_tab
from app.turns import Turns, in_turn
from nayer.errors import NayerError
from nayer.repeating import config_of
from nayer.teacher_cards import TeacherCard


def build(
    registry: Registry,
    commands: Commands,
    explorer: Explorer,
    teachers: Sequence[TeacherCard],
    pools: Pools,
    *,
    version: str,
    local: bool,
    on_space: bool = False,
    greets: bool = False,
    lends: bool = False,
) -> gr.Blocks:
    """The page, ready to be mounted. `version` names the state of the static files; `greets`: a recording plays;
    `lends`: there is a GPU for a moment."""
    page = Page(title=text.TITLE, analytics_enabled=False, fill_width=True)
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
                        gr.HTML(f"<p>{text.SETTINGS_APPLY}</p>", elem_id="settings-note", apply_default_css=False)
                    with gr.Column(elem_id="stage-column"):
                        stage = gr.HTML(
                            value=None,
                            html_template='<div id="nayer-stage" class="nayer"></div>',
                            js_on_load=load_script("live/live_page.js", "element", "props", "trigger", "watch"),
                            apply_default_css=False,
                            elem_id="stage",
                            version=version,
                            first=form.teacher.value,
                            teachers=[shown(card) for card in teachers],
                            parts=text.PARTS,
                            greets=greets,
                            lends=lends,
                            watching=text.WATCHING,
                            gone=text.WATCHED_GONE,
                            recorded=text.RECORDED,
                            empty=[text.EMPTY_TITLE, text.EMPTY_TEXT],
                            grace=text.GRACE.format(seconds=registry.grace_seconds)
                            + (f" {text.ON_A_SPACE}" if on_space else ""),
                        )
            with gr.Tab("Reset lab", id="lab-tab"):
                lab_tab(teachers, first=str(form.teacher.value), version=version)
            with gr.Tab("Embeddings", id="embeddings"):
                ExplorerTab(form, teachers, version=version, local=local)
            with gr.Tab("Learn", id="learn"):
                tour_tab(version=version)
        status_panel(version=version)
        _wire(stage, form, commands, registry, pools.asking)
        for command in (
            commands.start,
            commands.start_lab,
            in_turn(pools.asking, commands.redraws),
            commands.pause,
            commands.resume,
            commands.step,
            commands.pace,
            in_turn(pools.asking, commands.change),
            *([in_turn(pools.asking, commands.burst)] if lends else []),
            commands.stop,
            commands.status,
            in_turn(pools.work, explorer.embeddings),
            in_turn(pools.work, explorer.embeddings_umap),
        ):
            api(command, queue=False)
    bound_queue(page)
    return page


def _wire(stage: gr.HTML, form: Form, commands: Commands, registry: Registry, asking: Turns) -> None:
    """Play starts a run with what the form holds; a page that finds its run again gets the form back as it was."""

    def play(event: gr.EventData, *entered: object) -> dict[str, Any]:
        asked = told(event)
        preset, values = form.values(entered)
        try:
            begun = commands.begin(preset, values, str(asked.get("token", "")), paused=bool(asked.get("paused")))
        except NayerError as error:
            return {"error": str(error), "asked": asked.get("asked")}
        return begun | {"asked": asked.get("asked")}

    def restore(event: gr.EventData) -> list[Any]:
        asked = told(event)
        try:
            run = registry.owned(str(asked.get("run", "")), str(asked.get("token", "")))
        except NayerError:
            return [gr.skip() for _ in form.inputs]
        return form.showing(run.config)

    revise = in_turn(asking, commands.revise)

    async def apply(event: gr.EventData, *entered: object) -> dict[str, Any]:
        asked = told(event)
        _, values = form.values(entered)
        try:
            said = await revise(str(asked.get("run", "")), str(asked.get("token", "")), values)
        except NayerError as error:
            return {"said": str(error), "refused": True, "asked": asked.get("asked")}
        return {"said": said, "asked": asked.get("asked")}

    def arrive(event: gr.EventData) -> list[Any]:
        """Fills the form with what the address asks for."""
        asked = told(event).get("words")
        given = {str(name): str(value) for name, value in asked.items()} if isinstance(asked, dict) else {}
        try:
            preset, config = config_of(given)
            config = commands.config(preset, config.model_dump())
        except NayerError as error:
            said = f"The address cannot be followed: {error}"
            return [{"said": said, "refused": True, "asked": "address"}, *(gr.skip() for _ in form.inputs)]
        return [{"chosen": config.teacher, "asked": "address"}, *form.showing(config, preset)]

    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    stage.apply(apply, form.inputs, stage, **quiet)
    stage.play(play, form.inputs, stage, **quiet)
    stage.submit(arrive, None, [stage, *form.inputs], **quiet)
    stage.select(restore, None, form.inputs, **quiet)
    form.teacher.input(None, form.teacher, None, js="(name) => window.nayerChooseTeacher?.(name)", **quiet)


def _header() -> str:
    return f"<header><h1>{text.TITLE}</h1><p>{text.TAGLINE} {text.TO_THE_LESSONS}</p></header>"
