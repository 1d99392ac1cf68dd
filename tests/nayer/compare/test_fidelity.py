"""The table of published constants: complete, equal where it says so, with a reason where it does not."""

import re

import pytest

from app.generated.fidelity import TARGET, fidelity
from nayer.compare.fidelity import FULL_SIZE, OTHER_RATIOS, OWN, SHEETS
from nayer.config import Config, settings
from nayer.presets import PRESETS, get

ROWS = [pytest.param(sheet, name, id=f"{sheet.preset} {name}") for sheet in SHEETS for name in sheet.constants]


def test_every_full_size_preset_has_its_sheet():
    assert sorted(FULL_SIZE) == sorted(name for name in PRESETS if name.endswith("-paper"))


@pytest.mark.parametrize(("sheet", "name"), ROWS)
def test_a_constant_equals_what_was_published_or_has_a_reason(sheet, name):
    one, ours = sheet.constant(name), getattr(get(sheet.preset).config, name)
    assert (one.published == ours) == (not one.reason), f"published {one.published!r}, ours {ours!r}"


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.preset)
def test_every_setting_that_a_full_size_preset_chooses_is_in_its_sheet(sheet):
    chosen = {
        one.name for one in settings() if getattr(get(sheet.preset).config, one.name) != getattr(Config(), one.name)
    }
    assert chosen - OWN <= set(sheet.constants)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.preset)
def test_small_forms_keep_the_ratio_of_student_steps_to_generator_steps_or_say_why_not(sheet):
    full, small = get(sheet.preset).config, get(sheet.preset.removesuffix("-paper")).config
    ratio = (full.student_steps / full.student_every / full.generator_steps) / (
        small.student_steps / small.student_every / small.generator_steps
    )
    assert (ratio == pytest.approx(1.0, rel=0.01)) == (sheet.preset not in OTHER_RATIOS)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.preset)
def test_every_place_is_a_file_and_a_line_and_each_setting_has_at_most_one(sheet):
    held = [name for names in sheet.places.values() for name in names.split()]
    assert len(set(held)) == len(held)
    assert set(held) <= set(sheet.constants)
    assert all(re.fullmatch(r"[\w./-]+:\d+(-\d+)?(, [\w./-]+:\d+)?", place) for place in sheet.places)
    assert re.search(r" at [0-9a-f]{7}\b", sheet.where)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.preset)
def test_a_value_without_a_place_is_one_that_the_code_does_not_have(sheet):
    absent = {0, "none", "no pool", "no generator"}
    without = [name for name in sheet.constants if not sheet.place(name)]
    assert {sheet.constant(name).published for name in without} <= absent


def test_the_page_is_as_the_code():
    assert TARGET.read_text("utf-8") == fidelity(), "make reference writes it anew"
