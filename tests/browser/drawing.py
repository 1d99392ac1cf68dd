"""Hands for the pad: a mouse, a finger, a picture that is dropped or pasted; and what the networks answer."""

from __future__ import annotations

import base64
import io
import itertools

from PIL import Image
from playwright.sync_api import Locator, Page, expect

SEVEN = [(0.3, 0.25), (0.7, 0.25), (0.45, 0.8)]  # as shares of the pad
ONE = [(0.5, 0.15), (0.5, 0.85)]
_TAKEN = """([kind, content]) => {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const files = new DataTransfer();
  files.items.add(new File([bytes], "a.png", { type: "image/png" }));
  const options = { bubbles: true, cancelable: true };
  if (kind === "drop")
    document.querySelector(".try").dispatchEvent(new DragEvent("drop", { ...options, dataTransfer: files }));
  else document.dispatchEvent(new ClipboardEvent("paste", { ...options, clipboardData: files }));
}"""


def places(page: Page, shares: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Points of the pad in the window."""
    pad = page.locator(".try canvas[role=application]")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box
    return [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in shares]


def draw(page: Page, shares: list[tuple[float, float]] = SEVEN) -> None:
    """With a mouse."""
    first, *rest = places(page, shares)
    page.mouse.move(*first)
    page.mouse.down()
    for point in rest:
        page.mouse.move(*point, steps=4)
    page.mouse.up()


def draw_by_touch(page: Page, shares: list[tuple[float, float]] = SEVEN) -> None:
    """With a finger, through the browser's own handling of touches: what may scroll the page would scroll it."""
    session = page.context.new_cdp_session(page)
    corners = places(page, shares)
    path = [corners[0]]
    for start, end in itertools.pairwise(corners):
        path += [tuple(a + (b - a) * step / 6 for a, b in zip(start, end, strict=True)) for step in range(1, 7)]  # type: ignore[misc]
    for place, (x, y) in enumerate(path):
        kind = "touchMove" if place else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def give(page: Page, kind: str, color: tuple[int, int, int]) -> None:
    """A picture of one color, by `drop` or `paste`."""
    content = io.BytesIO()
    Image.new("RGB", (640, 480), color).save(content, "PNG")
    page.evaluate(_TAKEN, [kind, base64.b64encode(content.getvalue()).decode()])


def seen(page: Page) -> Image.Image:
    """What the network sees."""
    content = page.locator(".try .seen").evaluate("(canvas) => canvas.toDataURL()")
    return Image.open(io.BytesIO(base64.b64decode(content.partition(",")[2]))).convert("RGB")


def first_class(page: Page, network: int) -> Locator:
    """The class that a network puts first: 0 the untrained student, 1 the student, 2 the teacher."""
    return page.locator(".try .answer").nth(network).locator(".name").first


def all_answer(page: Page) -> None:
    """Waits until the three networks have answered."""
    for network in range(3):
        expect(first_class(page, network)).not_to_have_text("–")
