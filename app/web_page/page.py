"""Writes the web page of a run: text, styles, one script, and the run as data. Nothing in it loads anything."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Sequence
from typing import Any

from app.content.help import explanations, explanations_json
from app.run_state.recorded_networks import real_strip, recorded_images, recorded_networks
from app.run_state.replay import Replay
from app.web_page.one_script import script, styles
from nayer.errors import StorageError
from nayer.events import Event

ENTRY = "run_page/run_page.js"
_KEYS = re.compile(r'"((?:panel|measure|control)/\w+)"')
_FILE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="color-scheme" content="light dark">
<meta name="recording-sha256" content="{recording}">
<title>{title}</title>
<style>
{styles}</style>
</head>
<body>
<main id="run-page" class="nayer"><noscript>This page needs JavaScript. It loads nothing.</noscript></main>
<script type="application/json" id="run">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def web_page(events: Sequence[Event], recorded: bytes, replay: Replay | None = None) -> bytes:
    """The page of a recording. `recorded`: its file; the page says which one it shows. `replay`: the recording, folded,
    where there is one already.

    Raises StorageError for a recording that cannot be shown. Without students in the recording, or where they cannot be
    used, the page has no pad and says so.
    """
    replay = replay or Replay(events)
    try:
        networks = recorded_networks(events)
    except StorageError:
        networks = None
    timeline = json.loads(replay.timeline)
    images = recorded_images(events)
    content = {
        "timeline": timeline,
        "frames": {number: _base64(replay.frame(number) or b"") for number in replay.frames},
        "networks": networks,
        "images": images if networks else [],
        "real": real_strip(events, images),
        "explained": _explained(),
    }
    code = script(ENTRY, "show")
    teacher = next(news["run"]["teacher"] for _, news in timeline["moments"] if "run" in news)
    page = _FILE.format(
        policy=html.escape(_policy(code)),
        title=html.escape(f"{teacher}: a student that saw no real image"),
        recording=hashlib.sha256(recorded).hexdigest(),
        styles=_inside(styles(ENTRY), "style"),
        data=_as_data(content),
        script=_inside(code, "script"),
    )
    return page.encode()


def _policy(code: str) -> str:
    """Only this script runs, and nothing is loaded. Styles of single elements are allowed, for the lengths of bars."""
    digest = _base64(hashlib.sha256(code.encode()).digest())
    allowed = {
        "default-src": "'none'",
        "script-src": f"'sha256-{digest}'",
        "style-src": "'unsafe-inline'",
        "img-src": "data: blob:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in allowed.items())


def _explained() -> dict[str, list[str]]:
    """The help texts of the panels of this page, without links: there is no server that shows the code."""
    source = script(ENTRY, "show")
    used = set(_KEYS.findall(source))
    return {key: [row[0], row[1], "", ""] for key, row in explanations_json(explanations()).items() if key in used}


def _as_data(content: Any) -> str:
    """JSON that no text in it can end, whatever a class is called: in HTML a script ends at its first `</`."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _inside(text: str, element: str) -> str:
    """The text, which becomes the content of that element. ValueError if it would end the element."""
    if f"</{element}" in text.lower() or "<!--" in text:
        raise ValueError(f"this text cannot stand in a {element}")
    return text


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
