"""One strict config: what it refuses, what it says, and that nothing in it is undeclared."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nayer import presets
from nayer.config import GROUPS, Config, settings
from nayer.errors import ConfigError

NUMBERS = [s for s in settings() if s.kind in (int, float)]


@pytest.mark.parametrize("field", settings(), ids=lambda s: s.name)
def test_every_setting_is_described_bounded_and_grouped(field):
    assert field.help.endswith(".")
    assert field.group in GROUPS
    assert field.kind in (bool, int, float, str)
    if field.kind in (int, float):
        assert field.low is not None
        assert field.high is not None
        assert field.low <= field.default <= field.high


@pytest.mark.parametrize("field", NUMBERS, ids=lambda s: s.name)
@pytest.mark.parametrize("which", ["below", "above", "nan", "text", "none", "true"])
def test_numbers_out_of_range_or_of_another_kind_are_refused_in_one_sentence(field, which):
    kind = field.kind
    value = {
        "below": kind(field.low) - 1,
        "above": kind(field.high) + 1,
        "nan": math.nan,
        "text": "5",
        "none": None,
        "true": True,
    }
    with pytest.raises(ConfigError) as caught:
        Config.parse({field.name: value[which]})
    message = str(caught.value)
    low, high = (f"{bound:,.0f}" if kind is int else f"{bound:,g}" for bound in (field.low, field.high))
    assert message.startswith(f"{field.name} must be a")
    assert f" number from {low} to {high}" in message
    assert message.endswith(" was given.")
    assert "\n" not in message
    assert len(message) <= 200


@pytest.mark.parametrize("field", [s for s in settings() if s.choices], ids=lambda s: s.name)
def test_an_unknown_word_is_answered_with_those_that_work(field):
    with pytest.raises(ConfigError, match=", ".join(field.choices)):
        Config.parse({field.name: "nonsense"})


def test_unknown_settings_presets_and_prompts_are_named():
    with pytest.raises(ConfigError, match="nonsense is not a setting"):
        Config.parse({"nonsense": 1})
    with pytest.raises(ConfigError, match="preset must be one of nayer, nayer-paper"):
        presets.get("nope")
    with pytest.raises(ConfigError, match=r"exactly one \{\}"):
        Config.parse({"prompt": "no place"})


@given(
    name=st.sampled_from([s.name for s in settings()]),
    value=st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
)
def test_anything_is_either_a_config_or_one_sentence(name, value):
    try:
        config = Config.parse({name: value})
    except ConfigError as error:
        message = str(error)
    else:
        message = ""
        assert Config.model_validate_json(config.model_dump_json()) == config
    assert len(message) <= 300
    assert "\n" not in message


def test_parse_keeps_the_base_where_nothing_is_said():
    base = Config(rounds=7, seed=3)
    assert Config.parse({"seed": 4}, base) == Config(rounds=7, seed=4)


def test_the_paper_preset_has_the_published_constants():
    paper = presets.get("nayer-paper").config
    published = {
        "noisy_width": 1000, "noisy_std": 1.0, "generator_width": 64, "generator_steps": 30, "generator_lr": 4e-3,
        "generator_beta1": 0.5, "synthesis_batch": 400, "ce_weight": 0.5, "bn_weight": 10.0, "bn_momentum": 0.9,
        "adversarial_weight": 1.33, "student_steps": 400, "student_batch": 512, "student_lr": 0.2,
        "student_lr_end": 2e-4, "student_momentum": 0.9, "weight_decay": 1e-4, "temperature": 20.0,
        "routing": "k-to-1", "keep": "best", "embedding_norm": "batch", "latent": "lte", "noisy_reset_every": 1,
        "warmup_rounds": 200, "student_every": 2, "generator_reset_every": 20, "warmup_generator_reset_every": 100,
    }  # fmt: skip
    assert {name: getattr(paper, name) for name in published} == published
    assert paper.student_phases == 100
