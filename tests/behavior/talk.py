"""Talks with the application over HTTP and writes down what it answers, without what differs from time to time."""

from __future__ import annotations

import base64
import io
import json
import re
import time
import zipfile
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import httpx
from PIL import Image

from app.run_state.model import CURVES

PATIENCE = 240.0  # s until what does not come is called a failure
# Times, and numbers that count what a viewer asked for: what stands in their place says which.
_TIMES = {"seconds", "left", "wait", "up_seconds", "megabytes", "usual", "longest", "now", "duration"}
_INSTALLED = frozenset({"onnx"})  # a sentence, or an empty text where the extra is installed
_COUNTS = {"seq", "frame", "number"}
_TIMED_CURVES = {name for name, columns in CURVES.items() if columns[-1] == "seconds"}
# Words with spaces that are values of settings and of events, or headers, and no sentences.
_FACTS = re.compile(
    r"/(config|words|headers|asked|command|files|reason|measured_on|redraws|varied|value|python_type|choices/\d+/1)(/|$)"
)
_HEADERS = ("content-type", "cache-control", "content-disposition")
_DATA_ADDRESS = re.compile(r"data:image/\w+;base64,(.+)", re.DOTALL)
_SOURCE = re.compile(r"code/[\w/]+\.py")  # modules move, and the address of their source with them
_LINK = re.compile(r"\[\w+\.py\]")


