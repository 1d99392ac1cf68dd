"""The web page of a run: one file that loads nothing, runs no script but its own, and shows any text as text."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from app.environment import RECORDING
from app.server import main
from app.web_page import one_script
from app.web_page.page import ENTRY, web_page
from nayer.errors import StorageError
from nayer.events import Event, RunStarted, StudentKept
from nayer.exports import recording
from tests.support.repository import ROOT
from tests.support.scripted import SHORT, script

SHIPPED_PAGE = ROOT / "docs" / "run.html"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The shipped recording's, by its command."""
    file = tmp_path_factory.mktemp("page") / "run.html"
    main(["--web-page", str(file)])
    return file.read_text("utf-8")


def data(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="run">(.*?)</script>', page, re.DOTALL)
    assert found
    told: dict[str, Any] = json.loads(found[1])
    return told


def without_data(page: str) -> str:
    """The scripts, the styles and the frame."""
    return re.sub(r'(<script type="application/json" id="run">).*?</script>', r"\1", page, flags=re.DOTALL)


def test_it_holds_the_whole_run_and_is_small(page: str) -> None:
    assert len(page.encode()) < 3_000_000
    told = data(page)
    assert [learned for learned, *_ in told["networks"]["students"]] == list(range(31))
    frames = {row["frame"] for _, news in told["timeline"]["moments"] for row in news.get("rows", [])}
    frames |= {news["making"]["frame"] for _, news in told["timeline"]["moments"] if "making" in news}
    assert {str(frame) for frame in frames} <= set(told["frames"])
    assert {label for label, _ in told["images"]} == set(range(10))


def test_only_its_own_script_may_run_and_nothing_is_loaded(page: str) -> None:
    head, _, rest = page.partition('<script type="application/json"')
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', head)
    assert policy
    code = rest[rest.index("</script>") :].partition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    allowed = dict(part.strip().split(" ", 1) for part in policy[1].replace("&#x27;", "'").split(";"))
    assert allowed["default-src"] == "'none'"
    assert allowed["script-src"] == f"'sha256-{digest}'"
    assert not re.search(r"<(?:link|img|iframe|object)\b|\bsrc=|@import|url\(", page[: page.index('id="run">')])


def told_of(**changes: Any) -> list[Event]:
    first, *rest = script(SHORT)
    assert isinstance(first, RunStarted)
    return [dataclasses.replace(first, **changes), *rest]


def test_a_name_ends_no_script_and_becomes_no_element() -> None:
    nasty = "</script><script>alert(1)</script><!--<img src=x onerror=alert(2)>"
    page = web_page(told_of(classes=(nasty, "b", "c", "d"), teacher=f'"{nasty}'), b"").decode()
    assert page.count("<script") == page.count("</script>") == 2
    assert "<img" not in page
    assert next(news["run"] for _, news in data(page)["timeline"]["moments"] if "run" in news)["classes"][0] == nasty


def test_without_students_that_fit_it_has_no_networks(page: str) -> None:
    assert data(web_page(told_of(), b"").decode())["networks"] is None
    events = recording.load(RECORDING)
    wrong = [dataclasses.replace(one, codes=one.codes[1:]) if isinstance(one, StudentKept) else one for one in events]
    assert data(web_page(wrong, b"").decode())["networks"] is None


def test_the_page_in_the_documentation_has_the_shipped_recording_and_the_scripts_and_texts_of_today(page: str) -> None:
    """`make reference` writes it again."""
    shipped = SHIPPED_PAGE.read_text("utf-8")
    assert without_data(shipped) == without_data(page)
    assert data(shipped)["explained"] == data(page)["explained"]
    wanted = hashlib.sha256(RECORDING.read_bytes()).hexdigest()
    assert f'<meta name="recording-sha256" content="{wanted}">' in shipped
    assert SHIPPED_PAGE.stat().st_size < 3_000_000


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--recording", "missing.nayer"], "recording=missing.nayer cannot be read"),
        (["--recording", "empty.nayer"], "recording is not a recorded run"),
    ],
)
def test_a_page_that_cannot_be_written_is_said_in_a_sentence(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty.nayer").write_bytes(b"no run")
    with pytest.raises(SystemExit) as left:
        main([*arguments, "--web-page", "run.html"])
    assert left.value.code == 1
    assert said in capsys.readouterr().err
    assert not Path("run.html").exists()


def test_a_folder_is_no_place_for_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--web-page", str(tmp_path)])
    assert "is not a regular file" in capsys.readouterr().err


def test_a_page_does_not_replace_its_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "run.nayer"
    recording.save(file, list(script(SHORT)))
    before = file.read_bytes()
    with pytest.raises(SystemExit) as left:
        main(["--recording", str(file), "--web-page", str(file)])
    assert left.value.code == 2
    assert "is the recording itself; name another file." in capsys.readouterr().err
    assert file.read_bytes() == before


def test_events_of_no_run_make_no_page() -> None:
    with pytest.raises(StorageError, match="no run that can be shown"):
        web_page([event for event in script(SHORT) if not isinstance(event, RunStarted)], b"")


def test_modules_come_after_what_they_import_and_each_once() -> None:
    order = one_script.modules(ENTRY)
    assert order[-1] == ENTRY
    assert len(set(order)) == len(order)
    for place, name in enumerate(order):
        source = (one_script.STATIC / name).read_text("utf-8")
        for path in re.findall(r'^import .*?from "([^"]+)";', source, re.MULTILINE | re.DOTALL):
            imported = (one_script.STATIC / name).parent.joinpath(path).resolve().relative_to(one_script.STATIC)
            assert imported.as_posix() in order[:place]


@pytest.mark.parametrize(
    "source",
    [
        'import thing from "./a.js";\n',
        'export * from "./a.js";\n',
        "export default class A {}\n",
        'const later = import("./a.js");\n',
    ],
)
def test_a_form_of_import_that_is_not_understood_is_refused(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.js").write_text("export const a = 1;\n")
    (tmp_path / "b.js").write_text(source)
    monkeypatch.setattr(one_script, "STATIC", tmp_path)
    for cached in (one_script.script, one_script.modules):
        cached.cache_clear()
    with pytest.raises(ValueError, match=r"b\.js has an import or export of another form"):
        one_script.script("b.js", "show")
    for cached in (one_script.script, one_script.modules):
        cached.cache_clear()
