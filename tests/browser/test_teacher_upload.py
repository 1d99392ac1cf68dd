"""A visitor brings a teacher in the real browser: it is refused in a sentence, chosen, and taught from."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.browsing import PATIENCE, NewPage, grown, picture
from tests.browser.test_lab import reached, run
from tests.support.uploaded import config, drawn, weights


def sent(name: str, content: bytes) -> dict[str, object]:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


@pytest.mark.slow
def test_own_files_names_and_test_images_make_a_run(new_page: NewPage) -> None:
    page = new_page()
    page.click("#own-teacher > button")
    notice = page.locator("#nayer-upload .notice")
    page.click("#nayer-upload button.primary")
    expect(notice).to_have_text("Choose config.json and model.safetensors first.")
    answer, window = notice.bounding_box(), page.viewport_size
    assert answer is not None
    assert window is not None
    assert answer["y"] >= 0
    assert answer["y"] + answer["height"] < window["height"] + 1  # the answer is in sight
    page.set_input_files("#upload-config", sent("config.json", config()))
    page.set_input_files("#upload-weights", sent("model.safetensors", weights(classes=4)))
    page.click("#nayer-upload button.primary")
    expect(notice).to_contain_text("does not fit config.json (last.bias has the shape [4], expected [3]")
    page.set_input_files("#upload-weights", sent("model.safetensors", weights()))
    page.set_input_files("#upload-tests", sent("tests.zip", drawn(("sun", "<i>box", "dot"))))
    page.fill("#upload-names", "sun\n<i>box\ndot")
    page.click("#nayer-upload button.primary")
    expect(notice).to_contain_text("“Your own teacher” is selected, with 3 classes.")
    expect(notice).to_contain_text("of 6 of your test images")
    expect(notice).to_contain_text("The text encoder on this machine computes the embeddings")
    expect(page.locator("#field-teacher input")).to_have_value("Your own teacher")
    picture(page, "own-teacher")
    page.locator(".bar .play").click()
    grown(page, 1)
    expect(page.locator("#nayer-stage")).to_contain_text("<i>box")
    page.locator("summary", has_text="Details").click()
    gallery = page.locator(".fail-gallery i[style*=url]")
    expect(gallery.first).to_be_visible()  # the owner's own test images
    page.reload()
    expect(page.locator("#field-teacher input")).to_have_value("Your own teacher", timeout=PATIENCE)


@pytest.mark.slow
def test_the_lab_offers_what_was_brought(new_page: NewPage) -> None:
    page = new_page()
    page.click("#own-teacher > button")
    page.set_input_files("#upload-config", sent("config.json", config()))
    page.set_input_files("#upload-weights", sent("model.safetensors", weights()))
    page.fill("#upload-names", "sun\n<i>box\ndot")
    page.click("#nayer-upload button.primary")
    expect(page.locator("#nayer-upload .notice")).to_contain_text("is selected, with 3 classes.")
    page.get_by_role("tab", name="Reset lab").click()
    expect(page.locator("#lab-teacher option:checked")).to_have_text("Your own teacher")
    page.click("[data-name=own]")
    second = page.locator(".custom-arm").nth(1)
    second.get_by_role("button", name="Add a setting").click()
    second.get_by_label("Setting of the second arm", exact=True).select_option("noisy_reset_every")
    second.get_by_label("Value of").fill("0")
    run(page, 3)
    reached(page, "finished")
    expect(page.locator(".lab-bar .standing")).to_contain_text("teacher (uploaded)")
    expect(page.locator(".results tbody tr")).to_have_count(2)
    expect(page.locator(".results thead")).to_contain_text("agreement")  # there are no test images
    expect(page.locator(".lab-charts h3").first).to_have_text("agreement")
    expect(page.locator(".arm-facts").first).to_contain_text("agreement")
    picture(page, "own-teacher-lab")
