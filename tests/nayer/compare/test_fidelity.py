"""The table of published constants: complete, equal where it says so, with a reason where it does not."""

import re

import pytest

from app.generated.fidelity import TARGET, fidelity
from nayer.compare.fidelity import FULL_SIZE, NOT_PUBLISHED, OTHER_RATIOS, PUBLISHED
from nayer.config import Config, settings
from nayer.presets import PRESETS, get

ROWS = [pytest.param(method, name, id=f"{method.preset} {name}") for method in PUBLISHED for name in method.constants]


def test_every_full_size_preset_has_its_sheet():
    assert sorted(FULL_SIZE) == sorted(name for name in PRESETS if name.endswith("-paper"))


@pytest.mark.parametrize(("method", "name"), ROWS)
def test_a_constant_equals_what_was_published_or_has_a_reason(method, name):
    one, ours = method.constant(name), getattr(get(method.preset).config, name)
    assert (one.published == ours) == (not one.reason), f"published {one.published!r}, ours {ours!r}"


@pytest.mark.parametrize("method", PUBLISHED, ids=lambda method: method.preset)
def test_every_setting_that_a_full_size_preset_chooses_is_in_its_table(method):
    chosen = {
        one.name for one in settings() if getattr(get(method.preset).config, one.name) != getattr(Config(), one.name)
    }
    assert chosen - NOT_PUBLISHED <= set(method.constants)


@pytest.mark.parametrize("method", PUBLISHED, ids=lambda method: method.preset)
def test_small_versions_keep_the_ratio_of_student_steps_to_generator_steps_or_say_why_not(method):
    full, small = get(method.preset).config, get(method.preset.removesuffix("-paper")).config
    ratio = (full.student_steps / full.student_every / full.generator_steps) / (
        small.student_steps / small.student_every / small.generator_steps
    )
    assert (ratio == pytest.approx(1.0, rel=0.01)) == (method.preset not in OTHER_RATIOS)


@pytest.mark.parametrize("method", PUBLISHED, ids=lambda method: method.preset)
def test_every_place_is_a_file_and_a_line_and_each_setting_has_at_most_one(method):
    held = [name for names in method.places.values() for name in names.split()]
    assert len(set(held)) == len(held)
    assert set(held) <= set(method.constants)
    assert all(re.fullmatch(r"[\w./-]+:\d+(-\d+)?(, [\w./-]+:\d+)?", place) for place in method.places)
    assert re.search(r" at [0-9a-f]{7}\b", method.where)


@pytest.mark.parametrize("method", PUBLISHED, ids=lambda method: method.preset)
def test_a_value_without_a_place_is_one_that_the_code_does_not_have(method):
    absent = {0, "none", "no pool", "no generator"}
    without = [name for name in method.constants if not method.place(name)]
    assert {method.constant(name).published for name in without} <= absent


def test_the_page_is_as_the_code():
    assert TARGET.read_text("utf-8") == fidelity(), "make reference writes it anew"
