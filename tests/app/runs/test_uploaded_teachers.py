"""Files a visitor brings: theirs alone, bounded, gone with the run; a refusal is one sentence and leaves nothing."""

import asyncio
import re
import threading
from collections import Counter

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.api.commands import Commands
from app.api.errors import add_handlers
from app.api.upload_routes import bringing_route
from app.fairness.executors import Executors
from app.fairness.upload_slots import EACH, ActiveUploads
from app.middleware.client_address import address
from app.runs.history import RunHistory
from app.runs.manager import RunManager
from app.runs.uploaded_teachers import KEPT_SECONDS, Uploads
from app.server import open_source
from app.storage.run_store import Store
from nayer.errors import ConfigError, NayerError
from nayer.networks.cards import teacher_cards
from nayer.teachers.upload import UploadedTeacher
from tests.support.gates import Gate
from tests.support.serving import at, in_a_loop, wait_until
from tests.support.uploaded import CARD, CLASSES, config, drawn, uploaded, weights

FEW = {
    "rounds": 2,
    "warmup_rounds": 1,
    "generator_steps": 1,
    "student_steps": 1,
    "noisy_width": 8,
    "generator_width": 2,
    "synthesis_batch": 6,
    "latent": "one-hot",
}


class House:
    """Our route and the commands, without Gradio."""

    def __init__(self, opener=open_source, arrivals=None, **keeping):
        self.registry = RunManager(opener, **keeping)
        self.uploads = Uploads()
        self.commands = Commands(self.registry, teacher_cards(), self.uploads, local=False)
        application = FastAPI()
        add_handlers(application)
        application.include_router(bringing_route(self.registry, self.uploads, Executors().work, arrivals))
        self.client = TestClient(application)

    def bring(self, token="", **parts):
        files = {"config": config(), "weights": weights(), **parts}
        fields = {"token": token, "classes": files.pop("classes", "")}
        files = {name: (name, content) for name, content in files.items() if content is not None}
        return self.client.post("/bring", data=fields, files=files).json()


@pytest.fixture
def house():
    made = in_a_loop(House)
    yield made
    made.client.close()
    made.registry.close()


def test_a_run_begins_with_what_was_brought_and_with_its_names(house):
    told = house.bring(classes="sun\nbox\ndot", tests=drawn(("sun", "box", "dot")))
    assert told["card"]["classes"] == ["sun", "box", "dot"]
    assert any("of 6 of your test images" in sentence for sentence in told["said"])
    begun = house.commands.begin("nayer", {**FEW, "teacher": told["teacher"]}, told["token"])
    assert begun["token"] == told["token"]
    run = house.registry.find(begun["run"])
    wait_until(lambda: run.ended)
    assert run.state == "finished", run.session.error
    view = run.refresh()
    assert view.started.classes == ("sun", "box", "dot")
    assert view.started.config["teacher"] == told["teacher"]


def test_nobody_else_can_use_it_or_see_that_it_is_there(house):
    mine = house.bring()
    other = house.bring(token="made up")
    assert other["token"] not in ("made up", mine["token"])
    for token in ("", "made up", other["token"], house.registry.visitor("")):
        if token == other["token"]:
            house.bring(token=token, classes="a, b, c")
        with pytest.raises(
            ConfigError, match=r"^teacher='upload-\w+' does not exist, or is not yours; upload its files again"
        ):
            house.commands.begin("nayer", {**FEW, "teacher": mine["teacher"]}, token)
    with pytest.raises(ConfigError, match="does not exist, or is not yours"):
        house.commands.begin("nayer", {**FEW, "teacher": "upload-0000000000000000"}, mine["token"])


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"weights": None}, "weights is missing; send config.json and model.safetensors together."),
        ({"config": b""}, "config is missing"),
        ({"classes": "a, b"}, "there are 2 class names, but the teacher has 3 outputs"),
        ({"classes": "a, a, b"}, "appears already"),
        ({"classes": "x" * 40_000}, "classes must be a text of at most 32,000 characters."),
        ({"classes": "\x1b[31m, b, c"}, "classes contains U+001B"),
        ({"token": "x" * 400}, "token must be a text of at most"),
        ({"weights": weights(classes=4)}, "model.safetensors does not fit config.json"),
        ({"weights": b"\x80\x04."}, "not a safetensors file"),
        ({"tests": b"PK\x03\x04"}, "test images is not a zip file"),
    ],
)
def test_a_refusal_is_a_sentence_and_leaves_nothing(house, parts, sentence):
    told = house.bring(**parts)
    assert list(told) == ["error"]
    assert sentence in told["error"]
    assert not house.uploads._entries
    assert not list(house.uploads._alive)


