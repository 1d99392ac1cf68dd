"""Laws of the history: what was acknowledged is there, what is torn is not served, and no disk stops the page."""

from __future__ import annotations

import dataclasses
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.content import messages
from app.storage import migrations
from app.storage.run_store import SAMPLES, Store
from nayer.errors import StorageError
from nayer.events import Event, RoundSynthesized
from nayer.exports.event_codec import pack, unpack
from tests.support.scripted import SHORT, script
from tests.support.serving import wait_until
from tests.support.tiny import all_same, tiny_run, tiny_task


@contextmanager
def held_up(store: Store) -> Iterator[sqlite3.Connection]:
    """The connection that the writer writes with, while it has to wait."""
    folder = store.writer._folder
    assert folder is not None
    with folder.writing:
        yield folder.connection


def filled(store: Store, run: str, events: list[Event] | None = None, owner: str = "hash") -> list[Event]:
    """A run with a script's events, on the disk."""
    told = list(script(SHORT)) if events is None else events
    store.begin(run, owner, "{}")
    store.add(run, 0, told)
    assert store.flush(10)
    return told


# --- events as bytes -------------------------------------------------------------------------------------------------


def test_every_event_of_a_real_run_comes_back_as_it_was() -> None:
    events = [*tiny_run(tiny_task()), *script(SHORT)]
    back = [unpack(pack(event)) for event in events]
    assert all_same(back, events)
    assert [type(event) for event in back] == [type(event) for event in events]
    for event, again in zip(events, back, strict=True):
        for field in dataclasses.fields(event):
            value, found = getattr(event, field.name), getattr(again, field.name)
            assert type(value) is type(found)
            assert not isinstance(value, np.ndarray) or value.dtype == found.dtype


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_bytes_that_are_no_event_are_refused_and_nothing_else_happens(data: st.DataObject) -> None:
    whole = bytearray(pack(next(script(SHORT))))
    if data.draw(st.booleans()):
        whole = whole[: data.draw(st.integers(0, len(whole) - 1))]
    else:
        for _ in range(data.draw(st.integers(1, 8))):
            whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        event = unpack(bytes(whole))
    except StorageError:
        return
    assert isinstance(event, Event)


# --- what is kept ----------------------------------------------------------------------------------------------------


def test_what_was_put_in_is_there_after_the_process_and_images_of_the_newest_rounds_only(tmp_path: Path) -> None:
    config = SHORT.model_copy(update={"rounds": SAMPLES + 5})
    first = Store(tmp_path)
    told = filled(first, "one", list(script(config)))
    first.close()
    second = Store(tmp_path)
    wanted = [event for event in told if not isinstance(event, RoundSynthesized) or event.round >= 5]
    assert all_same(second.events("one"), wanted)
    assert second.next_seq("one") == len(told)
    assert second.events("nobody") == []
    second.close()


def test_a_run_that_was_cut_off_says_so_and_one_that_ended_stays_as_it_was(tmp_path: Path) -> None:
    first = Store(tmp_path)
    for run in ("cut off", "ended"):
        filled(first, run)
    first.end("ended", "failed", "It did.")
    first.close()
    second = Store(tmp_path)
    states = {run: second.find(run) for run in ("cut off", "ended")}
    assert [(one.state, one.error) for one in states.values() if one] == [("interrupted", ""), ("failed", "It did.")]
    assert second.find("nobody") is None
    second.close()


def test_a_token_is_nowhere_in_the_folder_and_finds_its_runs_newest_first(store: Store, tmp_path: Path) -> None:
    for number in range(3):
        filled(store, f"run {number}", owner="mine" if number != 1 else "other")
    assert [one.id for one in store.mine("mine")] == ["run 2", "run 0"]
    assert store.mine("nobody") == []


def test_a_run_that_goes_on_forgets_what_came_after_its_checkpoint(store: Store) -> None:
    told = filled(store, "one")
    store.end("one", "interrupted")
    store.resume("one", 2)
    assert store.flush(10)
    assert all_same(store.events("one"), [event for event in told if event.round < 2])
    assert store.find("one").state == "running"  # type: ignore[union-attr]


