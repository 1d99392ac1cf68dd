"""The terms and axes of the other methods: each equals what its formula gives by hand, and does what it says."""

import math

import pytest
import torch
from torch import nn

from nayer.common.stopwatch import Stopwatch
from nayer.config import Config, settings
from nayer.distillation.losses import (
    activation_loss,
    adversarial_loss,
    alignment_loss,
    attention_loss,
    contrastive_loss,
    curriculum_contrast_loss,
    entropy_loss,
    gap_loss,
    hint_loss,
    information_entropy_loss,
    logit_l1_loss,
    mirror_loss,
    total_variation_loss,
)
from nayer.distillation.optimizers import generator_learning_rate
from nayer.distillation.report import Report
from nayer.distillation.train import remember, synthesize
from nayer.errors import ConfigError
from nayer.events import Evaluated, LayerRedrawn, RoundSynthesized, StudentStep
from nayer.networks.classifiers import build
from nayer.networks.contrastive_head import Bank, StudentContrast, ViewContrast
from nayer.networks.generator import Latent
from nayer.networks.hooks import ActivationHooks
from nayer.networks.specs import ModelSpec
from nayer.presets import PRESETS
from tests.support.tiny import all_same, returned, tiny_config, tiny_run, tiny_state, tiny_task

TEACHER, STUDENT = [0.5, 0.5 - 1e-6], [0.75, 0.25]
NOISE_ALONE = {"latent": "none", "noisy_layer": False, "z_size": 6, "noisy_reset_every": 0, "redraw": "first layer"}


def logits(*rows: list[float]) -> torch.Tensor:
    return torch.tensor(rows).log()


def of(kind, events):
    return [event for event in events if isinstance(event, kind)]


def kl(p, q):
    return sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))


DISTANCES = {
    "kl": kl(TEACHER, STUDENT),
    "reverse-kl": kl(STUDENT, TEACHER),
    "l1": (math.log(0.75 / 0.5) + math.log(0.5 / 0.25)) / 2,
}


@pytest.mark.parametrize(("form", "distance"), DISTANCES.items())
def test_each_adversarial_form_is_the_negative_of_its_distance(form, distance):
    teacher, student = logits(TEACHER, [0.9, 0.1]), logits(STUDENT, [0.1, 0.9])
    agreed = adversarial_loss(student, teacher, form, "agree").item()
    assert agreed == pytest.approx(-distance / 2, abs=1e-5)
    everything = adversarial_loss(student, teacher, form, "none").item()
    other = adversarial_loss(student[1:], teacher[1:], form, "none").item()
    assert everything == pytest.approx((-distance + other) / 2, abs=1e-5)


@pytest.mark.parametrize("form", DISTANCES)
def test_each_adversarial_form_has_a_gradient_that_drives_the_networks_apart(form):
    teacher, student = logits([0.6, 0.4]).requires_grad_(), logits([0.9, 0.1])
    before = adversarial_loss(student, teacher, form, "none")
    before.backward()
    moved = (teacher - 0.1 * teacher.grad).detach()
    assert adversarial_loss(student, moved, form, "none") < before - 1e-4


def test_the_kl_forms_are_those_of_the_published_codes():
    """By hand, teacher (½, ½), student (¾, ¼): kldiv(s, t) in NAYER and Fast, kldiv(t, s) in CPNet."""
    teacher, student = logits([0.5, 0.5]), logits([0.75, 0.25])
    # ½ ln (½ / ¾) + ½ ln (½ / ¼) = −½ ln (¾), and ¾ ln (¾ / ½) + ¼ ln (¼ / ½) = ¾ ln 3 − ln 2
    assert adversarial_loss(student, teacher, "kl", "none").item() == pytest.approx(-0.143841)
    assert adversarial_loss(student, teacher, "reverse-kl", "none").item() == pytest.approx(-0.130812)


def test_a_temperature_softens_the_adversarial_kl_and_scales_it_by_its_square():
    """AdaDFKD's T = 3: logits (3 ln 3, 0) and (0, 0) become (¾, ¼) and (½, ½), and the KL counts nine times."""
    teacher, student = torch.tensor([[3.0 * math.log(3.0), 0.0]]), torch.zeros(1, 2)
    assert adversarial_loss(student, teacher, "kl", "none", 3.0).item() == pytest.approx(-9 * 0.130812, abs=1e-5)
    assert adversarial_loss(student, teacher, "reverse-kl", "none", 3.0).item() == pytest.approx(-1.294569, abs=1e-5)


