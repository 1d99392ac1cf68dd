"""A store that is killed while it writes: forked writers that acknowledge what is on the disk, and their end."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from app.storage import migrations
from app.storage.run_store import Store
from nayer.errors import StorageError
from tests.support.scripted import SHORT, script

EVENTS = list(script(SHORT))[:20]


@dataclass
class Tally:
    kills: int = 0
    acknowledged: int = 0  # events
    files: int = 0  # checkpoints
    lost: int = 0
    torn: int = 0  # files that were served and are not what was written
    corrupt: int = 0
    claims: int = 0  # runs that say they go on after a restart


def content(run: int, version: int) -> bytes:
    """A checkpoint that says of which run and version it is."""
    return hashlib.sha256(f"{run} {version}".encode()).digest() * 2000


def kill_often(folder: Path, kills: int, seed: int) -> Tally:
    """Starts a writer, kills it at a random moment, and reads what it left: so many times. Wants a process without
    threads, for it forks."""
    rng, tally = random.Random(seed), Tally()
    for number in range(kills):
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.close(reader)
            _write(folder, number, writer)
        os.close(writer)
        acknowledged = _until_killed(child, reader, rng.uniform(0.0, 0.15))
        tally.kills += 1
        _read_back(folder, number, acknowledged, tally)
    return tally


def _write(folder: Path, number: int, acknowledge: int) -> None:
    """In the child: one event after the other, each acknowledged once it is on the disk, and checkpoints between."""
    try:
        store = Store(folder, runs=50)
        store.begin(str(number), "hash", "{}")
        for seq in range(10_000):
            store.add(str(number), seq, [EVENTS[seq % len(EVENTS)]])
            if seq % 5 == 4:
                store.keep(str(number), "checkpoint", content(number, seq), seq)
            if store.flush(10):
                os.write(acknowledge, f"{seq}\n".encode())
    finally:
        os._exit(0)


def _until_killed(child: int, reader: int, seconds: float) -> int:
    """Events that were acknowledged before the child was killed, `seconds` after its first."""
    told = b""
    while not told and (first := os.read(reader, 4096)):
        told = first
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while more := os.read(reader, 65536):
        told += more
    os.close(reader)
    return told.count(b"\n")


def _read_back(folder: Path, number: int, acknowledged: int, tally: Tally) -> None:
    """In a child of its own, for a store has a thread, and a process with threads is not to fork."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.write(writer, repr(_found(folder, number)).encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    told = os.read(reader, 4096).decode()
    os.close(reader)
    events, files, torn, corrupt, claims = (int(part) for part in told.strip("()").split(",")) if told else (0,) * 5
    tally.acknowledged += acknowledged
    tally.files += files
    tally.lost += max(0, acknowledged - events)
    tally.torn += torn
    tally.corrupt += corrupt if told else 1
    tally.claims += claims


def _found(folder: Path, number: int) -> tuple[int, int, int, int, int]:
    """Events, checkpoints, torn ones, a damaged database, runs that claim to go on."""
    store = Store(folder, runs=50)
    with store.writer.reading() as connection:
        (sound,) = connection.execute("PRAGMA integrity_check").fetchone()
    events, torn, files = len(store.events(str(number))), 0, 0
    try:
        found = store.file(str(number), "checkpoint")
    except StorageError:
        found, torn = None, 1
    if found is not None:
        files, torn = 1, int(found[0] != content(number, found[1]))
    stored = store.find(str(number))
    claims = int(stored is None or stored.state != "interrupted")
    store.close()
    with sqlite3.connect(folder / migrations.NAME) as connection:
        running = connection.execute("SELECT count(*) FROM run WHERE state = 'running'").fetchone()[0]
    return events, files, torn, int(sound != "ok" or bool(store.note)), claims + running
