"""The algorithm on one page: a generator of events. Whoever calls next() decides the pace."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch

from nayer.common.stopwatch import Stopwatch
from nayer.distillation import reports
from nayer.distillation.diversity_meter import DiversityMeter
from nayer.distillation.state import RunState, Task, revise
from nayer.distillation.student import distil
from nayer.distillation.synthesis import Batch, synthesise
from nayer.events import Event, Redrawn


def train(
    task: Task, state: RunState, watch: Stopwatch | None = None, revised: Callable[[], Task | None] = lambda: None
) -> Iterator[Event]:
    """Runs `task` from `state` on, changing `state`; the run can be saved at each RoundFinished.

    `revised` is asked before each round: a task with another config, if the run is to go on with that, else None.
    A limit in seconds holds between two steps: the round it falls into is cut short, then measured and finished like
    any other. Raises Stopped between two steps, where `watch` says so: the round at hand then has no end.
    Raises DivergedError when a loss stops being finite; `state.student` then is the last finite one.
    """
    watch = watch or Stopwatch(state.seconds)
    events = _rounds(task, state, watch, revised)
    while True:
        with watch:
            event = next(events, None)
        state.seconds = watch.seconds()
        if event is None:
            return
        yield event


def _rounds(task: Task, state: RunState, watch: Stopwatch, revised: Callable[[], Task | None]) -> Iterator[Event]:
    meter = DiversityMeter(task)
    yield reports.started(task, state, watch)
    yield from reports.notes(task, state, watch)
    while True:
        if after := revised():
            revise(state, task, after)
            yield reports.changed(task, after, state, watch)
            task = after
        config = task.config
        if watch.reached(config.seconds):  # first, for the last round may have been cut short
            yield reports.finished(state, watch, "time is up")
            return
        if state.round >= config.rounds:
            yield reports.finished(state, watch, "rounds done")
            return
        if redrawn := _redraw(task, state):
            if redrawn == "generator":
                meter.new_generator()
            yield reports.redrawn(task, state, watch, redrawn)
        for made in synthesise(task, state, watch):
            if isinstance(made, Batch):
                pooled = _remember(task, state, made)
                if state.round % config.report_every == 0:
                    batch = reports.synthesised(task, state, watch, made)
                    yield batch
                    yield reports.diversity(task, state, watch, meter, batch, pooled)
            else:
                yield made
        if _student_is_due(task, state):
            yield from distil(task, state, watch)
        last = state.round + 1 == config.rounds or watch.reached(config.seconds)
        if last or (state.round + 1) % config.evaluate_every == 0:
            yield reports.evaluated(task, state, watch)
        state.round += 1
        yield reports.round_finished(task, state, watch)


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


def _remember(task: Task, state: RunState, batch: Batch) -> int:
    """Puts what is kept of a round into the pool, a share of its batch among the held-back images.

    How many images the pool got. An image's place in the batch says its label and its noisy layer: what was made at
    the places that are held back reaches the pool in no step.
    """
    if state.round < task.config.pool_from_round:
        return 0
    order = torch.randperm(len(batch.images), generator=state.rng).to(task.device)
    held = round(task.config.held_back * len(batch.images))
    state.held_back.add(batch.images[order[:held]], batch.labels[order[:held]])
    if task.config.memory == "online":
        return 0
    learned = order[held:]
    for images in batch.kept:
        state.pool.add(images[learned], batch.labels[learned])
    return len(learned) * len(batch.kept)
