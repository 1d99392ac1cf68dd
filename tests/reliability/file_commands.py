"""Command lines around files that people write and send: configs, comparisons, studies, folders of runs, images."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.reliability.commands import DONE, FAILED, KINDS, PNG, REFUSED, SMALL, USAGE, Case, copied

_NUMBERS = ", ".join(map(str, range(1, 901)))
_STUDY = "methods: {A: {preset: dfq}}\nteachers: [../ready-teacher]\nseeds: [0]\n"
_BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{after}: &{after} [{', '.join([f'*{one}'] * 9)}]\n" for one, after in zip("abcdefgh", "bcdefghi", strict=True)
)
YAML: dict[str, bytes] = {
    "aliases": _BOMB.encode(),
    "a tag": b"seed: !!python/object/apply:os.system ['touch pwned']\n",
    "a key twice": b"seed: 1\nseed: 2\n",
    "a merge": b"<<: {seed: 1}\n",
    "deep lists": b"seed: " + b"[" * 5000 + b"]" * 5000 + b"\n",
    "deep mappings": "".join(" " * depth + "a:\n" for depth in range(600)).encode(),
    "a huge number": b"seed: " + b"9" * 200_000 + b"\n",
    "not a number": b"student_lr: .nan\n",
    "infinity": b"student_lr: 1e999\n",
    "no document": b"",
    "a list": b"- a\n",
    "two documents": b"seed: 1\n---\nseed: 2\n",
    "UTF-16": "seed: 1\n".encode("utf-16"),
    "a NUL": b"seed: 1\n\0\n",
    "an escape": b'teacher: "\\e[31mred"\n',
    "half a character": b'teacher: "\\ud800"\n',
    "another direction": "teacher: \u202eevil\n".encode(),
    "a long name": b"x" * 100_000 + b": 1\n",
    "20,000 keys": "".join(f"k{number}: 1\n" for number in range(20_000)).encode(),
    "quotes": b"seed: " + b'"' * 100_000 + b"\n",
    "300 MB": b"",
}


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _files()
    yield from _multiplied()
    yield from _places()
    yield from _values()
    yield from _streams()
    yield from _folders()
    yield from _images()
    yield from _studies()


def _made(name: str, make: Callable[[Path], object]) -> Callable[[Path], object]:
    return lambda here: make(here / name)


def _text(name: str, content: bytes) -> Callable[[Path], None]:
    def prepare(here: Path) -> None:
        (here / name).write_bytes(content)

    return prepare


def _files() -> Iterator[Case]:
    takes_yaml = {
        "config": ["config", "--config", "c"],
        "distill": ["distill", "--config", "c"],
        "compare": ["compare", "--config", "c", "--out", "o"],
        "study": ["study", "c", "--dry-run"],
    }
    for command, words in takes_yaml.items():
        for name, content in YAML.items():
            prepare = KINDS["3 GB of nothing"] if name == "300 MB" else None
            yield Case(
                f"{command} of {name}",
                words,
                _made("c", prepare) if prepare else _text("c", content),
                REFUSED,
            )
    takes_yaml |= {"resume of a study": ["study", "--resume", "c"], "export": ["export", "c", "--hub-folder", "h"]}
    for command, words in takes_yaml.items():
        for kind, make in KINDS.items():
            yield Case(f"{command}: {kind}", words, _made("c", make), REFUSED)


def _multiplied() -> Iterator[Case]:
    vary = f"vary: {{generator_steps: [{_NUMBERS}], student_steps: [{_NUMBERS}], synthesis_batch: [8, 9]}}\n"
    many = "{" + ", ".join(f"m{number}: " for number in range(2000)) + "}\n"
    seeds = "seeds: [" + ", ".join(map(str, range(2000))) + "]\n"
    for name, text in {
        "values": f"{_STUDY}budgets: {{rounds: [1]}}\n{vary}",
        "budgets": f"{_STUDY}budgets: {{rounds: [{_NUMBERS}]}}\nvary: {{student_steps: [1, 2]}}\n",
        "methods": f"methods: {many}teachers: [digits]\nbudgets: {{rounds: [1]}}\n",
        "new students": f"{_STUDY}budgets: {{rounds: [1]}}\nfresh_students: {{phases: 9, {seeds.strip()}}}\n",
    }.items():
        yield Case(
            f"study of many {name}", ["study", "s", "--out", "o"], _text("s", text.encode()), USAGE, says="at most"
        )
    for name, text in {
        "values": f"presets: [dfq]\n{vary}",
        "arms": f"arms: {many}",
        "seeds": f"presets: [a, b]\nseeds: [{', '.join(map(str, range(6000)))}]\n",
    }.items():
        text = text.replace("[a, b]", "[dfq, nayer]")
        words = ["compare", "--config", "s", "--out", "o"]
        yield Case(f"compare of many {name}", words, _text("s", text.encode()), USAGE, says="at most")


def _places() -> Iterator[Case]:
    study = ["study", "s", "--out"]

    def prepare(here: Path) -> None:
        (here / "file").write_text("")
        (here / "loop").symlink_to("loop")
        (here / "s").write_text(f"{_STUDY}budgets: {{rounds: [1]}}\n")
        copied(here.parent / "ready-run", here / "r")

    wrong = {"empty": "", "below a file": "file/x", "loop": "loop", "/proc": "/proc/x", "line break": "a\nb"}
    wrong |= {"5000": "x" * 5000, "not UTF-8": os.fsdecode(b"a\xffb")}
    for name, place in wrong.items():
        yield Case(
            f"study --out {name}",
            [*study, place],
            prepare,
            REFUSED,
            leaves=frozenset({"r"}),
        )
        yield Case(f"config --out {name}", ["config", "--out", place], prepare, REFUSED)
        yield Case(f"export --hub-folder {name}", ["export", "r", "--hub-folder", place], prepare, REFUSED)
        yield Case(f"distill --config {name}", ["distill", "--config", place], prepare, REFUSED)
        yield Case(f"study {name}", ["study", place, "--dry-run"], prepare, REFUSED)
    yield Case(
        "distill over a teacher",
        ["distill", "--teacher", "t", *SMALL, "--out", "t"],
        lambda here: copied(here.parent / "ready-teacher", here / "t"),
    )
    yield Case("teach over a run", ["teach", "digits", "--epochs", "1", "--out", "r"], prepare)


def _values() -> Iterator[Case]:
    absurd = ["-1", "nan", "1e400", "9" * 5000, "x" * 100_000, "", "\x1b[31m"]
    distill, compare = ["distill", "--teacher", "{teacher}", *SMALL], ["compare", "--presets", "dfq", "--out", "o"]
    for value in absurd:
        short = repr(value[:12])
        endless = value in ("1e400", "9" * 5000)  # as large as any
        yield Case(f"--memory-limit {short}", [*distill, "--memory-limit", value], codes=DONE if endless else USAGE)
        yield Case(f"--calibrate {short}", [*compare, "--calibrate", value], codes=USAGE)
        yield Case(f"--robust {short}", ["teach", "digits", "--out", "o", "--robust", value], codes=USAGE)
        yield Case(f"completion {short}", ["completion", value], codes=USAGE)
        yield Case(f"--track {short}", [*distill, "--track", value], codes=DONE if not value else USAGE)
        yield Case(f"--push {short}", ["export", "x", "--push", value], codes=USAGE)
    for address in ("ray://", "ray://:1", "ray://a:b", "a b:1", "x@y:1", "ray://h:99999", "http://h:1/x", "\x1b:1"):
        yield Case(f"--on {address!r}", [*compare, "--teacher", "{teacher}", *SMALL, "--on", address], codes=USAGE)


def _streams() -> Iterator[Case]:
    study = _text("s", f"{_STUDY}budgets: {{rounds: [1]}}\n".encode())
    for name, words in {
        "config": ["config"],
        "completion": ["completion", "bash"],
        "dry run": ["study", "s", "--dry-run"],
    }.items():
        yield Case(f"{name} >/dev/full", words, study, shell=">/dev/full", says="written")
        yield Case(f"{name} >&-", words, study, shell=">&-", says="written")
        yield Case(f"{name} 2>&-", words, study, DONE, shell="2>&-")
        yield Case(f"{name} <&-", words, study, DONE, shell="<&-")
        for surroundings in ({"COLUMNS": "1"}, {"TERM": "dumb"}, {"NO_COLOR": "1"}):
            yield Case(f"{name} with {surroundings}", words, study, DONE, variables=surroundings)
    plain: dict[str, str | None] = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    yield Case("config in C", ["config", "--teacher", "ü"], codes=DONE | REFUSED, variables=plain)
    yield Case("config | head", ["config"], codes=frozenset({0, 141}), shell="| head -1 >/dev/null")
    yield Case("completion | true", ["completion", "bash"], codes=frozenset({141}), shell="| true")


def _folders() -> Iterator[Case]:
    def changed(**given: object) -> Callable[[Path], None]:
        def prepare(here: Path) -> None:
            copied(here.parent / "ready-run", here / "r")
            content = json.loads((here / "r" / "config.json").read_text())
            for name, value in given.items():
                content[name] = {**content[name], **value} if isinstance(value, dict) else value
            (here / "r" / "config.json").write_text(json.dumps(content))

        return prepare

    huge = {"architecture": "wrn40-128", "size": 64, "channels": 3, "mean": [0.5] * 3, "std": [0.5] * 3}
    for name, prepare in {
        "a network of 36 GB": changed(model=huge),
        "fewer classes": changed(classes=["a"]),
        "classes of half a character": changed(classes=["a\ud800", "b", "c"]),
        "classes that are a text": changed(classes="abc"),
        "an accuracy of 10⁴⁰⁰": changed(evaluated={"accuracy": 10**400}),
        "no config": changed(config=5),
        "a license with lines": changed(),
    }.items():
        license = ["--license", "mit\n---\n"] if "license" in name else []
        yield Case(f"export of {name}", ["export", "r", "--hub-folder", "h", *license], prepare, REFUSED)
    yield Case("export over the run", ["export", "r", "--hub-folder", "r"], changed())


def _images() -> Iterator[Case]:
    def images(*names: str) -> Callable[[Path], None]:
        def prepare(here: Path) -> None:
            for name in names:
                (here / "d" / name).mkdir(parents=True)
                for number in range(6):
                    (here / "d" / name / f"{number}.png").write_bytes(PNG)

        return prepare

    def with_(make: Callable[[Path], object], name: str) -> Callable[[Path], None]:
        def prepare(here: Path) -> None:
            images("cat", "dog")(here)
            make(here / "d" / name)

        return prepare

    def empty(folder: Path) -> None:
        for number in range(3000):
            (folder / str(number)).mkdir(parents=True)

    for name, prepare in {
        "one class": images("cat"),
        "two classes that read alike": images("a b", "a_b"),
        "a class in another direction": images("cat", "\u202edog"),
        "a class with an escape": images("cat", "\x1b[31mdog"),
        "a class that is not UTF-8": images("cat", os.fsdecode(b"d\xff")),
        "a link to a device": with_(lambda path: path.symlink_to("/dev/zero"), "cat/9.png"),
        "a link to itself": with_(lambda path: path.symlink_to(path.name), "cat/9.png"),
        "a FIFO": with_(os.mkfifo, "cat/9.png"),
        "3,000 empty folders": empty,
    }.items():
        yield Case(f"teach of {name}", ["teach", "--data", "d", "--out", "o"], prepare, REFUSED)
    trained = ["teach", "--data", "d", "--epochs", "1", "--out", "o"]
    loop = with_(lambda path: path.symlink_to("..", target_is_directory=True), "cat/up")
    yield Case("teach of a loop of folders", trained, loop, DONE, leaves=frozenset({"o"}))
    yield Case("teach of a line break in a name", trained, images("cat", "d\nog"), DONE, leaves=frozenset({"o"}))


def _studies() -> Iterator[Case]:
    shared = "shared: {generator_steps: 2, student_steps: 2, warmup_rounds: 1, synthesis_batch: 9, latent: one-hot}\n"
    text = f"{_STUDY.replace('[0]', '[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]')}{shared}budgets: {{rounds: [40]}}\n"
    for number in (signal.SIGINT, signal.SIGTERM):
        yield Case(
            f"study {number.name}",
            ["study", "s", "--out", "o"],
            _text("s", text.encode()),
            frozenset({128 + number}),
            leaves=frozenset({"o"}),
            send=number,
            after="1 of",
            says="same command",
        )
    full = _text("s", text.replace("2, 3, 4, 5, 6, 7, 8, 9", "2").encode())
    words = ["study", "s", "--out", "o"]
    yield Case("study on a full disk", words, full, FAILED, leaves=frozenset({"o"}), file_bytes=2048, says="o/")
