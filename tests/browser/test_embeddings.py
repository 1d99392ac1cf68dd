"""The tab Embeddings in a real browser: names in, maps and matrices out, and a run's samples round by round."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.browsing import NewPage, grown, picture, quick, until
from tests.support.minilm import minilm_folder

WORDS = ("red", "blue", "green", "old", "new", "big", "shy", "wild", "tame", "odd")
MANY = [f"{word} thing {number}" for number in range(20) for word in WORDS]


def opened(page: Page) -> Page:
    page.get_by_role("tab", name="Embeddings").click()
    expect(page.locator("#explorer .heatmaps .heatmap-note")).to_contain_text("mean cosine")
    return page


def show(page: Page, names: str) -> None:
    page.fill("#explorer-names textarea", names)
    page.click("#explorer-show")


def facts(page: Page) -> Locator:
    return page.locator("#explorer .facts")


def notice(page: Page) -> Locator:
    return page.locator("#explorer .notice")


def test_a_teachers_names_are_there_at_once_and_each_pair_can_be_read(new_page: NewPage) -> None:
    page = opened(new_page())
    typed = page.input_value("#explorer-names textarea").split("\n")
    expect(facts(page)).to_contain_text(f"{len(typed)} names, 384 numbers each.")
    assert page.locator("#explorer .map .anchors g").count() == len(typed)
    before, after = (page.locator("#explorer .heatmap:not(.lens)").nth(place) for place in (0, 1))
    before.focus()
    readout = page.locator("#explorer .readout")
    expect(readout).to_contain_text(f"{typed[0]} and {typed[1]}: cosine")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(readout).to_contain_text(f"{typed[2]} and {typed[1]}: cosine")
    picture(page, "embeddings-wide-light")
    page.keyboard.press("Escape")
    expect(readout).to_contain_text("Point at a square")
    box = after.bounding_box()
    assert box is not None
    after.hover(position={"x": box["width"] - 6, "y": box["height"] - 8})
    expect(readout).to_contain_text(f"{typed[-1]}: the same name twice, cosine 1.")
    for matrix, word in ((before, "Before"), (after, "After")):
        assert f"{word} BatchNorm: cosines between {len(typed)} names, mean" in str(matrix.get_attribute("aria-label"))
    page.locator("#explorer .heatmaps .numbers summary").click()
    pairs = len(typed) * (len(typed) - 1) // 2
    rows = page.locator("#explorer .heatmaps .numbers tbody tr")  # a moment after the click, when the browser says so
    expect(rows).to_have_count(pairs)


def test_names_are_shown_as_they_are_typed_and_run_nothing(new_page: NewPage) -> None:
    page = opened(new_page())
    alarms: list[str] = []
    page.on("dialog", lambda dialog: (alarms.append(dialog.message), dialog.dismiss()))
    page.click("#explorer-latent input")
    page.get_by_role("option", name="one-hot").click()
    names = ["<img src=x onerror=alert(1)>", "\u200fשלום", "🐼 panda", "<script>alert(2)</script>", "{{value}} ${1}"]
    show(page, "\n".join(names))
    expect(facts(page)).to_contain_text("5 names")
    shown = page.locator("#explorer .map .anchors title").all_text_contents()
    assert shown == names
    page.locator("#explorer .heatmap:not(.lens)").first.focus()
    assert page.locator("#explorer .readout bdi").all_text_contents() == names[:2]
    assert page.locator("#explorer img, #explorer script").count() == 0
    assert alarms == []
    picture(page, "embeddings-literal")


def test_a_refusal_is_one_sentence_and_what_was_typed_stays(new_page: NewPage) -> None:
    page = opened(new_page())
    for typed, sentence in {
        "cat\ndog, Cat": "class name 3, 'Cat', appears already as 'cat'; give every class its own name.",
        "cat,,dog": "class name 2, '', has 0 characters; use 1 to 64.",
        "cat\n" + "x" * 10_000: f"class name 2, '{'x' * 20}…', has 10000 characters; use 1 to 64.",
        ",".join(f"n{i}" for i in range(201)): "there are 201 class names; use 2 to 200.",
        "cat": "there is 1 class name; use 2 to 200.",
    }.items():
        show(page, typed)
        expect(notice(page)).to_have_text(sentence)
        assert page.input_value("#explorer-names textarea") == typed
        assert page.evaluate("document.documentElement.scrollWidth") <= 1400
    page.fill("#explorer-prompt input, #explorer-prompt textarea", "a photo")
    show(page, "cat, dog")
    expect(notice(page)).to_have_text(
        "prompt must be a text that has exactly one {} where the class name goes; 'a photo' was given."
    )
    expect(facts(page)).to_contain_text("10 names")  # the answer before stays on show
    page.click("#explorer-take")
    expect(notice(page)).to_contain_text("'a photo' was given")
    page.fill("#explorer-prompt input, #explorer-prompt textarea", "a photo of a {}")
    page.click("#explorer-show")
    expect(notice(page)).to_be_hidden()


@pytest.mark.slow
def test_without_the_encoder_new_names_get_a_control_or_wait_for_a_folder(new_page: NewPage) -> None:
    page = opened(new_page(dark=True))
    encoder = page.locator("#explorer-encoder input, #explorer-encoder textarea")
    encoder.fill("nobody/nothing")
    show(page, "red panda\nsnow leopard\nbarn owl")
    expect(notice(page)).to_contain_text("is neither a local folder nor in the Hub's cache")
    expect(facts(page)).to_contain_text("Still shown: ")
    expect(facts(page)).to_contain_text("10 names, 384 numbers each.")
    picture(page, "embeddings-dark-offline")
    page.get_by_role("button", name="Use one-hot rows").click()
    expect(facts(page)).to_contain_text("3 names, 3 numbers each. One-hot rows")
    expect(notice(page)).to_be_hidden()
    expect(page.locator("#explorer-latent input")).to_have_value("one-hot")
    page.locator("#explorer .map-card").first.get_by_role("button", name="UMAP").click()
    expect(page.locator("#explorer .map-card .note").first).to_have_text(
        "UMAP needs at least 4 classes; 3 were given; use PCA instead."
    )
    page.locator("#explorer-encoder input, #explorer-encoder textarea").fill(minilm_folder())
    page.click("#explorer-latent input")
    page.get_by_role("option", name="label-text embeddings").click()
    expect(facts(page)).to_contain_text("3 names, 384 numbers each.", timeout=120_000)
    assert page.input_value("#explorer-names textarea") == "red panda\nsnow leopard\nbarn owl"


def test_two_hundred_names_fit_a_phone_and_a_lens_reads_them(new_page: NewPage) -> None:
    page = opened(new_page(390, 844))
    page.click("#explorer-latent input")
    page.get_by_role("option", name="random").click()
    show(page, "\n".join(MANY))
    expect(facts(page)).to_contain_text("200 names")
    expect(page.locator("#explorer .lens").first).to_be_visible()
    page.get_by_role("button", name="similar together").click()
    page.locator("#explorer .heatmap:not(.lens)").nth(1).click(position={"x": 200, "y": 200})
    expect(page.locator("#explorer .readout")).to_contain_text("cosine")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    picture(page, "embeddings-narrow-200")


@pytest.mark.slow
def test_a_runs_samples_are_kept_by_round_and_nobody_asks_for_the_hidden_stage(new_page: NewPage) -> None:
    page = new_page(address=quick())
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.click(".bar .play")
    grown(page, 2)
    opened(page)
    digits = page.input_value("#explorer-names textarea").split("\n")
    assert digits[:2] == ["zero", "one"]  # the names followed the teacher that the live run chose
    expect(page.locator(".round-line")).to_contain_text("the newest")
    asked.clear()
    page.wait_for_timeout(3500)
    assert sum("/rounds" in url for url in asked) <= 6
    page.wait_for_event("request", lambda request: "/rounds" in request.url)  # it goes on asking, however slowly
    page.wait_for_event("request", lambda request: "/rounds" in request.url)
    assert sum("/status" in url for url in asked) <= 1
    page.locator(".rounds input").focus()
    page.keyboard.press("Home")
    expect(page.locator(".round-line")).not_to_contain_text("the newest")
    expect(page.locator(".round-line")).to_contain_text("of its 20 images lie nearest")
    page.keyboard.press("Space")  # the live run's key
    assert page.locator(".rounds-card .dots.samples circle").count() == 20
    picture(page, "embeddings-run")
    page.get_by_role("tab", name="Live").click()
    asked.clear()
    until(page, "running")
    page.wait_for_event("request", lambda request: "/status" in request.url)
    page.click(".bar .stop")
    until(page, "stopped")