def test_entropy_is_that_of_each_image_and_balance_that_of_the_batch():
    sure, unsure = logits([1 - 1e-6, 1e-6], [1e-6, 1 - 1e-6]), logits([0.5, 0.5], [0.5, 0.5])
    assert entropy_loss(sure).item() == pytest.approx(0.0, abs=1e-4)
    assert entropy_loss(unsure).item() == pytest.approx(math.log(2))
    assert information_entropy_loss(sure).item() == pytest.approx(-math.log(2), abs=1e-4)  # both classes as often
    assert information_entropy_loss(sure[:1]).item() == pytest.approx(0.0, abs=1e-4)  # one class alone


def test_activation_total_variation_and_imitation_by_hand():
    assert activation_loss(torch.tensor([[1.0, -3.0], [0.0, 4.0]])).item() == pytest.approx(-2.0)
    images = torch.tensor([[[[0.0, 1.0], [0.5, 0.5]]]])
    assert total_variation_loss(images).item() == pytest.approx(0.5 + 0.5)
    assert logit_l1_loss(torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, 4.0]])).item() == pytest.approx(1.5)


def test_contrast_is_cross_entropy_over_similarities():
    views = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    without_bank = contrastive_loss(views, views, 2, 0.5).item()
    assert without_bank == pytest.approx(math.log(1 + math.exp(-2.0)))
    all_views = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])  # the third: an earlier image like the first one
    like_another, alone = math.log(2 + math.exp(-2.0)), math.log(1 + 2 * math.exp(-2.0))
    expected = (like_another + alone) / 2 + like_another  # two new images, then the one of the bank
    assert contrastive_loss(all_views, all_views, 2, 0.5).item() == pytest.approx(expected)


def test_contrast_moves_the_local_views_alone():
    local, whole = (torch.eye(2).requires_grad_() for _ in range(2))
    contrastive_loss(local, whole, 2).backward()
    assert local.grad.abs().sum() > 0
    assert whole.grad is None


def test_the_bank_keeps_the_newest_vectors():
    bank = Bank(width=3, capacity=5)
    assert bank.remembered().shape == (0, 3)
    for start in (0.0, 4.0, 8.0):
        bank.remember(torch.arange(start, start + 4.0)[:, None].expand(4, 3))
    assert sorted(bank.remembered()[:, 0].tolist()) == [7.0, 8.0, 9.0, 10.0, 11.0]


def test_view_contrast_pairs_both_views_of_new_and_of_some_earlier_images():
    contrast, rng = ViewContrast(features=2, capacity=100), torch.Generator().manual_seed(0)
    contrast.bank.remember(torch.rand(100, 4, generator=rng))
    local, whole = contrast.pairs(torch.rand(3, 2, generator=rng), torch.rand(3, 2, generator=rng), rng)
    assert local.shape == whole.shape == (3 + 16 * 3, 256)
    torch.testing.assert_close(local.norm(dim=1), torch.ones(51))


def test_student_contrast_bridges_features_of_another_length():
    equal, longer = StudentContrast(3, 3, capacity=4), StudentContrast(3, 5, capacity=4)
    longer.draw(torch.Generator().manual_seed(0))
    assert torch.equal(equal.keys(torch.tensor([[0.0, 3.0, 4.0]])), torch.tensor([[0.0, 0.6, 0.8]]))
    torch.testing.assert_close(longer.keys(torch.rand(2, 5)).norm(dim=1), torch.ones(2))


def test_the_curriculum_goes_from_easy_to_hard_negatives():
    query = torch.tensor([[1.0, 0.0]])
    negatives = torch.tensor([[0.6, 0.8], [-1.0, 0.0], [0.0, 1.0]])  # similarities 0.6, −1, 0

    def expected(*similarities):
        return math.log(sum(math.exp((s - 1.0) / 0.07) for s in (1.0, *similarities)))

    easy = curriculum_contrast_loss(query, query, negatives, 0.0, 2 / 3).item()
    hard = curriculum_contrast_loss(query, query, negatives, 1 / 3, 2 / 3).item()
    assert easy == pytest.approx(expected(-1.0, 0.0), abs=1e-7)
    assert hard == pytest.approx(expected(0.0, 0.6), abs=1e-6)
    assert curriculum_contrast_loss(query, query, torch.empty(0, 2), 0.0, 0.8).item() == 0.0


