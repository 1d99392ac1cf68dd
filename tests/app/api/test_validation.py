"""No generated argument gets past a command but as it should, and a refusal is one short sentence with a name in it."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.api.commands import Commands
from app.api.validation import Word, checked
from app.runs.manager import RunManager
from nayer.config import Config
from nayer.config import settings as fields
from nayer.errors import ConfigError, NayerError
from nayer.networks.cards import teacher_cards
from nayer.presets import PRESETS
from tests.support import nasty
from tests.support.scripted import Scripted, script

ENDPOINTS = [
    "start",
    "start_lab",
    "redraws",
    "pause",
    "resume",
    "step",
    "pace",
    "change",
    "burst",
    "revive",
    "leave",
    "stop",
    "status",
]


@pytest.fixture(scope="module")
def commands() -> Commands:
    registry = RunManager(lambda plan: Scripted(lambda: script(plan.configs[0])))
    return Commands(registry, teacher_cards(), local=False)


def is_one_sentence(message: str) -> bool:
    return len(message) <= 400 and "Traceback" not in message and "\n" not in message


@pytest.mark.parametrize("name", ENDPOINTS)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_command_answers_or_refuses_in_one_sentence(commands: Commands, name: str, data: st.DataObject) -> None:
    method = getattr(commands, name)
    taken = list(inspect.signature(method).parameters)
    arguments = data.draw(st.lists(nasty.values, min_size=len(taken), max_size=len(taken)))
    refusal = ""
    try:
        method(*arguments)
    except NayerError as error:
        refusal = str(error)
    assert is_one_sentence(refusal), refusal


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.sampled_from([field.name for field in fields()]) | nasty.words, nasty.values, max_size=4),
    st.sampled_from(sorted(PRESETS)),
)
def test_the_config_takes_a_value_or_names_it(values: dict[str, Any], preset: str) -> None:
    refusal, taken = "", values
    try:
        taken = Config.parse(values, PRESETS[preset].config).model_dump()
    except ConfigError as error:
        refusal = str(error)
    assert is_one_sentence(refusal), refusal
    assert {name: taken[name] for name in values} == values


def test_numbers_and_words_of_the_right_kind_pass_untouched() -> None:
    @checked
    def command(name: str, count: int, share: float, inner: dict[str, Any]) -> tuple[Any, ...]:
        return name, count, share, inner

    given = {"a": [1, None]}
    assert command("x", 3, 1, given) == ("x", 3, 1.0, given)
    assert list(inspect.signature(command).parameters) == ["name", "count", "share", "inner"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("x", True, 1.0, {}), "count must be a whole number; True was given."),
        (("x", 1, float("nan"), {}), "share must be a finite number; nan was given."),
        ((1, 1, 1.0, {}), "name must be a text; 1 was given."),
        (("x", 1, 1.0, [1]), "inner must be an object of names and values; [1] was given."),
        (("\ud800", 1, 1.0, {}), "name must be a text of valid Unicode; '\\ud800' was given."),
    ],
)
def test_a_refusal_says_what_would_work(arguments: tuple[Any, ...], sentence: str) -> None:
    @checked
    def command(name: Word, count: int, share: float, inner: dict[str, Any]) -> None:
        raise AssertionError

    with pytest.raises(ConfigError) as refused:
        command(*arguments)
    assert str(refused.value) == sentence
