"""Command lines that ask for trouble, each in a folder of its own, and what may come of each."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

DONE, FAILED, USAGE = frozenset({0}), frozenset({1}), frozenset({2})
REFUSED = FAILED | USAGE
SMALL = [
    *(
        "--latent",
        "one-hot",
        "--rounds",
        "2",
        "--warmup-rounds",
        "1",
        "--generator-steps",
        "2",
        "--generator-width",
        "2",
    ),
    *("--noisy-width", "16", "--synthesis-batch", "9", "--student-steps", "2", "--student-batch", "4"),
]
ENDLESS = [*SMALL, "--rounds", "100000"]
DISTILL = ["distill", "--teacher", "{teacher}", *SMALL]
_content = io.BytesIO()
Image.new("L", (8, 8), 90).save(_content, "PNG")
PNG = _content.getvalue()
HUGE = 3 << 30  # bytes of a sparse file


@dataclass(frozen=True)
class Case:
    """`words` follow `python -m nayer`; `{teacher}` and `{images}` among them are folders that stand ready.

    `shell` is what a shell adds, such as a redirection. `codes` are the exit codes that count as right. `leaves` are
    the names that may be new in the current folder. With `send`, that signal is sent once `after` was written.
    """

    name: str
    words: list[str]
    prepare: Callable[[Path], object] = lambda here: None
    codes: frozenset[int] = FAILED
    shell: str = ""
    variables: Mapping[str, str | None] = field(default_factory=dict)
    leaves: frozenset[str] = frozenset()
    send: int = 0
    after: str = "round_finished"
    says: str = ""  # what must be found on standard error
    file_bytes: int = 0  # how large a file may become, as on a disk that is full


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _unreadable()
    yield from _streams()
    yield from _places()
    yield from _numbers()
    yield from _surroundings()
    yield from _signals()
    yield from _folders_of_runs()


# --- what is named, and is no file ---------------------------------------------------------------------------------


def _zero(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    here = os.open(path.parent, os.O_RDONLY)
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(f"/proc/self/fd/{here}/{path.name}")  # an address has 108 bytes at most
    finally:
        os.close(here)


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(HUGE)


KINDS: dict[str, Callable[[Path], object]] = {
    "device": _zero,
    "FIFO": _fifo,
    "socket": _socket,
    "folder": Path.mkdir,
    "dangling link": lambda path: path.symlink_to("nowhere"),
    "loop": lambda path: path.symlink_to(path.name),
    "3 GB of nothing": _sparse,
}


def copied(source: Path, target: Path) -> None:
    """The files of a folder in a new one."""
    target.mkdir(parents=True)
    for path in source.iterdir():
        (target / path.name).write_bytes(path.read_bytes())


def _replaced(name: str, make: Callable[[Path], object], within: str = "") -> Callable[[Path], None]:
    """`name` is made by `make`, in a copy of the folder `within` that stands ready, or in an empty one."""

    def prepare(here: Path) -> None:
        path = here / "x" / name
        if within:
            copied(here.parent / within, here / "x")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        make(path)

    return prepare


def _unreadable() -> Iterator[Case]:
    teacher = ["distill", "--teacher", "x", *SMALL]
    tested = [*DISTILL, "--test-data"]
    resumed = ["distill", "--resume", "x", "--rounds", "3"]
    compare = ["compare", "--teacher", "{teacher}", "--presets", "dfq", "--seeds", "0", "--out", "x", *SMALL]
    places = {
        "config.json": ("config.json", "ready-teacher", teacher),
        "weights": ("model.safetensors", "ready-teacher", teacher),
        "test data": ("t", "", [*tested, "x/t"]),
        "test.zip": ("t.zip", "", [*tested, "x/t.zip"]),
        "test.parquet": ("test.parquet", "", [*tested, "x"]),
        "own.parquet": ("own.parquet", "", [*tested, "x/own.parquet"]),
        "idx": ("t10k-images-idx3-ubyte.gz", "", [*tested, "x"]),
        "picture": ("cat/1.png", "", [*tested, "x"]),
        "teach": ("t", "", ["teach", "--data", "x/t", "--out", "out"]),
        "icons": ("node_modules/@iconify-json/noto/icons.json", "", ["draw", "emoji10", "--data", "x", "--out", "o"]),
        "checkpoint": ("checkpoint.safetensors", "ready-run", resumed),
        "metrics": ("metrics.csv", "ready-run", resumed),
        "outcome": ("runs/dfq-0.json", "", compare),
        "against": ("a.json", "", ["bench", "--against", "x/a.json", "--seeds", "0", "--teacher", "{teacher}"]),
        "encoder": ("config.json", "", ["embed", "cat", "dog", "--encoder", "x", "--out", "o.safetensors"]),
        "encoder's names": ("tokenizer.json", "", ["embed", "cat", "dog", "--encoder", "x", "--out", "o.safetensors"]),
    }
    for place, (name, within, words) in places.items():
        for kind, make in KINDS.items():
            absent = kind == "dangling link" and place == "metrics"  # as if there were none
            codes = DONE if absent else REFUSED
            yield Case(f"{place}: {kind}", words, _replaced(name, make, within), codes, leaves=frozenset({"x"}))


# --- standard streams ----------------------------------------------------------------------------------------------


def _streams() -> Iterator[Case]:
    listing = ["list", "teachers"]
    for name, words in {
        "list": listing,
        "distill": DISTILL,
        "help": ["distill", "--help"],
        "json": [*DISTILL, "--json", "-"],
    }.items():
        yield Case(f"{name} >/dev/full", words, shell=">/dev/full", says="written")
        yield Case(f"{name} >&-", words, shell=">&-", says="written")
        yield Case(f"{name} 2>/dev/full", words, codes=DONE, shell="2>/dev/full")
        yield Case(f"{name} 2>&-", words, codes=DONE, shell="2>&-")
        yield Case(f"{name} <&-", words, codes=DONE, shell="<&-")
        yield Case(f"{name} all closed", words, shell="<&- >&- 2>&-")
        yield Case(f"{name} | true", words, codes=frozenset({141}), shell="| true")
    yield Case("mistake 2>&-", ["distil"], codes=USAGE, shell="2>&-")
    yield Case("mistake 2>/dev/full", ["distil"], codes=USAGE, shell="2>/dev/full")
    yield Case("mistake >&-", ["distil"], codes=USAGE, shell=">&-")
    yield Case(
        "endless 2>&1 | head -1",
        ["distill", "--teacher", "{teacher}", *ENDLESS],
        codes=frozenset({141}),
        shell="2>&1 | head -1 >&2",
    )
    yield Case(
        "endless json | head -1",
        ["distill", "--teacher", "{teacher}", *ENDLESS, "--json", "-"],
        codes=frozenset({141}),
        shell="| head -1 >/dev/null",
    )
    yield Case(
        "teach >/dev/full",
        ["teach", "digits", "--epochs", "1", "--out", "o"],
        shell=">/dev/full",
        leaves=frozenset({"o"}),
        says="written",
    )
    yield Case("json to /dev/full", [*DISTILL, "--json", "/dev/full"], says="json=")
    yield Case("record to /dev/full", [*DISTILL, "--record", "/dev/full"])


# --- places to write to --------------------------------------------------------------------------------------------


def _places() -> Iterator[Case]:
    takes_folder = {
        "distill": DISTILL,
        "compare": ["compare", "--teacher", "{teacher}", "--presets", "dfq", "--seeds", "0", *SMALL],
        "teach": ["teach", "digits", "--epochs", "1"],
        "own": ["teach", "--data", "images", "--epochs", "1"],
    }
    takes_file = {
        "embed": ["embed", "cat", "dog", "--encoder", "nobody/nothing"],
        "draw": ["draw", "emoji10", "--data", "."],
    }
    wrong = {
        "empty": "",
        "a file": "file",
        "below a file": "file/x",
        "loop": "loop",
        "/proc": "/proc/x",
        "not UTF-8": os.fsdecode(b"a\xffb"),
        "5000": "x" * 5000,
        "/dev/null": "/dev/null",
        "line break": "a\nb",
    }

    def prepare(here: Path) -> None:
        (here / "file").write_text("")
        (here / "loop").symlink_to("loop")
        (here / "node_modules").mkdir()
        for name in ("cat", "dog"):
            (here / "images" / name).mkdir(parents=True)
            for number in range(4):
                (here / "images" / name / f"{number}.png").write_bytes(PNG)

    for command, words in {**takes_folder, **takes_file}.items():
        for name, out in wrong.items():
            yield Case(f"{command} --out {name}", [*words, "--out", out], prepare, REFUSED)
    for flag in ("--json", "--record", "--resume"):
        for name, out in wrong.items():
            taken = (name == "a file" and flag != "--resume") or (name == "/dev/null" and flag == "--json")
            yield Case(f"{flag} {name}", [*DISTILL, flag, out], prepare, DONE if taken else REFUSED)
    for name, value in wrong.items():
        yield Case(f"--teacher {name}", ["distill", *SMALL, "--teacher", value], prepare, REFUSED)
        if value:
            yield Case(f"--test-data {name}", [*DISTILL, "--test-data", value], prepare, REFUSED)
        yield Case(f"--data {name}", ["teach", "--data", value, "--out", "o"], prepare, REFUSED)
        yield Case(f"--encoder {name}", ["embed", "cat", "dog", "--encoder", value, "--out", "o"], prepare, REFUSED)
    full = "/proc/self/nothing"
    yield Case(
        "bench --json",
        ["bench", "--seeds", "0", "--json", full, "--seconds", "1", "--teacher", "{teacher}", "--presets", "dfq"],
        says="json",
    )
    yield Case("full at a checkpoint", [*DISTILL, "--out", "o"], file_bytes=4096, leaves=frozenset({"o"}), says="o/")
    yield Case("unwritable", [*DISTILL, "--out", "/proc/1/x"], codes=FAILED)


def _numbers() -> Iterator[Case]:
    absurd = ["-1", "10000000000", "9" * 5000, "nan", "1e400", "x" * 100_000, "0x10", "", "\x1b[31m"]
    for number in absurd:
        short = repr(number[:12])
        yield Case(f"bench --threads {short}", ["bench", "--threads", number], codes=USAGE)
        yield Case(
            f"compare --threads {short}",
            ["compare", "--presets", "dfq", "--out", "o", "--threads", number],
            codes=USAGE,
        )
        yield Case(f"bench --seconds {short}", ["bench", "--seconds", number], codes=USAGE)
        yield Case(f"bench --seeds {short}", ["bench", "--seeds", number], codes=USAGE)
        yield Case(
            f"compare --seeds {short}", ["compare", "--presets", "dfq", "--out", "o", "--seeds", number], codes=USAGE
        )
        for flag in ("--size", "--epochs", "--seed"):
            yield Case(
                f"teach {flag} {short}", ["teach", "--data", "{images}", "--out", "o", flag, number], codes=USAGE
            )
        for flag in ("--rounds", "--seconds", "--seed"):
            yield Case(f"distill {flag} {short}", [*DISTILL, flag, number], codes=USAGE)
    yield Case("a flag that is none", ["distill", "--" + "x" * 100_000], codes=USAGE)
    yield Case("a thousand words", ["distill", *["x"] * 1000], codes=USAGE)


def _surroundings() -> Iterator[Case]:
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for name, variables in {
        "C": plain,
        "ascii": {"PYTHONIOENCODING": "ascii"},
        "latin": {"PYTHONIOENCODING": "latin-1:strict"},
    }.items():
        yield Case(f"list in {name}", ["list", "settings"], codes=DONE, variables=variables)
        yield Case(f"distill in {name}", DISTILL, codes=DONE, variables=variables)
        yield Case(f"json in {name}", [*DISTILL, "--json", "-"], codes=DONE, variables=variables)
        yield Case(
            f"--out ü in {name}",
            [*DISTILL, "--out", "ü"],
            codes=DONE | REFUSED,
            variables=variables,
            leaves=frozenset({"ü"}),
        )
        yield Case(f"--teacher ü in {name}", ["distill", "--teacher", "ü"], codes=REFUSED, variables=variables)
    for words in (DISTILL, ["list", "settings"], ["list", "teachers"], ["distill", "--help"]):
        for name, variables in {
            "1 column": {"COLUMNS": "1"},
            "0 columns": {"COLUMNS": "0"},
            "columns of nonsense": {"COLUMNS": "x", "LINES": "-1"},
            "a dumb terminal": {"TERM": "dumb"},
            "no color": {"NO_COLOR": "1"},
            "forced color": {"FORCE_COLOR": "1", "TTY_COMPATIBLE": "1", "TERM": "dumb"},
            "warnings as errors": {"PYTHONWARNINGS": "error"},
        }.items():
            yield Case(f"{words[0]} {words[1]} with {name}", words, codes=DONE, variables=variables)
    nowhere: dict[str, str | None] = {"HOME": "/nowhere", "XDG_CACHE_HOME": None, "MPLCONFIGDIR": None}
    compare = ["compare", "--teacher", "{teacher}", "--presets", "dfq", "--seeds", "0", "--out", "o", *SMALL]
    surroundings: dict[str, dict[str, str | None]] = {
        "no home": {**nowhere, "HOME": None},
        "home nowhere": nowhere,
        "home a file": {**nowhere, "HOME": "/dev/null"},
        "TMPDIR nowhere": {"TMPDIR": "/nowhere"},
        "odd OMP": {"OMP_NUM_THREADS": "-1"},
        "wordy OMP": {"OMP_NUM_THREADS": "abc"},
        "many OMP": {"OMP_NUM_THREADS": "1000000000"},
        "zero OMP": {"OMP_NUM_THREADS": "0"},
        "odd OPENBLAS": {"OPENBLAS_NUM_THREADS": "-5", "MKL_NUM_THREADS": "x"},
        "odd zone": {"TZ": "Nowhere/Land"},
    }
    for name, given in surroundings.items():
        yield Case(
            f"distill with {name}", [*DISTILL, "--out", "o"], codes=DONE, variables=given, leaves=frozenset({"o"})
        )
        yield Case(f"compare with {name}", compare, codes=DONE, variables=given, leaves=frozenset({"o"}))


def _signals() -> Iterator[Case]:
    endless = ["distill", "--teacher", "{teacher}", *ENDLESS, "--json", "-"]
    several = [
        "compare",
        "--teacher",
        "{teacher}",
        "--presets",
        "dfq,zskt,dafl,fast",
        "--seeds",
        "0,1,2,3,4,5,6,7,8,9",
        "--out",
        "o",
        *SMALL,
        "--rounds",
        "20",
    ]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        code, left = frozenset({128 + number}), frozenset({"o"})
        yield Case(
            f"distill {number.name}", [*endless, "--out", "o"], codes=code, leaves=left, send=number, says="--resume"
        )
        yield Case(f"distill without a folder {number.name}", endless, codes=code, send=number)
        yield Case(
            f"teach {number.name}",
            ["teach", "digits", "--out", "o", "--epochs", "9999"],
            codes=code,
            leaves=left,
            send=number,
            after="epoch 1",
            says="same command",
        )
        yield Case(
            f"compare {number.name}", several, codes=code, leaves=left, send=number, after="1 of", says="same command"
        )
        yield Case(
            f"bench {number.name}",
            ["bench", "--teacher", "{teacher}", "--presets", "dfq", "--seconds", "1"],
            codes=code,
            send=number,
            after="seed 0",
            says="same command",
        )


def _folders_of_runs() -> Iterator[Case]:
    resumed = ["distill", "--resume", "x", "--rounds", "3"]
    left = frozenset({"x"})

    def run(spoil: Callable[[Path], object]) -> Callable[[Path], None]:
        def prepare(here: Path) -> None:
            copied(here.parent / "ready-run", here / "x")
            spoil(here / "x" / "checkpoint.safetensors")

        return prepare

    def header(change: Callable[[dict[str, str]], object]) -> Callable[[Path], None]:
        def spoil(path: Path) -> None:
            content = path.read_bytes()
            length = int.from_bytes(content[:8], "little")
            told = json.loads(content[8 : 8 + length])
            change(told["__metadata__"])
            said = json.dumps(told).encode()
            path.write_bytes(len(said).to_bytes(8, "little") + said + content[8 + length :])

        return spoil

    def config(**changes: object) -> Callable[[Path], None]:
        return header(lambda about: about.update(config=json.dumps({**json.loads(about["config"]), **changes})))

    def counters(**changes: object) -> Callable[[Path], None]:
        return header(lambda about: about.update(counters=json.dumps({**json.loads(about["counters"]), **changes})))

    def flipped(share: float) -> Callable[[Path], None]:
        def spoil(path: Path) -> None:
            content = bytearray(path.read_bytes())
            content[int(len(content) * share)] ^= 0x40
            path.write_bytes(content)

        return spoil

    yield Case("resume as it was", resumed, run(lambda path: None), DONE, leaves=left)
    yield Case("resume what is finished", resumed[:3], run(lambda path: None), DONE | REFUSED, leaves=left)
    yield Case("resume nothing", ["distill", "--resume", "x"], codes=REFUSED)
    for share in (0.0, 0.0001, 0.01, 0.3, 0.5, 0.7, 0.9, 0.99):
        yield Case(f"bit flipped at {share:.2%}", resumed, run(flipped(share)), FAILED, leaves=left)
    for name, spoil in {
        "a newer setting": config(brightness=1),
        "a config without teacher": config(teacher=None),
        "a teacher that is no file": config(teacher="/dev/zero"),
        "another teacher": config(teacher="digits"),
        "a teacher with a line break": config(teacher="a\nb; rm -rf x"),
        "a surrogate in a config": config(teacher="\ud800"),
        "counters of texts": counters(round="x"),
        "counters beyond": counters(round=10**30),
        "a negative counter": counters(round=-5, pool=-7),
        "a counter that is a list": counters(round=[1]),
        "no counters": header(lambda about: about.pop("counters")),
        "counters that are a list": header(lambda about: about.update(counters="[1]")),
        "counters that are a number": header(lambda about: about.update(counters="NaN")),
        "cut off": lambda path: path.write_bytes(path.read_bytes()[:-9]),
        "longer": lambda path: path.write_bytes(path.read_bytes() + b"\0" * 9),
        "empty": lambda path: path.write_bytes(b""),
        "a teacher's weights": lambda path: path.write_bytes(
            (path.parent.parent.parent / "ready-teacher" / "model.safetensors").read_bytes()
        ),
        "metrics of another version": lambda path: (path.parent / "metrics.csv").write_text("a,b\n1,2\n"),
        "metrics that are no text": lambda path: (path.parent / "metrics.csv").write_bytes(b"\xff\xfe\0" * 9),
        "metrics with a long line": lambda path: (path.parent / "metrics.csv").write_text('"' + "x" * 1_000_000),
    }.items():
        yield Case(f"resume with {name}", resumed, run(spoil), REFUSED, leaves=left)
    yield Case(
        "resume with another teacher of that shape",
        resumed,
        run(config(teacher="../other-teacher")),
        FAILED,
        leaves=left,
    )
