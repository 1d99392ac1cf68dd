"""Synthesis and student at once: no clock decides anything, and it is the same as one after the other."""

import copy
import dataclasses
import threading
import time

import pytest
import torch

from nayer.common.stopwatch import Stopwatch
from nayer.distillation.overlap import InBackground, interleave
from nayer.distillation.report import Report
from nayer.distillation.train import distill, redraw, remember, synthesize, train
from nayer.errors import ConfigError, DivergedError
from nayer.events import GeneratorStep, StudentStep
from tests.support.tiny import tiny_config, tiny_state, tiny_task

CONFIG = tiny_config(overlap=True, rounds=5, student_steps=7, adversarial_weight=1.0)


def weights(network):
    return torch.cat([tensor.double().flatten() for tensor in network.state_dict().values()])


def all_of(steps):
    """What a generator yields, and what it returns."""
    returned = []

    def whole():
        returned.append((yield from steps))

    return list(whole()), returned[0]


def overlapped(pause=0.0, threads=1):
    torch.set_num_threads(threads)
    try:
        task = tiny_task(CONFIG)
        state = tiny_state(task)
        told = []
        for event in train(task, state):
            told.append((type(event).__name__, event.round, getattr(event, "step", None), getattr(event, "loss", None)))
            time.sleep(pause)
        return told, state
    finally:
        torch.set_num_threads(1)


def test_a_seed_gives_one_result_whatever_the_reader_and_the_threads_do():
    told, state = overlapped()
    for again, other in (overlapped(pause=0.002), overlapped(threads=2)):
        assert again == told
        assert torch.equal(weights(other.student), weights(state.student))


def test_both_at_once_come_to_what_they_come_to_one_after_the_other():
    _, state = overlapped()
    task = tiny_task(CONFIG)
    alone = tiny_state(task)
    report = Report(task, alone, Stopwatch())
    for number in range(CONFIG.rounds):
        redraw(task, alone)
        opponent = copy.deepcopy(alone.student)
        if number >= CONFIG.warmup_rounds and len(alone.pool):
            rng = torch.Generator().manual_seed(int(torch.randint(2**62, (), generator=alone.rng)))
            learning = dataclasses.replace(alone, rng=rng)
            list(distill(task, learning, None, report))
            alone.student_phases = learning.student_phases
        learned, alone.student = alone.student, opponent
        _, batch = all_of(synthesize(task, alone, report))
        alone.student = learned
        remember(task, alone, batch)
        alone.round += 1
    assert alone.student_phases == state.student_phases == 3  # the pool is empty in round 1
    assert torch.equal(weights(alone.student), weights(state.student))
    assert torch.equal(weights(alone.generator), weights(state.generator))


def test_the_teacher_that_is_hooked_is_not_the_one_that_the_student_asks():
    """In one module, the hooks of synthesis would hear the student's batches: 8 images in place of 7."""
    task = tiny_task(CONFIG)
    heard = set()
    task.teacher[1].register_forward_pre_hook(lambda layer, inputs: heard.add(threading.current_thread().name))
    layers = copy.copy(task.teacher)
    for _ in train(task, tiny_state(task)):
        pass
    assert heard == {"student", threading.current_thread().name}  # a copy takes the hooks of a program along
    assert layers[1] is task.teacher[1]


def step(kind, number, many):
    fields = {field.name: 0 for field in dataclasses.fields(kind)} | {"step": number, "steps": many}
    return kind(**fields)


def synthesis(many):
    for number in range(many):
        yield step(GeneratorStep, number, many)
    return "batch"


@pytest.mark.parametrize(("generator_steps", "student_steps"), [(3, 7), (7, 3), (4, 4), (1, 5), (5, 1)])
def test_steps_come_in_proportion(generator_steps, student_steps):
    learned = iter([step(StudentStep, number, student_steps) for number in range(student_steps)])
    told, end = all_of(interleave(synthesis(generator_steps), learned))
    assert end == "batch"
    assert len(told) == generator_steps + student_steps
    made = 0
    for event in told:
        if isinstance(event, GeneratorStep):
            made += 1
        else:
            assert (event.step + 1) / student_steps <= made / generator_steps + 1e-9


def students():
    return [thread for thread in threading.enumerate() if thread.name == "student"]


def test_a_run_that_is_closed_within_a_round_leaves_no_thread():
    events = train(tiny_task(CONFIG), tiny_state(tiny_task(CONFIG)))
    while not isinstance(next(events), StudentStep):
        pass
    events.close()
    assert not students()


def test_what_goes_wrong_in_the_thread_is_raised_where_the_events_are_read():
    def steps():
        yield step(StudentStep, 0, 2)
        raise DivergedError("the student's loss became nan")

    with pytest.raises(DivergedError, match="became nan"), InBackground(steps(), 1) as told:
        assert [event.step for event in told] == [0]
    assert not students()


def test_it_says_what_it_does_not_go_with():
    with pytest.raises(ConfigError, match=r"^overlap does not work with memory=online"):
        tiny_config(overlap=True, memory="online")
    task = tiny_task(CONFIG)
    task.teacher.lock = threading.Lock()
    with pytest.raises(ConfigError, match=r"^overlap needs a teacher that can be copied .*; switch overlap off\.$"):
        list(train(task, tiny_state(task)))
