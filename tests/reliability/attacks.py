"""`python -m tests.reliability.attacks [number …]`: plays attacks against the code that they were found in and against
this one, and writes what happens to each into docs/reliability.md.

Somebody who did not know the tests attacked the commit `OLD` for half an hour, with success in 19 ways. The numbers are
theirs. What they did for minutes is done for seconds here, and a run that fills the memory is ended at `CEILING`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

from app.middleware.json_body import TEACHERS
from app.runs.uploaded_teachers import EACH_MEGABYTES
from tests.browser.foreign import BAD, PROXIES, foreign
from tests.reliability import row_18_memory, row_23_folders
from tests.reliability.__main__ import SECTION, TABLE
from tests.reliability.booting import QUICK, Application
from tests.reliability.bystander import ENDLESS, Bystander, Noticed
from tests.reliability.commands import ENDLESS as ENDLESS_COMMAND
from tests.reliability.commands import cases as command_lines
from tests.reliability.flooding import Flood, request
from tests.reliability.row_19_places import (
    ENDLESS_ROUND,
    GRACE,
    PATIENCE,
    SOON,
    SUSPENDED,
    VisitorTokens,
    outlives,
    waited,
)
from tests.reliability.row_20_idle_sockets import STALLS, stalled, uploaded
from tests.reliability.row_21_floods import runs_that_ended
from tests.reliability.row_24_command_line import Bounds, in_lanes
from tests.support.repository import ROOT
from tests.support.uploaded import config, weights

OLD = "3ccad54"
SHARED = {"SPACE_ID": "t/t", "HOST": "127.0.0.1"}
CEILING = 2000.0  # MB that a run may fill before its server is ended
FLOOD, FILLING, FILES = 12.0, 30.0, 25.0  # s: of a flood, until the ceiling, for another visitor's files
LARGE = "resnet18-44"  # a network of 21 MB
ENOUGH = ["--synthesis-batch", "20"]  # for the ten classes of a shipped teacher
Came = tuple[str, bool]  # what happened, and whether the attack was without effect


@dataclasses.dataclass
class Checkout:
    """The code that is attacked, and an empty folder for the attack."""

    root: Path
    folder: Path

    @contextlib.contextmanager
    def served(self, **settings: str) -> Iterator[Application]:
        """Its page, which is killed in the end."""
        page = Application(self.folder / "data", root=self.root, **settings)
        try:
            yield page
        finally:
            page.end(signal.SIGKILL)

    def command(self, *words: str, threads: int = 1) -> subprocess.Popen[str]:
        """`python -m nayer` in the folder."""
        variables = {"PYTHONPATH": str(self.root), "OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1"}
        return subprocess.Popen(
            [sys.executable, "-m", "nayer", *words],
            cwd=self.folder,
            env=os.environ | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def output(self, *words: str, threads: int = 1) -> str:
        """What it writes."""
        with self.command(*words, threads=threads) as process:
            try:
                return process.communicate(timeout=120.0)[0]
            finally:
                process.kill()


@dataclasses.dataclass(frozen=True)
class Attack:
    """`tried_by`: the tests and rows that try it too."""

    steps: str
    play: Callable[[Checkout], Came]
    tried_by: str


ATTACKS: dict[int, Attack] = {}


def attack(
    number: int, steps: str, *tests: str, rows: str = ""
) -> Callable[[Callable[[Checkout], Came]], Callable[[Checkout], Came]]:
    """The function plays the attack of that number; `tests` and `rows` try it too."""

    def known(play: Callable[[Checkout], Came]) -> Callable[[Checkout], Came]:
        named = [f"`{test}`" for test in tests] + ([f"row{'s' * (' ' in rows)} {rows}"] if rows else [])
        ATTACKS[number] = Attack(steps, play, ", ".join(named))
        return play

    return known


def judged(said: str, held: bool, noticed: Noticed) -> Came:
    return f"{said}; {noticed}", held and noticed.held


def shown(seconds: float, patience: float) -> str:
    return f"{seconds:.1f} s" if seconds <= patience else f"more than {patience:g} s"


# --- memory, places, doors -----------------------------------------------------------------------------------------


@attack(
    1,
    "a run that fills the memory, by settings and by a teacher's file",
    "what_would_fill_the_memory_is_refused_by_name",
    "a_file_that_names_a_giant_is_refused_before_anything_of_it_is_built",
    rows="18",
)
def memory_bombs(code: Checkout) -> Came:
    bomb = row_18_memory.BOMBS[0]

    def by_file(url: str) -> httpx.Response:
        answer = row_18_memory.bring(url, "student", code.root / "assets" / "teachers")
        if row_18_memory.refused(answer):
            return answer
        told, small = answer.json(), {name: value for name, value in bomb.items() if name != "student"}
        return row_18_memory.start(url, small, told["teacher"], told["token"])

    said, noticed = [], []
    for what, settings, sent in (
        ("settings", SHARED, lambda url: row_18_memory.start(url, bomb)),
        ("a file on a local page", {}, by_file),
    ):
        with code.served(**settings) as page:
            bystander = Bystander(page)
            with bystander.beside(what):
                answer = sent(page.url)
            if row_18_memory.refused(answer):
                said.append(f"{what}: refused")
                noticed.append(bystander.after())
            else:
                said.append(f"{what}: accepted, {filled(page)}")
    if len(noticed) < len(said):
        return "; ".join(said), False
    return judged("; ".join(said), True, Noticed.worst(noticed))


def filled(page: Application) -> str:
    """How far the memory fills, before the server is ended."""
    began = time.monotonic()
    while page.memory() < CEILING and time.monotonic() - began < FILLING:
        time.sleep(0.02)
    page.process.kill()
    return f"and {page.memory():,.0f} MB are resident after {time.monotonic() - began:.0f} s, when it is ended"


def third_visitor(code: Checkout, settings: dict[str, Any], rounds: int, pace: float, patience: float) -> Came:
    """Behind two whose runs are like that."""
    with code.served(**SHARED) as page:
        bystander = Bystander(page)
        visitors = VisitorTokens(page, patience)
        with bystander.beside(""):
            took = waited(visitors, settings, rounds, pace)
        if took <= patience:
            visitors.leave()
        return judged(f"the third waits {shown(took, patience)}", took <= patience, bystander.after())


@attack(2, "two runs of one endless round, with `seconds=1`", "a_time_limit_holds_between_two_steps", rows="19")
def endless_round(code: Checkout) -> Came:
    return third_visitor(code, {**ENDLESS_ROUND, "synthesis_batch": 512, "seconds": 1.0}, 1, 0.0, SOON)


@attack(
    3,
    "two runs in slow motion, 30 s an event",
    "slow_motion_and_steps_by_hand_hold_a_place_no_longer_than_a_pause",
    rows="19",
)
def slow_motion(code: Checkout) -> Came:
    return third_visitor(code, QUICK, 1000, 30.0, PATIENCE)


@attack(4, "20 sockets send the beginning of a form to `/bring`", "whoever_stalls_keeps_nobody_from_a_turn", rows="20")
def idle_sockets(code: Checkout) -> Came:
    with code.served() as page:
        bystander = Bystander(page)
        uploaded(page.url)  # what is loaded at first use counts for nothing
        bystander.measured_from_here()
        with stalled(page.url, *STALLS["a form's beginning"]), bystander.beside(""):
            took = uploaded(page.url, FILES)
        return judged(f"another's files take {shown(took, FILES)}", took <= FILES, bystander.after())


@attack(
    5,
    "100 clients ask for exports of two runs without end",
    "everybodys_first_comes_before_anybodys_second",
    "who_asks_for_the_same_shares_one_making_at_the_turn_that_comes_first",
    rows="21",
)
def exports(code: Checkout) -> Came:
    with code.served() as page:
        ended = runs_that_ended(page, (6, 5))
        bystander = Bystander(page)
        page.content(f"live/{ended[0]}/export/nayer-run.zip")
        bystander.measured_from_here()
        flood = Flood(page.url, 100, lambda n: request(page.url, "GET", f"/live/{ended[n % 2]}/export/nayer-run.zip"))
        with flood.going_on(), bystander.beside(""):
            time.sleep(FLOOD)
        bystander.statuses += flood.statuses
        return judged(
            f"{flood.statuses.total():,} answers, {flood.statuses[429]:,} of them 429", True, bystander.after()
        )


@attack(8, "16 teachers of 22 MB from one address", "an_address_gives_up_its_own_before_it_takes_anything_from_others")
def many_teachers(code: Checkout) -> Came:
    large = weights(architecture=LARGE)

    def brought(page: Application, address: str, content: bytes, **changes: Any) -> dict[str, Any]:
        told: dict[str, Any] = httpx.post(
            f"{page.url}{TEACHERS}",
            files={"config": config(**changes), "weights": content},
            headers={"X-Forwarded-For": address},
            timeout=60.0,
        ).json()
        return told

    with code.served(**SHARED) as page:
        mine = brought(page, "8.8.8.8", weights())
        bystander = Bystander(page)
        model = json.loads(config())["model"] | {"architecture": LARGE}
        with bystander.beside(""):
            kept = sum("teacher" in brought(page, "9.9.9.9", large, model=model) for _ in range(16))
        start = {"data": [mine["teacher"], "nayer", 0, "one-hot", 1, QUICK, mine["token"]]}
        answer = httpx.post(f"{page.url}/gradio_api/run/start", json=start, timeout=60.0)
        there = "a run of another's begins" if answer.status_code == 200 else f"another's: {answer.text[:90]}"
        said = f"{kept} of 16 × {len(large) / 1e6:.0f} MB are taken, of which {EACH_MEGABYTES} MB may stay; {there}"
        return judged(said, answer.status_code == 200, bystander.after(EACH_MEGABYTES))


# --- who asks, and what with ---------------------------------------------------------------------------------------


@attack(
    6,
    "a page with NAYER_HOSTS behind a proxy: `teacher=/etc`, a run without a limit",
    "who_names_a_host_or_a_proxy_serves_others_wherever_the_server_listens",
    rows="22",
)
def named_host(code: Checkout) -> Came:
    with code.served(HOST="127.0.0.1", NAYER_HOSTS="my.example") as page:
        bystander = Bystander(page)

        def start(teacher: str, rounds: int, settings: dict[str, Any]) -> httpx.Response:
            return httpx.post(
                f"{page.url}/gradio_api/run/start",
                json={"data": [teacher, "nayer", 0, "lte", rounds, settings, ""]},
                headers={"X-Forwarded-For": "8.8.8.8"},
                timeout=60.0,
            )

        with bystander.beside(""):
            told = {start(folder, 1, {}).text.replace(folder, "") for folder in ("/etc", "/nowhere")}
            costly = start("digits", 100_000, {**QUICK, "student_steps": 10_000}).status_code
        probed = "folders can be told apart" if len(told) > 1 else "folders look alike"
        return judged(f"{probed}; a run without a limit: {costly}", len(told) == 1 and costly >= 400, bystander.after())


@attack(
    7,
    "other origins, other ports of this machine",
    "another_site_cannot_write",
    "a_page_of_another_port_starts_nothing_and_reads_nothing",
    rows="22",
)
def origins(code: Checkout) -> Came:
    with code.served() as page:
        bystander = Bystander(page)
        taken, readable = Counter[str](), 0
        start = {"data": ["digits", "nayer", 0, "lte", 1, QUICK, ""]}
        with bystander.beside(""):
            for headers in foreign(page.url):
                for door, body in (
                    ("start", {"json": start}),
                    ("bring", {"files": {"config": config(), "weights": weights()}}),
                ):
                    path = {"start": "/gradio_api/run/start", "bring": TEACHERS}[door]
                    answer = httpx.post(f"{page.url}{path}", headers=headers, timeout=60.0, **body)
                    taken[door] += answer.status_code < 400
                    readable += "access-control-allow-origin" in answer.headers
        said = (
            f"of {len(foreign(page.url))} ways to be another site {taken['start']} start a run, {taken['bring']} bring"
        )
        return judged(
            f"{said}; {readable} answers may be read there", not taken.total() and not readable, bystander.after()
        )


@attack(
    10,
    "half characters, NUL, ESC and U+202E as names of settings and in arms of a lab",
    "a_text_or_a_key_anywhere_in_a_value_is_found_and_its_place_is_named",
    rows="1 and 22",
)
def texts(code: Checkout) -> Came:
    with code.served() as page:
        bystander = Bystander(page)
        statuses = Counter[int]()

        def post(name: str, *given: Any) -> None:
            body = json.dumps({"data": given})
            kind = {"Content-Type": "application/json"}
            answer = httpx.post(f"{page.url}/gradio_api/run/{name}", content=body, headers=kind, timeout=60.0)
            statuses[answer.status_code] += 1
            if answer.status_code == 200:
                run = answer.json()["data"][0]["run"]
                statuses[httpx.get(f"{page.url}/live/{run}/lab", timeout=60.0).status_code] += 1

        with bystander.beside(""):
            for text in BAD:
                post("start", "digits", "nayer", 0, "lte", 1, {**QUICK, text: 1}, "")
                for arm in ({"title": text, "settings": QUICK}, {"title": "a", text: 1, "settings": QUICK}):
                    post("start_lab", "", "digits", 0, 1.0, 1, [arm, {"title": "b", "settings": QUICK}], "")
        bystander.statuses += statuses
        held = set(statuses) <= {400, 422}
        return judged(f"answers by status: {dict(sorted(statuses.items()))}", held, bystander.after())


@attack(11, "a number of 5,000 digits in an address", "a_number_in_an_address_is_a_small_whole_one")
def long_number(code: Checkout) -> Came:
    with code.served() as page:
        bystander = Bystander(page)
        with bystander.beside(""):
            answer = httpx.get(f"{page.url}/live/recording/lab?since={'9' * 5000}", timeout=60.0)
        bystander.statuses[answer.status_code] += 1
        safe = "content-security-policy" in answer.headers
        said = f"{answer.status_code} {'with' if safe else 'without'} the security headers"
        return judged(said, safe and 400 <= answer.status_code < 500, bystander.after())


@attack(12, "answers of sessions that are not there", "asking_for_answers_that_are_not_here_is_no_fault")
def invented_sessions(code: Checkout) -> Came:
    with code.served() as page:
        bystander = Bystander(page)
        before = len(page.said)
        with bystander.beside(""):
            for number in range(30):
                with contextlib.suppress(httpx.RemoteProtocolError):  # an answer that is broken off
                    httpx.get(f"{page.url}/gradio_api/queue/data?session_hash=x{number}", timeout=60.0)
            time.sleep(1.0)  # what is logged arrives through a pipe
        lines = len(page.said) - before
        return judged(f"30 requests, {lines} lines in the log", lines <= 1, bystander.after())


@attack(13, "headers of a proxy that nobody named", "a_proxy_that_nobody_named_tells_nothing", rows="22")
def false_proxies(code: Checkout) -> Came:
    with code.served(HOST="127.0.0.1", NAYER_HOSTS="my.example") as page:
        bystander = Bystander(page)
        believed = set()
        with bystander.beside(""):
            for name in PROXIES:
                for value in ("evil.example", "https://evil.example"):
                    answer = httpx.get(f"{page.url}/config", headers={name: value}, timeout=60.0)
                    if answer.status_code == 200 and "evil.example" in answer.json()["root"]:
                        believed.add(name)
        said = f"the address of the page is set by {', '.join(sorted(believed)) or 'none'} of {len(PROXIES)} headers"
        return judged(said, not believed, bystander.after())


# --- folders, clocks -----------------------------------------------------------------------------------------------


@attack(
    9,
    "the data folder is deleted beside a run",
    "what_vanishes_is_made_anew_said_and_what_comes_then_is_kept",
    rows="23",
)
def deleted_folder(code: Checkout) -> Came:
    data = code.folder / "data"
    with code.served() as page:
        found = row_23_folders.tried(page, data, "", row_23_folders.HARMS["deleted"])
    with code.served() as page:
        wrong = [*found.wrong, *row_23_folders.missing(page, found.rounds)]
    return judged(
        "; ".join(wrong) or f"said after {found.said:.1f} s, both runs are there later", not wrong, found.noticed
    )


@attack(
    14, "another user of the machine opens the data folder", "nobody_else_can_read_the_folder_whatever_the_umask_is"
)
def readable_folder(code: Checkout) -> Came:
    with code.served() as page:
        bystander = Bystander(page)
        data = code.folder / "data"
        paths = [data, *data.rglob("*")]
        shared = [path for path in paths if path.stat().st_mode & 0o077]
        said = f"others may open {len(shared)} of {len(paths)} files and folders"
        with bystander.beside(""):
            time.sleep(1.0)
        return judged(said, not shared, bystander.after())


@attack(
    15,
    "the server is suspended for longer than its grace",
    "what_the_process_itself_slept_through_counts_for_nothing",
    rows="19",
)
def suspended(code: Checkout) -> Came:
    with code.served(**SHARED, NAYER_GRACE_SECONDS=f"{GRACE:.0f}") as page:
        bystander = Bystander(page)
        there = outlives(VisitorTokens(page), page)
        with bystander.beside(""):
            time.sleep(1.0)
        said = f"{SUSPENDED:.0f} s with a grace of {GRACE:.0f} s: the run {'goes on' if there else 'is ended'}"
        return judged(said, there, bystander.after())


@attack(
    16,
    "a checkpoint larger than the disk of 14 MB, then another run",
    "a_file_too_large_for_the_disk_is_put_off_and_all_else_is_kept",
)
def small_disk(code: Checkout) -> Came:
    large = {**QUICK, "student": LARGE}  # its checkpoint is larger than the disk
    with contextlib.ExitStack() as mounts:
        if not row_23_folders.mounted(code.folder, mounts, megabytes=14):
            raise OSError("nothing can be mounted here")
        with code.served() as page:
            begun = page.start("", settings=large)
            time.sleep(15.0)  # a checkpoint is due after ten
            bystander = Bystander(page, ENDLESS)
            with bystander.beside(""):
                time.sleep(5.0)
            page.command("stop", begun["run"], begun["token"])  # leaves its place
            noticed = bystander.after()
        with code.served() as page:
            wrong = row_23_folders.missing(page, {bystander.run: 3})
        return judged(f"after a restart: {'; '.join(wrong) or 'the run begun meanwhile is there'}", not wrong, noticed)


# --- the command line ----------------------------------------------------------------------------------------------


def listed_command_lines(code: Checkout, *names: str) -> Came:
    """Those of row 24, with a shipped teacher. Its images may be flipped, so there is no note that they are not."""
    shutil.copytree(code.root / "assets" / "teachers" / "fashion", code.folder / "ready-teacher")
    cases = [dataclasses.replace(case, words=[*case.words, *ENOUGH]) for case in command_lines() if case.name in names]
    assert len(cases) == len(names)
    bounds = Bounds(seconds=30.0, address_space=4 << 30, checkout=code.root)
    tried = list(in_lanes(cases, code.folder, bounds))
    wrong = [f"{one.name}: {one.wrong}" for one in tried if one.wrong]
    return f"{len(wrong)} of {len(tried)} go wrong" + "".join(f"; {one}" for one in wrong), not wrong


@attack(17, "devices and FIFOs as files of the command line", "what_is_no_regular_file_is_never_read", rows="24")
def files_without_end(code: Checkout) -> Came:
    names = [f"{file}: {kind}" for file in ("config.json", "weights", "test data") for kind in ("device", "FIFO")]
    return listed_command_lines(code, *names)


@attack(
    18,
    "full and closed streams, an empty `--out`, a full disk, two processes in one folder",
    "a_stream_that_is_closed_full_or_unread_is_one_sentence",
    "a_checkpoint_that_cannot_be_written_is_told_at_once_and_ends_in_1",
    rows="24",
)
def streams_and_folders(code: Checkout) -> Came:
    names = ["distill >/dev/full", "distill >&-", "distill 2>&-", "distill --out empty", "full at a checkpoint"]
    said, held = listed_command_lines(code, *names)
    words = ["distill", "--teacher", "digits", *ENDLESS_COMMAND, *ENOUGH, "--out", "o"]
    first = code.command(*words)
    try:
        while not (code.folder / "o" / "checkpoint.safetensors").exists() and first.poll() is None:
            time.sleep(0.1)
        assert first.poll() is None, "the first process ended"
        second = code.command(*words)
        try:
            told = second.communicate(timeout=30.0)[0]
        except subprocess.TimeoutExpired:
            told = ""
        finally:
            second.kill()
    finally:
        first.kill()
        first.communicate()
    kept_out = second.returncode == 1 and "in use" in told
    return f"{said}; a second process in one --out {'is refused' if kept_out else 'writes too'}", held and kept_out


@attack(
    19,
    "one configuration three times, on one thread and on two",
    "a_run_repeats_and_ends_in_the_step_that_reaches_its_work",
)
def repeated_runs(code: Checkout) -> Came:
    words = ["distill", "--teacher", "digits", "--rounds", "3", "--seed", "0", "--json", "-"]
    words += ["--generator-steps", "10", "--student-steps", "20", "--warmup-rounds", "1"]

    def events(threads: int) -> list[str]:
        lines = code.output(*words, threads=threads).splitlines()
        return [re.sub(r'"\w*seconds\w*": [\d.e-]+', "", line) for line in lines if line.startswith("{")]

    one, two = [[events(threads) for _ in range(3)] for threads in (1, 2)]
    assert len(one[0]) > 10, one[0]
    equal = all(other == one[0] for other in one)
    first = min(
        (place for run in two for place, pair in enumerate(zip(run, two[0], strict=True)) if len(set(pair)) > 1),
        default=0,
    )
    told = re.search(r"--seed\b(.*?)--", code.output("list", "settings"), re.DOTALL)
    said = told is not None and "thread" in told[1]
    return (
        f"three runs are {'equal' if equal else 'not equal'} on one thread and "
        f"{f'differ from event {first} on' if first else 'equal'} on two; the help of `seed` "
        f"{'names' if said else 'does not name'} this condition",
        equal and said,
    )


def came(one: Attack, root: Path) -> tuple[str, bool | None]:
    """What comes of the attack on that checkout; None where it could not be played."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            return one.play(Checkout(root, Path(folder)))
        except Exception as error:
            return f"could not be played: {type(error).__name__}: {str(error)[:200]}", None