def test_gap_by_hand():
    """Teacher (2, 0), student (0, 0), wanted 0: p = (σ(2), σ(−2)) against (½, ½); the gap is (1, 0), the sum (2, 0)."""
    teacher, student, wanted = torch.tensor([[2.0, 0.0]]), torch.zeros(1, 2), torch.tensor([0])
    apart = 1 / (1 + math.exp(-2.0)) - 0.5
    by_hand = (1 - math.exp(-apart)) * (math.log(1 + math.exp(-1.0)) + 0.2 * math.log(1 + math.exp(-2.0)))
    assert gap_loss(student, teacher, wanted).item() == pytest.approx(by_hand, rel=1e-6)
    assert gap_loss(teacher, teacher, wanted).item() == 0.0  # where they agree nothing is asked


def test_mirror_by_hand():
    """Inputs 1 and 3 have mean 2 and variance 1; brought to mean 10 and variance 4 they are 8 and 12."""
    inputs, stage = torch.tensor([1.0, 3.0]).view(2, 1, 1, 1), torch.tensor([8.0, 9.0]).view(2, 1, 1, 1)
    batch = [(torch.tensor([2.0]), torch.tensor([1.0]))]
    running = [(torch.tensor([10.0]), torch.tensor([4.0]))]
    entered = inputs.clone().requires_grad_()
    made = stage.clone().requires_grad_()
    loss = mirror_loss([made], [entered], batch, running)
    assert loss.item() == pytest.approx((0.0 + 9.0) / 2)
    loss.backward()
    assert entered.grad is None
    assert made.grad.flatten().tolist() == pytest.approx([0.0, -3.0])


def test_alignment_by_hand():
    """W = 1, b = 0, k = 2: δ = ln 9. Features (ln 9, 0) hit the label 0; (ln 9 + 1, 1) miss it along (1, 1)."""
    weight, bias, label = torch.eye(2), torch.zeros(2), torch.tensor([0])
    nine = math.log(9.0)
    along, across = (alignment_loss(torch.tensor([[nine + 1.0, x]]), label, weight, bias).item() for x in (1.0, -1.0))
    assert along == pytest.approx(1.0, abs=1e-5)
    assert across == pytest.approx(0.0, abs=1e-5)
    shifted = alignment_loss(torch.tensor([[nine + 0.5, 1.0]]), label, weight, torch.tensor([-0.5, -1.0]))
    assert shifted.item() == pytest.approx(0.0, abs=1e-5)  # a miss of zero length has no direction


def test_balance_softens_the_predictions_first():
    given = torch.tensor([[2.0, 0.0]])
    p = 1 / (1 + math.exp(-1.0))
    expected = p * math.log(p) + (1 - p) * math.log(1 - p)
    assert information_entropy_loss(given, 2.0).item() == pytest.approx(expected, rel=1e-6)


def test_attention_ignores_scale_and_sees_place():
    maps = torch.zeros(1, 2, 2, 2)
    maps[0, :, 0, 0] = 3.0
    elsewhere = maps.flip(3)
    assert attention_loss([maps], [maps * 5]).item() == pytest.approx(0.0, abs=1e-7)
    assert attention_loss([maps], [elsewhere]).item() == pytest.approx(2.0 / 4)


def test_hints_measure_how_far_the_first_channels_are_apart_in_units_of_the_teachers():
    mine, theirs = torch.zeros(1, 1, 2, 2), torch.full((1, 3, 2, 2), 2.0)
    theirs[:, 1:] = 100.0  # of channels that the student lacks nothing is asked
    assert hint_loss([mine], [theirs]).item() == pytest.approx(1.0)
    assert hint_loss([mine + 1.0], [theirs]).item() == pytest.approx(0.25)
    assert hint_loss([mine + 2.0, mine], [theirs, theirs]).item() == pytest.approx(0.0 + 1.0)
    assert hint_loss([7.0 * (mine + 1.0)], [7.0 * theirs]).item() == pytest.approx(0.25)  # whatever the unit
    features = torch.tensor([[1.0, 2.0, 2.0]])
    assert hint_loss([torch.tensor([[1.0, 1.0]])], [features]).item() == pytest.approx(0.5 / 2.5)
    assert hint_loss([mine], [torch.zeros_like(theirs)]).item() == 0.0
    assert hint_loss([mine.bfloat16() + 1.0], [theirs.bfloat16()]).dtype == torch.float32


