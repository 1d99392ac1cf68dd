"""Floods from one address at each door that holds something, with a run going on, and what another visitor sees."""

from __future__ import annotations

import json
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from app.middleware.json_body import TEACHERS
from tests.reliability.booting import QUICK, Application
from tests.reliability.bystander import ENDLESS, UNHARMED, Bystander
from tests.reliability.figure import Figure
from tests.reliability.flooding import Flood, request
from tests.support.uploaded import config, weights

SECONDS = 15.0
PLAYED = 10  # runs that ended: more than the server keeps ready to be played
NAMES = ("truck", "ship", "cat", "dog", "zero", "shirt")


def floods(
    url: str, ended: list[str], going: str, played: list[dict[str, str]]
) -> dict[str, tuple[int, Callable[[int], bytes]]]:
    """By name: so many clients, and what they send."""

    def post(path: str, data: object) -> bytes:
        return request(url, "POST", path, json.dumps(data).encode())

    def uploaded(number: int) -> bytes:
        files = {"config": config(), "weights": weights() if number % 2 else bytes(1 << 20)}
        parts = [
            f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n\r\n'.encode() + content
            for name, content in files.items()
        ]
        body = b"\r\n".join([*parts, b"--b--\r\n"])
        return request(url, "POST", TEACHERS, body, "multipart/form-data; boundary=b")

    def explored(number: int) -> bytes:
        names = ", ".join(f"{number} {name}" for name in NAMES * 20)
        latent = ("lte", "random")[number % 2]
        return post("/explore", {"typed": names, "prompt": "a photo of a {}", "latent": latent, "encoder": ""})

    def mapped(number: int) -> bytes:
        if number % 2:
            return request(url, "GET", f"/live/{going}/umap")
        data = [[f"{number} {name}" for name in NAMES], "a photo of a {}", "random", number, ""]
        return post("/gradio_api/run/embeddings_umap", {"data": data})

    def replayed(number: int) -> bytes:
        run = played[number % PLAYED]["run"]
        return request(url, "GET", f"/live/{run}/replay/{('timeline', 'networks')[number // PLAYED % 2]}")

    def tried(number: int) -> bytes:
        if number % 3 == 0:
            return request(url, "GET", f"/teacher/{('digits', 'emoji10')[number % 2]}/real.jpg?pick={number % 50}")
        if number % 3 == 1:
            places = ",".join(str((number + 7 * place) % 300) for place in range(60))
            return request(url, "GET", f"/live/{going}/tested.jpg?places={places}")
        return post(f"/live/{(played[number % PLAYED]['run'], going)[number % 2]}/try", {"pixels": [number % 256] * 64})

    def estimated(number: int) -> bytes:
        settings = {"teacher": "cifar10", "student": f"wrn16-{1 + number % 8}", "student_batch": 8 + number % 200}
        return post("/duration", {"preset": "nayer", "settings": settings, "token": ""})

    def compared(number: int) -> bytes:
        arms = [{"settings": {"student": f"wrn40-{1 + (number + arm) % 64}"}} for arm in range(20)]
        return post("/command/start_lab", ["", "cifar10", number, 40_000.0, 3, arms, ""])

    def shown(number: int) -> bytes:
        if number % 2:
            return request(url, "GET", f"/join/{number:06d}")
        run = played[number % PLAYED]
        return post("/command/class_code", [run["run"], run["token"], "lab", f"http://localhost/{'x' * 250}"])

    return {
        "exports": (100, lambda number: request(url, "GET", f"/live/{ended[number % 2]}/export/nayer-run.zip")),
        "sheets": (60, lambda number: request(url, "GET", f"/live/{(*ended, going)[number % 3]}/sheet.png")),
        "embeddings": (60, explored),
        "UMAP": (60, mapped),
        "files": (60, uploaded),
        "playback": (60, replayed),
        "images": (60, tried),
        "estimates": (60, estimated),
        "codes": (60, shown),
        "labs": (60, compared),
    }


def runs_that_ended(page: Application, rounds: Iterable[int]) -> list[str]:
    ended = [page.start("", number)["run"] for number in rounds]
    while any(page.status(run)["state"] != "finished" for run in ended):
        time.sleep(0.2)
    return ended


def measure() -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        page = Application(Path(folder))
        ended = runs_that_ended(page, (6, 5))
        played = [page.start("", 2, {**QUICK, "student": f"lenet-{4 + number}"}) for number in range(PLAYED)]
        while any(page.status(run["run"])["state"] != "finished" for run in played):
            time.sleep(0.2)
        bystander = Bystander(page, ENDLESS)
        going = bystander.run
        for run in (*ended, going):  # what is loaded at first use counts for nothing
            page.content(f"live/{run}/sheet.png")
            page.content(f"live/{run}/umap")
        page.post(f"live/{going}/try", {"pixels": [0] * 64})
        page.content(f"live/{ended[0]}/export/nayer-run.zip")
        while page.get(f"live/{going}/umap")["state"] != "ready":
            time.sleep(0.5)
        form = {"typed": "a red panda, a barn owl", "prompt": "a {}", "latent": "lte", "encoder": ""}
        while page.post("explore", form)["state"] == "loading":
            time.sleep(0.5)
        bystander.measured_from_here()
        statuses: Counter[int] = Counter()
        for name, (clients, asked) in floods(page.url, ended, going, played).items():
            flood = Flood(page.url, clients, asked)
            with flood.going_on(), bystander.beside(name):
                time.sleep(SECONDS)
            statuses += flood.statuses
        bystander.statuses += statuses
        noticed = bystander.after()
        page.end(signal.SIGKILL)
    return Figure(
        21,
        f"60 to 100 clients of one address at each slow door, {SECONDS:.0f} s each, beside a run",
        UNHARMED,
        f"{statuses.total():,} answers, {statuses[429]:,} of them 429; {noticed}",
        noticed.held,
    )
