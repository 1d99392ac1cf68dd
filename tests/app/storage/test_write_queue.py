"""Laws of the writer: what cannot be written holds nothing else up, what waits is bounded, and no look waits for it."""

from __future__ import annotations

import errno
import sqlite3
import threading
from pathlib import Path

import pytest

from app.content import messages
from app.storage import migrations, pending_writes, write_queue
from app.storage.pending_writes import Write
from app.storage.run_store import Store
from nayer.common.files import write_whole
from nayer.errors import DiskFull
from tests.app.storage.test_run_store import filled, held_up
from tests.support.scripted import SHORT, script
from tests.support.serving import wait_until


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_queue, "RETRY_SECONDS", 0.02)


class SmallDisk:
    """Takes files up to `room` bytes, and counts the tries."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
        self.room = room
        self.tries: list[int] = []
        monkeypatch.setattr("app.storage.run_files.write_whole", self._write)

    def _write(self, path: Path, content: bytes, *, private: bool) -> None:
        self.tries.append(len(content))
        if len(content) > self.room:
            raise DiskFull("there is no room.")
        write_whole(path, content, private=private)


# --- a disk with little room -----------------------------------------------------------------------------------------


def test_a_file_too_large_for_the_disk_is_put_off_and_all_else_is_kept(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(store, "one")
    store.keep("one", "checkpoint", b"former", 1)
    assert store.flush(10)
    disk = SmallDisk(monkeypatch, room=10)
    store.keep("one", "checkpoint", bytes(100), 2)
    assert not store.flush(10)
    assert store.sentence == messages.KEPT_WITHOUT_FILES
    told = filled_beside(store, "two")
    wait_until(lambda: len(store.events("two")) == told)
    wait_until(lambda: store.file("two", "checkpoint") == (b"small", 1))
    assert store.file("one", "checkpoint") == (b"former", 1)
    assert store.trouble == messages.KEPT_WITHOUT_FILES
    disk.room = 1000
    wait_until(lambda: store.flush(1))
    assert store.file("one", "checkpoint") == (bytes(100), 2)
    assert store.sentence == ""


def filled_beside(store: Store, run: str) -> int:
    """A run that is handed over while a file of another waits; how many events."""
    told = list(script(SHORT))
    store.begin(run, "hash", "{}")
    store.add(run, 0, told)
    store.keep(run, "checkpoint", b"small", 1)
    return len(told)


def test_a_file_that_is_put_off_is_tried_ever_more_rarely_and_so_is_the_one_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = SmallDisk(monkeypatch, room=10)
    store = Store(tmp_path)
    now = [0.0]
    store.writer._clock = lambda: now[0]
    filled(store, "one")
    tries = []
    for second in range(40):
        now[0] = second * write_queue.RETRY_SECONDS
        store.keep("one", "checkpoint", bytes(100 + second), second)
        before = len(disk.tries)
        for beside in "ab":  # the turn that commits the first run goes on to a file before the second one's
            begun(store, f"{second}{beside}")
        if len(disk.tries) > before:
            tries.append(second)
    assert tries[:3] == [0, 1, 3]
    assert len(tries) <= 7
    store.drop("one", "checkpoint")
    assert store.flush(10)
    assert store.sentence == ""
    store.close()


def test_a_change_too_large_for_the_disk_holds_up_its_own_run_only(store: Store) -> None:
    filled(store, "one")
    filled(store, "two")
    with held_up(store) as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        told = list(script(SHORT))
        store.add("one", 1000, list(script(SHORT.model_copy(update={"rounds": 200}))))
        store.end("one", "finished")
        store.begin("three", "hash", "{}")
        store.end("two", "finished")
    wait_until(lambda: store.find("two").state == "finished")  # type: ignore[union-attr]
    assert store.find("three")
    assert store.trouble == messages.KEPT_FULL
    assert store.find("one").state == "running"  # type: ignore[union-attr]
    with held_up(store) as connection:
        connection.execute("PRAGMA max_page_count = 1000000")
    wait_until(lambda: store.flush(1))
    assert store.find("one").state == "finished"  # type: ignore[union-attr]
    assert len(store.events("one")) > 10 * len(told)


def begun(store: Store, run: str) -> None:
    """A run that is in the database, while a file may wait."""
    store.begin(run, "hash", "{}")
    wait_until(lambda: store.find(run) is not None)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.EDQUOT])
def test_every_way_to_have_no_room_is_told_from_a_disk_that_fails(number: int, tmp_path: Path) -> None:
    def full(*_: object) -> None:
        raise OSError(number, "")

    with pytest.MonkeyPatch.context() as broken:
        broken.setattr("os.fsync", full)
        with pytest.raises(DiskFull):
            write_whole(tmp_path / "file", b"content")
    assert list(tmp_path.iterdir()) == []
    connection = sqlite3.connect(tmp_path / "database")
    connection.execute("PRAGMA max_page_count = 2")
    with pytest.raises(sqlite3.OperationalError) as failed:
        connection.execute("CREATE TABLE large (x)").execute("INSERT INTO large VALUES (zeroblob(100000))")
    assert write_queue.is_full(failed.value)
    assert failed.value.sqlite_errorcode == sqlite3.SQLITE_FULL
    failed.value.args = ("la base de données ou le disque est plein",)
    assert write_queue.is_full(failed.value)
    assert not write_queue.is_full(sqlite3.OperationalError("database or disk is full"))  # a text without a code
    connection.close()


# --- what can never be done ------------------------------------------------------------------------------------------


def test_a_change_that_can_never_be_done_is_left_out_and_the_others_are_done(store: Store) -> None:
    with held_up(store):
        filled_beside(store, "one")
        store.begin("two", "hash", "\ud800")  # no text in any encoding
        store.writer.put(Write(lambda connection: connection.execute("INSERT INTO run DEFAULT VALUES")))
        told = filled_beside(store, "three")
    assert store.flush(10)
    assert store.sentence == ""
    assert [len(store.events(run)) for run in ("one", "two", "three")] == [told, 0, told]
    assert filled(store, "four")


# --- bounds ----------------------------------------------------------------------------------------------------------


def test_what_waits_is_bounded_in_bytes_and_the_oldest_files_go_first(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pending_writes, "MOST_BYTES", 1000)
    gaps: list[None] = []
    store.writer.on_gap = lambda: gaps.append(None)
    with held_up(store):
        for number in range(100):
            store.begin(f"run {number}", "hash", "{}")
            store.keep(f"run {number}", "checkpoint", bytes([number]) * 100, 1)
            assert sum(one.size for one in store.writer._pending.all()) <= 1000
    assert store.flush(10)
    assert all(store.find(f"run {number}") for number in range(100))
    assert [number for number in range(100) if store.file(f"run {number}", "checkpoint")] == list(range(90, 100))
    assert not gaps  # a checkpoint comes again by itself


def test_rows_that_were_given_up_are_asked_for_again_once_the_disk_works(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(store, "zero")
    monkeypatch.setattr(pending_writes, "MAX_WRITES", 20)
    gaps: list[None] = []
    store.writer.on_gap = lambda: gaps.append(None)
    with held_up(store):
        for number in range(100):
            store.begin(f"run {number}", "hash", "{}")
    wait_until(lambda: bool(gaps))
    assert store.flush(10)
    assert store.find("run 99")
    assert not store.find("run 10")


def test_a_file_whose_run_is_gone_is_not_left_lying(store: Store, tmp_path: Path) -> None:
    filled(store, "one")
    store.remove("one")
    store.keep("one", "checkpoint", b"late", 1)
    assert store.flush(10)
    assert list((tmp_path / "files").iterdir()) == []


# --- reading ---------------------------------------------------------------------------------------------------------


def test_a_look_waits_for_no_write(store: Store) -> None:
    told = filled(store, "one")
    with held_up(store):  # as by a disk that takes seconds for one commit
        store.end("one", "finished")
        answers: list[object] = []
        looks = [
            lambda: store.find("one"),
            lambda: store.events("one"),
            lambda: store.mine("hash"),
            store.size,
        ]
        readers = [threading.Thread(target=lambda look=look: answers.append(look()), daemon=True) for look in looks]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join(30)
        assert len(answers) == len(looks)
        assert store.find("one").state == "running"  # type: ignore[union-attr]
    assert store.flush(10)
    assert store.find("one").state == "finished"  # type: ignore[union-attr]
    assert len(store.events("one")) == len(told)


def test_while_another_process_holds_the_database_looks_are_answered_and_nothing_is_lost(
    store: Store, tmp_path: Path
) -> None:
    told = filled(store, "one")
    with held_up(store) as connection:
        connection.execute("PRAGMA busy_timeout = 10")  # ms
    other = sqlite3.connect(tmp_path / migrations.NAME, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    store.begin("two", "hash", "{}")
    assert not store.flush(10)
    assert store.sentence == messages.KEPT_FAILING
    assert len(store.events("one")) == len(told)
    other.execute("COMMIT")
    other.close()
    wait_until(lambda: store.flush(1))
    assert store.find("two")
