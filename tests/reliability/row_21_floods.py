"""Floods from one address at each door that holds something, with a run going on, and what another visitor sees."""

from __future__ import annotations

import json
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from app.middleware.json_body import TEACHERS
from tests.reliability.booting import QUICK, Application
from tests.reliability.figure import Figure
from tests.reliability.flooding import Flood, looks, ninety_five, request
from tests.support.uploaded import config, weights

SECONDS, LOOK, MEGABYTES, LINES = 15.0, 0.5, 50.0, 200
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


def measure() -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        page = Application(Path(folder))
        ended = [page.start("", rounds)["run"] for rounds in (6, 5)]
        while any(page.status(run)["state"] != "finished" for run in ended):
            time.sleep(0.2)
        played = [page.start("", 2, {**QUICK, "student": f"lenet-{4 + number}"}) for number in range(PLAYED)]
        while any(page.status(run["run"])["state"] != "finished" for run in played):
            time.sleep(0.2)
        going = page.start("", settings=QUICK)["run"]
        path = f"/live/{going}/status?since=0"
        for run in (*ended, going):  # what is loaded at first use counts for nothing
            looks(page.url, f"/live/{run}/sheet.png", 0.0)
            looks(page.url, f"/live/{run}/umap", 0.0)
        page.post(f"live/{going}/try", {"pixels": [0] * 64})
        looks(page.url, f"/live/{ended[0]}/export/nayer-run.zip", 0.0)
        while page.get(f"live/{going}/umap")["state"] != "ready":
            time.sleep(0.5)
        form = {"typed": "a red panda, a barn owl", "prompt": "a {}", "latent": "lte", "encoder": ""}
        while page.post("explore", form)["state"] == "loading":
            time.sleep(0.5)
        quiet = ninety_five(looks(page.url, path, 5.0))
        before = page.settled()
        said = len(page.said)
        slowest: dict[str, float] = {}
        statuses: Counter[int] = Counter()
        for name, (clients, asked) in floods(page.url, ended, going, played).items():
            flood = Flood(page.url, clients, asked)
            with flood.going_on():
                slowest[name] = ninety_five(looks(page.url, path, SECONDS))
            statuses += flood.statuses
        until = time.monotonic() + 60
        while page.memory() - before > MEGABYTES and time.monotonic() < until:
            looks(page.url, path, 2.0, pause=1.0)  # events wait for a visitor who has gone, for a minute
        after, lines = page.memory(), len(page.said) - said
        page.end(signal.SIGKILL)
    faults = sum(count for status, count in statuses.items() if status >= 500)
    told = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in slowest.items())
    return Figure(
        21,
        f"60 to 100 clients of one address at each slow door, {SECONDS:.0f} s each, beside a run",
        f"another visitor's look ≤ {LOOK:g} s at the 95th percentile, no 5xx, RSS back within {MEGABYTES:g} MB, "
        f"≤ {LINES} lines in the log",
        f"{told}, {quiet:.2f} s without; {statuses.total():,} answers, {statuses[429]:,} of them 429, {faults} 5xx; "
        f"RSS {after - before:+.0f} MB; {lines} lines",
        max(slowest.values()) <= LOOK and not faults and after - before <= MEGABYTES and lines <= LINES,
    )
