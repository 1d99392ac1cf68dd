"""A classifier made anywhere teaches; what does not fit is said in a sentence before any training starts."""

import copy

import pytest
import torch
from torch import nn

from nayer.errors import AssetError, ConfigError
from nayer.events import GeneratorStep, Note, RoundSynthesized, RunStarted
from nayer.library import own_run, own_teacher
from nayer.networks.classifiers import Classifier, initialize, logits_and_features

NAMES = ("cat", "dog", "boat")
FEW = {
    "rounds": 2,
    "warmup_rounds": 1,
    "generator_steps": 2,
    "student_steps": 2,
    "noisy_width": 8,
    "generator_width": 2,
    "synthesis_batch": 6,
    "latent": "one-hot",
    "device": "cpu",
}


class Viewing(nn.Module):
    """As many write theirs: BatchNorm, and a `view` that needs images to lie channel by channel."""

    def __init__(self, norm=nn.BatchNorm2d, classes=3):
        super().__init__()
        self.unused = nn.BatchNorm2d(7)  # no image reaches it
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = norm(4) if norm is nn.BatchNorm2d else nn.LayerNorm([4, 12, 12])
        self.head = nn.Linear(4 * 12 * 12, 5)
        self.last = nn.Linear(5, classes)

    def forward(self, x):
        x = torch.relu(self.norm(self.first(x)))
        return self.last(torch.tanh(self.head(x.view(len(x), -1))))


def network(**how):
    made = Viewing(**how)
    initialize(made, torch.Generator().manual_seed(3))
    return made


def run(made, **more):
    given = {"size": 12, "mean": (0.5, 0.4, 0.3), "std": (0.2, 0.3, 0.4), "student": "lenet-2", **FEW, **more}
    return own_run(made, NAMES, **given)


def test_it_is_asked_as_its_owner_would_ask_it_and_its_features_enter_the_last_layer():
    made = network().eval()
    teacher = own_teacher(made, NAMES, size=12, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4)).network
    images = torch.rand(4, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    normalized = (images - torch.tensor([0.5, 0.4, 0.3]).view(3, 1, 1)) / torch.tensor([0.2, 0.3, 0.4]).view(3, 1, 1)
    logits, features = logits_and_features(teacher, images.to(memory_format=torch.channels_last))
    torch.testing.assert_close(logits, made(normalized))
    torch.testing.assert_close(made.last(features), logits)
    assert features.shape == (4, 5)
    assert not any(layer._forward_pre_hooks or layer._forward_hooks for layer in teacher.modules())


def test_a_run_gives_events_and_a_student_and_leaves_the_network_as_it_was():
    made = network().train()
    before = copy.deepcopy(made.state_dict())
    going = run(made)
    start = copy.deepcopy(going.student.state_dict())
    events = list(going.events())
    (started,) = [event for event in events if isinstance(event, RunStarted)]
    assert started.classes == NAMES
    assert started.image_shape == (3, 12, 12)
    assert any(event.bn > 0 for event in events if isinstance(event, GeneratorStep))
    assert next(event for event in events if isinstance(event, RoundSynthesized)).features.shape[1] == 5
    assert isinstance(going.student, Classifier)
    assert any(not torch.equal(start[name], value) for name, value in going.student.state_dict().items())
    assert made.training
    assert all(torch.equal(before[name], value) for name, value in made.state_dict().items())
    assert all(parameter.requires_grad for parameter in made.parameters())


def test_a_student_of_ones_own_is_trained_in_place():
    learner = network()
    before = copy.deepcopy(learner.last.weight)
    going = run(network(), student=learner)
    list(going.events())
    assert not torch.equal(before, learner.last.weight)
    assert going.student.network is learner


def test_layer_norm_alone_leaves_the_bn_term_out_and_an_event_says_so():
    events = list(run(network(norm=nn.LayerNorm)).events())
    # The BatchNorm that no image reaches holds nothing to match either.
    assert {event.bn for event in events if isinstance(event, GeneratorStep)} == {0.0}
    made = network(norm=nn.LayerNorm)
    del made.unused
    notes = [event.message for event in run(made).events() if isinstance(event, Note)]
    assert any("no BatchNorm, so there is no BN term" in note for note in notes)


def test_a_network_that_wants_larger_images_sees_them_enlarged():
    seen = []
    made = network()
    made.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape[-1]))
    teacher = own_teacher(made, NAMES, size=8, mean=(0.5,) * 3, std=(0.5,) * 3, resize_to=12)
    assert teacher.network(torch.rand(2, 3, 8, 8)).shape == (2, 3)
    assert set(seen) == {12}


class Answering(nn.Module):
    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, images):
        return self.answer(images)


@pytest.mark.parametrize(
    ("made", "changes", "kind", "sentence"),
    [
        (
            network(classes=4),
            {},
            ConfigError,
            r"^classes has 3 names, but the teacher has 4 outputs; name every output",
        ),
        (network(), {"size": 16}, ConfigError, r"^size=16 does not work: the teacher fails on images of \(3, 16, 16\)"),
        (network(), {"size": 65}, ConfigError, r"^size does not work \(.*64"),
        (network(), {"mean": (0.5,), "std": (0.5,)}, ConfigError, r"^size=12 does not work: .*\(1, 12, 12\)"),
        (network(), {"mean": (0.5, 0.5), "std": (1, 1)}, ConfigError, r"channels must be 1 or 3; 2 was given"),
        (network(), {"std": (0.5, 0.5, 0.0)}, ConfigError, r"those of std must be above 0"),
        (network(), {"student": "alexnet-16"}, ConfigError, r"^student must be one of .*'alexnet-16' was given"),
        (network(), {"rounds": 0}, ConfigError, r"^rounds must be a whole number from 1 to 100,000; 0 was given"),
        (
            Answering(lambda x: x.mean((1, 2, 3))),
            {},
            ConfigError,
            r"a tensor of \(2,\) for two images; it must return the logits",
        ),
        (Answering(lambda x: (x,)), {}, ConfigError, r"^the teacher's forward returns a tuple; it must return"),
        (Answering(lambda x: x[:, :, 0, 0] / 0), {}, AssetError, r"^the teacher's logits .* are not finite"),
    ],
)
def test_what_does_not_fit_is_one_sentence_before_any_training(made, changes, kind, sentence):
    with pytest.raises(kind, match=sentence) as refusal:
        run(made, **changes)
    assert len(str(refusal.value)) < 300
