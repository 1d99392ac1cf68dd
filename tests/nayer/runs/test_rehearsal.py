"""A rehearsal counts what the same code would take: bytes that are alive, and multiply-adds; and it changes nothing."""

from __future__ import annotations

import threading

import pytest
import torch
from torch import nn

from nayer.runs.rehearsal import LARGE, META, Rehearsal


def test_bytes_are_counted_while_a_tensor_lives_and_views_are_none() -> None:
    with Rehearsal() as rehearsal:
        a = torch.empty(1000, device=META)
        view = a[:10]
        assert rehearsal.live == 4000
        b = a + view.sum()
        del a
        assert rehearsal.live == 8000  # the view holds all of it
        del view
        assert rehearsal.live == 4000
        del b
    assert (rehearsal.live, rehearsal.peak) == (0, 8004)


def test_small_and_large_tensors_have_peaks_of_their_own_from_a_mark_on() -> None:
    with Rehearsal() as rehearsal:
        there = torch.empty(LARGE, dtype=torch.uint8, device=META)
        rehearsal.mark()
        small = torch.empty(LARGE - 1, dtype=torch.uint8, device=META)
        del small
        large = torch.empty(LARGE, dtype=torch.uint8, device=META)
        assert rehearsal.peaks == [LARGE - 1, LARGE]
        assert rehearsal.peak == 2 * LARGE
        del there, large


def test_what_a_backward_pass_needs_is_held_until_it_is_over() -> None:
    layer = nn.Linear(30, 40, bias=False, device=META)
    with Rehearsal() as rehearsal:
        images = torch.empty(5, 30, device=META)
        loss = layer(images).square().sum()
        held = rehearsal.live
        loss.backward()
        assert rehearsal.work == 2 * 5 * 30 * 40  # forward, and the weights' gradient
        assert held >= 4 * (5 * 30 + 5 * 40)
        assert rehearsal.live < held + 4 * 30 * 40


def test_draws_and_numbers_that_are_read_are_made_up() -> None:
    rng = torch.Generator().manual_seed(3)
    before = rng.get_state()
    with Rehearsal():
        drawn = torch.rand((10**6, 10**6), generator=rng)  # 4 TB
        assert drawn.device == META
        assert drawn.sum().item() == 0.0
        assert drawn.cpu().numpy().shape == (10**6, 10**6)
    assert torch.equal(rng.get_state(), before)


def test_other_threads_count_and_draw_as_ever() -> None:
    drawn: list[torch.Tensor] = []
    with Rehearsal() as rehearsal:
        other = threading.Thread(target=lambda: drawn.append(torch.rand(3, generator=torch.Generator())))
        other.start()
        other.join()
        assert rehearsal.live == 0
    assert drawn[0].device.type == "cpu"


def test_two_threads_rehearse_one_after_the_other() -> None:
    """Torch's table of operators for dispatch modes has no lock: two at once ended the process."""
    entered, order = threading.Event(), []

    def rehearse() -> None:
        with Rehearsal():
            order.append("second")
            entered.set()

    other = threading.Thread(target=rehearse)
    with Rehearsal():
        other.start()
        assert not entered.wait(0.2)
        order.append("first")
    other.join()
    assert order == ["first", "second"]


def test_a_rehearsal_that_fails_leaves_the_way_free() -> None:
    with pytest.raises(ZeroDivisionError), Rehearsal():
        _ = 1 / 0
    with Rehearsal() as rehearsal:
        torch.empty(10, device=META)
    assert rehearsal.peak == 40