# --- files -----------------------------------------------------------------------------------------------------------


def test_a_file_is_the_newest_and_the_only_one_of_its_kind(store: Store, tmp_path: Path) -> None:
    filled(store, "one")
    for round_ in range(5):
        store.keep("one", "checkpoint", bytes([round_]) * 1000, round_)
        assert store.flush(10)
    assert store.file("one", "checkpoint") == (b"\4" * 1000, 4)
    assert store.file("one", "student-0") is None
    assert len(list((tmp_path / "files").iterdir())) == 1


@pytest.mark.parametrize("harm", ["flip", "cut", "gone"])
def test_a_file_that_is_not_what_was_written_is_refused(store: Store, tmp_path: Path, harm: str) -> None:
    filled(store, "one")
    store.keep("one", "checkpoint", bytes(1000), 1)
    assert store.flush(10)
    (path,) = (tmp_path / "files").iterdir()
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes(bytes(999) if harm == "cut" else bytes(999) + b"\1")
    with pytest.raises(StorageError, match="the checkpoint of this run is damaged"):
        store.file("one", "checkpoint")


def test_torn_files_of_a_killed_process_are_swept_away(tmp_path: Path) -> None:
    first = Store(tmp_path)
    filled(first, "one")
    first.keep("one", "checkpoint", b"good", 1)
    first.close()
    for name in ("one.checkpoint.0123", ".one.checkpoint.0123.77.part"):
        (tmp_path / "files" / name).write_bytes(b"torn")
    second = Store(tmp_path)
    assert second.file("one", "checkpoint") == (b"good", 1)
    assert len(list((tmp_path / "files").iterdir())) == 1
    second.close()


# --- bounds ----------------------------------------------------------------------------------------------------------


def test_the_oldest_runs_go_first_and_running_ones_stay(tmp_path: Path) -> None:
    store = Store(tmp_path, runs=3)
    for number in range(6):
        filled(store, f"run {number}")
        if number != 1:
            store.end(f"run {number}", "finished")
    store.begin("last", "hash", "{}")
    assert store.flush(10)
    assert [number for number in range(6) if store.find(f"run {number}")] == [1, 5]
    assert store.find("last")
    store.close()


def test_bytes_are_bounded_with_the_files_of_the_oldest_gone(tmp_path: Path) -> None:
    store = Store(tmp_path, megabytes=1.0)
    for number in range(6):
        filled(store, f"run {number}")
        store.keep(f"run {number}", "checkpoint", bytes([number]) * 200_000, 1)
        store.end(f"run {number}", "finished")
    store.begin("last", "hash", "{}")
    assert store.flush(10)
    kept = [number for number in range(6) if store.find(f"run {number}")]
    assert kept == list(range(6 - len(kept), 6))
    assert 0 < len(kept) < 5
    assert len(list((tmp_path / "files").iterdir())) == len(kept)
    store.close()


def test_of_checkpoints_that_wait_only_the_newest_is_written(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(store, "one")
    with held_up(store):
        for round_ in range(50):
            store.keep("one", "checkpoint", bytes([round_]), round_)
        assert sum(write.replaces == ("one", "checkpoint") for write in store.writer._pending.all()) <= 2
    assert store.flush(10)
    assert store.file("one", "checkpoint") == (b"\x31", 49)


# --- disks -----------------------------------------------------------------------------------------------------------


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError) as failed:
        Store(tmp_path / "file" / "folder")
    assert str(failed.value) == messages.KEPT_UNWRITABLE


def test_a_second_process_is_refused_and_the_first_goes_on(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StorageError) as failed:
        Store(tmp_path)
    assert str(failed.value) == messages.KEPT_ELSEWHERE
    filled(store, "one")
    store.close()
    Store(tmp_path).close()


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100, b"SQLite format 3\0" + bytes(4000)])
def test_a_damaged_history_is_moved_aside_and_a_new_one_begins(tmp_path: Path, content: bytes) -> None:
    (tmp_path / migrations.NAME).write_bytes(content)
    store = Store(tmp_path)
    filled(store, "one")
    assert store.sentence == (messages.KEPT_ANEW if content else "")
    assert (tmp_path / f"{migrations.NAME}.damaged-1").exists() == bool(content)
    store.close()


