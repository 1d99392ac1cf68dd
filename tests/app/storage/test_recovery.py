"""Laws of the data folder while a server has it: what vanishes is made anew, and nobody else reads it."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.content import messages
from app.storage import migrations, recovery, run_store
from app.storage.recovery import NoFolder
from app.storage.run_store import Store
from app.support import paths
from nayer.errors import StorageError
from tests.app.storage.test_run_store import filled, held_up
from tests.support.hostile import put_no_file
from tests.support.serving import wait_until


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.storage.write_queue.RETRY_SECONDS", 0.02)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def kept(folder: Path) -> Iterator[Store]:
    kept = Store(folder)
    filled(kept, "before")
    kept.keep("before", "checkpoint", b"content", 1)
    assert kept.flush(10)
    yield kept
    kept.close()


def replaced(folder: Path, make: Callable[[Path], object]) -> None:
    folder.rename(folder.with_name("away"))
    make(folder)


def another_database(folder: Path) -> None:
    path = folder.with_name("other.sqlite3")
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE other (x)")
    connection.close()
    path.replace(folder / migrations.NAME)


def link(folder: Path) -> None:
    folder.with_name("elsewhere").mkdir()
    folder.symlink_to(folder.with_name("elsewhere"))


HARMS: dict[str, Callable[[Path], object]] = {
    "deleted": shutil.rmtree,
    "renamed": lambda folder: folder.rename(folder.with_name("away")),
    "replaced by an empty folder": lambda folder: replaced(folder, Path.mkdir),
    "replaced by a link": lambda folder: replaced(folder, link),
    "database deleted": lambda folder: (folder / migrations.NAME).unlink(),
    "database replaced": another_database,
    "files deleted": lambda folder: shutil.rmtree(folder / "files"),
    "lock deleted": lambda folder: (folder / "lock").unlink(),
    "log deleted": lambda folder: (folder / migrations.WAL).unlink(),
}
HARMLESS = {"lock deleted", "log deleted"}  # what is open is still all there


def taken_anew(store: Store) -> Callable[[], bool]:
    """True once the folder has been taken anew."""
    first = store.writer._folder
    return lambda: store.writer._folder is not first and store.writer._folder is not None


@pytest.mark.parametrize("harm", HARMS)
def test_what_vanishes_is_made_anew_said_and_what_comes_then_is_kept(harm: str, kept: Store, folder: Path) -> None:
    again = taken_anew(kept)
    HARMS[harm](folder)
    wait_until(again)  # with nothing to write
    assert not kept.trouble
    told = filled(kept, "after")
    kept.keep("after", "checkpoint", b"newer", 1)
    assert kept.flush(10)
    assert len(kept.events("after")) == len(told)
    assert kept.note == (
        "" if harm in HARMLESS else messages.KEPT_ANEW if harm == "database replaced" else messages.KEPT_REPLACED
    )
    kept.close()
    second = Store(folder)
    assert second.file("after", "checkpoint") == (b"newer", 1)
    assert len(second.events("after")) == len(told)
    assert bool(second.find("before")) == (harm in HARMLESS | {"files deleted"})
    if harm in HARMLESS:
        assert second.file("before", "checkpoint") == (b"content", 1)
    second.close()


@pytest.mark.parametrize("harm", HARMS)
def test_what_is_written_into_a_folder_that_vanished_is_acknowledged_once_it_can_be_found(
    harm: str, kept: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_store, "open_folder", raising(NoFolder(messages.KEPT_UNWRITABLE)))
    with held_up(kept):  # the writer stands before its commit
        kept.begin("after", "hash", "{}")
        HARMS[harm](folder)
    assert not kept.flush(10)
    wait_until(lambda: kept.sentence == messages.KEPT_UNWRITABLE)
    monkeypatch.setattr(run_store, "open_folder", recovery.open_folder)
    wait_until(lambda: kept.flush(1))
    kept.close()
    second = Store(folder)
    assert second.find("after")
    second.close()


def raising(error: Exception) -> Callable[..., recovery.OpenFolder]:
    def fail(*_: object, **__: object) -> recovery.OpenFolder:
        raise error

    return fail


def test_a_file_in_the_folders_place_is_said_until_it_is_gone_and_the_log_stays_short(
    kept: Store, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.rmtree(folder)
    folder.touch()
    wait_until(lambda: kept.sentence == messages.KEPT_UNWRITABLE)
    kept.begin("after", "hash", "{}")
    assert not kept.flush(10)
    assert kept.find("before") is None
    tries: list[object] = []
    take = kept.writer._take
    kept.writer._take = lambda lost: tries.append(None) or take(lost)
    wait_until(lambda: len(tries) > 20)
    assert len(caplog.records) <= 3
    folder.unlink()
    wait_until(lambda: kept.flush(1))
    assert kept.sentence == messages.KEPT_REPLACED
    assert kept.find("after")


def test_a_second_server_on_a_folder_whose_lock_was_deleted_is_noticed_and_waited_for(
    kept: Store, folder: Path
) -> None:
    with held_up(kept):  # so that the second comes first
        (folder / "lock").unlink()
        second = Store(folder)
    wait_until(lambda: kept.sentence == messages.KEPT_ELSEWHERE)
    kept.begin("after", "hash", "{}")
    assert not kept.flush(10)
    filled(second, "second")
    second.close()
    wait_until(lambda: kept.flush(1))
    assert all(kept.find(run) for run in ("before", "second", "after"))
    assert kept.sentence == ""


def test_a_disk_that_becomes_read_only_is_said_with_nothing_to_write(
    kept: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as mounted:
        mounted.setattr(recovery.os, "access", lambda *_: False)  # so the system answers, root too
        wait_until(lambda: kept.sentence == messages.KEPT_UNWRITABLE)
        assert kept.events("before")
    wait_until(lambda: not kept.sentence)


def test_a_database_that_is_overwritten_while_it_is_open_is_moved_aside(kept: Store, folder: Path) -> None:
    with held_up(kept) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with (folder / migrations.NAME).open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(4096)  # behind the first page
            file.write(b"\xff" * (size - 4096))
    assert kept.events("before") == []
    wait_until(lambda: kept.note == messages.KEPT_ANEW)
    filled(kept, "after")
    assert (folder / f"{migrations.NAME}.damaged-1").exists()


# --- who may read it -------------------------------------------------------------------------------------------------


def modes(folder: Path) -> dict[str, int]:
    """Of the folder and all in it."""
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.rglob("*"))}


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o777])
@pytest.mark.parametrize("network", [False, True])
def test_nobody_else_can_read_the_folder_whatever_the_umask_is(folder: Path, mask: int, network: bool) -> None:
    former = os.umask(mask)
    try:
        store = Store(folder, network=network)
        filled(store, "one")
        store.keep("one", "checkpoint", b"content", 1)
        assert store.flush(10)
        found = modes(folder)
        store.close()
    finally:
        os.umask(former)
    assert {"lock", "files", migrations.NAME} <= found.keys()
    assert network or {f"{migrations.NAME}-wal", f"{migrations.NAME}-shm"} <= found.keys()
    assert {name for name, mode in found.items() if mode == 0o700} == {"data", "files"}
    assert set(found.values()) == {0o700, 0o600}


def opened_up(folder: Path) -> None:
    """As an earlier version left it."""
    store = Store(folder)
    filled(store, "one")
    store.keep("one", "checkpoint", b"content", 1)
    assert store.flush(10)
    store.close()
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def test_what_an_earlier_version_left_open_is_shut(folder: Path) -> None:
    opened_up(folder)
    Store(folder).close()
    assert set(modes(folder).values()) == {0o700, 0o600}


@pytest.mark.parametrize("why", ["something else is in it", "it is sticky"])
def test_a_folder_that_is_not_ours_alone_keeps_its_mode_and_our_files_are_shut(folder: Path, why: str) -> None:
    opened_up(folder)
    if why == "it is sticky":
        folder.chmod(0o1777)
    else:
        (folder / "photo.png").touch(0o644)
        (folder / "photo.png").chmod(0o644)
    before = modes(folder)
    Store(folder).close()
    after = modes(folder)
    assert after["data"] == before["data"]
    assert after.get("photo.png") == before.get("photo.png")
    assert {mode for name, mode in after.items() if name not in ("data", "photo.png")} == {0o700, 0o600}


def test_a_lock_is_somebody_elses_only_where_it_is_held(folder: Path) -> None:
    folder.mkdir()
    (folder / "lock").mkdir()
    with pytest.raises(OSError) as failed:
        paths.locked(folder)
    assert not isinstance(failed.value, StorageError)
    (folder / "lock").rmdir()
    held = paths.locked(folder)
    with pytest.raises(paths.FolderInUse):
        paths.locked(folder)
    held.release()
    paths.locked(folder).release()


# --- what lies where our files should --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["FIFO", "endless", "folder", "larger"])
def test_what_is_no_file_of_the_size_that_was_written_is_refused_unread(kind: str, kept: Store, folder: Path) -> None:
    (path,) = (folder / "files").iterdir()
    path.unlink()
    put_no_file(path, kind)
    failures: list[Exception] = []

    def read() -> None:
        try:
            kept.file("before", "checkpoint")
        except StorageError as error:
            failures.append(error)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(20)
    assert "is damaged on disk" in str(failures)


def test_a_link_in_the_place_of_files_costs_nobody_theirs(kept: Store, folder: Path) -> None:
    others = folder.with_name("others")
    others.mkdir()
    (others / "letter.txt").touch()
    shutil.rmtree(folder / "files")
    (folder / "files").symlink_to(others)
    again = taken_anew(kept)
    wait_until(lambda: again() or (folder / "files").is_symlink())
    kept.close()
    Store(folder).close()
    assert (others / "letter.txt").exists()


def test_what_cannot_be_read_is_logged_once(kept: Store, caplog: pytest.LogCaptureFixture) -> None:
    with held_up(kept):
        kept.writer._folder = None
        with caplog.at_level(logging.WARNING):
            assert [kept.find("before") for _ in range(50)] == [None] * 50
    assert sum("nothing can be read" in record.message for record in caplog.records) == 1
