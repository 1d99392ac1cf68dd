"""The same visit, every time: all that a page, a program and a mistaken stranger ask of the real application."""

from __future__ import annotations

import posixpath
import re
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.behavior.entrances import Application
from tests.behavior.fixtures import STORED
from tests.behavior.stored import PAGE, RECORDING, TEACHER, unpacked
from tests.behavior.talk import Talk, pick

NAMES = ["truck", "ship", "cat", "dog", "ankle boot"]  # a shipped table has all of them
PROMPT = "a photo of a {}"
STATUS = "/live/{}/status?since={}"
# What of a form's field is recorded; its label and its explanation are among the sentences.
_FIELD = ("value", "choices", "label", "info", "visible", "interactive")
_SCRIPTS = {  # the script that each part of the page loads, by the part's name
    "stage": "live/live_page.js",
    "own": "live/teacher_upload.js",
    "lab": "lab/lab_page.js",
    "explorer": "embeddings/embeddings_page.js",
    "tour": "lessons/lessons_page.js",
    "runs": "runs/runs_page.js",
    "status": "status/status_panel.js",
}
# An address as somebody shared it: settings of another preset, one value that is not its own, one word that is unknown.
SHARED = "teacher=digits&preset=fast&seed=7&rounds=12&flip=false&generator_lr=0.002&latent=none&color=blue"


def visited(folder: Path) -> Talk:
    """The whole conversation; `folder` is for scratch."""
    keys = unpacked(folder / "data")
    settings = {"NAYER_CAPACITY": "2", "NAYER_WAITING": "1", "NAYER_GRACE_SECONDS": "3600"}
    flags = ["--recording", str(STORED / RECORDING)]
    application = Application(folder / "data", flags=flags, **settings)
    talk = Talk(application.url)
    try:
        _page(talk)
        _stored(talk, keys)
        finished = _run(talk)
        _ended(talk, *finished)
        _commanded(talk)
        _waiting(talk)
        arms = _lab(talk)
        _brought(talk)
        _explored(talk)
        _recording(talk)
        _mistakes(talk, *finished)
        cut = _play(talk, "cut", rounds=3)
        talk.command("step", *cut, "generator")
        talk.until_state(cut[0], "paused")
        talk.close()
        application.end(signal.SIGTERM)

        application = Application(folder / "data", flags=flags, **settings)
        talk.moved(application.url)
        _after_the_end(talk, finished[0], arms, cut)
        talk.close()
        application.end(signal.SIGTERM)

        space = {"SPACE_ID": "somebody/nayer", "HOST": "127.0.0.1", "NAYER_DATA": "off"}
        application = Application(folder / "data", **settings, **space)
        talk.moved(application.url)
        _shared(talk)
    finally:
        talk.close()
        application.end(signal.SIGTERM)
    return talk


# --- the page --------------------------------------------------------------------------------------------------------


def _page(talk: Talk) -> None:
    talk.get("/health", step="page: health")
    page = talk.get("/", step="page: itself").text
    talk.note("page: static files", _static_files(talk, page))
    config = talk.get("/config").json()
    parts = {one["props"]["elem_id"]: one for one in config["components"] if one["props"].get("elem_id")}
    talk.note("page: parts", {name: one["type"] for name, one in parts.items()})
    fields = {name: pick(one["props"], _FIELD) for name, one in parts.items() if name.startswith("field-")}
    talk.note("page: fields", fields)
    given = {name: {k: v for k, v in parts[name]["props"]["props"].items() if k != "version"} for name in _SCRIPTS}
    talk.note("page: what its script is given", given)
    endpoints = talk.get("/gradio_api/info").json()["named_endpoints"]
    talk.note("page: endpoints", {name: _endpoint(one) for name, one in endpoints.items()})
    explained = talk.get("/explained").json()
    links = {key: link.partition("#")[::2] for key, (_, _, link, _) in explained.items()}
    talk.note("page: explained", {key: [*explained[key][:2], name] for key, (_, name) in links.items()})
    sources = {file: talk.get(f"/{file}") for file, _ in links.values()}
    lost = [key for key, (file, name) in links.items() if f'id="{name}"' not in sources[file].text]
    talk.note("page: code", {"statuses": sorted({one.status_code for one in sources.values()}), "links astray": lost})
    words = dict(pair.split("=") for pair in SHARED.split("&"))
    talk.note("page: a shared address", _form(talk.page_event("stage", "submit", {"words": words})))
    wrong = {"words": words | {"rounds": "many"}}
    talk.note("page: a wrong address", _form(talk.page_event("stage", "submit", wrong)))
    talk.note("page: another preset", _form(talk.page_event("field-preset", "input", {}, fields={"preset": "cmi"})))