def test_stages_are_read_at_every_side_and_the_hooks_leave():
    spec = ModelSpec(architecture="resnet8-4", channels=1, size=16, classes=3, mean=(0.5,), std=(0.5,))
    network = build(spec)
    with ActivationHooks(network) as stages:
        network(torch.rand(2, 1, 16, 16))
    shapes = {side: tuple(stages.at(side).shape) for side in stages.sides}
    assert shapes == {16: (2, 4, 16, 16), 8: (2, 8, 8, 8), 4: (2, 16, 4, 4), 1: (2, 16)}
    assert not any(layer._forward_hooks for layer in network.modules())


def test_latents_join_table_and_noise_as_they_say():
    table, labels = torch.eye(3), torch.tensor([2, 0])
    noise = torch.full((2, 3), 0.5)
    plain = Latent(table)
    # Each column of the table is 1, 0, 0: mean 1/3 and variance 2/9, so 0 becomes -1/sqrt(2) and 1 becomes sqrt(2).
    embeddings = torch.where(table[labels] == 1, 2.0, -1.0) / math.sqrt(2)
    torch.testing.assert_close(plain(labels, None), embeddings, atol=1e-4, rtol=0)
    assert plain.draw(2, torch.Generator(), torch.device("cpu")) is None
    joined = Latent(table, noise=3)
    torch.testing.assert_close(joined(labels, noise), torch.cat([embeddings, noise], dim=1), atol=1e-4, rtol=0)
    added = Latent(table, noise=1, combine="add")
    assert (added.noise, added.outputs) == (3, 3)
    torch.testing.assert_close(added(labels, noise), embeddings + noise, atol=1e-4, rtol=0)
    alone = Latent(None, noise=3)
    assert torch.equal(alone(labels, noise), noise)


SHARED = ("warmup_rounds", "adversarial_mask")  # what both runs have


@pytest.mark.parametrize(
    "changes",
    [
        # Every weight that is 0 by default: a new one is tried without an entry here.
        *(
            {one.name: 5.0, "warmup_rounds": 0}
            for one in settings()
            if one.group == "losses" and one.name.endswith("_weight") and one.default == 0.0
        ),
        {"contrastive_weight": 5.0, "contrastive_with": "student"},
        {"adversarial_form": "gap", "warmup_rounds": 0},
        {"adversarial_form": "reverse-kl", "warmup_rounds": 0, "adversarial_mask": "none"},
        {"adversarial_temperature": 3.0, "warmup_rounds": 0, "adversarial_mask": "none"},
    ],
    ids=str,
)
def test_each_further_term_reaches_the_loss_and_the_generator(changes):
    shared = {"warmup_rounds": 1} | {name: changes[name] for name in changes if name in SHARED}
    plain = of(RoundSynthesized, tiny_run(tiny_task(tiny_config(**shared))))
    with_term = of(RoundSynthesized, tiny_run(tiny_task(tiny_config(**{**shared, **changes}))))
    assert plain[-1].loss != with_term[-1].loss
    assert (plain[-1].images != with_term[-1].images).any()


PIXELS = {"latent": "none", "noisy_layer": False, "generator_width": 0, "noisy_reset_every": 0, "warmup_rounds": 0}


def test_pixels_are_the_noise_itself_and_learn():
    task = tiny_task(tiny_config(**PIXELS, z_lr=0.1, generator_steps=5, rounds=1, keep="last"))
    state = tiny_state(task)
    noise = torch.tensor([[0.0, 2.0, -8.0, *[0.0] * 61]])
    made = state.generator(torch.tensor([0]), noise)
    assert made.shape == (1, 1, 8, 8)
    assert made.flatten()[:3].tolist() == pytest.approx([0.5, 1.0, 0.0])  # ½ + ¼ z, clipped
    steps = [event.ce for event in tiny_run(task, state) if type(event).__name__ == "GeneratorStep"]
    assert steps[-1] < steps[0]


def test_a_generator_with_rate_0_stays_as_it_is_drawn_and_pixels_with_rate_0_stay_noise():
    task = tiny_task(tiny_config(generator_lr=0.0, generator_reset_every=0, rounds=2, noisy_reset_every=0))
    state = tiny_state(task)
    before = [weight.clone() for weight in state.generator.parameters()]
    list(tiny_run(task, state))
    assert all(torch.equal(a, b) for a, b in zip(before, state.generator.parameters(), strict=True))
    still = tiny_task(tiny_config(**PIXELS, z_lr=0.0, memory="online", z_redraw="step", rounds=2))
    assert of(StudentStep, tiny_run(still))


