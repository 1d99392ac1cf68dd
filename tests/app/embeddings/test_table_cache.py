"""Tables for the explorer: quick ones at once, the encoder's from a thread, mistakes said and not kept."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from app.embeddings.table_cache import TableRequest, Tables
from app.fairness.fair_executor import Busy, FairExecutor
from nayer.config import Config
from nayer.embeddings.label_table import Table
from nayer.errors import ConfigError, EncoderError
from tests.support.serving import at, wait_until

NEW = ("red panda", "snow leopard")


def wanted(names: tuple[str, ...] = NEW, latent: str = "lte", seed: int = 0) -> TableRequest:
    return TableRequest(names, Config().prompt, latent, seed, Config().encoder)


class Encoder:
    """Stands for the real one: works when let, and fails as often as told."""

    def __init__(self, failures: int = 0) -> None:
        self.go = threading.Event()
        self.failures = failures
        self.calls: list[TableRequest] = []

    def __call__(self, asked: TableRequest) -> Table:
        self.calls.append(asked)
        assert self.go.wait(30)
        if self.failures:
            self.failures -= 1
            raise EncoderError("encoder='x' is not here; latent=one-hot and latent=random work without an encoder.")
        return Table(np.eye(len(asked.names), dtype=np.float32), asked.latent, "Made.")


def tables(encoder: Encoder | None = None, *, waiting: int = 32, each: int = 4) -> Tables:
    turns = FairExecutor("lists of names", workers=1, waiting=waiting, each=each)
    return Tables(turns) if encoder is None else Tables(turns, encoder)


@pytest.mark.parametrize("latent", ["one-hot", "random"])
def test_what_needs_no_encoder_is_there_at_once(latent: str) -> None:
    table = tables().look(wanted(latent=latent))
    assert table is not None
    assert table.latent == latent


def test_shipped_names_are_there_at_once() -> None:
    table = tables().look(wanted(("truck", "zero", "T-shirt")))
    assert table is not None
    assert ", shipped" in table.source


def test_new_names_wait_for_the_encoder_which_runs_once_for_all_who_ask() -> None:
    encoder = Encoder()
    asked = tables(encoder)
    assert asked.look(wanted()) is None
    assert asked.look(wanted()) is None
    encoder.go.set()
    wait_until(lambda: asked.look(wanted()) is not None)
    assert encoder.calls == [wanted()]


def test_a_failure_is_said_once_and_the_next_question_tries_again() -> None:
    encoder = Encoder(failures=1)
    encoder.go.set()
    asked = tables(encoder)
    with pytest.raises(EncoderError, match="work without an encoder"):
        wait_until(lambda: asked.look(wanted()) is not None)
    wait_until(lambda: asked.look(wanted()) is not None)
    assert len(encoder.calls) == 2


def test_an_address_cannot_fill_the_encoders_queue_and_another_comes_before_its_second() -> None:
    encoder = Encoder()
    asked = tables(encoder)
    lists = [wanted((*NEW, f"owl {number}")) for number in range(6)]
    try:
        with at("hog"):
            assert asked.look(lists[0]) is None
            wait_until(lambda: len(encoder.calls) == 1)
            for one in lists[1:5]:
                assert asked.look(one) is None
            with pytest.raises(
                Busy, match=r"^lists of names: the queue takes no more of your address \(waiting: 4\); try again"
            ):
                asked.look(lists[5])
            assert asked.look(lists[3]) is None  # it waits already
        with at("other"):
            assert asked.look(lists[5]) is None
    finally:
        encoder.go.set()
    wait_until(lambda: len(encoder.calls) == 6)
    assert encoder.calls == [lists[0], lists[5], *lists[1:5]]


def test_names_are_checked_before_anything_runs() -> None:
    encoder = Encoder()
    with pytest.raises(ConfigError, match="there is 1 class name; use 2 to 200"):
        tables(encoder).look(wanted(("cat",)))
    assert not encoder.calls
