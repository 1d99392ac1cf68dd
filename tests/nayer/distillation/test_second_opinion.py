"""A judge names the samples and changes nothing: its shares are its own, and the student is the same without it."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from nayer.distillation.evaluation import SecondNetwork
from nayer.distillation.task import Task
from nayer.events import Event, Note, RoundSynthesized, SecondOpinion
from nayer.exports.event_codec import pack, unpack
from nayer.exports.metrics_table import Record, rows_before
from nayer.exports.recording import thinned
from tests.support.tiny import CLASSES, all_same, same, tiny_config, tiny_network, tiny_run, tiny_state, tiny_task

Seen = tuple[NDArray[np.int64], NDArray[np.float64]]


class Fixed:
    """A judge whose answers are known: `name(place)` of each image, as sure as `sure`."""

    def __init__(self, shift: int, sure: float = 0.5) -> None:
        self.shift, self.sure = shift, sure
        self.asked: list[int] = []

    def __call__(self, images: Tensor) -> Seen:
        assert images.dtype == torch.uint8
        n = len(images)
        self.asked.append(n)
        return (np.arange(n) + self.shift) % len(CLASSES), np.full(n, self.sure)


def judged(judge: object, **changes: object) -> tuple[list[Event], Task]:
    task = replace(tiny_task(tiny_config(**changes)), judge=judge)
    return list(tiny_run(task)), task


def opinions(events: list[Event]) -> list[SecondOpinion]:
    return [event for event in events if isinstance(event, SecondOpinion)]


@pytest.mark.parametrize(("shift", "share"), [(0, 1.0), (1, 0.0)])
def test_a_judge_that_names_all_as_wanted_gives_1_and_one_that_never_does_0(shift: int, share: float) -> None:
    judge = Fixed(shift, sure=0.75)
    told = opinions(judged(judge, synthesis_batch=6)[0])
    assert len(told) == 4
    assert judge.asked == [6] * 4  # the whole batch, once a round
    for event in told:
        assert event.named.tolist() == [share] * 3
        assert event.confidence.tolist() == [0.75] * 3
        assert (event.counts.tolist(), event.images) == ([2, 2, 2], 6)
        assert (event.named_share, event.confidence_mean) == (share, 0.75)


def test_shares_are_of_each_classes_own_images() -> None:
    def judge(images: Tensor) -> Seen:
        return np.zeros(len(images), np.int64), np.linspace(0.4, 1.0, 7)  # it says cat, whatever it sees

    event = opinions(judged(judge)[0])[0]
    assert event.named.tolist() == [1.0, 0.0, 0.0]
    assert event.named_share == pytest.approx(3 / 7)
    np.testing.assert_allclose(event.confidence, [0.7, 0.65, 0.75])


def test_a_permutation_of_its_classes_permutes_the_answer() -> None:
    network = tiny_network(1, seed=7).eval()
    images = torch.randint(0, 256, (9, 1, 8, 8), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    images = images // torch.tensor([1, 4, 40] * 3, dtype=torch.uint8).view(9, 1, 1, 1)  # light ones and dark ones
    with torch.no_grad():
        inner = network[:-1](images.float() / 255)
        network[-1].bias.copy_(-network[-1].weight @ inner.mean(dim=0))  # so that no class is favored
    seen, sure = SecondNetwork(network)(images)
    order = torch.tensor([2, 0, 1])
    other = tiny_network(1, seed=7).eval()
    with torch.no_grad():
        for name in ("weight", "bias"):
            getattr(other[-1], name).copy_(getattr(network[-1], name)[order])
    permuted, same_sure = SecondNetwork(other)(images)
    assert order[torch.from_numpy(permuted)].tolist() == seen.tolist()
    np.testing.assert_allclose(same_sure, sure, rtol=1e-6)
    assert len(set(seen.tolist())) > 1


def test_the_run_is_the_same_with_and_without_it_bit_for_bit() -> None:
    network = tiny_network(1, seed=7).eval()
    weights = []
    events = []
    for judge in (None, SecondNetwork(network)):
        task = replace(tiny_task(tiny_config()), judge=judge)
        state = tiny_state(task)
        events.append(list(tiny_run(task, state)))
        weights.append({name: value.clone() for name, value in state.student.state_dict().items()})
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())
    assert all_same(events[0], [event for event in events[1] if not isinstance(event, SecondOpinion)])
    assert len(opinions(events[1])) == 4
    assert not opinions(events[0])


def test_it_comes_beside_the_rounds_that_are_shown() -> None:
    events, _ = judged(Fixed(0), report_every=2)
    shown = [event.round for event in events if isinstance(event, RoundSynthesized)]
    assert [event.round for event in opinions(events)] == shown == [0, 2]


def test_it_is_written_sent_and_kept() -> None:
    events, _ = judged(Fixed(0, sure=0.25), synthesis_batch=6)
    first = opinions(events)[0]
    assert same(unpack(pack(first)), first)
    assert thinned(first) is first
    told = first.to_json()
    assert told["event"] == "second_opinion"
    assert (told["named"], told["counts"], told["named_share"]) == ([1.0, 1.0, 1.0], [2, 2, 2], 1.0)
    record = Record()
    for event in events:
        record.add(event)
    assert rows_before(2, record.csv()) == list(csv.DictReader(io.StringIO(record.csv())))[:2]
    unjudged = Record()
    for event in events:
        if not isinstance(event, SecondOpinion):
            unjudged.add(event)
    assert "judge" not in unjudged.csv()
    assert len(rows_before(9, unjudged.csv())) == 4
    assert [(row["named_by_judge"], row["judge_confidence"]) for row in record.rows] == [("1", "0.25")] * 4


def test_a_judge_that_cannot_be_used_is_a_note_and_the_run_goes_on() -> None:
    task = replace(tiny_task(tiny_config(rounds=1)), judge_fault="judge='x' cannot be used: it is damaged.")
    events = list(tiny_run(task))
    notes = [event.message for event in events if isinstance(event, Note)]
    assert "There is no second opinion: judge='x' cannot be used: it is damaged." in notes
    assert not opinions(events)