def _endpoint(one: Mapping[str, Any]) -> dict[str, Any]:
    parameters = [
        [each["parameter_name"], each["python_type"]["type"], each["parameter_has_default"], each["parameter_default"]]
        for each in one["parameters"]
    ]
    return {"parameters": parameters, "description": one["description"]}


def _form(values: Mapping[str, Any]) -> dict[str, Any]:
    """What the page's form shows: values, and what else of a field changes."""
    return {
        name: pick(one, _FIELD) if isinstance(one, dict) and name != "stage" else one for name, one in values.items()
    }


def _static_files(talk: Talk, page: str) -> dict[str, Any]:
    """Each of the page's own files by name, found as a browser finds them; and what they keep in the browser."""
    styles = re.findall(r"stage/(\w+)/([\w./-]+\.css)", page)
    version = styles[0][0]
    waiting = [name for _, name in styles] + list(_SCRIPTS.values())
    found: dict[str, Any] = {}
    stores: set[str] = set()
    while waiting:
        name = waiting.pop(0)
        if name in found:
            continue
        answer = talk.get(f"/stage/{version}/{name}")
        found[name] = [answer.status_code, answer.headers["content-type"], answer.headers.get("cache-control", "")]
        beside = re.findall(r"""(?:from|import\() *["'](\.{1,2}/[\w./-]+\.js)["']""", answer.text)
        waiting += [posixpath.normpath(posixpath.join(posixpath.dirname(name), one)) for one in beside]
        for key in re.findall(r"\bstore\.\w+\(([A-Z]+)\b", answer.text):
            value = re.search(rf"const {key} = (\"[^\"]+\")", answer.text)
            stores.add((value[1] if value else key).strip("\"'"))
    return {"files": dict(sorted(found.items())), "kept in the browser": sorted(stores)}


# --- runs ------------------------------------------------------------------------------------------------------------


def _stored(talk: Talk, keys: Mapping[str, str]) -> None:
    """The data folder of an earlier process."""
    finished, cut = talk.call("stored run", keys["finished"]), talk.call("stored cut run", keys["interrupted"])
    talk.get(f"/live/{finished}/status", step="stored: the finished run")
    talk.get(f"/live/{finished}/export/nayer-run.zip", step="stored: its files")
    row = talk.get(f"/live/{finished}/status").json()["rows"][-1]
    talk.get(f"/live/{finished}/frame/{row['frame']}.jpg", step="stored: its samples")
    talk.get(f"/live/{cut}/status", step="stored: the interrupted run")
    talk.command("revive", cut, "somebody else", step="stored: revived by somebody else")
    talk.command("revive", cut, keys["token"], step="stored: revived", settled=False)
    talk.until_state(cut, "finished")
    talk.get(f"/live/{cut}/status", step="stored: the interrupted run at its end")
    talk.get(f"/live/{cut}/export/student.safetensors", step="stored: the student of the interrupted run")


def _finished(talk: Talk, runs: int) -> None:
    """Waits until so many runs of this process have ended, without a look at any."""
    talk.until(lambda: talk.get("/health").json()["runs"].get("finished", 0) >= runs, f"the end of {runs} runs")


def _done(talk: Talk) -> int:
    return int(talk.get("/health").json()["runs"].get("finished", 0))