def test_a_network_too_wide_for_a_shared_page_is_refused_before_it_runs(house):
    large = {**CARD["model"], "architecture": "plainnet-40", "size": 64}
    content = weights(architecture="plainnet-40", size=64)
    told = house.bring(config=config(model=large), weights=content)
    values = {**FEW, "teacher": told["teacher"], "student_batch": 4000}
    with pytest.raises(ConfigError, match=r"^student_batch=4000 needs too much memory"):
        house.commands.begin("nayer", values, told["token"])
    for student, sentence in (
        ("resnet8-128", "^student_batch=512 needs too much memory"),
        ("vgg", "^student must be one of .*'vgg' was given"),
    ):
        values = {"teacher": "fashion", "student": student, "student_batch": 512}
        with pytest.raises(ConfigError, match=sentence):
            house.commands.begin("nayer", values, told["token"])


@pytest.mark.parametrize("part", ["model", "student"])
def test_a_file_that_names_a_giant_is_refused_before_anything_of_it_is_built(house, monkeypatch, part):
    monkeypatch.setattr("nayer.teachers.upload_loading.opened", lambda uploaded: pytest.fail("it was opened"))
    spec = {**CARD["model"], "architecture": "wrn40-128"}
    refused = house.bring(config=config(**{part: spec}))
    assert "wrn40-128" in refused["error"]
    assert "needs too much memory" in refused["error"]


def test_more_files_than_belong_to_a_teacher_are_refused_and_so_is_a_text_for_a_file(house):
    many = [(f"f{number}", ("f", b"x")) for number in range(60)]
    assert house.client.post("/bring", files=many).status_code == 400
    told = house.client.post("/bring", data={"config": "{}"}, files={"weights": ("w", b"x")}).json()
    assert told == {"error": "config is a text; send it as a file."}


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("multipart/form-data", b"--x--"),
        ("multipart/form-data; boundary=y", b"--x\r\n\r\n1\r\n--x--\r\n"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="%b"\r\n\r\n1' % (b"n" * 10**6),
        ),
    ],
)
def test_a_form_that_cannot_be_read_is_one_sentence(house, kind, content):
    answer = house.client.post("/bring", content=content, headers={"Content-Type": kind})
    assert answer.status_code == 400
    sentence = r"the form cannot be read \([^()]{5,60}\); send multipart/form-data with config and weights\."
    assert re.fullmatch(sentence, answer.json()["error"])


