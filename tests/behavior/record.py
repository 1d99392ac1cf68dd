"""`python -m tests.behavior.record [PART …]`: writes what is recorded anew, from the code as it is."""

from __future__ import annotations

import os

os.environ["HF_HUB_OFFLINE"] = "1"  # as in tests/conftest.py: nothing here waits for a network
os.environ["NAYER_DATA"] = "off"

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from tests.behavior import stored
from tests.behavior.conversation import visited
from tests.behavior.fixtures import CONVERSATION, NAMES, OPENED, RUNS, SENTENCES, VOCABULARY, machine, write
from tests.behavior.names import KINDS
from tests.behavior.runs import RUNS as ALL_RUNS
from tests.behavior.runs import recorded, vocabulary, vocabulary_now


def _measured(name: str, value: Any) -> None:
    write(name, {"machine": machine(), "recorded": value})


def _conversation(folder: Path) -> None:
    talk = visited(folder)
    _measured(CONVERSATION, talk.record)
    write(SENTENCES, talk.sentences)


def _opened(folder: Path) -> None:
    found = {}
    for number, (name, opening) in enumerate(stored.OPENINGS.items()):
        (folder / str(number)).mkdir()
        found[name] = opening(folder / str(number))
    _measured(OPENED, found)


def _runs(_: Path) -> None:
    write(VOCABULARY, vocabulary_now())
    vocabulary.cache_clear()
    _measured(RUNS, {name: recorded(run()) for name, run in ALL_RUNS.items()})


PARTS: dict[str, Callable[[Path], None]] = {  # each is given a folder for scratch
    "stored": stored.make,
    "names": lambda folder: write(NAMES, {kind: find(folder) for kind, find in KINDS.items()}),
    "opened": _opened,
    "runs": _runs,
    "conversation": _conversation,
}


def main(chosen: list[str]) -> None:
    if unknown := sorted(set(chosen) - set(PARTS)):
        sys.exit(f"part={unknown[0]!r} does not exist; use {', '.join(PARTS)}.")
    torch.set_num_threads(1)
    for part in chosen or list(PARTS):
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            PARTS[part](Path(folder))
        sys.stdout.write(f"{part}: {time.monotonic() - began:.0f} s\n")


if __name__ == "__main__":
    main(sys.argv[1:])
