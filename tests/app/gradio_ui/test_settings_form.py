"""The form and the environment: what is offered, what is refused."""

from __future__ import annotations

import gradio as gr
import pytest

from app.environment import CLUSTER, LOOPBACK, RECORDING, Environment
from app.gradio_ui.settings_form import Form, form_settings
from app.runs.requested_config import MACHINE, make_config
from nayer import presets
from nayer.config import Config, settings
from nayer.errors import ConfigError
from nayer.networks.cards import teacher_cards
from tests.support.serving import in_a_loop

CARDS = teacher_cards()


def a_form() -> Form:
    def make() -> Form:
        with gr.Blocks(analytics_enabled=False):
            return Form(CARDS, local=True)

    return in_a_loop(make)


def test_every_setting_is_in_the_form_but_what_the_page_decides() -> None:
    assert {s.name for s in settings()} - {s.name for s in form_settings(local=True)} == {"teacher", "event_every"}


def test_strangers_are_not_offered_what_names_things_of_the_machine() -> None:
    assert not MACHINE & {setting.name for setting in form_settings(local=False)}
    with pytest.raises(ConfigError, match="cannot be chosen on a shared page"):
        make_config("nayer", {"teacher": "digits", "encoder": "somebody/huge"}, CARDS, local=False)
    with pytest.raises(ConfigError, match=r"teacher must be one of .*'/etc' was given"):
        make_config("nayer", {"teacher": "/etc"}, CARDS, local=False)


@pytest.mark.parametrize("preset", presets.PRESETS)
def test_an_untouched_form_is_the_presets_config(preset: str) -> None:
    form = a_form()
    config = presets.get(preset).config
    entered = ["digits", preset, *(getattr(config, name) for name in form.fields)]
    chosen, values = form.values(entered)
    assert make_config(chosen, values, CARDS, local=True) == config.model_copy(update={"teacher": "digits"})


def test_a_form_shows_a_config_and_gives_it_back() -> None:
    form = a_form()
    config = Config(teacher="digits", seed=7, rounds=5, latent="one-hot", temperature=4.0)
    shown = form.showing(config)
    preset, values = form.values([shown[0], "nayer", *shown[2:]])
    assert make_config(preset, values, CARDS, local=True) == config


def test_every_field_says_its_help_its_bounds_and_its_unit() -> None:
    form = a_form()
    for setting in form.settings:
        info = str(form.fields[setting.name].info)
        assert info.startswith(setting.help)
        if setting.high is not None:
            assert setting.unit in info
            assert " to " in info


def test_the_environment_is_read_and_a_space_is_not_local() -> None:
    assert Environment.read({"NAYER_DATA": "off"}) == Environment(recording=RECORDING)
    assert Environment().local
    space = Environment.read({"SPACE_ID": "me/app", "PORT": "80"})
    assert (space.host, space.port, space.local) == ("0.0.0.0", 80, False)
    assert not Environment.read({"HOST": "0.0.0.0"}).local


@pytest.mark.parametrize(
    "variables", [{"NAYER_HOSTS": "my.example"}, {"NAYER_PROXY": "1"}, {"SPACE_HOST": "x.hf.space"}]
)
def test_who_names_a_host_or_a_proxy_serves_others_wherever_the_server_listens(variables: dict[str, str]) -> None:
    assert not Environment.read({"HOST": "127.0.0.1"} | variables).local


def test_proxies_are_named_by_address_and_a_spaces_are_known() -> None:
    assert Environment.read({}).proxies == ()
    assert Environment.read({"NAYER_PROXY": "1"}).proxies == LOOPBACK
    assert [str(one) for one in Environment.read({"NAYER_PROXY": "10.1.2.3, fd00::/8"}).proxies] == [
        "10.1.2.3/32",
        "fd00::/8",
    ]
    space = Environment.read({"SPACE_ID": "me/app", "SPACE_HOST": "me-app.hf.space"})
    assert (space.proxies, space.origins) == (CLUSTER, ("https://me-app.hf.space",))
    for wrong in ("yes", "0", "my.example", "10.0.0.1/8", ","):
        with pytest.raises(ConfigError, match=r"NAYER_PROXY must be 1 for a proxy on this machine, or .* was given"):
            Environment.read({"NAYER_PROXY": wrong})


@pytest.mark.parametrize("wrong", ["https://my.example", "my.example:80", "my.example/page", "*", "a b", "ä.b", "-.b"])
def test_a_host_that_no_browser_sends_is_one_sentence(wrong: str) -> None:
    with pytest.raises(ConfigError, match=r"^NAYER_HOSTS must be host names separated by commas, .* was given\.$"):
        Environment.read({"NAYER_HOSTS": f"fine.example, {wrong}"})
    assert Environment.read({"NAYER_HOSTS": "My.example,, [fd00::1] "}).hosts == ("My.example", "[fd00::1]")


@pytest.mark.parametrize("value", ["none", "-1", "65536", "1e3"])
def test_an_impossible_port_is_refused_in_one_sentence(value: str) -> None:
    with pytest.raises(ConfigError, match=r"PORT must be a whole number from 0 to 65535; .* was given\."):
        Environment.read({"PORT": value})


def test_numbers_of_thousands_of_digits_and_homes_of_nobody_are_one_sentence() -> None:
    with pytest.raises(ConfigError, match=r"^PORT must be a whole number from 0 to 65535; '9{40}' was given\.$"):
        Environment.read({"PORT": "9" * 5000})
    for variables in ({"NAYER_DATA": "~nobody-has-this-name/runs"}, {"XDG_DATA_HOME": "~nobody-has-this-name"}):
        with pytest.raises(ConfigError, match=r"'~nobody-has-this-name.*set NAYER_DATA to another folder, or to off"):
            Environment.read(variables)
