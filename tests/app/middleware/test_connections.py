"""Real sockets at the real server: whoever keeps it waiting loses the connection, and nobody else notices."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from app.middleware.connections import Limits
from tests.support.serving import Served, serving, wait_until

WAIT = 60  # s; only a broken server takes that long
HOST = b"Host: 127.0.0.1\r\n"
SHORT = Limits(header=0.4, body=0.4, least=1000, reading=0.6, most=12, each=6, exempt=lambda peer: peer == "127.0.0.9")


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(limits=SHORT) as served:
        urlopen(f"{served.url}/health", timeout=WAIT).close()
        yield served


@contextlib.contextmanager
def connected(served: Served, peer: str = "127.0.0.2", sent: bytes = b"") -> Iterator[socket.socket]:
    address = urlsplit(served.url)
    with socket.create_connection((address.hostname, address.port), WAIT, source_address=(peer, 0)) as connection:
        connection.sendall(sent)
        yield connection


def rest(connection: socket.socket) -> bytes:
    """All that comes until the server closes."""
    said = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(1 << 16):
            said += piece
    return said


def asked(served: Served, peer: str = "127.0.0.3") -> bytes:
    """Another visitor's answer."""
    with connected(served, peer, b"GET /health HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n") as connection:
        return rest(connection)


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HTTP/1.1\r\n" + HOST + b"X-Slow: ", b"GET /health HTTP/1.1\r\n" + HOST + b"\r\nGET "]
)
def test_a_header_that_does_not_come_ends_the_connection(served: Served, sent: bytes) -> None:
    with connected(served, sent=sent) as connection:
        said = rest(connection)
    assert said.count(b"HTTP/1.1") == sent.count(b"health")


@pytest.mark.parametrize("path", ["/gradio_api/run/start", "/command/stop", "/explore", "/bring"])
@pytest.mark.parametrize("dribble", [False, True], ids=["nothing", "a byte now and then"])
def test_a_body_that_does_not_come_ends_the_request_in_a_sentence(served: Served, path: str, dribble: bool) -> None:
    kind = b"multipart/form-data; boundary=b" if path == "/bring" else b"application/json"
    begun = (
        b'--b\r\nContent-Disposition: form-data; name="weights"; filename="w"\r\n\r\n' if path == "/bring" else b'{"'
    )
    head = b"POST %s HTTP/1.1\r\n%sContent-Type: %s\r\nContent-Length: 5000\r\n\r\n" % (path.encode(), HOST, kind)
    with connected(served, sent=head + begun) as connection:
        if dribble:
            connection.settimeout(0.05)
            for _ in range(40):
                with contextlib.suppress(TimeoutError, OSError):
                    connection.sendall(b" ")
                    if connection.recv(1, socket.MSG_PEEK):
                        break
            connection.settimeout(WAIT)
        said = rest(connection)
    assert said.startswith(b"HTTP/1.1 408 ")
    assert b"did not arrive within 0.4 s; send it again." in said
    assert asked(served).startswith(b"HTTP/1.1 200")


def test_a_body_that_goes_on_coming_is_waited_for(served: Served) -> None:
    parts = [b'["' + b"x" * 1500, *[b"x" * 1500] * 5, b'"]']
    head = b"POST /command/stop HTTP/1.1\r\nConnection: close\r\n%sContent-Type: application/json\r\n" % HOST
    head += b"Content-Length: %d\r\n\r\n" % sum(map(len, parts))
    with connected(served, sent=head) as connection:
        for part in parts:
            connection.settimeout(0.2)
            connection.sendall(part)
            with contextlib.suppress(TimeoutError):
                connection.recv(1, socket.MSG_PEEK)
        connection.settimeout(WAIT)
        assert rest(connection).startswith(b"HTTP/1.1 422 ")


def test_an_answer_that_nobody_reads_is_let_go_of(served: Served) -> None:
    run = "recording"
    address = urlsplit(served.url)
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.bind(("127.0.0.2", 0))
        reader.connect((address.hostname, address.port))
        reader.sendall(f"GET /live/{run}/status?since=0 HTTP/1.1\r\n{HOST.decode()}\r\n".encode() * 50)
        reader.settimeout(WAIT)
        wait_until(lambda: _is_reset(reader), WAIT)
    assert asked(served).startswith(b"HTTP/1.1 200")


def _is_reset(connection: socket.socket) -> bool:
    """Whether the peer has ended the connection without a word."""
    return bool(connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)) or _closed(connection)


def _closed(connection: socket.socket) -> bool:
    try:
        return not connection.send(b"\r\n")
    except OSError:
        return True


def test_whoever_holds_many_connections_keeps_nobody_out() -> None:
    patient = Limits(header=600, most=12, each=6, exempt=lambda peer: peer == "127.0.0.9")
    with serving(limits=patient) as served, contextlib.ExitStack() as held:
        mine = [held.enter_context(connected(served)) for _ in range(10)]
        assert asked(served).startswith(b"HTTP/1.1 200")
        for connection in mine[:4]:  # beyond six of a peer the oldest gives way
            assert rest(connection) == b""
        exempt = [held.enter_context(connected(served, "127.0.0.9")) for _ in range(20)]
        assert asked(served).startswith(b"HTTP/1.1 200")
        assert asked(served, "127.0.0.9").startswith(b"HTTP/1.1 200")
        assert rest(exempt[0]) == b""


CAREFUL = (b"nosniff", b"content-security-policy: ", b"referrer-policy: ", b"cross-origin-resource-policy: same-origin")


@pytest.mark.parametrize(
    "sent", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost : x\r\n\r\n"]
)
def test_what_is_no_request_is_refused_in_a_sentence_with_the_headers_of_every_answer(
    served: Served, sent: bytes
) -> None:
    with connected(served, sent=sent) as connection:
        said = rest(connection).lower()
    assert said.startswith(b"http/1.1 400 ")
    assert b'{"error": "the request cannot be read; send http/1.1."}' in said
    assert all(header in said for header in CAREFUL)


def test_whoever_comes_when_there_are_too_many_is_told_so_with_the_headers_of_every_answer() -> None:
    with serving(limits=Limits(most=100, spare=-99)) as served:
        said = asked(served).lower()
    assert said.startswith(b"http/1.1 503 ")
    assert b'{"error": "the page takes at most 1 connections, and they are all in use; try again' in said
    assert all(header in said for header in (*CAREFUL, b"retry-after: 5"))