def write(rows: dict[int, str]) -> None:
    """The section with these rows; those of an earlier time stay."""
    before, _, former = TABLE.read_text("utf-8").partition(SECTION)
    kept = {int(found[1]): found[0] for found in re.finditer(r"^\| (\d+) \|.*$", former, re.MULTILINE)}
    lines = [
        "Attacks from outside, before and after",
        "",
        f"Somebody who did not know the tests attacked the commit {OLD} for half an hour and found 19 weaknesses.",
        "`python -m tests.reliability.attacks` plays each attack against that commit, which it takes from the history",
        "of this repository, and against the present code. It takes 25 minutes and writes this table. With numbers it",
        "plays these attacks only. An attack lasts seconds here. A server that fills its memory is ended at",
        f"{CEILING / 1000:g} GB. *Held* means that the attack has no effect and that others are unharmed.",
        "",
        f"| # | attack | at {OLD} | now | tried by |",
        "| --- | --- | --- | --- | --- |",
        *(line for _, line in sorted((kept | rows).items())),
    ]
    TABLE.write_text(before + SECTION + "\n".join(lines) + "\n", "utf-8")


def main(arguments: list[str]) -> int:
    """1 unless each attack has an effect on the old code and none on this one."""
    numbers = [int(number) for number in arguments] or list(ATTACKS)
    proven = True
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(["git", "archive", OLD], cwd=ROOT, capture_output=True, check=True).stdout
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(folder, filter="data")
        for number in numbers:
            one = ATTACKS[number]
            cells = []
            for root, right in ((Path(folder), False), (ROOT, True)):
                said, held = came(one, root)
                proven &= held is right
                verdict = {True: "held", False: "**not held**", None: "not played"}[held]
                cells.append(f"{verdict}: {said}".replace("|", "\\|").replace("\n", " "))
            row = f"| {number} | {one.steps} | {' | '.join(cells)} | {one.tried_by} |"
            sys.stdout.write(f"{row}\n")
            sys.stdout.flush()
            write({number: row})
    return 0 if proven else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
