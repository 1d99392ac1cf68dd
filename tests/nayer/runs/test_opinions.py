"""Questions about single images: they change nothing of a run, and come from the weights that they say."""

import numpy as np
import pytest
import torch

from nayer.data.test_sets import load_testset
from nayer.errors import ConfigError
from nayer.events import RoundFinished, StudentStep
from nayer.networks.cards import read_card, teacher_folder
from nayer.runs.opinions import Examiner
from nayer.runs.run import open_run
from nayer.runs.side_by_side import Lab
from tests.support.tiny import QUICK, all_same

IMAGE = np.arange(64, dtype=np.uint8).reshape(1, 8, 8)


def test_a_run_that_is_asked_at_every_event_is_the_run_that_nobody_asks():
    asked = Lab([QUICK])
    events = []
    for event in asked.events():
        events.append(event)
        asked.examine(0).opinions(IMAGE)
    assert all_same(events, list(Lab([QUICK]).events()))


def test_the_student_answers_with_the_weights_of_its_last_round():
    lab = Lab([QUICK])
    rounds = []
    for event in lab.events():
        if isinstance(event, RoundFinished):
            networks = lab.examine(0)
            student = lab._run(0).student.eval()
            with torch.no_grad():
                wanted = student(torch.from_numpy(IMAGE[None]).float() / 255.0)[0].softmax(0)
            assert np.allclose(networks.opinions(IMAGE).student, wanted, atol=1e-6)
            rounds.append(networks.round)
        elif isinstance(event, StudentStep) and rounds:
            assert lab.examined(0).round == rounds[-1]  # in the middle of a round: those of the one before
    assert rounds == [1, 2, 3]


def test_the_untrained_student_is_the_one_that_the_run_began_with():
    begun = open_run(QUICK).student.eval()
    lab = Lab([QUICK])
    for _ in lab.events():
        pass
    with torch.no_grad():
        wanted = begun(torch.from_numpy(IMAGE[None]).float() / 255.0)[0].softmax(0)
    said = lab.examine(0).opinions(IMAGE)
    assert np.allclose(said.untrained, wanted, atol=1e-6)
    assert not np.allclose(said.untrained, said.student, atol=1e-3)
    outside = Examiner("digits", QUICK).networks.opinions(IMAGE)
    assert np.allclose(outside.untrained, wanted, atol=1e-6)
    assert outside.student is None


def test_the_teacher_knows_most_of_the_real_images_and_probabilities_sum_to_one():
    examiner = Examiner("digits", QUICK)
    right = 0
    for label in range(10):
        real = examiner.real_image(label, pick=3)
        assert real.label == label
        said = examiner.networks.opinions(real.pixels)
        assert said.teacher.sum() == pytest.approx(1.0, abs=1e-5)
        right += int(said.teacher.argmax()) == label
    assert right >= 9


def test_a_pick_counts_round_the_images_of_a_class():
    examiner, split = Examiner("digits", QUICK), load_testset(read_card(teacher_folder("digits")))
    count = int((split.labels == 4).sum())
    assert np.array_equal(examiner.real_image(4, 1).pixels, examiner.real_image(4, 1 + count).pixels)
    with pytest.raises(ConfigError, match="label=12 has no test images"):
        examiner.real_image(12, 0)


def test_an_image_of_another_shape_is_refused_in_a_sentence():
    with pytest.raises(ConfigError, match=r"shape 1 × 8 × 8 .* 3 × 8 × 8 was given"):
        Examiner("digits", QUICK).networks.opinions(np.zeros((3, 8, 8), np.uint8))
