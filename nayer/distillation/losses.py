"""The terms of NAYER's objectives: pure functions, one term each, all minimized; and the test for divergence."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from nayer.common.parts import part
from nayer.networks.hooks import Statistics

CONTRASTIVE_TEMPERATURE = 0.1  # CMI's (Fang et al., 2021)
CURRICULUM_TEMPERATURE = 0.07  # AdaDFKD's
SUM_WEIGHT = 0.2  # of the sum of the logits beside their gap, in GapSSG
SMOOTHING = 0.1  # of the labels that CPNet's alignment asks for
DIVERGED = 1e30  # a larger loss does not come down again; float32 ends at 3.4e38


@part("losses")
def cross_entropy_loss(
    teacher_logits: Tensor, labels: Tensor, temperature: float = 1.0, second_share: Tensor | None = None
) -> Tensor:
    """Cross-entropy in nats of the teacher's logits (n, k) against the wanted labels (n,); no smoothing.

    It is computed at `temperature` and scaled by it. So the gradient persists if the label is already likely, and
    keeps its length if it is not. `second_share` (n,) in [0, 1] is the part of each target that goes to the teacher's
    second class.
    """
    logits = teacher_logits / temperature
    if second_share is None:
        return temperature * F.cross_entropy(logits, labels)
    second = teacher_logits.detach().scatter(1, labels[:, None], -torch.inf).argmax(dim=1)  # (n,)
    wanted, next_best = (F.cross_entropy(logits, target, reduction="none") for target in (labels, second))
    return temperature * torch.lerp(wanted, next_best, second_share).mean()


@part("losses")
def batchnorm_loss(batch: Statistics, running: Statistics) -> Tensor:
    """Σ over layers of ‖μ_running − μ‖₂ + ‖σ²_running − σ²‖₂ (Yin et al., 2020, eq. 4); at least one layer."""
    distances = [
        torch.linalg.vector_norm(real_mean - mean) + torch.linalg.vector_norm(real_variance - variance)
        for (mean, variance), (real_mean, real_variance) in zip(batch, running, strict=True)
    ]
    return torch.stack(distances).sum()


@part("losses")
def adversarial_loss(
    student_logits: Tensor, teacher_logits: Tensor, form: str = "kl", mask: str = "agree", temperature: float = 1.0
) -> Tensor:
    """Agreement of the two networks: the negative of a distance between their outputs (n, k), averaged over n.

    `form`: kl = KL(teacher ‖ student) in nats; reverse-kl = KL(student ‖ teacher), as in CPNet's code; l1 = the mean
    absolute difference of the logits (Fang et al., 2019). `temperature` softens both outputs of a KL, which is scaled
    by temperature² (AdaDFKD).
    `mask`: agree counts only images where both pick the same class, and the others add 0, as published (Fang et al.,
    2022, eq. 6); none counts all.
    Returns a scalar ≤ 0, with gradient through both networks.
    """
    if form == "l1":
        per_sample = (student_logits - teacher_logits).abs().mean(dim=1)
    else:
        student = F.log_softmax(student_logits / temperature, dim=1)
        teacher = F.log_softmax(teacher_logits / temperature, dim=1)
        of, to = (teacher, student) if form == "kl" else (student, teacher)
        divergence = F.kl_div(to, of, reduction="none", log_target=True).sum(dim=1)  # (n,)
        per_sample = temperature**2 * divergence
    if mask == "agree":
        per_sample = per_sample * (student_logits.argmax(dim=1) == teacher_logits.argmax(dim=1))
    loss: Tensor = -per_sample.mean()
    return loss


def gap_loss(student_logits: Tensor, teacher_logits: Tensor, labels: Tensor) -> Tensor:
    """(1 − w) · [CE((t − s) / 2, y) + 0.2 · CE(t + s, y)] in nats, w = exp(−mean max_c |p_t − p_s|).

    GapSSG's term (TPAMI 2024, as in its code; w has no gradient), of logits t and s (n, k) and wanted labels y (n,).
    The first part asks for images that the teacher knows and the student does not; the second, for images that both
    know. Returns a scalar ≥ 0, with gradient through both networks.
    """
    with torch.no_grad():
        apart = (F.softmax(teacher_logits, dim=1) - F.softmax(student_logits, dim=1)).abs().amax(dim=1).mean()
    gap = F.cross_entropy((teacher_logits - student_logits) / 2.0, labels)
    both = F.cross_entropy(teacher_logits + student_logits, labels)
    return (1.0 - torch.exp(-apart)) * (gap + SUM_WEIGHT * both)


def entropy_loss(teacher_logits: Tensor) -> Tensor:
    """Mean entropy in nats of the teacher's output for each image (n, k): low if it is sure (Choi et al., 2020)."""
    logarithms = F.log_softmax(teacher_logits, dim=1)
    return -(logarithms.exp() * logarithms).sum(dim=1).mean()


