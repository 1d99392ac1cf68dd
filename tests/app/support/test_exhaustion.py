"""A machine that has no thread to spare: what must be done is done anyway."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from app.support.exhaustion import in_thread


class NoThreads(ThreadPoolExecutor):
    def submit(self, *given: Any, **named: Any) -> Any:
        raise RuntimeError("can't start new thread")


def test_where_there_is_no_thread_the_present_one_does_it() -> None:
    async def tried(poor: bool) -> int:
        if poor:
            asyncio.get_running_loop().set_default_executor(NoThreads())
        return await in_thread(threading.get_ident)

    assert asyncio.run(tried(True)) == threading.get_ident()
    assert asyncio.run(tried(False)) != threading.get_ident()
