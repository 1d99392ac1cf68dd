"""A config told as a command line or an address comes back as it was."""

import shlex
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nayer.cli.main import parser_for
from nayer.cli.options import given_settings
from nayer.config import Config
from nayer.config import settings as fields
from nayer.errors import ConfigError
from nayer.exports.reproduce import command_line, config_of, known, nearest_preset, words
from nayer.presets import PRESETS, get


def some(field):
    """Values of a setting's own kind, within its bounds."""
    if field.kind is bool:
        return st.booleans()
    if field.choices:
        return st.sampled_from(field.choices)
    if field.kind is str:
        return st.sampled_from(["", "digits", "a photo of a {}", "it's $HOME; {}", "-x {}"])
    if field.kind is int:
        return st.integers(int(field.low), int(field.high))
    return st.floats(field.low, field.high)


@st.composite
def configs(draw):
    picked = draw(st.lists(st.sampled_from(fields()), max_size=4, unique_by=lambda field: field.name))
    try:
        values = {field.name: draw(some(field)) for field in picked}
        return Config.parse(values, PRESETS[draw(st.sampled_from(sorted(PRESETS)))].config)
    except ConfigError:  # values that do not go together
        return Config(seed=draw(st.integers(0, 99)))


@settings(max_examples=100, deadline=None)
@given(configs())
def test_the_command_line_and_the_address_say_the_whole_config(config):
    assert config_of(words(config))[1] == config
    typed = parser_for("distill").parse_args(shlex.split(command_line(config))[4:])
    assert Config.parse(given_settings(typed), get(typed.preset).config) == config


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_a_preset_is_its_own_nearest(preset):
    name, changes = nearest_preset(Config.parse({"seed": 3, "teacher": "digits"}, PRESETS[preset].config))
    assert (name, changes) == (preset, {})


def test_words_that_are_no_settings_are_left_alone_and_wrong_values_named():
    assert config_of({"watch": "x", "hide": "seed", "seed": "4"})[1] == Config(seed=4)
    with pytest.raises(ConfigError, match="seed must be a whole number"):
        config_of({"seed": "four"})
    with pytest.raises(ConfigError, match=r"preset must be one of .*'none' was given"):
        config_of({"preset": "none"})
    assert known({**Config(seed=2).model_dump(), "a_setting_of_old": 1}) == Config(seed=2)


def test_an_address_of_an_earlier_version_opens_or_says_what_is_gone():
    old = {"seed": "4", "z_scale": "1.0", "embedding_norm": "batch", "student_momentum": "0.9"}
    assert config_of(old)[1] == Config(seed=4)
    with pytest.raises(ConfigError, match=r"z_scale=0\.3 is gone: "):
        config_of({"z_scale": "0.3"})
    with pytest.raises(ConfigError, match="embedding_norm=none is gone: "):
        known({**Config().model_dump(), "embedding_norm": "none"})


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
@pytest.mark.parametrize(
    "prompt", ["a {}\n```\n# by somebody else", "{}\r\nteacher: x", "it's\u2028{} \\ $x", "{}\u2029"]
)
def test_a_command_stays_one_line_and_a_shell_reads_it_as_it_was(prompt: str) -> None:
    config = Config(prompt=prompt)
    command = command_line(config)
    assert len(command.splitlines()) == 1
    words_of = f"printf '%s\\0' {command.removeprefix('python -m nayer distill ')}"
    told = subprocess.run(["bash", "-c", words_of], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"}).stdout
    typed = parser_for("distill").parse_args(told.decode().split("\0")[:-1])
    assert Config.parse(given_settings(typed), get(typed.preset).config) == config