def information_entropy_loss(teacher_logits: Tensor, temperature: float = 1.0) -> Tensor:
    """Negative entropy in nats of the batch's mean prediction (n, k): −log k if all classes are equally frequent.

    DAFL's information-entropy term (Chen et al., 2019, eq. 7), which is published with log₁₀: there 1 is 2.303 here.
    `temperature` softens the predictions first (AdaDFKD). The mean is taken of logarithms: a class whose probability
    underflows to 0 would otherwise have a NaN gradient.
    """
    each = F.log_softmax(teacher_logits / temperature, dim=1)  # (n, k)
    logarithms = each.logsumexp(dim=0) - math.log(len(teacher_logits))  # (k,)
    return (logarithms.exp() * logarithms).sum()


def activation_loss(features: Tensor) -> Tensor:
    """Minus the mean absolute feature (n, f): real images activate a teacher more (Chen et al., 2019, eq. 6)."""
    return -features.abs().mean()


def total_variation_loss(images: Tensor) -> Tensor:
    """Mean absolute difference of neighboring pixels, down and across, of images (n, c, h, w) in [0, 1]."""
    down = (images[:, :, 1:] - images[:, :, :-1]).abs().mean()
    across = (images[:, :, :, 1:] - images[:, :, :, :-1]).abs().mean()
    return down + across


def contrastive_loss(views: Tensor, others: Tensor, new: int, temperature: float = CONTRASTIVE_TEMPERATURE) -> Tensor:
    """InfoNCE in nats (Fang et al., 2021, eq. 5): each view of an image must find the other view among all images.

    `views`, `others`: (n + m, p) unit vectors of the same images, the `new` ones first and m ≥ 0 earlier ones. As in
    the published code, the other views have no gradient, and the means over the n new and the m earlier images add up.
    """
    similarity = views @ others.detach().mT / temperature  # (n + m, n + m)
    found = F.cross_entropy(similarity, torch.arange(len(views), device=views.device), reduction="none")
    return found.mean() if new == len(views) else found[:new].mean() + found[new:].mean()


def curriculum_contrast_loss(query: Tensor, key: Tensor, negatives: Tensor, easiest: float, share: float) -> Tensor:
    """InfoNCE in nats, in which the negatives become harder (AdaDFKD): each query must find its key among them.

    `query`, `key`: (n, f) unit vectors of the same images in teacher and student; the keys have no gradient.
    `negatives`: (m, f) unit vectors, sorted by their similarity to a query: the `share` from `easiest` on counts.
    """
    positive = (query * key.detach()).sum(dim=1, keepdim=True)  # (n, 1)
    from_, count = int(easiest * len(negatives)), math.ceil(share * len(negatives))
    against = (query @ negatives.mT).sort(dim=1).values[:, from_ : from_ + count]  # (n, count)
    logits = torch.cat([positive, against], dim=1) / CURRICULUM_TEMPERATURE
    return F.cross_entropy(logits, torch.zeros(len(query), dtype=torch.int64, device=query.device))