def test_a_mirrored_generator_has_the_teachers_shapes():
    task = tiny_task(tiny_config(mirror_weight=1.0))
    generator = tiny_state(task).generator
    (node,) = generator.head.nodes
    assert (node.channels, node.side) == (4, 8)  # the only BatchNorm of the tiny teacher
    assert generator(task.labels).shape == (7, 1, 8, 8)
    with pytest.raises(ConfigError, match="mirror_weight needs a teacher with BatchNorm"):
        tiny_state(tiny_task(tiny_config(mirror_weight=1.0), batchnorm=False))


def test_the_rest_of_a_batch_gets_labels_at_random():
    task, rng = tiny_task(), torch.Generator().manual_seed(0)
    drawn = torch.stack([task.drawn_labels(rng) for _ in range(60)])  # (60, 7) of three classes
    assert torch.equal(drawn[:, :6], task.labels[:6].expand(60, 6))
    assert set(drawn[:, 6].tolist()) == {0, 1, 2}
    whole = tiny_task(tiny_config(synthesis_batch=6))
    assert torch.equal(whole.drawn_labels(rng), whole.labels)


def test_no_student_learns_from_the_noise_of_a_held_back_image():
    config = tiny_config(**NOISE_ALONE, memory="online", z_redraw="round", pool_from_round=0, held_back=0.3)
    task = tiny_task(config)
    state = tiny_state(task)
    batch = returned(synthesize(task, state, Report(task, state, Stopwatch())))
    _, learned = remember(task, state, batch)
    held = state.held_back.images[: len(state.held_back)]
    assert (len(held), len(learned.noise)) == (2, 5)
    assert not (held[:, None] == learned.images[None]).flatten(2).all(dim=2).any()
    assert all((batch.noise == row).all(dim=1).any() for row in learned.noise)


def test_gradients_of_the_student_are_clipped_too():
    """A first step of SGD moves the weights by the rate times the length of the gradient."""
    shared = {"generator_reset_every": 0, "rounds": 2, "student_steps": 1, "weight_decay": 0.0}
    task = tiny_task(tiny_config(**shared, gradient_clip=1e-6))
    state = tiny_state(task)
    before = [weight.clone() for weight in state.student.parameters()]
    list(tiny_run(task, state))
    moved = sum((a - b).square().sum() for a, b in zip(before, state.student.parameters(), strict=True)).sqrt()
    assert 0.0 < moved.item() <= 1e-6 * task.config.student_lr * 1.01


@pytest.mark.parametrize(("share", "rate"), [(0.0, 0.4), (0.5, 0.2), (1.0, 0.0)])
def test_the_generators_rate_falls_along_a_cosine(share, rate):
    assert generator_learning_rate(tiny_config(generator_lr=0.4), share) == pytest.approx(rate, abs=1e-12)


def test_noise_makes_one_label_differ_without_a_noisy_layer():
    task = tiny_task(tiny_config(noisy_layer=False, noisy_reset_every=0, z_size=4))
    state = tiny_state(task)
    noise = state.generator.latent.draw(7, state.rng, task.device)
    images = state.generator(task.labels, noise)
    assert not torch.allclose(images[0], images[3])  # the same label, other noise
    assert torch.allclose(*state.generator(task.labels)[[0, 3]], atol=1e-6)  # without noise they are one


def test_trained_noise_moves_and_fixed_noise_stays():
    for rate, moves in ((0.1, True), (0.0, False)):
        task = tiny_task(tiny_config(**NOISE_ALONE, z_lr=rate, rounds=1, warmup_rounds=1, synthesis_batch=6))
        state = tiny_state(task)
        same = torch.Generator().set_state(state.rng.get_state())
        drawn = state.generator.latent.draw(task.config.synthesis_batch, same, task.device)
        batch = returned(synthesize(task, state, Report(task, state, Stopwatch())))
        assert torch.equal(drawn, batch.noise.detach()) is not moves


