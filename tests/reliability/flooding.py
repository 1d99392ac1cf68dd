"""Many requests at once from one address."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from urllib.parse import urlsplit

FLOODER = "127.0.0.2"  # loopback has many addresses, and each is a visitor's


def request(url: str, method: str, path: str, body: bytes = b"", kind: str = "application/json") -> bytes:
    """As it goes over the line; the connection stays open."""
    head = f"{method} {path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\n"
    head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n" if body else ""
    return f"{head}\r\n".encode() + body


class Flood:
    """`clients` connections of one address, each of which asks, reads the answer and asks again, until the end."""

    def __init__(self, url: str, clients: int, asked: Callable[[int], bytes]) -> None:
        """`asked` makes of a number, another one each time, what is sent."""
        self.statuses: Counter[int] = Counter()  # of all answers
        self._address = urlsplit(url)
        self._clients = clients
        self._asked = asked
        self._number = 0

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """In a process of its own, so that its work is not taken for the server's."""
        fork = multiprocessing.get_context("fork")
        over, (mine, its) = fork.Event(), fork.Pipe()
        process = fork.Process(target=lambda: its.send(asyncio.run(self._all(over))), daemon=True)
        process.start()
        yield
        over.set()
        self.statuses += mine.recv()
        process.join()

    async def _all(self, over: Event) -> Counter[int]:
        clients = [asyncio.ensure_future(self._client()) for _ in range(self._clients)]
        while not over.is_set():
            await asyncio.sleep(0.05)
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
        return self.statuses

    async def _client(self) -> None:
        while True:
            try:
                reader, writer = await asyncio.open_connection(
                    self._address.hostname, self._address.port, local_addr=(FLOODER, 0)
                )
            except OSError:
                await asyncio.sleep(0.05)
                continue
            with contextlib.suppress(OSError, asyncio.IncompleteReadError), contextlib.closing(writer):
                while True:
                    self._number += 1
                    writer.write(self._asked(self._number))
                    await writer.drain()
                    head = (await reader.readuntil(b"\r\n\r\n")).lower()
                    self.statuses[int(head.split()[1])] += 1
                    length = head.partition(b"content-length:")[2].split(b"\r\n")[0]
                    await reader.readexactly(int(length or 0))
