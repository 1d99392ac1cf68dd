"""Drawings from icon sets in Iconify's format, on sets that the tests write: the right icon, in a square, as RGBA."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nayer.data.emoji_icons import FOR_TESTING, FOR_TRAINING, Style, draw, holds_icon_sets, read_drawings, svg
from nayer.errors import AssetError
from tests.support.icon_sets import square, write_icon_set

RED, BLUE = (255, 0, 0, 255), (0, 0, 255, 255)
NOTHING = (0, 0, 0, 0)
SETS = (Style("one", "MIT", "Nobody", "nowhere"), Style("other", "MIT", "Nobody", "nowhere"))


def drawn(icons: dict[str, Any], name: str, side: int = 8) -> np.ndarray:
    drawing = svg({"width": 8, "height": 8, **icons}, name)
    assert drawing is not None
    return draw(drawing, side)


def colors(pixels: np.ndarray, *places: tuple[int, int]) -> list[tuple[int, ...]]:
    """Red, green, blue and alpha at (row, column)."""
    return [tuple(pixels[:, row, column].tolist()) for row, column in places]


def test_a_drawing_is_rgba_with_straight_alpha() -> None:
    icons = {"icons": {"half": {"body": '<path fill="red" fill-opacity="0.5" d="M0 0h4v8h-4z"/>'}}}
    pixels = drawn(icons, "half")
    assert (pixels.shape, pixels.dtype) == ((4, 8, 8), np.uint8)
    [left, right] = colors(pixels, (3, 1), (3, 6))
    assert left[:3] == RED[:3]  # not darkened by its own transparency
    assert left[3] in (127, 128)
    assert right == NOTHING


@pytest.mark.parametrize("side", [8, 32, 64])
def test_a_drawing_fills_the_side_that_is_asked_for(side: int) -> None:
    pixels = drawn({"icons": {"red": square("red")}}, "red", side)
    assert pixels.shape == (4, side, side)
    assert (pixels == np.array(RED, np.uint8)[:, None, None]).all()


def test_an_alias_is_its_parent_and_so_is_an_alias_of_an_alias() -> None:
    icons = {"icons": {"red": square("red")}, "aliases": {"b": {"parent": "red"}, "a": {"parent": "b"}}}
    assert svg(icons, "a") == svg(icons, "b") == svg(icons, "red")


@pytest.mark.parametrize(
    "aliases",
    [{}, {"a": {"parent": "gone"}}, {"a": {"parent": "a"}}, {"a": {"parent": "b"}, "b": {"parent": "a"}}],
    ids=["missing", "parent missing", "its own parent", "circle"],
)
def test_a_name_that_leads_nowhere_has_no_drawing(aliases: dict[str, Any]) -> None:
    assert svg({"icons": {"red": square("red")}, "aliases": aliases}, "a") is None


def test_a_name_is_found_without_its_hyphens_but_as_it_stands_first() -> None:
    icons = {"icons": {"dogface": square("red")}}
    assert svg(icons, "dog-face") == svg(icons, "dogface") is not None
    both = {"icons": {"dogface": square("red"), "dog-face": square("blue")}}
    assert svg(both, "dog-face") != svg(both, "dogface")


def test_an_icons_own_size_goes_before_the_sets_and_sixteen_is_what_none_means() -> None:
    own = {"icons": {"red": {**square("red", side=4), "width": 4, "height": 4}}}
    assert colors(drawn(own, "red"), (0, 0), (7, 7)) == [RED, RED]
    bare = svg({"icons": {"red": square("red")}}, "red")  # an 8 × 8 square in a view of 16 × 16
    assert bare is not None
    assert colors(draw(bare, 16), (7, 7), (8, 8)) == [RED, NOTHING]


def test_an_oblong_icon_is_centered_in_a_square_and_its_corner_may_lie_anywhere() -> None:
    flat = {"body": '<path fill="red" d="M-2 3h8v4h-8z"/>', "left": -2, "top": 3, "width": 8, "height": 4}
    pixels = drawn({"icons": {"flat": flat}}, "flat")
    assert (pixels[3, 2:6] == 255).all()
    assert not pixels[3, :2].any()
    assert not pixels[3, 6:].any()


def test_every_icon_of_every_set_that_has_it_is_read_under_its_label(tmp_path: Path) -> None:
    write_icon_set(tmp_path, "one", {"apple": "red", "green-apple": "green", "sky": "blue"})
    write_icon_set(tmp_path, "other", {"sky": "blue"})
    drawings = read_drawings(tmp_path, SETS, [("apple", "green-apple"), ("sky",)], side=8)
    assert drawings.labels.tolist() == [0, 0, 1, 1]
    assert drawings.pixels.shape == (4, 4, 8, 8)
    assert [pixels[:, 4, 4].tolist() for pixels in drawings.pixels] == [
        list(RED),
        [0, 128, 0, 255],
        list(BLUE),
        list(BLUE),
    ]


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    assert not holds_icon_sets(tmp_path)
    with pytest.raises(AssetError, match=r"^data='.*' has no @iconify-json/one; run npm install @iconify-json/one in"):
        read_drawings(tmp_path, SETS, [("apple",)])
    for style in SETS:
        write_icon_set(tmp_path, style.name, {"apple": "red"})
    assert holds_icon_sets(tmp_path)
    with pytest.raises(AssetError, match=r"^data='.*' has no drawing of 'pear'; install newer packages\.$"):
        read_drawings(tmp_path, SETS, [("apple",), ("pear", "green-pear")])


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"icons": []}',
        '{"icons": {"apple": {}}}',
        '{"icons": {"apple": 3}}',
        '{"icons": {}, "aliases": {"apple": {}}}',
    ],
)
def test_a_damaged_set_is_refused_in_one_sentence(tmp_path: Path, content: str) -> None:
    write_icon_set(tmp_path, "one", {}).write_text(content, "utf-8")
    with pytest.raises(AssetError, match=r"^@iconify-json/one has a damaged icons\.json; install it again\.$"):
        read_drawings(tmp_path, SETS[:1], [("apple",)])


def test_a_body_that_is_no_svg_is_refused_in_one_sentence(tmp_path: Path) -> None:
    icons = {"icons": {"apple": {"body": '<path d="M0'}}}
    write_icon_set(tmp_path, "one", {}).write_text(json.dumps(icons), "utf-8")
    with pytest.raises(AssetError, match=r"^An emoji cannot be drawn \(.*\); install its package again\.$"):
        read_drawings(tmp_path, SETS[:1], [("apple",)])


def test_without_the_renderer_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)  # as if it were not installed
    with pytest.raises(AssetError, match=r"resvg_py, which is missing; run pip install resvg_py\.$"):
        draw("<svg/>", 8)


def test_no_style_that_tests_is_learned_from_and_those_that_test_may_be_shipped() -> None:
    learned, tested = ({style.name for style in styles} for styles in (FOR_TRAINING, FOR_TESTING))
    assert len(learned) == len(FOR_TRAINING) == 7
    assert len(tested) == len(FOR_TESTING) == 2
    assert not learned & tested
    assert {style.license for style in FOR_TESTING} <= {"Apache-2.0", "MIT", "CC-BY-4.0"}