def test_two_at_a_time_are_read_and_one_of_an_address(house, monkeypatch):
    now, most, lock = Counter(), Counter(), threading.Lock()
    begin = threading.Barrier(2)

    def reads(token, given):
        with lock:
            for lane in ("all", address()):
                now[lane] += 1
                most[lane] = max(most[lane], now[lane])
        begin.wait(20)
        with lock:
            now.subtract(["all", address()])
        raise NayerError("no")

    monkeypatch.setattr(house.uploads, "bring", reads)

    def bring(lane):
        with at(lane):
            house.bring()

    with house.client:  # one event loop for all
        threads = [threading.Thread(target=bring, args=(f"visitor {number % 2}",)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert most == {"all": 2, "visitor 0": 1, "visitor 1": 1}


class Sender:
    """Somebody who sends a part of a form and then nothing until told, straight to the application."""

    def __init__(self, house, lane):
        self.told = []
        self.goes_on = asyncio.Event()
        self.waits = asyncio.Event()
        form = {"config": ("c", config()), "weights": ("w", weights())}
        asked = httpx.Request("POST", "http://x/bring", files=form)
        self._body = [asked.read()[:100], asked.content[100:]]
        headers = [(name.lower().encode(), value.encode()) for name, value in asked.headers.items()]
        scope = {"type": "http", "method": "POST", "path": "/bring", "headers": headers, "query_string": b""}
        with at(lane):
            self.task = asyncio.ensure_future(house.client.app(scope, self._receive, self._send))

    async def _receive(self):
        if len(self._body) == 1:
            self.waits.set()
            await self.goes_on.wait()
        return {"type": "http.request", "body": self._body.pop(0), "more_body": bool(self._body)}

    async def _send(self, message):
        self.told.append(message)

    @property
    def status(self):
        return self.told[0]["status"] if self.told else None

    @property
    def sentence(self):
        return self.told[1]["body"].decode()


def stalled(house, lanes):
    """Senders of these addresses, all waiting, in their order."""

    async def begun():
        senders = []
        for lane in lanes:
            senders.append(Sender(house, lane))
            await senders[-1].waits.wait()
        return senders

    return begun()


def test_whoever_stalls_keeps_nobody_from_a_turn():
    house = in_a_loop(House)

    async def tried():
        senders = await stalled(house, ["hog"] * EACH)
        (other,) = await stalled(house, ["other"])
        other.goes_on.set()
        await asyncio.wait_for(other.task, 30)
        late = Sender(house, "hog")
        await late.task
        for sender in senders:
            assert sender.status is None
            sender.task.cancel()
        return other, late

    other, late = asyncio.run(tried())
    assert (other.status, late.status) == (200, 429)
    assert f"Too many uploads of your address are in progress ({EACH}); try again in 5 s." in late.sentence
    assert (b"retry-after", b"5") in late.told[0]["headers"]


def test_where_there_is_no_room_the_longest_stalled_of_who_has_most_gives_way():
    house = in_a_loop(lambda: House(arrivals=ActiveUploads(most=4, each=3)))

    async def tried():
        senders = await stalled(house, ["hog", "hog", "hog", "other"])
        (newest,) = await stalled(house, ["newest"])
        await senders[0].task
        last = Sender(house, "other")
        await last.task
        for sender in (*senders[1:], newest):
            sender.goes_on.set()
            await sender.task
        return [sender.status for sender in (*senders, newest, last)], senders[0].sentence

    statuses, sentence = asyncio.run(tried())
    assert statuses == [408, 200, 200, 200, 200, 429]
    assert "gave way to other uploads" in sentence


def test_files_that_do_not_arrive_are_given_up():
    house = in_a_loop(lambda: House(arrivals=ActiveUploads(seconds=0.05)))

    async def tried():
        (sender,) = await stalled(house, ["slow"])
        await sender.task
        return sender

    sender = asyncio.run(tried())
    assert sender.status == 408
    assert "took more than 0.05 s" in sender.sentence


def test_an_address_gives_up_its_own_before_it_takes_anything_from_others():
    uploads = Uploads(megabytes=4, each_megabytes=2)
    third = (1 << 20) // 3
    with at("quiet"):
        uploads.bring("quiet", padded(third, 0))
    with at("hog"):
        for number in range(16):
            uploads.bring(f"hog {number}", padded(third, number))
    assert uploads.cards("quiet")
    assert [number for number in range(16) if uploads.cards(f"hog {number}")] == [11, 12, 13, 14, 15]


def test_the_address_that_holds_most_gives_up_for_a_newcomer_and_nobody_within_a_fair_share():
    uploads = Uploads(megabytes=2, each_megabytes=2)
    third = (1 << 20) // 3
    with at("quiet"):
        uploads.bring("quiet", padded(third, 0))
    with at("hog"):
        for number in range(4):
            uploads.bring(f"hog {number}", padded(third, number))
    with at("newest"):
        uploads.bring("newest", padded(third, 0))
    assert [bool(uploads.cards(token)) for token in ("quiet", "hog 0", "hog 1", "newest")] == [True, False, True, True]


def test_so_many_teachers_of_an_address_are_kept():
    uploads = Uploads(each=2)
    with at("class"):
        for number in range(3):
            uploads.bring(f"pupil {number}", padded(0, number))
    assert [bool(uploads.cards(f"pupil {number}")) for number in range(3)] == [False, True, True]


def padded(size, number):
    return UploadedTeacher(config() + b" " * size, weights(), ("a", "b", str(number)))


def test_memory_is_bounded_the_longest_unused_goes_first_and_runs_hold_on_to_theirs():
    clock = [0.0]
    uploads = Uploads(megabytes=1, clock=lambda: clock[0])
    third = (1 << 20) // 3
    padded = [UploadedTeacher(config() + b" " * third, weights(), ("a", "b", str(number))) for number in range(4)]
    names = [one.name for one in padded]
    held = padded[0]  # by a run
    for number in range(2):
        uploads.bring(f"visitor {number}", padded[number])
    del padded[1]
    uploads.of("visitor 0", names[0])
    uploads.bring("visitor 2", padded[1])
    with pytest.raises(ConfigError, match="does not exist, or is not yours"):
        uploads.of("visitor 1", names[1])
    assert uploads.of("visitor 0", names[0]) is held
    running = [held, padded[1]]
    with pytest.raises(ConfigError, match=r"^the uploaded teachers of others fill the memory"):
        uploads.bring("visitor 3", padded[2])
    del running, held
    clock[0] = KEPT_SECONDS + 1
    uploads.tidy()
    assert not uploads.cards("visitor 0")


def test_with_the_run_it_is_kept_for_going_on_and_gone_once_the_run_has_ended(tmp_path):
    gate = Gate()
    house = in_a_loop(lambda: House(gate.opener, history=RunHistory(Store(tmp_path))))
    told = house.bring()
    begun = house.commands.begin("nayer", {**FEW, "teacher": told["teacher"]}, told["token"])
    house.registry.history.flush()
    assert [path.name.split(".")[1] for path in (tmp_path / "files").iterdir()] == ["teacher"]
    house.registry.close()  # as the server ends
    house.client.close()

    opened = []

    def opener(plan):
        opened.append(plan)
        return open_source(plan)

    registry = RunManager(opener, history=RunHistory(Store(tmp_path)))
    run = registry.revive(begun["run"], told["token"])
    wait_until(lambda: run.ended)
    assert run.state == "finished", run.session.error
    assert run.refresh().started.classes == CLASSES
    assert opened[0].uploaded.card() == uploaded().card()
    registry.history.flush()
    assert "teacher" not in [path.name.split(".")[1] for path in (tmp_path / "files").iterdir()]
    registry.close()
