"""One strict config: what it refuses, what it says, and that nothing in it is undeclared."""

import json
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nayer import presets
from nayer.compare.experiments import EXPERIMENTS
from nayer.config import GROUPS, Config, settings
from nayer.earlier_versions import RETIRED, RETIRED_VALUES, RetiredSetting
from nayer.errors import ConfigError
from tests.support.repository import ROOT

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


def test_a_form_can_show_three_settings_first_then_about_a_dozen():
    levels = {level: [one.name for one in settings() if one.level == level] for level in (1, 2, 3)}
    assert levels[1] == ["teacher", "seed", "rounds", "latent"]  # the teacher is chosen above the form
    assert 8 <= len(levels[2]) <= 14
    assert len(levels[3]) > 40


@pytest.mark.parametrize("field", settings(), ids=lambda s: s.name)
def test_every_setting_earns_its_keep(field):
    """A preset, an experiment, a lesson or a page of the documentation uses it."""
    varied = any(getattr(method.config, field.name) != field.default for method in presets.PRESETS.values())
    tried = any(field.name in arm.changes for one in EXPERIMENTS.values() for arm in one.variations)
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), ROOT / "app" / "content" / "lessons.py"]
    written = "".join(page.read_text("utf-8") for page in pages if page.name != "reference.md")
    flag = field.name.replace("_", "-")
    assert varied or tried or re.search(rf"`{field.name}|--(no-)?{flag}\b|\"{field.name}\"", written)


def a_stored_config(**old):
    """A config as earlier versions stored it."""
    return Config(rounds=7).model_dump() | {name: value for name, (value, _) in RETIRED.items()} | old


def test_a_stored_config_with_retired_settings_opens():
    assert Config.parse(a_stored_config()) == Config(rounds=7)
    assert Config(**a_stored_config()) == Config(rounds=7)
    assert Config.model_validate_json(json.dumps(a_stored_config())) == Config(rounds=7)


@pytest.mark.parametrize(
    ("old", "says"),
    [
        ({"embedding_norm": "none"}, "embedding_norm=none is gone: the embeddings always pass BatchNorm"),
        ({"z_scale": 0.3}, "z_scale=0.3 is gone: the noise beside a table always has scale 1"),
        ({"noisy_std": 0.5}, "noisy_std=0.5 is gone: weights of the noisy layer are always drawn with"),
        ({"contrastive_temperature": 0.2}, "contrastive_temperature=0.2 is gone: the contrastive term always has"),
        ({"student_momentum": 0.5}, "student_momentum=0.5 is gone: the student's SGD always has momentum 0.9"),
        ({"adversarial_form": "js"}, "adversarial_form=js is gone; use kl, reverse-kl or l1"),
    ],
)
def test_another_value_of_a_retired_setting_is_refused_in_one_sentence(old, says):
    with pytest.raises(RetiredSetting) as caught:
        Config.parse(a_stored_config(**old))
    assert str(caught.value).startswith(says)
    assert str(caught.value).endswith(".")


def test_what_is_retired_is_no_setting_any_more():
    assert not RETIRED.keys() & {one.name for one in settings()}
    choices = {one.name: one.choices for one in settings()}
    assert not any(value in choices[name] for name, value in RETIRED_VALUES)


def test_parse_keeps_the_base_where_nothing_is_said():
    base = Config(rounds=7, seed=3)
    assert Config.parse({"seed": 4}, base) == Config(rounds=7, seed=4)


def test_the_paper_preset_has_the_published_constants():
    paper = presets.get("nayer-paper").config
    published = {
        "noisy_width": 1000, "generator_width": 64, "generator_steps": 30, "generator_lr": 4e-3,
        "generator_beta1": 0.5, "synthesis_batch": 400, "ce_weight": 0.5, "bn_weight": 10.0, "bn_momentum": 0.9,
        "adversarial_weight": 1.33, "student_steps": 400, "student_batch": 512, "student_lr": 0.2,
        "student_lr_end": 2e-4, "weight_decay": 1e-4, "temperature": 20.0,
        "routing": "k-to-1", "keep": "best", "latent": "lte", "noisy_reset_every": 1,
        "warmup_rounds": 200, "student_every": 2, "generator_reset_every": 20, "warmup_generator_reset_every": 100,
    }  # fmt: skip
    assert {name: getattr(paper, name) for name in published} == published
    assert paper.student_phases == 100


def test_fast_as_published_redraws_its_first_layer_once_and_its_meta_rate_is_that_of_ten_steps():
    """Fast-Datafree at 0dcecbc: fast_meta.py, line 110 (epoch 120 + warm-up 20) and scripts/fast_cifar.sh, Fast-10."""
    fast = presets.PRESETS["fast-paper"].config
    assert [n for n in range(1, fast.rounds) if n % fast.noisy_reset_every == 0] == [139]  # the code counts from 1
    assert (fast.generator_steps, fast.generator_lr, fast.z_lr) == (10, 2e-3, 0.01)
    assert fast.meta_lr == pytest.approx(fast.generator_lr * fast.generator_steps)
    assert (fast.rounds, fast.warmup_rounds, fast.synthesis_batch, fast.student_batch) == (220, 20, 256, 256)


def test_dfad_as_published_is_the_recipe_for_cifar_10():
    """Data-Free-Adversarial-Distillation at c161591: README, line 82 (`--scheduler`), and DFAD_cifar.py, 86 to 155."""
    dfad = presets.PRESETS["dfad-paper"].config
    assert (dfad.rounds, dfad.synthesis_batch, dfad.z_size, dfad.student_steps) == (500 * 50, 256, 256, 5)
    assert (dfad.student_lr, dfad.student_lr_end, dfad.weight_decay, dfad.generator_lr) == (0.1, 0.0, 5e-4, 1e-3)
    assert (dfad.crop_share, dfad.flip, dfad.generator_cosine) == (0.0, False, True)


def test_adadfkd_as_published_is_the_script_that_can_run():
    """DFKD at cd281c4: adadfkd_cifar10_wrn402_wrn161.sh; the queue must be a multiple of the batch (_utils.py, 677)."""
    ada = presets.PRESETS["adadfkd-paper"].config
    assert ada.bank_capacity % ada.synthesis_batch == 0
    assert (ada.rounds, ada.synthesis_batch, ada.bank_capacity) == (500 * 400 // 10, 1024, 8192)
    assert (ada.adversarial_weight, ada.adversarial_temperature, ada.adversarial_mask) == (1.0, 3.0, "none")


def test_cpnet_as_published_mixes_no_images_of_the_student():
    """CPNet at 3f3d397: cpnet.py, lines 154 (CutMix) and 172 (KL), and registry.py, line 114."""
    coupled = presets.PRESETS["cpnet-paper"].config
    assert (coupled.cutmix_share, coupled.adversarial_form) == (0.0, "reverse-kl")
