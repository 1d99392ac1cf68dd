"""The algorithm on one page: a generator of events. Whoever calls next() decides the pace."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from nayer import reports
from nayer.clock import Stopwatch
from nayer.distillation import distil
from nayer.events import Event, Redrawn
from nayer.state import RunState, Task
from nayer.synthesis import Batch, synthesise


def train(task: Task, state: RunState, watch: Stopwatch | None = None) -> Iterator[Event]:
    """Runs `task` from `state` on, changing `state`; the run can be saved at each RoundFinished.

    Raises DivergedError when a loss stops being finite; `state.student` then is the last finite one.
    """
    watch = watch or Stopwatch(state.seconds)
    events = _rounds(task, state, watch)
    while True:
        with watch:
            event = next(events, None)
        state.seconds = watch.seconds()
        if event is None:
            return
        yield event


def _rounds(task: Task, state: RunState, watch: Stopwatch) -> Iterator[Event]:
    config = task.config
    yield reports.started(task, state, watch)
    yield from reports.notes(task, state, watch)
    while state.round < config.rounds:
        if config.seconds and watch.seconds() >= config.seconds:
            yield reports.finished(state, watch, "time is up")
            return
        if redrawn := _redraw(task, state):
            yield reports.redrawn(task, state, watch, redrawn)
        for made in synthesise(task, state, watch):
            if isinstance(made, Batch):
                _remember(task, state, made)
                if state.round % config.report_every == 0:
                    yield reports.synthesised(task, state, watch, made)
            else:
                yield made
        if _student_is_due(task, state):
            yield from distil(task, state, watch)
        if (state.round + 1) % config.evaluate_every == 0 or state.round + 1 == config.rounds:
            yield reports.evaluated(task, state, watch)
        state.round += 1
        yield reports.round_finished(task, state, watch)
    yield reports.finished(state, watch, "rounds done")


def _redraw(task: Task, state: RunState) -> Redrawn | None:
    """Draws the weights anew that this round starts with; the first round's are fresh already."""
    config = task.config
    warming_up = state.round < config.warmup_rounds
    since = state.round if warming_up else state.round - config.warmup_rounds
    every = config.warmup_generator_reset_every if warming_up else config.generator_reset_every
    if state.round == 0:
        return "generator"
    if every and since % every == 0:
        state.generator.rebuild(state.rng)
        state.generator_adam = None  # its moments belong to the former weights
        return "generator"
    if config.noisy_reset_every and state.round % config.noisy_reset_every == 0:
        if config.redraw == "noisy layer":
            state.generator.redraw_noisy_layer(state.rng)
        else:
            state.generator.redraw_first_layer(state.rng)
        return config.redraw
    return None


def _student_is_due(task: Task, state: RunState) -> bool:
    config = task.config
    since = state.round - config.warmup_rounds
    has_images = len(state.pool) > 0 or config.memory == "online"
    return since >= 0 and (since + 1) % config.student_every == 0 and has_images


def _remember(task: Task, state: RunState, batch: Batch) -> None:
    """Puts a round's batch into the pool, a share of it among the held-back images."""
    if state.round < task.config.pool_from_round:
        return
    order = torch.randperm(len(batch.images), generator=state.rng).to(task.device)
    held = round(task.config.held_back * len(batch.images))
    state.held_back.add(batch.images[order[:held]], batch.labels[order[:held]])
    if task.config.memory == "pool":
        state.pool.add(batch.images[order[held:]], batch.labels[order[held:]])