def test_redrawing_the_first_layer_leaves_noisy_layer_and_convolutions_alone():
    task = tiny_task()
    generator = tiny_state(task).generator
    before = {name: value.clone() for name, value in generator.named_parameters()}
    generator.redraw_first_layer(torch.Generator().manual_seed(3))
    changed = {name for name, value in generator.named_parameters() if not torch.equal(before[name], value)}
    assert changed == {"project.weight", "project.bias"}
    policy = tiny_config(redraw="first layer", noisy_reset_every=1, generator_reset_every=0, warmup_rounds=4)
    whats = [event.what for event in of(LayerRedrawn, tiny_run(tiny_task(policy)))]
    assert whats == ["generator", "first layer", "first layer", "first layer"]


def test_fomaml_moves_the_start_by_the_summed_gradients_of_its_copy():
    task = tiny_task(tiny_config(**NOISE_ALONE, meta_lr=0.05, rounds=1, warmup_rounds=1, generator_steps=1))
    state = tiny_state(task)
    before = [p.detach().clone() for p in state.generator.parameters()]
    list(tiny_run(task, state))
    moves = [(p - b).abs().max().item() for p, b in zip(state.generator.parameters(), before, strict=True)]
    # Adam's first step is the rate itself, whatever the gradient's size
    assert max(moves) == pytest.approx(0.05, rel=1e-3)


def test_a_kept_optimizer_lives_until_the_generator_is_rebuilt():
    task = tiny_task(tiny_config(generator_adam="kept", generator_reset_every=0, rounds=3, warmup_rounds=3))
    state = tiny_state(task)
    list(tiny_run(task, state))
    steps = next(iter(state.generator_adam.state.values()))["step"].item()
    assert steps == 9  # 3 rounds of 3


def test_online_students_need_no_pool():
    events = list(tiny_run(tiny_task(tiny_config(**NOISE_ALONE, memory="online", z_redraw="step"))))
    assert of(StudentStep, events)
    assert {e.pool_size for e in of(RoundSynthesized, events)} == {0}
    assert of(Evaluated, events)[-1].images > 0  # some images are held back all the same


def test_reports_can_be_fewer_without_changing_the_run():
    often = list(tiny_run(tiny_task()))
    seldom = list(tiny_run(tiny_task(tiny_config(report_every=2))))
    assert len(of(RoundSynthesized, seldom)) == 2
    assert all_same(of(StudentStep, often), of(StudentStep, seldom))


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"latent": "none"}, "latent=none leaves only noise as input"),
        ({"noisy_layer": False}, "redraw=noisy layer needs noisy_layer"),
        ({"generator_adam": "kept", "meta_lr": 0.1}, "generator_adam=kept does not work with"),
    ],
)
def test_settings_that_do_not_fit_each_other_are_named(values, says):
    with pytest.raises(ConfigError, match=says):
        Config.parse(values)


@pytest.mark.parametrize("name", sorted(name for name in PRESETS if PRESETS[name].config.adversarial_weight))
def test_every_adversarial_preset_pushes_its_generator(name):
    """Each published baseline's adversarial term has a gradient: in one published table three of them had none."""
    config = PRESETS[name].config
    task = tiny_task()
    student = tiny_state(task).student.eval()
    images = torch.rand(32, 1, 8, 8, requires_grad=True)
    if config.adversarial_form == "gap":
        loss = gap_loss(student(images), task.teacher(images), torch.arange(32) % 3)
    else:
        loss = adversarial_loss(student(images), task.teacher(images), config.adversarial_form, "none")
    loss.backward()
    assert images.grad.abs().sum() > 0
    assert isinstance(student, nn.Module)


@pytest.mark.parametrize("gap", [2.0, 104.0, 1000.0])
def test_balance_has_its_gradient_in_closed_form_also_where_a_class_underflows(gap):
    """Of two images (gap, 0) and (0, 0): p = (a + ½)/2 with a = σ(gap), and dL/dgap = a(1 − a)/2 · log(p / (1 − p))."""
    logits = torch.tensor([[gap, 0.0], [0.0, 0.0]], dtype=torch.float64, requires_grad=True)
    information_entropy_loss(logits).backward()
    a = 1.0 / (1.0 + math.exp(-gap))
    p = (a + 0.5) / 2.0
    expected = a * math.exp(-gap) / (1.0 + math.exp(-gap)) / 2.0 * math.log(p / (1.0 - p))
    assert logits.grad[0, 0].item() == pytest.approx(expected, rel=1e-9, abs=1e-30)
    alone = torch.tensor([[gap, 0.0]], requires_grad=True)
    information_entropy_loss(alone).backward()
    assert alone.grad.isfinite().all()
