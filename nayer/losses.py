"""The terms of NAYER's objectives: pure functions, one term each, all minimised."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from nayer.bn_statistics import Statistics


def label_loss(teacher_logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy in nats of the teacher's view (n, k) of images against the wanted labels (n,); no smoothing."""
    return F.cross_entropy(teacher_logits, labels)


def batchnorm_loss(batch: Statistics, running: Statistics) -> Tensor:
    """Σ over layers of ‖μ_running − μ‖₂ + ‖σ²_running − σ²‖₂ (Yin et al., 2020, eq. 4); at least one layer."""
    distances = [
        torch.linalg.vector_norm(real_mean - mean) + torch.linalg.vector_norm(real_variance - variance)
        for (mean, variance), (real_mean, real_variance) in zip(batch, running, strict=True)
    ]
    return torch.stack(distances).sum()


def adversarial_loss(student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
    """−KL(teacher ‖ student) in nats on the images where both pick the same class (Fang et al., 2022, eq. 6).

    Both logits: (n, k). Averaged over all n, as the published code does: images that already divide the two add 0.
    Returns a scalar ≤ 0, with gradient through both networks.
    """
    agree = student_logits.argmax(dim=1) == teacher_logits.argmax(dim=1)  # (n,)
    student = F.log_softmax(student_logits, dim=1)
    teacher = F.log_softmax(teacher_logits, dim=1)
    per_sample = F.kl_div(student, teacher, reduction="none", log_target=True).sum(dim=1)  # (n,)
    return -(per_sample * agree).mean()


def distillation_loss(student_logits: Tensor, teacher_logits: Tensor, temperature: float) -> Tensor:
    """KL(teacher ‖ student) at `temperature`, in nats, scaled by temperature² (Hinton et al., 2015, §2.1).

    Both logits: (n, k), unnormalised. Returns a scalar ≥ 0, averaged over n.
    """
    student = F.log_softmax(student_logits / temperature, dim=1)  # (n, k) log-probabilities
    teacher = F.log_softmax(teacher_logits / temperature, dim=1)  # (n, k)
    return F.kl_div(student, teacher, reduction="batchmean", log_target=True) * temperature**2