def _run(talk: Talk) -> tuple[str, str]:
    """A run from its start to its files; its id and token."""
    before = _done(talk)
    begun = talk.endpoint("start", "digits", "nayer", 3, "lte", 3, PAGE, "")
    run, token = talk.call("run", begun["run"]), talk.call("token", begun["token"])
    _finished(talk, before + 1)
    news = talk.get(f"/live/{run}/status", step="run: status").json()
    talk.note("run: started", {name: value for name, value in begun.items() if name != "state"})
    talk.get(STATUS.format(run, news["seq"]), step="run: nothing new")
    talk.get(STATUS.format(run, news["rows"][1]["frame"]), step="run: news since the second round")
    talk.get(f"/live/{run}/arm/0/status?since={news['seq'] - 1}", step="run: news of the arm")
    talk.endpoint("status", run, news["seq"], 0, step="run: nothing new, by the endpoint")
    talk.note("run: status by the endpoint", sorted(talk.endpoint("status", run, 0, 0)))
    talk.note("run: status by a call", _called(talk, "status", {"run": run, "since": news["seq"], "arm": 0}))
    talk.get(f"/live/{run}/rounds", step="run: rounds")
    talk.get(f"/live/{run}/rounds?since={news['seq']}", step="run: no new rounds")
    talk.get(f"/live/{run}/frame/{news['rows'][0]['frame']}.jpg", step="run: frame")
    talk.get(f"/live/{run}/arm/0/frame/{news['rows'][0]['frame']}.jpg", step="run: frame of the arm")
    facts = talk.get(f"/live/{run}/round/1", step="run: round").json()
    talk.get(f"/live/{run}/arm/0/round/99", step="run: the round nearest to the hundredth")
    talk.get(f"/live/{run}/batch/{facts['number']}.jpg", step="run: batch")
    talk.get(f"/live/{run}/arm/0/batch/{facts['number']}.jpg", step="run: batch of the arm")
    talk.get(f"/live/{run}/sheet.png", step="run: sheet")
    return run, token


def _called(talk: Talk, name: str, given: Mapping[str, object]) -> list[str]:
    """What a program hears that calls an endpoint by names and then reads its answer."""
    event = talk.post(f"/gradio_api/call/v2/{name}", dict(given)).json()["event_id"]
    return talk.get(f"/gradio_api/call/{name}/{event}").text.split("\n")


def _ended(talk: Talk, run: str, token: str) -> None:
    """What can be asked of a run that has ended."""
    talk.command("redraws", run, token, 1, 4, 0, step="ended: redraws")
    talk.get(f"/live/{run}/lab", step="ended: as a lab of one arm")
    for name in ("samples.gif", "samples.png", "metrics.csv", "events.jsonl", "config.json", "run.nayer"):
        talk.get(f"/live/{run}/export/{name}", step=f"ended: export {name}")
    for name in ("student.safetensors", "student.py", "README.txt", "nayer-run.zip", "nothing.txt"):
        talk.get(f"/live/{run}/export/{name}", step=f"ended: export {name}")
    timeline = talk.get(f"/live/{run}/replay/timeline").json()
    talk.note("ended: timeline", _timeline(timeline))
    frame = next(news["rows"][0]["frame"] for _, news in timeline["moments"] if "rows" in news)
    talk.get(f"/live/{run}/replay/frame/{frame}.jpg", step="ended: replay frame")
    for name, more in (
        ("pause", ()),
        ("resume", ()),
        ("step", ("round",)),
        ("pace", (0.5,)),
        ("stop", ()),
        ("leave", ()),
    ):
        talk.command(name, run, token, *more, step=f"ended: {name}")
    talk.command("change", run, token, {"rounds": 5}, 0, step="ended: change")
    talk.command("burst", run, token, step="ended: burst")
    talk.command("revive", run, token, step="ended: revive")


