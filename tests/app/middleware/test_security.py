"""The boundary: what is refused, before anything of ours or Gradio's has seen it, and what still gets through."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient
from starlette.types import Send

from app.content import messages
from app.environment import LOOPBACK, Environment
from app.middleware import security
from app.middleware.client_address import Network
from tests.browser.foreign import foreign
from tests.support.serving import created
from tests.support.strangers import is_open, routes

HERE = "http://127.0.0.1:7860"


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    environment = Environment.read({"SPACE_ID": "me/nayer", "SPACE_HOST": "me-nayer.hf.space", "NAYER_DATA": "off"})
    with TestClient(created(environment=environment), base_url=HERE) as client:
        yield client


@pytest.mark.parametrize(
    "host", ["127.0.0.1:7860", "localhost", "LOCALHOST:80", "[::1]:7860", "192.168.1.5:7860", "me-nayer.hf.space"]
)
def test_its_own_names_and_addresses_in_numbers_reach_it(client: TestClient, host: str) -> None:
    assert client.get("/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "127.0.0.1.evil.example", "me-nayer.hf.space.evil", "me-nayer.hf.space.local", ""),
        *("[::1", "0x7f.1", "127.1", "user@localhost", "localhost:x", "localhost:7860/x", "localhost.", "local host"),
        *("localhost, evil.example", "localhost:999999", "localhost#", "localhost.local", "\x1b[31m"),
    ],
)
def test_a_foreign_name_does_not(client: TestClient, host: str) -> None:
    answer = client.get("/", headers={"Host": host})
    assert answer.status_code == 400
    assert len(answer.text) < 200


def test_two_hosts_are_none(client: TestClient) -> None:
    two = [(b"host", b"localhost"), (b"host", b"localhost")]
    assert client.get("/health", headers=two).status_code == 400  # type: ignore[arg-type]


# Same origin is the same scheme, host and port, and nothing less.
FOREIGN = foreign(HERE)
FOREIGN += [{"Origin": origin} for origin in ("http://me-nayer.hf.space", "https://me-nayer.hf.space:8443")]
ROUTES = [
    "/command/stop",
    "/bring",
    "/explore",
    "/gradio_api/queue/join",
    "/gradio_api/run/start",
    "/gradio_api/call/start",
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_another_site_cannot_write(client: TestClient, headers: dict[str, str]) -> None:
    for path in ROUTES:
        for navigates in ({}, {"Sec-Fetch-Mode": "navigate"}):  # as a form of that site does
            answer = client.post(path, json=["x", "y"], headers=headers | navigates)
            assert answer.status_code == 403
            assert len(answer.json()["error"]) < 200


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_another_site_cannot_read_and_no_answer_allows_it_to(client: TestClient, headers: dict[str, str]) -> None:
    for path in ("/config", "/live/recording/status", "/gradio_api/info", "/gradio_api/queue/data?session_hash=x"):
        answer = client.get(path, headers=headers)
        assert answer.status_code == 403
        assert not [name for name in answer.headers if name.startswith("access-control")]
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    before = client.options("/gradio_api/run/start", headers=headers | asks)
    assert before.status_code == 405
    assert not [name for name in before.headers if name.startswith("access-control")]


OURS_TO_SAY = [
    {},
    {"Origin": HERE},
    {"Origin": "HTTP://127.0.0.1:7860"},
    {"Origin": HERE, "Sec-Fetch-Site": "same-origin"},
    {"Origin": "https://me-nayer.hf.space"},
    {"Host": "me-nayer.hf.space", "Origin": "https://me-nayer.hf.space", "Sec-Fetch-Site": "same-origin"},
    {"Host": "localhost", "Origin": "http://localhost:80"},
]


@pytest.mark.parametrize("headers", OURS_TO_SAY, ids=str)
def test_its_own_page_and_programs_can(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.post("/command/stop", json=["no-such-run", "t"], headers=headers)
    assert answer.status_code == 200
    assert "does not exist" in answer.json()["error"]
    read = client.get("/config", headers=headers)
    assert read.status_code == 200
    assert not [name for name in read.headers if name.startswith("access-control")]


def test_a_link_from_another_site_and_the_frame_of_a_space_open_the_page(client: TestClient) -> None:
    for kind in ("document", "iframe"):
        headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": kind}
        assert client.get("/", headers=headers).status_code == 200


def behind_proxy(proxies: tuple[Network, ...]) -> TestClient:
    """Of a page that `my.example` names, as a proxy on this machine asks it."""
    environment = Environment(hosts=("my.example",), proxies=proxies)
    return TestClient(created(environment=environment), base_url=HERE, client=("127.0.0.1", 1))


TLS = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "my.example", "X-Forwarded-For": "8.8.8.8"}


def test_a_proxy_that_is_named_tells_scheme_and_host_for_the_origin_and_for_gradio() -> None:
    with behind_proxy(LOOPBACK) as client:
        for headers in (TLS, {"X-Forwarded-Proto": "https", "Host": "my.example"}):
            mine = headers | {"Origin": "https://my.example"}
            assert client.post("/command/stop", json=["x", "y"], headers=mine).status_code == 200
            assert client.get("/config", headers=headers).json()["root"] == "https://my.example"
            for origin in ("http://my.example", HERE, "https://evil.example"):
                assert client.post("/command/stop", json=[], headers=headers | {"Origin": origin}).status_code == 403
        evil = {"X-Forwarded-Host": "evil.example"}
        assert client.get("/config", headers=evil).status_code == 400
        assert client.get("/config", headers={"X-Gradio-Server": "http://evil.example"}).json()["root"] == HERE


def test_a_proxy_that_nobody_named_tells_nothing() -> None:
    with behind_proxy(()) as client:
        for headers in (TLS, {"X-Forwarded-Host": "evil.example"}, {"X-Gradio-Server": "http://evil.example"}):
            assert client.get("/config", headers=headers).json()["root"] == HERE
        mine = TLS | {"Origin": "https://my.example"}
        assert client.post("/command/stop", json=["x", "y"], headers=mine).status_code == 403


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "Via", "X-Real-IP"])
def test_a_page_for_this_machine_alone_refuses_what_came_through_a_proxy(name: str) -> None:
    with TestClient(created(environment=Environment()), base_url=HERE) as client:
        assert client.get("/health").status_code == 200
        answer = client.get("/health", headers={name: "8.8.8.8"})
        assert answer.status_code == 400
        assert "NAYER_PROXY" in answer.json()["error"]


def test_head_is_answered_as_get_without_a_body(client: TestClient) -> None:
    for path in ("/", "/health", "/live/recording/status", "/live/x/status", "/config", "/nothing"):
        answer = client.head(path)
        assert (path, answer.status_code, answer.content) == (path, client.get(path).status_code, b"")
    assert client.head("/gradio_api/heartbeat/x").status_code == 405


def test_headers_are_on_every_answer(client: TestClient) -> None:
    for path in ("/", "/health", "/nothing", "/live/x/status", "/live/%00/status", f"/live/x/lab?since={'9' * 5000}"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "frame-ancestors 'self' https://huggingface.co" in headers["content-security-policy"]
        assert "http://" not in headers["content-security-policy"]


def test_a_page_of_ones_own_stands_in_no_foreign_frame() -> None:
    async def nothing(scope: object, receive: object, send: object) -> None:
        raise AssertionError

    policy = security.guarded(nothing)._headers["Content-Security-Policy"]  # type: ignore[attr-defined]
    assert policy.endswith("frame-ancestors 'self'")


def failing(before: int) -> TestClient:
    """Of an application behind the gate that raises once it has sent `before` messages of an answer."""
    start = {"type": "http.response.start", "status": 500, "headers": []}
    messages = [start, {"type": "http.response.body", "body": b"", "more_body": False}]

    async def application(scope: object, receive: object, send: Send) -> None:
        for message in messages[:before]:
            await send(message)
        raise RuntimeError("typed by a visitor")

    return TestClient(security.guarded(application), base_url=HERE)


@pytest.mark.parametrize("before", [0, 2])  # Gradio's own application answers, and raises what it has answered
def test_whatever_fails_behind_is_500_with_the_headers_and_one_line_in_the_log(
    before: int, caplog: pytest.LogCaptureFixture
) -> None:
    answer = failing(before).get("/health")
    assert answer.status_code == 500
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors" in answer.headers["content-security-policy"]
    assert "typed" not in answer.text
    [record] = caplog.records
    if not before:
        assert record.getMessage().split()[-1] in answer.json()["error"]


def test_an_answer_that_fails_midway_is_left_for_the_server_to_cut_off() -> None:
    with pytest.raises(RuntimeError):
        failing(1).get("/health")


NINES = "9" * 5000
LONG_PATHS = [
    "/live/" + "a" * 256 + "/status",
    "/static/" + "ä" * 128,
    "/assets/" + "a/" * 600,
    f"/live/x/arm/{NINES}/lab",
]


@pytest.mark.parametrize("path", [*LONG_PATHS, "/health?x=" + "a" * 9000], ids=range(5))
def test_an_address_that_is_too_long_is_414(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 414
    assert len(answer.json()["error"]) < 200


@pytest.mark.parametrize("number", [NINES, "9" * 30, "-1", "1e400", "x", "1,x", "NaN", "٣", ""])
def test_a_number_in_an_address_is_a_small_whole_one(client: TestClient, number: str) -> None:
    since = ("status", "arm/0/status", "rounds", "lab")
    paths = [f"/live/recording/{path}?since={number}" for path in since]
    parts = ("arm/{}/status", "frame/{}.jpg", "arm/{}/frame/1.jpg", "round/{}", "batch/{}.jpg", "replay/frame/{}.jpg")
    paths += [f"/live/recording/{part.format(number[:200] or 'x')}" for part in parts]
    for path in paths:
        answer = client.get(path)
        if path.endswith(("lab?since=", "lab?since=" + "٣")):  # none is the beginning
            continue
        assert answer.status_code == 422, path
        error = answer.json()["error"]
        assert error.endswith(".")
        assert len(error) < 200


def test_bodies_are_sent_in_one_way_and_as_they_are(client: TestClient) -> None:
    both = {"Transfer-Encoding": "chunked", "Content-Length": "9"}
    smuggled = client.post("/command/stop", content=b'["x","y"]', headers=both)
    assert smuggled.status_code == 400
    assert smuggled.headers["connection"] == "close"
    bomb = gzip.compress(b"[" + b" " * 100_000_000)
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    assert client.post("/command/stop", content=bomb, headers=headers).status_code == 415


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PUT", "DELETE", "PATCH", "CONNECT", "BREW"])
def test_only_three_verbs_are_used(client: TestClient, method: str) -> None:
    for path in ("/", "/config", "/command/stop", "/live/recording/status", "/gradio_api/queue/join"):
        answer = client.request(method, path)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")
    posted = client.post("/health", headers={"X-HTTP-Method-Override": "GET"})
    assert posted.status_code == 405


@pytest.mark.parametrize(
    ("path", "other", "method"),
    [
        *(("/health", "POST", "GET"), ("/live/x/arm/1/status", "POST", "GET"), ("/join/ABCDEF", "POST", "GET")),
        *(("/bring", "GET", "POST"), ("/command/stop", "GET", "POST"), ("/explore", "HEAD", "POST")),
    ],
)
def test_another_method_at_an_address_of_ours_is_told_which_one_works(
    client: TestClient, path: str, other: str, method: str
) -> None:
    answer = client.request(other, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, method)
    if other != "HEAD":
        assert answer.json() == {"error": f"method='{other}' is not used at this address; use {method}."}


@pytest.mark.parametrize("text", ["\x00", "\x1b[31m", "\u202e", "\ufffe", "\u2066"])
def test_no_address_holds_what_no_text_may(client: TestClient, text: str) -> None:
    odd = quote(text)
    for path in (
        f"/live/{odd}/status",
        f"/static/{odd}",
        f"/gradio_api/call/start/{odd}",
        f"/gradio_api/heartbeat/{odd}",
    ):
        assert client.get(path).status_code == 400
    for query in (f"since={odd}", f"{odd}=1", f"session_hash={odd}"):
        answer = client.get(f"/gradio_api/queue/data?{query}")
        assert answer.status_code == 400
        assert answer.json()["error"].startswith("query")
    assert client.get("/live/a%0d%0ab/status").status_code == 400


def test_asking_for_answers_that_are_not_here_is_no_fault(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(3):
        answer = client.get(f"/gradio_api/queue/data?session_hash=invented{number}")
        assert '"session_not_found":true' in answer.text
        assert "404" in client.get(f"/gradio_api/call/start/invented{number}").text
    assert caplog.records == []


@pytest.mark.parametrize(
    "path",
    [
        "/monitoring",
        "/monitoring/summary",
        "/gradio_api/runs",
        "/gradio_api/proxy=http://127.0.0.1/",
        "/gradio_api/file=http://127.0.0.1:1/x",
        "/gradio_api/file=https://example.org/x",
        "/gradio_api/file=//example.org/x",
        "/gradio_api/file=%68ttp://example.org/x",
        "/gradio_api/deep_link",
        "/gradio_api/vibe-code",
        "/gradio_api/component_server",
        "/gradio_api/openapi.json",
        "/gradio_api/mcp/sse",
        "/gradio_api/upload",
        "/gradio_api/upload_progress",
        "/gradio_api/dev/reload",
        "/gradio_api/stream/a/b/1/playlist.m3u8",
        "/pwa_icon/64",
        "/login",
        "/docs",
    ],
)
def test_what_nothing_here_uses_is_closed(client: TestClient, path: str) -> None:
    for method in ("GET", "POST", "PUT", "DELETE"):
        answer = client.request(method, path)
        assert answer.status_code in (404, 405)
        assert len(answer.text) < 200


@pytest.mark.parametrize("path", ["/etc/passwd", "/proc/self/environ", "app.py", "../app.py", "..%2f..%2fetc/passwd"])
def test_files_of_the_machine_are_not_served(client: TestClient, path: str) -> None:
    assert client.get(f"/gradio_api/file={path}").status_code in (403, 404)


@pytest.mark.parametrize("path", ["/command/stop", "/explore", "/gradio_api/queue/join", "/gradio_api/call/start"])
@pytest.mark.parametrize("told", [True, False])
def test_a_long_body_is_cut_off_whether_its_length_is_told_or_not(client: TestClient, path: str, told: bool) -> None:
    chunk, sent = b'"' + b"a" * 65_535, 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(160):  # 10 MB
            sent += len(chunk)
            yield chunk

    headers = {"Content-Type": "application/json"}
    if told:
        answer = client.post(path, content=chunk * 160, headers=headers)
    else:
        answer = client.post(path, content=body(), headers=headers)
    assert answer.status_code == 413


# Gradio's routes that are open, and for whom.
PAGE = {"/", "/config", "/theme.css", "/robots.txt", "/manifest.json", "/favicon.ico", "/login_check"}
PAGE |= {"/static/{path:path}", "/assets/{path:path}", "/svelte/{path:path}", "/info", "/app_id", "/startup-events"}
RUNNING = {"/queue/join", "/queue/data", "/heartbeat/{session_hash}", "/cancel", "/reset", "/file={path_or_url:path}"}
PROGRAMS = {"/call/{api_name}", "/call/v2/{api_name}", "/call/{api_name}/{event_id}", "/call/v2/{api_name}/{event_id}"}
PROGRAMS |= {"/run/{api_name}", "/api/{api_name}"}
OURS = {
    "/health",
    "/bring",
    "/explore",
    "/explained",
    "/duration",
    "/teacher/{name}/try",  # what a shipped teacher makes of a drawing: nothing of anybody's
    "/teacher/{name}/real",
    "/teacher/{name}/real.jpg",  # shipped test images
    "/code/{file:path}",
    "/examples/{name}.json",  # shipped results of finished labs and lessons
    "/command/{name}",
    "/stage/{version}/{name:path}",
    "/join/{code}",  # the run that a teacher shows to everybody who has the code
}


def test_every_open_route_is_listed_here_with_its_reason(client: TestClient) -> None:
    """Fails when Gradio or we add a route that gets through the gate, until somebody has thought about it."""
    found = {path.rstrip("/") or "/" for path, _ in routes(client.app.routes)}  # type: ignore[attr-defined]
    assert found >= OURS | {"/live/{run}/status"}
    opened = {path for path in found if is_open(path)}
    unlisted = {path.removeprefix("/gradio_api") for path in opened} - PAGE - RUNNING - PROGRAMS - OURS
    assert all(path.startswith("/live/{run}/") for path in unlisted), unlisted


def test_health_tells_numbers_and_no_visitor(client: TestClient) -> None:
    client.get("/nothing")
    facts = client.get("/health").json()
    assert facts["ready"] is True
    assert (facts["running"], facts["waiting"], facts["capacity"], facts["lost"]) == (0, 0, 2, 0)
    assert facts["waits"] == {"now": 0.0, "usual": None, "longest": None}
    assert facts["refused"]["unknown address"] > 0
    assert facts["storage"] == {"runs": 0, "megabytes": 0.0, "of": 0}
    assert facts["versions"]["gradio"].startswith("6.")
    told = {
        "ready",
        "degraded",
        "running",
        "waiting",
        "capacity",
        "lost",
        "waits",
        "runs",
        "refused",
        "kept",
        "storage",
    }
    assert set(facts) == told | {"up_seconds", "versions"}


def test_the_panel_shows_what_health_tells(client: TestClient) -> None:
    facts = client.get("/health").json()
    for path in messages.STATUS_ROWS:
        found = facts
        for name in path.split("."):
            found = found[name]


def test_a_space_says_that_it_sleeps_and_forgets(client: TestClient) -> None:
    assert "It sleeps when nobody uses it" in client.get("/config").text
    with TestClient(created(environment=Environment()), base_url=HERE) as elsewhere:
        assert "It sleeps when nobody uses it" not in elsewhere.get("/config").text
