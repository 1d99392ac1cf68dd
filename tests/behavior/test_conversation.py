"""The real application answers a whole visit as it was recorded."""

from __future__ import annotations

from typing import Any

import pytest

from tests.behavior.conversation import visited
from tests.behavior.fixtures import CONVERSATION, SENTENCES, as_json, complaint, differences, machine, read
from tests.behavior.talk import Talk

RECORDED: dict[str, Any] = read(CONVERSATION)
HERE = machine() == RECORDED["machine"]
CHAPTERS = sorted({step.partition(":")[0] for step in RECORDED["recorded"]})

pytestmark = pytest.mark.slow  # a minute: three servers, and requests to every route


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Talk:
    return visited(tmp_path_factory.mktemp("visit"))


def of(chapter: str, steps: dict[str, Any]) -> dict[str, Any]:
    return {step: value for step, value in steps.items() if step.startswith(f"{chapter}:")}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_application_answers_as_it_did(talk: Talk, chapter: str) -> None:
    before, now = of(chapter, RECORDED["recorded"]), as_json(of(chapter, talk.record))
    found = differences(before, now, exact=HERE)
    assert not found, complaint(found)


def test_every_step_is_recorded(talk: Talk) -> None:
    assert list(talk.record) == list(RECORDED["recorded"])


def test_its_sentences_are_those_it_said(talk: Talk) -> None:
    found = differences(read(SENTENCES), talk.sentences, exact=HERE)
    assert not found, complaint(found) + "\nIf the new wording is meant: python -m tests.behavior.record conversation"