def _timeline(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The moments of a replay without their times; the facts of the run by name only."""
    moments = []
    for _, news in told["moments"]:
        kept = {name: value for name, value in news.items() if name not in ("seconds", "left", "run")}
        moments.append(kept | ({"facts": sorted(news["run"])} if "run" in news else {}))
    return moments


def _play(talk: Talk, name: str, **fields: object) -> tuple[str, str]:
    """A run that the page's Play begins paused, for a new visitor."""
    values = {**PAGE, "teacher": "digits", "seed": 3, "rounds": 100_000, **fields}
    said = {"token": "", "paused": True, "asked": "1"}
    begun = talk.page_event("stage", "play", said, fields=values)["stage"]
    talk.note(f"{name}: play", {key: value for key, value in begun.items() if key not in ("run", "token")})
    return talk.call(f"{name} run", begun["run"]), talk.call(f"{name} token", begun["token"])


def _commanded(talk: Talk) -> None:
    """A run that does one step at a time."""
    mine = run, token = _play(talk, "commanded")
    seq = talk.get(f"/live/{run}/status", step="commanded: before its first event").json()["seq"]
    for place, kind in enumerate(("redraw", "generator", "generator", "round", "student", "round")):
        talk.command("step", *mine, kind)
        news = talk.until_state(run, "paused", seq)
        talk.note(f"commanded: step {place}, {kind}", news)
        seq = news["seq"]
    talk.command("pause", *mine, step="commanded: pause, paused")
    talk.command("step", *mine, "leap", step="commanded: a step of no kind")
    talk.command("pace", *mine, 0.25, step="commanded: pace")
    talk.note("commanded: its pace is told", talk.get(STATUS.format(run, seq)).json()["pace"])
    talk.command("pace", *mine, 31.0, step="commanded: a pace too slow")
    talk.command("pace", *mine, 0, step="commanded: full speed")
    talk.command("change", *mine, {"noisy_reset_every": 0, "student_lr": 0.01}, 0, step="commanded: change")
    talk.command("change", *mine, {"seed": 4}, 0, step="commanded: a change of what is fixed")
    talk.command("change", *mine, {"rounds": 0}, 0, step="commanded: a change out of bounds")
    talk.command("change", *mine, {"rounds": 9}, 1, step="commanded: a change of no arm")
    fields = {**PAGE, "teacher": "digits", "seed": 3, "rounds": 100_000, "noisy_reset_every": 0, "student_lr": 0.02}
    asked = {"run": run, "token": token, "asked": "2"}
    talk.note("commanded: apply", talk.page_event("stage", "apply", asked, fields=fields))
    talk.note("commanded: apply by a stranger", talk.page_event("stage", "apply", asked | {"token": ""}, fields=fields))
    talk.command("step", *mine, "round")
    news = talk.until_state(run, "paused", seq)
    talk.note("commanded: a round after the change", news)
    talk.note("commanded: restore", _form(talk.page_event("stage", "select", asked)))
    talk.get(f"/live/{run}/round/1", step="commanded: a round while it goes on")
    talk.command("redraws", *mine, 2, 2, 0, step="commanded: redraws")
    talk.command("redraws", *mine, 99, 2, 0, step="commanded: redraws of no class")
    talk.get(f"/live/{run}/export/nayer-run.zip", step="commanded: files while it goes on")
    talk.get(f"/live/{run}/replay/timeline", step="commanded: timeline while it goes on")
    talk.command("resume", *mine, step="commanded: resume")
    talk.until_state(run, "running")
    talk.endpoint("pause", *mine, step="commanded: pause by the endpoint")
    talk.until_state(run, "paused")
    talk.command("stop", *mine, step="commanded: stop", settled=False)
    ended = talk.until_state(run, "stopped")
    talk.note("commanded: its end", pick(ended, ("state", "reason", "failure", "error", "making", "phase")))


def _waiting(talk: Talk) -> None:
    """Two places, both taken; one may wait, one is sent away; who waits leaves, stays away, and gets a place."""
    first, second = _play(talk, "first"), _play(talk, "second")
    third = _play(talk, "third")
    told = ("state", "ahead", "wait", "kept", "error")
    talk.note("waiting: status", pick(talk.get(f"/live/{third[0]}/status").json(), told))
    health = talk.get("/health").json()
    talk.note("waiting: health", pick(health, ("ready", "degraded", "running", "waiting", "capacity", "lost", "waits")))
    talk.endpoint("start", "digits", "nayer", 3, "lte", 3, PAGE, "", step="waiting: no room")
    talk.command("leave", *third, step="waiting: leave")
    talk.until(lambda: talk.get("/health").json()["waiting"] == 0, "the end of waiting")
    talk.get(f"/live/{third[0]}/frame/1.jpg", step="waiting: no frame yet")
    talk.note("waiting: back", pick(talk.get(f"/live/{third[0]}/status").json(), told))
    talk.command("stop", *first, settled=False)
    talk.until_state(third[0], "paused")
    talk.command("stop", *third, settled=False)
    talk.command("stop", *second, settled=False)
    for run, _ in (first, second, third):
        talk.until_state(run, "stopped")


def _lab(talk: Talk) -> str:
    """Two arms of one's own with two seeds each, and the ready-made experiments; the id of the first."""
    before = _done(talk)
    shared = {**PAGE, "rounds": 2, "student_lr": 0.01, "student_lr_end": 0.01}  # else the rate follows the time
    arms = [
        {"title": "one", "preset": "nayer", "settings": shared},
        {"title": "the other", "preset": "dfq", "settings": {**shared, "generator_steps": 1}},
    ]
    begun = talk.command("start_lab", "reset", "digits", 3, 300.0, 2, arms, "")
    run, token = talk.call("lab", begun["run"]), talk.call("lab token", begun["token"])
    talk.note("lab: start", {name: value for name, value in begun.items() if name != "state"})
    _finished(talk, before + 1)
    news = talk.get(f"/live/{run}/lab", step="lab: look").json()
    talk.get(f"/live/{run}/lab?since={news['seq']}", step="lab: nothing new")
    talk.get(f"/live/{run}/arm/1/status", step="lab: status of an arm")
    talk.get(f"/live/{run}/arm/2/status", step="lab: no such arm")
    talk.get(f"/live/{run}/arm/1/frame/{news['news'][1]['rows'][0]['frame']}.jpg", step="lab: frame")
    facts = talk.get(f"/live/{run}/arm/1/round/1", step="lab: round").json()
    talk.get(f"/live/{run}/arm/1/batch/{facts['number']}.jpg", step="lab: batch")
    talk.command("redraws", run, token, 0, 2, 1, step="lab: redraws")
    talk.get(f"/live/{run}/export/nayer-run.zip", step="lab: files")
    for experiment in ("reset", "table", "before", "since", "routing"):
        begun = talk.endpoint("start_lab", experiment, "digits", 3, 60.0, 1, [], "")
        talk.note(f"lab: {experiment}", begun["arms"])
        talk.command("stop", begun["run"], begun["token"])
        _lab_stopped(talk, begun["run"])
    for step, given in {
        "no experiment": ["colors", "digits", 3, 60.0, 1, [], ""],
        "too little work": ["reset", "digits", 3, 0.0, 1, [], ""],
        "too many seeds": ["reset", "digits", 3, 60.0, 6, [], ""],
        "one arm": ["reset", "digits", 3, 60.0, 1, arms[:1], ""],
        "an arm of no preset": ["reset", "digits", 3, 60.0, 1, [{"preset": "none"}, {}], ""],
    }.items():
        talk.command("start_lab", *given, step=f"lab: {step}")
    return run


def _lab_stopped(talk: Talk, run: str) -> None:
    talk.until(lambda: talk.get(f"/live/{run}/lab").json()["state"] == "stopped", "the end of a lab")


def _brought(talk: Talk) -> None:
    """A teacher of the visitor's own."""
    folder = STORED / TEACHER
    files = {
        "config": ("config.json", (folder / "config.json").read_bytes()),
        "weights": ("model.safetensors", (folder / "model.safetensors").read_bytes()),
        "tests": ("tests.zip", (folder / "test-images.zip").read_bytes()),
    }
    told = talk.post("/bring", files=files, data={"token": "", "classes": ""}).json()
    teacher, token = talk.call("teacher", told["teacher"]), talk.call("bringer", told["token"])
    talk.note("brought: taken", told)
    talk.note("brought: chosen", _form(talk.page_event("own", "select", {"teacher": teacher, "title": "Mine"})))
    before = _done(talk)
    settings = {**PAGE, "latent": "one-hot", "student": "", "synthesis_batch": 12}
    begun = talk.endpoint("start", teacher, "nayer", 3, "one-hot", 3, settings, token)
    run = talk.call("brought run", begun["run"])
    _finished(talk, before + 1)
    talk.get(f"/live/{run}/status", step="brought: status")
    talk.endpoint("start", teacher, "nayer", 3, "one-hot", 3, settings, "", step="brought: by somebody else")
    names = {"token": token, "classes": "red\ngreen"}
    talk.post("/bring", files=files, data=names, step="brought: too few names")
    talk.post("/bring", files=pick(files, ["config"]), data={"token": token}, step="brought: without weights")
    wrong = {**files, "weights": ("model.safetensors", b"no weights")}
    talk.post("/bring", files=wrong, data={"token": token}, step="brought: damaged")
    wrong = {**files, "tests": ("tests.zip", b"no images")}
    talk.post("/bring", files=wrong, data={"token": token}, step="brought: no images")


def _explored(talk: Talk) -> None:
    form = {"typed": ", ".join(NAMES), "prompt": PROMPT, "latent": "lte", "encoder": ""}
    talk.post("/explore", form, step="explored: names")
    talk.post("/explore", form | {"latent": "one-hot"}, step="explored: one-hot")
    talk.post("/explore", form | {"typed": "cat,,dog"}, step="explored: an empty name")
    talk.post("/explore", form | {"prompt": "a photo"}, step="explored: a prompt without a place")
    talk.endpoint("embeddings", NAMES, PROMPT, "shuffled", 1, "", step="explored: by the endpoint")
    talk.endpoint("embeddings", ["cat"], PROMPT, "lte", 0, "", step="explored: one name")
    talk.endpoint("embeddings", NAMES, PROMPT, "none", 0, "", step="explored: no table")
    talk.endpoint("embeddings_umap", NAMES[:3], PROMPT, "lte", 0, "", step="explored: too few for UMAP")


def _recording(talk: Talk) -> None:
    """The recording that greets."""
    talk.get("/live/recording/status", step="recording: status")
    timeline = talk.get("/live/recording/replay/timeline").json()
    talk.note("recording: timeline", _timeline(timeline))
    frames = [row["frame"] for _, news in timeline["moments"] for row in news.get("rows", [])]
    talk.get(f"/live/recording/replay/frame/{frames[-1]}.jpg", step="recording: frame")
    talk.get("/live/recording/replay/frame/999999.jpg", step="recording: no such frame")
    talk.get("/live/recording/sheet.png", step="recording: sheet")
    talk.get("/live/recording/export/nayer-run.zip", step="recording: files")
    talk.command("stop", "recording", "", step="recording: stop")


# --- mistakes --------------------------------------------------------------------------------------------------------


def _mistakes(talk: Talk, run: str, token: str) -> None:
    for path in (
        *("status", "arm/0/status", "rounds", "frame/1.jpg", "lab", "round/0", "batch/1.jpg", "sheet.png", "umap"),
        *("replay/timeline", "replay/frame/1.jpg", "export/run.nayer"),
    ):
        talk.get(f"/live/nobody/{path}", step=f"mistaken: {path} of nobody")
    talk.get(f"/live/{run}/arm/7/status", step="mistaken: an arm too many")
    talk.get(f"/live/{run}/frame/999999.jpg", step="mistaken: a frame that is gone")
    talk.get(f"/live/{run}/batch/999999.jpg", step="mistaken: a batch that is gone")
    talk.get(f"/live/{run}/round/none", step="mistaken: a round that is no number")
    talk.get("/stage/any/nothing.js", step="mistaken: no static file")
    talk.get("/code/README.md", step="mistaken: no source")
    for path in ("/docs", "/openapi.json", "/gradio_api/upload", "/live", "/monitoring"):
        talk.get(path, step=f"mistaken: {path}")
    talk.get("/health", headers={"Host": "elsewhere.example"}, step="mistaken: another host")
    foreign = {"Origin": "https://elsewhere.example"}
    talk.post("/command/stop", json=[run, token], headers=foreign, step="mistaken: another origin")
    for name, more in (
        *(("pause", ()), ("resume", ()), ("step", ("round",)), ("pace", (1.0,)), ("stop", ()), ("leave", ())),
        *(("change", ({"rounds": 4}, 0)), ("redraws", (1, 4, 0)), ("revive", ()), ("burst", ())),
    ):
        talk.command(name, run, "somebody else", *more, step=f"mistaken: {name} by somebody else")
        talk.command(name, "nobody", token, *more, step=f"mistaken: {name} of nobody")
    talk.command("fly", run, token, step="mistaken: no such command")
    talk.command("pause", run, step="mistaken: too few arguments")
    talk.command("pace", run, token, "fast", step="mistaken: a word for a number")
    talk.command("pause", 5, token, step="mistaken: a number for a word")
    talk.endpoint("pause", run, step="mistaken: an endpoint with too few arguments")
    talk.endpoint("fly", step="mistaken: no such endpoint")
    talk.post("/command/pause", content=b"{", headers={"Content-Type": "application/json"}, step="mistaken: no JSON")
    for step, given in {
        "no teacher": ["nobody", "nayer", 0, "lte", 1, {}, ""],
        "no preset": ["digits", "none", 0, "lte", 1, {}, ""],
        "a seed below 0": ["digits", "nayer", -1, "lte", 1, {}, ""],
        "no latent": ["digits", "nayer", 0, "clip", 1, {}, ""],
        "a setting out of bounds": ["digits", "nayer", 0, "lte", 1, {"temperature": 0}, ""],
        "no setting": ["digits", "nayer", 0, "lte", 1, {"color": 3}, ""],
        "settings that do not fit": ["digits", "nayer", 0, "none", 1, {}, ""],
        "rounds below 0": ["digits", "nayer", 0, "lte", -1, {}, ""],
    }.items():
        talk.endpoint("start", *given, step=f"mistaken: start with {step}")
    begun = talk.endpoint("start", "digits", "nayer", 0, "lte", 1, {**PAGE, "encoder": "./nowhere"}, "")
    talk.call("failed run", begun["run"])
    talk.note("mistaken: a run that cannot begin", _standing(talk.until_state(begun["run"], "failed")))
    talk.get(f"/live/{begun['run']}/replay/timeline", step="mistaken: its timeline")
    talk.get(f"/live/{begun['run']}/export/run.nayer", step="mistaken: its files")


def _standing(news: Mapping[str, Any]) -> dict[str, Any]:
    return pick(news, ("state", "reason", "failure", "error", "round", "rounds_done", "phase", "notes", "kept"))


# --- other processes -------------------------------------------------------------------------------------------------


def _after_the_end(talk: Talk, finished: str, arms: str, cut: tuple[str, str]) -> None:
    """The server ended and was started again: runs are kept, and one goes on."""
    talk.get(f"/live/{finished}/status", step="restarted: the finished run")
    talk.get(f"/live/{finished}/export/nayer-run.zip", step="restarted: its files")
    talk.get(f"/live/{finished}/sheet.png", step="restarted: its sheet")
    talk.get(f"/live/{finished}/round/1", step="restarted: a round of it")
    talk.get(f"/live/{arms}/lab", step="restarted: the lab")
    talk.get(f"/live/{cut[0]}/status", step="restarted: the interrupted run")
    talk.command("pause", *cut, step="restarted: pause before it goes on")
    before = _done(talk)
    talk.command("revive", *cut, step="restarted: revive", settled=False)
    _finished(talk, before + 1)
    talk.get(f"/live/{cut[0]}/status", step="restarted: the interrupted run at its end")
    talk.command("revive", *cut, step="restarted: revive once more")
    health = talk.get("/health").json()
    talk.note("restarted: health", pick(health, ("ready", "degraded", "runs", "refused", "kept")))
    umap = talk.get(f"/live/{finished}/umap").json()
    talk.note("restarted: umap", {"parts": sorted(umap), "state": umap["state"]})


def _shared(talk: Talk) -> None:
    """A page that strangers share allows less."""
    talk.get("/health", step="shared: health")
    config = talk.get("/config").json()
    ids = [one["props"].get("elem_id") for one in config["components"]]
    talk.note("shared: fields", [one for one in ids if one and one.startswith("field-")])
    for step, given in {
        "too many rounds": ["digits", "nayer", 0, "lte", 100_000, {}, ""],
        "too large a batch": ["cifar10", "nayer", 0, "lte", 3, {"student_batch": 4096}, ""],
        "too wide a generator": ["digits", "nayer", 0, "lte", 3, {"generator_width": 512, "synthesis_batch": 4000}, ""],
        "too wide a noisy layer": ["digits", "nayer", 0, "lte", 3, {"noisy_width": 8000, "routing": "1-to-1"}, ""],
        "too large a student": ["digits", "nayer", 0, "lte", 3, {"student": "lenet-512", "student_batch": 512}, ""],
        "a device": ["digits", "nayer", 0, "lte", 3, {"device": "cuda"}, ""],
        "a folder": ["/etc", "nayer", 0, "lte", 3, {}, ""],
    }.items():
        talk.endpoint("start", *given, step=f"shared: start with {step}")
    talk.command("start_lab", "before", "digits", 3, 1e9, 5, [], "", step="shared: too long a lab")
    talk.endpoint("embeddings", NAMES, PROMPT, "lte", 0, "/etc", step="shared: an encoder")
