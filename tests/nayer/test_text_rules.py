"""One rule for the characters of every text that comes in, and one for class names, wherever they are read."""

from __future__ import annotations

import json
import unicodedata

import pytest

from nayer.config import Config
from nayer.errors import AssetError, ConfigError
from nayer.events import RunFailed
from nayer.exports.event_codec import pack, unpack
from nayer.networks.cards import SHIPPED, TeacherCard, teacher_cards
from nayer.teachers.upload import UploadedTeacher
from nayer.text_rules import MAX_NAMES, check_names, forbidden, text_error, without_forbidden

REORDERS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}  # explicit directional formatting
BAD = ["\ud800", "\x00", "\x1b[31m", "\x85", "\u202egnp", "\u2066", "\ufffe", "\U0010ffff", "\ufdd0"]


def test_the_rule_is_unicodes_own_properties_for_every_code_point() -> None:
    for point in range(0x110000):
        character = chr(point)
        category = unicodedata.category(character)
        wanted = (
            category == "Cs"
            or (category == "Cc" and character not in "\t\n\r")
            or unicodedata.bidirectional(character) in REORDERS
            or point & 0xFFFE == 0xFFFE
            or 0xFDD0 <= point <= 0xFDEF
        )
        assert bool(forbidden(character)) == wanted, hex(point)


def test_what_people_write_passes() -> None:
    for text in (
        "",
        "Äpfel\tund\r\nBirnen",
        "👨\u200d👩\u200d👧",
        "\u200fשלום",
        "a\u0301",
        "\u200b",
        "\ufffd",
        "\ufeff",
    ):
        assert forbidden(text) == ""


@pytest.mark.parametrize("text", BAD)
def test_a_text_or_a_key_anywhere_in_a_value_is_found_and_its_place_is_named(text: str) -> None:
    character = forbidden(text)
    assert character.startswith("U+")
    for value, place in (
        (text, "body contains"),
        ({"settings": [1, {"title": f"a{text}"}]}, "body.settings[1].title contains"),
        ({"settings": {text: 1}}, "a name in body.settings contains"),
    ):
        sentence = text_error(value, "body")
        assert sentence.startswith(f"{place} {character}")
        assert sentence.isprintable()
    assert text_error({"a": ["b", None, 1.5, True]}, "body") == ""


def test_the_sentence_stays_short_wherever_the_text_is() -> None:
    value: object = "\x00"
    for _ in range(30):
        value = {"x" * 1000: value}
    assert len(text_error(value, "body")) < 200


@pytest.mark.parametrize("text", BAD)
def test_no_way_to_a_teacher_takes_what_no_text_may_hold(text: str) -> None:
    with pytest.raises(ConfigError, match="class name 2"):
        check_names(["cat", f"a{text}b"])
    card = json.loads((SHIPPED / "digits" / "config.json").read_text("utf-8"))
    for field, value in {"title": f"a{text}b", "classes": [f"a{text}b", *card["classes"][1:]]}.items():
        with pytest.raises(ValueError, match=f"{field}|Invalid JSON"):  # pydantic's reader stops at half a character
            TeacherCard.model_validate_json(json.dumps(card | {field: value}))
        with pytest.raises(AssetError, match=r"config\.json\.\w+(\[0\])? contains U\+"):
            UploadedTeacher(json.dumps(card | {field: value}).encode(), b"").card()
    with pytest.raises(AssetError, match=r"a name in config\.json contains U\+"):
        UploadedTeacher(json.dumps(card | {text: 1}).encode(), b"").card()


@pytest.mark.parametrize("text", BAD)
def test_a_setting_is_no_way_around_the_rule(text: str) -> None:
    with pytest.raises(ConfigError, match=r"settings\.prompt contains U\+"):
        Config.parse({"prompt": f"{text} {{}}"})
    with pytest.raises(ConfigError, match=r"a name in settings contains U\+"):
        Config.parse({text: 1})


def test_a_cards_names_follow_the_rule_of_all_names() -> None:
    card = json.loads((SHIPPED / "digits" / "config.json").read_text("utf-8"))
    with pytest.raises(ValueError, match="appears already as"):
        TeacherCard.model_validate_json(json.dumps(card | {"classes": ["ﬁsh", "fish", *card["classes"][2:]]}))
    for one in teacher_cards():
        assert len(one.classes) > MAX_NAMES or check_names(one.classes) == one.classes


@pytest.mark.parametrize("text", BAD)
def test_what_was_stored_before_there_was_a_rule_is_mended_when_it_is_read(text: str) -> None:
    event = unpack(pack(RunFailed(round=0, seconds=0.0, message=f"a{text}b")))
    assert isinstance(event, RunFailed)
    assert event.message.startswith("a\ufffd")
    assert without_forbidden({text: [text, 1]}) == {without_forbidden(text): [without_forbidden(text), 1]}
