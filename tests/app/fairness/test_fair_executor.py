"""Laws of turns by address, and of what is kept: fair, bounded, made once."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future

import pytest

from app.fairness import fair_executor as module
from app.fairness.fair_cache import FairCache, MakeOnce
from app.fairness.fair_executor import Busy, FairExecutor, in_turn
from app.middleware.client_address import address
from tests.support.serving import at, wait_until

WAIT = 30  # s; only broken turns take that long


class Work:
    """Calls that begin when their turn comes and end when let."""

    def __init__(self, turns: FairExecutor) -> None:
        self.turns = turns
        self.begun: list[str] = []
        self.go = threading.Event()

    def ask(self, lane: str, name: str = "", key: str | None = None) -> Future[str]:
        def call() -> str:
            self.begun.append(name or lane)
            assert self.go.wait(WAIT)
            return f"{name or lane} for {address()}"

        with at(lane):
            return self.turns.submit(call, key=key)


def work(workers: int = 1, waiting: int = 100, each: int = 50) -> Work:
    return Work(FairExecutor("things", workers=workers, waiting=waiting, each=each))


def test_everybodys_first_comes_before_anybodys_second() -> None:
    tried = work()
    answers = [tried.ask("hog", f"hog {number}") for number in range(5)]
    wait_until(lambda: tried.begun == ["hog 0"])
    answers += [tried.ask(lane) for lane in ("a", "b", "c")]
    tried.go.set()
    for answer in answers:
        answer.result(WAIT)
    assert tried.begun == ["hog 0", "a", "b", "c", "hog 1", "hog 2", "hog 3", "hog 4"]


def test_one_address_has_one_worker_and_leaves_the_others_free() -> None:
    tried = work(workers=2)
    mine = [tried.ask("hog", f"hog {number}") for number in range(3)]
    other = tried.ask("other")
    wait_until(lambda: sorted(tried.begun) == ["hog 0", "other"])
    tried.go.set()
    assert other.result(WAIT) == "other for other"
    assert [answer.result(WAIT) for answer in mine] == [f"hog {number} for hog" for number in range(3)]
    wait_until(lambda: tried.turns._threads == 0)


def test_so_many_wait_and_so_many_of_an_address() -> None:
    tried = work(waiting=3, each=2)
    answers = [tried.ask("hog")]
    wait_until(lambda: tried.begun == ["hog"])
    answers += [tried.ask("hog"), tried.ask("hog")]
    with pytest.raises(
        Busy, match=r"^things: the queue takes no more of your address \(waiting: 2\); try again in 5 s\.$"
    ):
        tried.ask("hog")
    answers.append(tried.ask("other"))
    with pytest.raises(Busy):
        tried.ask("third")
    tried.go.set()
    assert [answer.result(WAIT) for answer in answers][-1] == "other for other"


def test_who_asks_for_the_same_shares_one_making_at_the_turn_that_comes_first() -> None:
    tried = work()
    blocking = [tried.ask("hog", f"hog {number}") for number in range(4)]
    wait_until(lambda: tried.begun == ["hog 0"])
    shared = [tried.ask("hog", "shared", key="one") for _ in range(60)]
    shared += [tried.ask("other", "never run", key="one") for _ in range(60)]
    tried.go.set()
    assert {answer.result(WAIT) for answer in shared} == {"shared for hog"}
    for answer in blocking:
        answer.result(WAIT)
    assert tried.begun == ["hog 0", "shared", "hog 1", "hog 2", "hog 3"]
    assert tried.ask("other", "again", key="one").result(WAIT) == "again for other"


def test_a_failure_reaches_who_asked_and_the_next_is_served() -> None:
    turns = FairExecutor("things", workers=1, waiting=9, each=9)

    def fails() -> None:
        raise ValueError("three")

    with pytest.raises(ValueError, match="three"):
        turns.submit(fails).result(WAIT)
    assert turns.submit(lambda: 5).result(WAIT) == 5


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, StopIteration])
def test_what_ends_an_event_loop_or_an_iteration_is_a_failure_as_any_other(error: type[BaseException]) -> None:
    """A task that gets SystemExit ends its loop, and a task never gets StopIteration: it would wait for ever."""
    turns = FairExecutor("things", workers=1, waiting=9, each=9)

    def fails() -> None:
        raise error(3)

    async def asks() -> None:
        with pytest.raises(RuntimeError, match=error.__name__):
            await asyncio.wait_for(turns.run(fails), 2)

    asyncio.run(asks())


def test_a_machine_without_threads_says_so_and_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    tried = work()
    with monkeypatch.context() as busy:
        busy.setattr(module.threading.Thread, "start", no_more)
        with pytest.raises(Busy, match="too busy"):
            tried.ask("a", key="one")
    tried.go.set()
    assert tried.ask("a", key="one").result(WAIT)


def test_a_function_in_turn_holds_no_thread_while_it_waits_and_keeps_its_name() -> None:
    tried = work()
    blocking = tried.ask("a")
    wait_until(lambda: tried.begun == ["a"])

    def double(number: int) -> int:
        return 2 * number

    doubles = in_turn(tried.turns, double)

    async def all_of_them() -> list[int]:
        before = threading.active_count()
        asked = [asyncio.ensure_future(doubles(number)) for number in range(10)]
        await asyncio.sleep(0)
        assert threading.active_count() == before
        tried.go.set()
        return await asyncio.gather(*asked)

    assert asyncio.run(all_of_them()) == [2 * number for number in range(10)]
    assert doubles.__name__ == "double"
    blocking.result(WAIT)


def test_a_cache_takes_from_the_address_that_holds_most_its_longest_unused() -> None:
    kept: FairCache[str, bytes] = FairCache(10, len)
    kept.put("quiet", b"1234", "quiet")
    for number in range(3):
        kept.put(f"hog {number}", b"12", "hog")
    assert kept.get("hog 0")
    kept.put("hog 3", b"12", "hog")
    assert [kept.get(key) is not None for key in ("quiet", "hog 0", "hog 1", "hog 2", "hog 3")] == [
        True,
        True,
        False,
        True,
        True,
    ]
    kept.put("hog 4", b"1" * 11, "hog")  # more than all there may be
    assert kept.get("hog 4") is None
    assert kept.get("quiet")


def test_what_is_being_made_cannot_be_pushed_out_and_is_made_once() -> None:
    turns, go, made = FairExecutor("things", workers=1, waiting=50, each=25), threading.Event(), []
    making: MakeOnce[int, int] = MakeOnce(turns, FairCache(2))

    def make(number: int) -> int:
        assert go.wait(WAIT)
        made.append(number)
        return number

    with at("quiet"):
        first = making.ask(-1, lambda: make(-1))
    with at("hog"):
        others = [making.ask(number, lambda number=number: make(number)) for number in range(20)]
    with at("quiet"):
        assert making.look(-1, lambda: make(-1)) is None
        assert making.ask(-1, lambda: make(-1)) is first
    go.set()
    assert first.result(WAIT) == -1
    assert [other.result(WAIT) for other in others] == list(range(20))
    assert making.look(-1, lambda: make(-1)) == -1
    assert sorted(made) == list(range(-1, 20))


def test_a_failed_making_is_said_once_and_then_tried_again() -> None:
    making: MakeOnce[str, int] = MakeOnce(FairExecutor("things", workers=1, waiting=5, each=5), FairCache(2))
    told = [ValueError("no")]

    def make() -> int:
        if told:
            raise told.pop()
        return 7

    def ready() -> bool:
        return making.look("x", make) == 7

    with pytest.raises(ValueError, match="no"):
        wait_until(ready)
    wait_until(ready)
