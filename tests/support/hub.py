"""A Hub on this machine's loopback that takes a repository and gives its files back, as huggingface_hub asks."""

from __future__ import annotations

import base64
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

COMMIT = "1" * 40


class Uploaded:
    """The repositories that a program has made: `files` by `owner/name/path`, and `asked`, the paths of requests."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.private: dict[str, bool] = {}
        self.tokens: set[str] = set()
        self.address = ""


@contextmanager
def loopback_hub() -> Iterator[Uploaded]:
    """Serves until the block ends."""
    uploaded = Uploaded()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            uploaded.tokens.add(self.headers.get("Authorization", ""))
            if self.path == "/api/repos/create":
                asked = json.loads(body)
                name = f"{asked.get('organization') or 'me'}/{asked['name']}"
                uploaded.private[name] = bool(asked.get("private")) or asked.get("visibility") == "private"
                self._answer(200, {"url": f"{uploaded.address}/{name}", "name": name})
            elif self.path == "/api/validate-yaml":
                self._answer(200, {"errors": [], "warnings": []})
            elif "/preupload/" in self.path:
                files = [
                    {"path": one["path"], "uploadMode": "regular", "shouldIgnore": False, "oid": None}
                    for one in json.loads(body)["files"]
                ]
                self._answer(200, {"files": files})
            elif "/commit/" in self.path:
                repository = "/".join(self.path.split("/")[3:5])
                for line in map(json.loads, body.splitlines()):
                    if line["key"] == "file":
                        content = base64.b64decode(line["value"]["content"])
                        uploaded.files[f"{repository}/{line['value']['path']}"] = content
                address = f"{uploaded.address}/{repository}/commit/{COMMIT}"
                self._answer(200, {"success": True, "commitOid": COMMIT, "commitUrl": address, "hookOutput": ""})
            else:
                self._answer(404, {"error": f"not here: {self.path}"})

        def do_GET(self) -> None:
            owner, name, _, _, *path = [*self.path.strip("/").split("/"), "", "", "", ""][:5]
            content = uploaded.files.get(f"{owner}/{name}/{'/'.join(path)}")
            if content is None:
                self._answer(404, {"error": "not found"}, {"X-Error-Code": "EntryNotFound"})
            else:
                self._send(200, content, {"X-Repo-Commit": COMMIT, "ETag": f'"{hash(content)}"'})

        do_HEAD = do_GET

        def _answer(self, status: int, content: Any, more: dict[str, str] | None = None) -> None:
            self._send(status, json.dumps(content).encode(), {"Content-Type": "application/json", **(more or {})})

        def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        uploaded.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield uploaded
        finally:
            server.shutdown()
            thread.join()
