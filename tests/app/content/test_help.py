"""The table of explanations against the code: nothing is left out, nothing points into the void."""

from __future__ import annotations

import dataclasses
import re

import pytest
from starlette.testclient import TestClient

from app.api.static_files import static_files
from app.content.help import event_types, explanations, explanations_json
from app.content.help_page import MEASURES
from app.content.lessons import LESSONS
from app.content.source_pages import ROOT, code_routes, places, source_page
from app.generated.reference import TARGET, field_comments, reference
from app.run_state.model import CURVES, View
from nayer.config import settings
from nayer.measures import AcrossRounds, Diversity
from nayer.presets import PRESETS

TABLE = explanations()
SCRIPTS = {name: path.read_text("utf-8") for name, path in static_files().items() if name.endswith(".js")}
ASKED = {key for script in SCRIPTS.values() for key in re.findall(r'"((?:measure|panel|control|setting)/\w+)"', script)}


def test_every_setting_preset_and_event_is_described() -> None:
    assert {key for key in TABLE if key.startswith("setting/")} == {f"setting/{one.name}" for one in settings()}
    assert {key for key in TABLE if key.startswith("preset/")} == {f"preset/{name}" for name in PRESETS}
    declared = re.findall(r"^class (\w+)\(?.*:$", (ROOT / "nayer" / "events.py").read_text("utf-8"), re.MULTILINE)
    assert {key for key in TABLE if key.startswith("event/")} == {f"event/{name}" for name in declared}
    assert len(event_types()) == len(declared) > 10


def test_every_measure_that_travels_to_the_page_is_described() -> None:
    assert [field.name for field in dataclasses.fields(View) if field.type == "Series"] == [*CURVES]
    on_the_page = {re.sub(r"_(noise|real)$", "", name) for columns in CURVES.values() for name in columns}
    on_the_page -= {"judge_confidence"}  # `second_opinion` describes both numbers of the judge
    assert on_the_page <= set(MEASURES)


@pytest.mark.parametrize("key", TABLE)
def test_an_explanation_is_a_sentence_and_its_place_exists(key: str) -> None:
    one = TABLE[key]
    assert re.fullmatch(r"[A-Z\d].{10,170}\.", one.says), one.says
    assert (ROOT / one.file).is_file()
    assert one.name in places((ROOT / one.file).read_text("utf-8")), f"{one.file} has no {one.name}"


def test_the_page_asks_for_what_is_explained_and_explains_what_it_shows() -> None:
    assert set(TABLE) >= ASKED
    shown = {key for key in TABLE if key.split("/")[0] in ("measure", "panel", "control")}
    assert shown - ASKED == {"measure/labels_kept"}  # told to programs only
    chosen = [option.changes for lesson in LESSONS for option in lesson.choice.options]
    changed = {
        name for changes in (*chosen, *(own for lesson in LESSONS for _, own in lesson.arms)) for name in changes
    }
    assert {f"setting/{name}" for name in changed} <= set(TABLE)


def test_the_reference_says_what_the_code_says() -> None:
    assert TARGET.read_text("utf-8") == reference(), "the code says something else now: make reference"


@pytest.mark.parametrize("kind", [*event_types()[1:], Diversity, AcrossRounds], ids=lambda kind: kind.__name__)
def test_numbers_of_an_event_or_a_measure_say_what_they_count(kind: type[object]) -> None:
    clear = {"steps", "message", "teacher", "classes", "latent", "rounds", "samples", "images", "config"}
    clear |= {"what", "reason", "measured_on", "teacher_accuracy", "loss", "vendi_mean", "distance_mean"}
    clear |= {"duplicate_share", "teacher_entropy_share", "label_accuracy", "confidence_mean", "disagreement_share"}
    clear |= {"nearest_mean", "learning_rate", "distance_min", "pooled"}
    silent = {name for name, said in field_comments(kind).items() if not said}
    assert silent <= clear


def test_the_source_is_shown_as_it_is_with_a_target_for_each_name() -> None:
    page = source_page("nayer/distillation/image_pool.py")
    lines = (ROOT / "nayer" / "distillation" / "image_pool.py").read_text("utf-8").splitlines()
    assert page.count("<i>") == len(lines)
    assert '<span id="Pool.sample">' in page
    assert page.count("<span") == page.count("</span>")
    found = places("class A:\n    def f(self):\n        return 1\n\nB = 2\n")
    assert found == {"A": (1, 3), "A.f": (2, 3), "B": (5, 5)}


def test_only_files_of_the_table_are_shown() -> None:
    from fastapi import FastAPI

    application = FastAPI()
    application.include_router(code_routes())
    client = TestClient(application)
    assert client.get("/code/nayer/distillation/losses.py").status_code == 200
    for other in (
        "nayer/../README.md",
        "app/server.py",
        "/etc/hostname",
        "..%2f..%2fetc%2fhostname",
        "tests/support/tiny.py",
    ):
        assert client.get(f"/code/{other}").status_code == 404
    assert client.get("/explained").json() == explanations_json(TABLE)
