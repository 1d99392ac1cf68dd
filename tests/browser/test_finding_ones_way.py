"""Back, reload and lists, in a real browser: the page goes where people expect it to."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.browsing import NewPage


def test_back_and_reload_keep_the_tab(new_page: NewPage) -> None:
    page = new_page()
    page.get_by_role("tab", name="Reset lab").click()
    expect(page.locator("#nayer-lab .lab-form")).to_be_visible()
    assert page.url.endswith("?tab=lab")
    page.reload()
    expect(page.locator("#nayer-lab .lab-form")).to_be_visible()
    page.get_by_role("tab", name="Embeddings").click()
    assert page.url.endswith("?tab=embeddings")
    page.go_back()
    expect(page.locator("#nayer-lab .lab-form")).to_be_visible()
    page.go_back()
    expect(page.locator("#nayer-stage section.samples")).to_be_visible()
    assert "tab=" not in page.url


def test_the_large_size_goes_along_from_tab_to_tab(new_page: NewPage) -> None:
    page = new_page()
    page.get_by_role("tab", name="Learn").click()
    page.click("#tour .large")
    page.get_by_role("button", name="Look at a finished run").click()
    page.locator(".lesson-concluded a").click()
    expect(page.locator("#nayer-lab .custom-arm")).to_have_count(2)
    assert page.evaluate("document.body.classList.contains('presenting')")
    expect(page).to_have_url(re.compile("size=large"))
    page.get_by_role("tab", name="Live").click()
    expect(page.locator(".bar .large")).to_have_attribute("aria-pressed", "true")
    page.click(".bar .large")
    page.get_by_role("tab", name="Learn").click()
    expect(page.locator("#tour .large")).to_have_attribute("aria-pressed", "false")


def test_every_preset_in_the_open_list_can_be_clicked(new_page: NewPage) -> None:
    page = new_page(1400, 700)
    page.evaluate("scrollTo(0, 200)")
    page.click("#field-preset input")
    expect(page.locator("#field-preset [role=listbox]")).to_be_visible()
    covered = page.locator("#field-preset [role=option]").evaluate_all(
        """options => options.filter((option) => {
            option.scrollIntoView({ block: "nearest" });
            const { left, top, width, height } = option.getBoundingClientRect();
            return !option.contains(document.elementFromPoint(left + width / 2, top + height / 2));
        }).map((option) => option.textContent)"""
    )
    assert covered == []


def test_no_help_text_ends_in_the_name_of_a_file(new_page: NewPage) -> None:
    page = new_page()
    assert page.locator("#settings .info-text").count() > 3
    assert [text for text in page.locator("#settings").all_inner_texts() if ".py" in text] == []
