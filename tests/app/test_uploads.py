"""Files a visitor brings: theirs alone, bounded, gone with the run; a refusal is one sentence and leaves nothing."""

import asyncio
import threading

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.bringing import bringing_route
from app.commands import Commands
from app.keeping import Keeping
from app.server import open_source
from app.sessions import Registry
from app.store import Store
from app.uploads import KEPT_SECONDS, Uploads
from nayer.brought import Brought
from nayer.errors import ConfigError, NayerError
from nayer.teacher_cards import teacher_cards
from tests.app.gates import Gate
from tests.app.serving import in_a_loop, wait_until
from tests.brought import CARD, CLASSES, brought, config, drawn, weights

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

    def __init__(self, opener=open_source, **keeping):
        self.registry = Registry(opener, **keeping)
        self.uploads = Uploads()
        self.commands = Commands(self.registry, teacher_cards(), self.uploads, local=False)
        application = FastAPI()
        application.include_router(bringing_route(self.registry, self.uploads))
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
            ConfigError, match=r"^teacher='upload-\w+' is not here, or not yours; bring its files again"
        ):
            house.commands.begin("nayer", {**FEW, "teacher": mine["teacher"]}, token)
    with pytest.raises(ConfigError, match="is not here, or not yours"):
        house.commands.begin("nayer", {**FEW, "teacher": "upload-0000000000000000"}, mine["token"])


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"weights": None}, "weights is missing; bring config.json and model.safetensors together."),
        ({"config": b""}, "config is missing"),
        ({"classes": "a, b"}, "there are 2 class names and the teacher has 3 outputs"),
        ({"classes": "a, a, b"}, "is there already"),
        ({"classes": "x" * 40_000}, "classes does not work; send a text of at most 32,000 characters."),
        ({"classes": "\x1b[31m, b, c"}, "classes holds U+001B"),
        ({"token": "x" * 400}, "token does not work"),
        ({"weights": weights(classes=4)}, "model.safetensors does not fit config.json"),
        ({"weights": b"\x80\x04."}, "no safetensors file"),
        ({"tests": b"PK\x03\x04"}, "test images is no zip archive"),
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
    values = {**FEW, "teacher": told["teacher"], "student_batch": 128}
    with pytest.raises(
        ConfigError, match=r"^teacher=plainnet-40 on 128 images of 64 × 64 at once needs too much memory"
    ):
        house.commands.begin("nayer", values, told["token"])
    for student, sentence in (("resnet8-128", "^student=resnet8-128 on 512 images"), ("vgg", "^student='vgg' is no")):
        values = {**FEW, "teacher": "fashion", "student": student, "student_batch": 512}
        with pytest.raises(ConfigError, match=sentence):
            house.commands.begin("nayer", values, told["token"])


def test_more_files_than_belong_to_a_teacher_are_refused_and_so_is_a_text_for_a_file(house):
    many = [(f"f{number}", ("f", b"x")) for number in range(60)]
    assert house.client.post("/bring", files=many).status_code == 400
    told = house.client.post("/bring", data={"config": "{}"}, files={"weights": ("w", b"x")}).json()
    assert told == {"error": "config is a text; send it as a file."}


def test_two_at_a_time_are_read(house, monkeypatch):
    now, most, lock = 0, 0, threading.Lock()
    begin = threading.Barrier(2)

    def reads(token, given):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        begin.wait(20)
        with lock:
            now -= 1
        raise NayerError("no")

    monkeypatch.setattr(house.uploads, "bring", reads)
    with house.client:  # one event loop for all
        threads = [threading.Thread(target=house.bring) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert most == 2


def test_files_that_do_not_arrive_give_up_their_turn(house, monkeypatch):
    monkeypatch.setattr("app.bringing.ARRIVES_SECONDS", 0.05)
    told = []

    async def receive():
        await asyncio.sleep(30)

    async def send(message):
        told.append(message)

    headers = [(b"content-type", b"multipart/form-data; boundary=b")]
    scope = {"type": "http", "method": "POST", "path": "/bring", "headers": headers, "query_string": b""}
    asyncio.run(house.client.app(scope, receive, send))
    assert told[0]["status"] == 408
    assert b"too long to arrive" in told[1]["body"]
    assert "error" not in house.bring()


def test_memory_is_bounded_the_longest_unused_goes_first_and_runs_hold_on_to_theirs():
    clock = [0.0]
    uploads = Uploads(megabytes=1, clock=lambda: clock[0])
    third = (1 << 20) // 3
    padded = [Brought(config() + b" " * third, weights(), ("a", "b", str(number))) for number in range(4)]
    names = [one.name for one in padded]
    held = padded[0]  # by a run
    for number in range(2):
        uploads.bring(f"visitor {number}", padded[number])
    del padded[1]
    uploads.of("visitor 0", names[0])
    uploads.bring("visitor 2", padded[1])
    with pytest.raises(ConfigError, match="not here, or not yours"):
        uploads.of("visitor 1", names[1])
    assert uploads.of("visitor 0", names[0]) is held
    running = [held, padded[1]]
    with pytest.raises(ConfigError, match=r"^teachers that others brought fill the memory"):
        uploads.bring("visitor 3", padded[2])
    del running, held
    clock[0] = KEPT_SECONDS + 1
    uploads.tidy()
    assert not uploads.cards("visitor 0")


def test_with_the_run_it_is_kept_for_going_on_and_gone_once_the_run_has_ended(tmp_path):
    gate = Gate()
    house = in_a_loop(lambda: House(gate.opener, keeping=Keeping(Store(tmp_path))))
    told = house.bring()
    begun = house.commands.begin("nayer", {**FEW, "teacher": told["teacher"]}, told["token"])
    house.registry.keeping.flush()
    assert [path.name.split(".")[1] for path in (tmp_path / "files").iterdir()] == ["teacher"]
    house.registry.close()  # as the server ends
    house.client.close()

    opened = []

    def opener(plan):
        opened.append(plan)
        return open_source(plan)

    registry = Registry(opener, keeping=Keeping(Store(tmp_path)))
    run = registry.revive(begun["run"], told["token"])
    wait_until(lambda: run.ended)
    assert run.state == "finished", run.session.error
    assert run.refresh().started.classes == CLASSES
    assert opened[0].brought.card() == brought().card()
    registry.keeping.flush()
    assert "teacher" not in [path.name.split(".")[1] for path in (tmp_path / "files").iterdir()]
    registry.close()