def test_a_history_whose_pages_are_overwritten_is_moved_aside(tmp_path: Path) -> None:
    first = Store(tmp_path)
    for number in range(20):
        filled(first, f"run {number}")
    first.close()
    path = tmp_path / migrations.NAME
    whole = bytearray(path.read_bytes())
    whole[4096 : 4096 * 8] = b"\xff" * (4096 * 7)
    path.write_bytes(whole)
    store = Store(tmp_path)
    assert store.sentence == messages.KEPT_ANEW
    assert (tmp_path / f"{migrations.NAME}.damaged-1").read_bytes() == bytes(whole)
    assert all_same(filled(store, "one"), store.events("one"))
    store.close()


class Killed(BaseException):
    """The process ends here."""


def test_a_recovery_that_is_cut_off_anywhere_and_twice_is_done_by_the_next(tmp_path: Path) -> None:
    for n in range(1, 100):
        folder = tmp_path / str(n)
        first = Store(folder)
        filled(first, "one")
        first.close()
        (folder / migrations.NAME).write_bytes(b"no database at all" * 100)
        (folder / f"{migrations.NAME}-wal").write_bytes(b"torn")
        (folder / "files" / ".one.checkpoint.0123.77.part").touch()
        cut_off = [dies_at(n, folder) for _ in range(2)]
        store = Store(folder)
        assert [path.name for path in (folder / "files").iterdir()] == []
        assert len(list(folder.glob(f"{migrations.NAME}.damaged-?"))) == 1
        assert all_same(filled(store, "two"), store.events("two"))
        assert not store.trouble
        store.close()
        if not any(cut_off):
            return
    raise AssertionError("it never came through")


def dies_at(n: int, folder: Path) -> bool:
    """Whether a process that starts on the folder ends at its n-th change of a file's name."""
    left = n
    with pytest.MonkeyPatch.context() as dying:

        def dying_after(whole: Callable[..., object]) -> Callable[..., object]:
            def counted(*given: object, **named: object) -> object:
                nonlocal left
                left -= 1
                if left == 0:
                    raise Killed
                return whole(*given, **named)

            return counted

        for name in ("rename", "unlink", "mkdir", "chmod"):
            dying.setattr(Path, name, dying_after(getattr(Path, name)))
        try:
            store = Store(folder)
        except Killed:
            return True
    store.close()
    return False


def test_a_newer_history_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / migrations.NAME) as connection:
        connection.execute(f"PRAGMA user_version = {len(migrations.STEPS) + 1}")
    connection.close()
    before = (tmp_path / migrations.NAME).read_bytes()
    with pytest.raises(StorageError) as failed:
        Store(tmp_path)
    assert str(failed.value) == messages.KEPT_NEWER
    assert (tmp_path / migrations.NAME).read_bytes() == before


def test_an_older_history_is_brought_up_to_date_with_what_is_in_it(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / migrations.NAME)
    connection.executescript(f"{migrations.STEPS[0]} PRAGMA user_version = 1;")
    connection.execute("INSERT INTO run (id, owner, plan, state) VALUES ('old', 'hash', '{}', 'finished')")
    connection.commit()
    connection.close()
    store = Store(tmp_path)
    found = store.find("old")
    assert found is not None
    assert (found.state, found.name, found.notes, found.began) == ("finished", "", "", 0.0)
    store.describe("old", "named", "and noted")
    store.keep("old", "checkpoint", b"new", 1)
    assert store.flush(10)
    assert store.file("old", "checkpoint") == (b"new", 1)
    [found] = store.mine("hash")
    assert (found.name, found.notes) == ("named", "and noted")
    store.close()