def mirror_loss(stages: Sequence[Tensor], inputs: Sequence[Tensor], batch: Statistics, running: Statistics) -> Tensor:
    """Σ over nodes of the mean squared difference of a generator's stage and the teacher's input there (CPNet).

    The inputs (n, c, s, s) are brought from the statistics of the batch to those of real images, without gradient.
    Statistics: mean and variance (c,) of each node.
    """
    total = torch.zeros((), device=stages[0].device)
    nodes = zip(stages, inputs, batch, running, strict=True)
    for stage, entered, (mean, variance), (real_mean, real_variance) in nodes:
        scale = (real_variance / variance.detach().clamp_min(torch.finfo(torch.float32).tiny)).sqrt()
        shift = real_mean - scale * mean.detach()
        wanted = entered.detach().float() * scale[:, None, None] + shift[:, None, None]
        total = total + F.mse_loss(stage.float(), wanted)
    return total


def alignment_loss(features: Tensor, labels: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Mean |cos(f − (δ·y − b)·W⁺, 1·W⁺)|: how the features miss those of a label smoothed by 0.1 (CPNet).

    `features` (n, f) enter the teacher's last layer: `weight` (k, f), `bias` (k,). δ = ln(0.9 · (k − 1) / 0.1) is the
    logit of the smoothed label. All logits may be shifted by one number; the cosine measures this direction.
    """
    inverse = torch.linalg.pinv(weight.detach().float())  # (f, k)
    delta = math.log((1.0 - SMOOTHING) * (len(weight) - 1) / SMOOTHING)
    wanted = (delta * F.one_hot(labels, len(weight)) - bias.detach()) @ inverse.mT  # (n, f)
    along = inverse.sum(dim=1).expand_as(features)
    return F.cosine_similarity(features - wanted, along).abs().mean()


def attention_loss(student_maps: Sequence[Tensor], teacher_maps: Sequence[Tensor]) -> Tensor:
    """Attention transfer (Zagoruyko & Komodakis, 2017, eq. 2): Σ over stages of the mean squared difference of maps.

    A stage's activations (n, c, h, w) become a map: squared, averaged over channels, flattened, brought to length 1.
    """
    pairs = zip(student_maps, teacher_maps, strict=True)
    return torch.stack([(_attention(s) - _attention(t)).square().mean() for s, t in pairs]).sum()


def _attention(activations: Tensor) -> Tensor:
    return F.normalize(activations.square().mean(dim=1).flatten(1), dim=1)  # (n, h·w)


def hint_loss(student: Sequence[Tensor], teacher: Sequence[Tensor]) -> Tensor:
    """Σ over stages of the mean squared difference of activations, in units of the teacher's mean square.

    Hints (Romero et al., FitNets, 2015, eq. 3) for a student whose channels have counterparts, the teacher's first
    ones. So they need no regressor in between. Each pair: (n, c, …) and (n, C, …) with c ≤ C.
    """
    pairs = [(mine.float(), theirs[:, : mine.shape[1]].float()) for mine, theirs in zip(student, teacher, strict=True)]
    tiny = torch.finfo(torch.float32).tiny  # for channels that are always 0
    return torch.stack([F.mse_loss(s, t) / t.square().mean().clamp_min(tiny) for s, t in pairs]).sum()


def logit_l1_loss(student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
    """Mean absolute difference of the logits (n, k), which DFAD's student minimizes (Fang et al., 2019)."""
    return (student_logits - teacher_logits).abs().mean()


def distillation_loss(student_logits: Tensor, teacher_logits: Tensor, temperature: float) -> Tensor:
    """KL(teacher ‖ student) at `temperature`, in nats, scaled by temperature² (Hinton et al., 2015, §2.1).

    Both logits: (n, k), unnormalized. Returns a scalar ≥ 0, averaged over n.
    """
    student = F.log_softmax(student_logits / temperature, dim=1)  # (n, k) log-probabilities
    teacher = F.log_softmax(teacher_logits / temperature, dim=1)  # (n, k)
    return F.kl_div(student, teacher, reduction="batchmean", log_target=True) * temperature**2


def has_diverged(*sizes: float) -> bool:
    """Whether a loss or the length of a gradient is not finite, or so large that it soon will not be."""
    return not all(abs(size) < DIVERGED for size in sizes)