class Talk:
    """A conversation with one server. `record` has every answer by the name of its step, `sentences` the texts."""

    def __init__(self, url: str) -> None:
        self.record: dict[str, Any] = {}
        self.sentences: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._config: dict[str, Any] = {}
        self.moved(url)

    def moved(self, url: str) -> None:
        """The same conversation goes on with another process."""
        self._url = url
        self._client = httpx.Client(base_url=url, headers={"Origin": url}, timeout=PATIENCE, trust_env=False)
        self._config = {}

    def close(self) -> None:
        self._client.close()

    def call(self, name: str, secret: str) -> str:
        """From now on `<name>` stands in the place of that id or token."""
        self._names[secret] = f"<{name.replace(' ', '-')}>"
        return secret

    # --- asking ------------------------------------------------------------------------------------------------------

    def get(self, path: str, *, step: str = "", headers: Mapping[str, str] | None = None) -> httpx.Response:
        """The answer to GET, which is recorded where there is a name for the step."""
        answer = self._client.get(path, headers=dict(headers or {}))
        if step:
            self._keep(step, f"GET {path}", answer)
        return answer

    def post(self, path: str, body: object = None, *, step: str = "", **sent: Any) -> httpx.Response:
        """The same of POST; `body` is sent as JSON."""
        answer = self._client.post(path, **(sent or {"json": body}))
        if step:
            self._keep(step, f"POST {path}", answer)
        return answer

    def endpoint(self, name: str, *data: object, step: str = "") -> Any:
        """A public endpoint of Gradio's: what it returns, or its error."""
        answer = self._client.post(f"/gradio_api/run/{name}", json={"data": list(data)})
        told = answer.json()
        value = told["data"][0] if answer.status_code == 200 else {"error": told.get("error")}
        if step:
            self._put(step, {"asked": f"endpoint {name}", "status": answer.status_code, "answer": value})
        return value

    def command(self, name: str, *data: object, step: str = "", settled: bool = True) -> Any:
        """One of the commands of the page's script; `settled`: whether the state it tells of is determined."""
        answer = self._client.post(f"/command/{name}", json=list(data))
        value = answer.json()
        if step:
            shown = value if settled or "told" not in value else {"told": {**value["told"], "state": "<state>"}}
            self._put(step, {"asked": f"command {name}", "status": answer.status_code, "answer": shown})
        return value.get("told", value)

    def page_event(
        self, element: str, event: str, said: Mapping[str, Any], *, fields: Mapping[str, Any] | None = None
    ) -> Any:
        """An event of the page itself, as its script triggers one; `fields` are typed into the form before.

        Returns the new values by the element they go to.
        """
        config = self._config = self._config or self.get("/config").json()
        parts = {one["id"]: one["props"] for one in config["components"]}
        chosen = next(
            one
            for one in config["dependencies"]
            for target, kind in one["targets"]
            if kind == event and parts.get(target, {}).get("elem_id") == element
        )
        typed = {f"field-{name}": value for name, value in (fields or {}).items()}
        data = [typed.get(parts[one].get("elem_id", ""), parts[one].get("value")) for one in chosen["inputs"]]
        session = f"behavior-{time.monotonic_ns()}"
        body = {"fn_index": chosen["id"], "data": data, "event_data": dict(said), "session_hash": session}
        self._client.post("/gradio_api/queue/join", json=body).raise_for_status()
        stream = self._client.get(f"/gradio_api/queue/data?session_hash={session}").text
        told = [json.loads(line[6:]) for line in stream.splitlines() if line.startswith("data: ")]
        output = next(one["output"] for one in told if one["msg"] == "process_completed")
        names = [parts[one].get("elem_id", str(one)) for one in chosen["outputs"]]
        return dict(zip(names, output["data"], strict=True)) if "data" in output else output

    def until(self, true: Callable[[], bool], what: str) -> None:
        """Polls; what is asked here is not recorded."""
        limit = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < limit, f"{what} did not come true"
            time.sleep(0.05)

    def until_state(self, run: str, state: str, since: int = 0, arm: int = 0) -> Any:
        """All that is new since `since` once the run is in that state."""
        found: list[Any] = []

        def there() -> bool:
            answer = self.get(f"/live/{run}/arm/{arm}/status?since={since}")
            found.append(answer.json() if answer.status_code == 200 else {})
            return bool(found[-1].get("state") == state)

        self.until(there, f"state={state}")
        return found[-1]

    # --- writing down ------------------------------------------------------------------------------------------------

    def note(self, step: str, value: object) -> None:
        """Writes down something that was worked out from answers."""
        self._put(step, value)

    def _keep(self, step: str, asked: str, answer: httpx.Response) -> None:
        headers = {name: answer.headers[name] for name in _HEADERS if name in answer.headers}
        if "ask-again" in answer.headers:
            headers["ask-again"] = "<time>"
        told = {"asked": asked, "status": answer.status_code, "headers": headers}
        self._put(step, told | {"answer": summary(answer)})

    def _put(self, step: str, value: object) -> None:
        assert step not in self.record, step
        self.record[step] = self._plain(value, (step,))

    def _plain(self, value: Any, path: tuple[str, ...]) -> Any:
        """Without ids, times and counts; a sentence is kept apart, and its place says so."""
        name = path[-1]
        if name in _TIMES and "config" not in path and not isinstance(value, dict):
            return "<time>"
        if name in _COUNTS or name in _INSTALLED:
            return f"<{name}>"
        if path[-2:-1] == ("versions",):
            return "<version>"
        if isinstance(value, dict):
            return {key: self._plain(one, (*path, str(key))) for key, one in value.items()}
        if isinstance(value, list):
            if name == "points" and path[-2] in _TIMED_CURVES:
                value = [[*point[:-1], "<time>"] for point in value]
            elif name == "curve":  # of a lab: round, work, seconds, then the measures
                value = [[*point[:2], "<time>", *point[3:]] for point in value]
            return [self._plain(one, (*path, str(place))) for place, one in enumerate(value)]
        return self._text(value, path) if isinstance(value, str) else value

    def _text(self, value: str, path: tuple[str, ...]) -> str:
        if picture := _DATA_ADDRESS.fullmatch(value):
            return f"<picture {_picture(base64.b64decode(picture[1]))}>"
        for secret, name in self._names.items():
            value = value.replace(secret, name)
        value = _LINK.sub("[<file>]", _SOURCE.sub("code/<file>", value.replace(self._url, "<url>")))
        value = re.sub(r"frame/\d+", "frame/<frame>", re.sub(r"batch/\d+", "batch/<number>", value))
        value = re.sub(r"since=[\d,]+", "since=<seq>", value)
        place = "/".join(path)
        if " " not in value or _FACTS.search(place):
            return value
        self.sentences[" > ".join(path)] = value  # names in the path have slashes of their own
        return "<sentence>"


def summary(answer: httpx.Response) -> Any:
    """JSON as it is; of pictures and files what does not depend on compression or time."""
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if kind == "application/json":
        return answer.json()
    if kind.startswith("image/"):
        return _picture(answer.content)
    if kind == "application/zip":
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            return sorted(archive.namelist())
    if kind == "text/csv":
        header, *lines = answer.text.splitlines()
        return [*header.split(","), f"{len(lines)} lines"]
    if kind == "application/x-ndjson":
        return [json.loads(line)["event"] for line in answer.text.splitlines()]
    if kind == "application/octet-stream":
        return _inside(answer.content)
    if kind in ("text/html", "text/javascript", "text/css"):
        return f"<{kind}>"
    return answer.text


def _inside(content: bytes) -> str | list[str]:
    """The first line of a recording, the names of the tensors in a safetensors file."""
    if content.startswith(b"NAYER"):
        return content.split(b"\n", 1)[0].decode()
    return sorted(json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")]))


def _picture(content: bytes) -> list[object]:
    """Format, mode, width, height and frames of a picture that can be decoded."""
    with Image.open(io.BytesIO(content)) as picture:
        picture.load()
        return [picture.format, picture.mode, *picture.size, getattr(picture, "n_frames", 1)]


def pick(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Those of `values` that are named, where they are there."""
    return {name: values[name] for name in names if name in values}