def test_rounds_under_the_name_of_an_earlier_version_are_found_and_pruned_as_rounds(tmp_path: Path) -> None:
    """Before version 5 of the database their kind was spelled RoundSynthesised."""
    store = Store(tmp_path)
    told = filled(store, "old")
    assert store.flush(10)
    store.close()
    with sqlite3.connect(tmp_path / migrations.NAME) as connection:
        connection.execute("UPDATE event SET kind = 'RoundSynthesised' WHERE kind = 'RoundSynthesized'")
        connection.execute("PRAGMA user_version = 4")
    connection.close()
    store = Store(tmp_path)
    newest = [event for event in told if isinstance(event, RoundSynthesized)][-1]
    assert all_same([store.last("old", ["RoundSynthesized"])], [newest])
    assert all_same(store.events("old"), told)
    late = dataclasses.replace(newest, round=newest.round + SAMPLES)
    store.add("old", store.next_seq("old"), [late])
    assert store.flush(10)
    assert [event.round for event in store.events("old") if isinstance(event, RoundSynthesized)] == [late.round]
    store.close()


def test_on_a_network_disk_there_is_no_shared_memory_and_nobody_else_gets_in(tmp_path: Path) -> None:
    store = Store(tmp_path, network=True)
    told = filled(store, "one")
    assert all_same(store.events("one"), told)
    names = {path.name for path in tmp_path.iterdir()}
    assert not {name for name in names if name.endswith(("-wal", "-shm"))}
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        sqlite3.connect(tmp_path / migrations.NAME, timeout=0.0).execute("SELECT count(*) FROM run")
    store.close()


def test_a_full_disk_is_said_and_what_waited_is_written_once_there_is_room(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.storage.write_queue.RETRY_SECONDS", 0.02)
    filled(store, "one")
    with held_up(store) as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")  # SQLite's own way to run out of room
    told = list(script(SHORT.model_copy(update={"rounds": 40})))
    store.begin("two", "hash", "{}")
    store.add("two", 0, told[:-1])
    assert not store.flush(10)
    assert store.sentence == messages.KEPT_FULL
    assert store.events("one")
    assert store.events("two") == []
    with held_up(store) as connection:
        connection.execute("PRAGMA max_page_count = 1000000")
    store.add("two", len(told) - 1, told[-1:])
    while store.sentence:
        store.flush(1)
    assert len(store.events("two")) > 40
    assert store.next_seq("two") == len(told)


@pytest.mark.parametrize(
    ("number", "sentence"), [(28, messages.KEPT_WITHOUT_FILES), (5, messages.KEPT_FAILING)], ids=["ENOSPC", "EIO"]
)
def test_a_disk_that_fails_at_any_write_leaves_the_former_checkpoint(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, sentence: str
) -> None:
    def failing(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("app.storage.write_queue.RETRY_SECONDS", 0.02)
    filled(store, "one")
    store.keep("one", "checkpoint", b"former", 1)
    assert store.flush(10)
    for call in ("os.fsync", "os.replace"):
        with monkeypatch.context() as broken:
            broken.setattr(call, failing)
            store.keep("one", "checkpoint", b"newer", 2)
            assert not store.flush(10)
            assert store.sentence == sentence
            assert store.file("one", "checkpoint") == (b"former", 1)
    wait_until(lambda: store.flush(1))
    assert store.file("one", "checkpoint") == (b"newer", 2)
    assert len(list((tmp_path / "files").iterdir())) == 1


def test_the_write_ahead_log_is_short_again_once_a_long_reader_has_gone(store: Store, tmp_path: Path) -> None:
    """While somebody reads, SQLite can only add to it; nothing here reads for long, but a backup may."""
    log = tmp_path / f"{migrations.NAME}-wal"
    images = np.random.default_rng(0).integers(0, 256, (200, 3, 64, 64), dtype=np.uint8)
    made = [event for event in script(SHORT) if isinstance(event, RoundSynthesized)]
    big = [dataclasses.replace(event, images=images) for event in made]
    filled(store, "one")
    reader = sqlite3.connect(tmp_path / migrations.NAME)
    reader.execute("BEGIN").execute("SELECT count(*) FROM event").fetchone()
    for turn in range(8):
        store.add("one", 100 * (turn + 1), big)
        assert store.flush(30)
    assert log.stat().st_size > 16 * 2**20
    reader.close()
    for turn in range(8, 10):
        store.add("one", 100 * turn, big)
        assert store.flush(30)
    assert log.stat().st_size <= 16 * 2**20
