"""The methods as data: each preset is a name, a paper and a config; nothing else knows a method's name."""

from __future__ import annotations

import math
from dataclasses import dataclass

from nayer.config import Config
from nayer.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Method:
    """A named point in the space of configs."""

    title: str
    paper: str
    summary: str  # one sentence for a person who picks a preset
    config: Config


def _pair(name: str, title: str, paper: str, summary: str, published: Config, **shrunk: object) -> dict[str, Method]:
    """A method twice: shrunk for two cores under its name, and with the published constants as `…-paper`."""
    small = Config.parse({**_SHRUNK, **shrunk}, published)
    return {
        name: Method(f"{title}, small version for two cores", paper, summary, small),
        f"{name}-paper": Method(
            f"{title}, full size",
            paper,
            f"{summary} Sizes are close to the paper's; it needs a GPU.",
            published,
        ),
    }


# What every method shares once it is shrunk: the sizes that decide what a step costs.
_SHRUNK: dict[str, object] = {
    "rounds": 60,
    "generator_width": 16,
    "synthesis_batch": 100,
    "student_batch": 128,
    "pool_capacity": 5000,
    "bank_capacity": 2000,
    "evaluate_every": 1,
    "report_every": 1,
    "held_back": 0.05,
}

# A generator of Gaussian noise alone, that is never reset: what NAYER's predecessors start from.
_NOISE = Config(
    latent="none",
    noisy_layer=False,
    noisy_reset_every=0,
    redraw="first layer",
    generator_reset_every=0,
    z_size=100,
    z_redraw="step",
    generator_width=64,
    generator_adam="kept",
    generator_beta1=0.9,
    generator_steps=1,
    generator_lr=1e-3,
    ce_weight=0.0,
    bn_weight=0.0,
    bn_momentum=0.0,
    adversarial_weight=0.0,
    adversarial_mask="none",
    warmup_rounds=0,
    pool_from_round=0,
    held_back=0.0,
    memory="online",
    keep="last",
    student_lr_end=0.0,
    temperature=1.0,
)

# CMI, Fast and NAYER keep a pool and teach the student alike.
_POOLED: dict[str, object] = {
    "memory": "pool",
    "keep": "best",
    "pool_from_round": 1,
    "pool_capacity": 160_000,
    "adversarial_mask": "agree",
    "student_batch": 512,
    "student_steps": 400,
    "student_lr": 0.2,
    "student_lr_end": 2e-4,
    "temperature": 20.0,
}

# A student that starts with random weights and learns fast on two cores (docs/speed.md).
_FAST_STUDENT: dict[str, object] = {
    "rounds": 30,
    "precision": "auto",
    "overlap": True,
    "noisy_width": 0,  # 25 for each class
    "generator_steps": 24,
    "student_lr": 0.1,
    "bent_share": 0.5,
}

# Images that a person can name (docs/images.md). With the published weights the colors saturate.
_CLEAR: dict[str, object] = {
    "bn_weight": 1.0,
    "total_variation_weight": 3.0,
    "adversarial_weight": 0.15,
    "generator_reset_every": 0,
}

_NAYER = "Tran et al., NAYER: Noisy Layer Data Generation, CVPR 2024, arXiv:2310.00258"

PRESETS: dict[str, Method] = {
    "nayer": Method(
        "NAYER, small version for two cores",
        paper=_NAYER,
        summary="The published method with a narrow generator, small batches and short phases. It takes a minute.",
        config=Config(),
    ),
    "nayer-paper": Method(
        "NAYER, full size",
        paper=_NAYER,
        summary=(
            "Constants of the paper for CIFAR-10, with embeddings of MiniLM instead of CLIP. It needs a GPU: a "
            "generator step takes about 4 s on two cores."
        ),
        config=Config(
            # E = 100: 20 warm-up epochs of 10 rounds, then 100 epochs of 2 rounds and 400 student steps
            rounds=400,
            warmup_rounds=200,
            student_every=2,
            student_steps=400,
            student_batch=512,
            student_lr=0.2,
            evaluate_every=2,
            generator_width=64,
            generator_steps=30,
            synthesis_batch=400,
            generator_reset_every=20,  # 10 epochs of 2 rounds
            warmup_generator_reset_every=100,  # 10 epochs of 10 rounds
            pool_capacity=160_000,  # the published pool has no bound: every round's 400 images
            pool_from_round=1,  # the published pool keeps round 0 too; its images have hardly learned
            held_back=0.0,
        ),
    ),
    "nayer-clear": Method(
        "NAYER, clear images",
        paper=_NAYER,
        summary=(
            "Smooth images in which a person sees what the teacher looks for. Made for teachers that learned from "
            "perturbed images. The student starts with random weights."
        ),
        config=Config.parse({**_FAST_STUDENT, **_CLEAR}),
    ),
    "nayer-turbo": Method(
        "NAYER, fastest student from random weights",
        paper=_NAYER,
        summary=(
            "The student learns at a high rate, beside the generator, from the images of all late steps; half of them "
            "are distorted."
        ),
        config=Config.parse({**_FAST_STUDENT, "keep": "all", "keep_from_step": 4}),
    ),
    "nayer-thinned": Method(
        "NAYER, student cut from the teacher",
        paper=_NAYER,
        summary=(
            "The student starts with a share of the teacher's channels, not with random weights: it is accurate before "
            "its first step. It also learns from the teacher's features."
        ),
        config=Config(
            precision="auto",
            noisy_width=0,  # 25 for each class
            generator_steps=24,
            student_start="thinned",
            student_lr=0.01,
            student_steps=60,
            hint_weight=2.0,
            bent_share=0.5,
            keep="all",
            keep_from_step=4,
        ),
    ),
    **_pair(
        "dafl",
        "DAFL",
        "Chen et al., Data-Free Learning of Student Networks, ICCV 2019",
        "The generator makes images that the teacher classifies with confidence, spread over all classes. It "
        "ignores the student.",
        Config.parse(
            {
                "rounds": 24_000,  # 200 epochs of 120 steps
                "report_every": 120,
                "evaluate_every": 120,
                "synthesis_batch": 512,
                "generator_lr": 0.02,
                "ce_weight": 1.0,
                "ce_target": "teacher",
                "balance_weight": 5.0 / math.log(10.0),  # published with log₁₀
                "activation_weight": 0.1,
                "student_steps": 1,
                "student_lr": 0.1,
            },
            _NOISE,
        ),
        generator_steps=1,
        rounds=3000,
        report_every=20,
        evaluate_every=20,
        generator_lr=8e-3,
        student_lr=0.1,
    ),
    **_pair(
        "zskt",
        "ZSKT",
        "Micaelli and Storkey, Zero-shot Knowledge Transfer via Adversarial Belief Matching, NeurIPS 2019",
        "The generator only searches for images on which the two networks disagree. The student also copies "
        "attention maps.",
        Config.parse(
            {
                "rounds": 8000,
                "report_every": 100,
                "evaluate_every": 100,
                "synthesis_batch": 128,
                "z_redraw": "round",  # reused for the ten student steps
                "gradient_clip": 5.0,
                "adversarial_weight": 1.0,
                "student_steps": 10,
                "student_optimizer": "adam",
                "student_lr": 2e-3,
                "weight_decay": 0.0,
                "attention_weight": 250.0,
            },
            _NOISE,
        ),
        rounds=1000,
        report_every=10,
        evaluate_every=10,
        student_lr=5e-3,
    ),
    **_pair(
        "dfad",
        "DFAD",
        "Fang et al., Data-Free Adversarial Distillation, 2019, arXiv:1912.11006",
        "Generator and student compete only over the L1 distance of the two networks' logits.",
        Config.parse(
            {
                "rounds": 25_000,  # 500 epochs of 50
                "report_every": 50,
                "evaluate_every": 50,
                "synthesis_batch": 256,
                "z_size": 256,
                "crop_share": 0.0,
                "flip": False,
                "adversarial_weight": 1.0,
                "adversarial_form": "l1",
                "student_steps": 5,
                "student_loss": "l1",
                "student_lr": 0.1,
                "student_lr_end": 0.1,  # no schedule
                "weight_decay": 5e-4,
            },
            _NOISE,
        ),
        report_every=20,
        evaluate_every=20,
        rounds=1500,
        generator_lr=0.01,
        student_lr=0.2,
        student_lr_end=0.0,  # a short run needs the cosine; the published one has no schedule
    ),
    **_pair(
        "dfq",
        "DFQ",
        "Choi et al., Data-Free Network Quantization with Adversarial Knowledge Distillation, CVPRW 2020",
        "Generator and student compete. Images must also match the BatchNorm statistics and have confident, evenly "
        "spread classes.",
        Config.parse(
            {
                "rounds": 8000,
                "report_every": 100,
                "evaluate_every": 100,
                "synthesis_batch": 256,
                "z_size": 512,
                "generator_beta1": 0.5,
                "warmup_rounds": 400,
                "entropy_weight": 0.01,
                "balance_weight": 0.01,
                "bn_weight": 0.01,
                "adversarial_weight": 1.0,
                "student_steps": 10,
                "student_lr": 0.1,
            },
            _NOISE,
        ),
        rounds=1000,
        warmup_rounds=20,
        report_every=10,
        evaluate_every=10,
        generator_lr=5e-3,
        student_lr=0.03,
    ),
    **_pair(
        "cmi",
        "CMI",
        "Fang et al., Contrastive Model Inversion for Data-Free Knowledge Distillation, IJCAI 2021",
        "Each round a new generator and trained noise make a batch. Its images must differ from all earlier ones.",
        Config.parse(
            {
                **_POOLED,
                "rounds": 200,
                "warmup_rounds": 20,
                "z_size": 256,
                "z_redraw": "round",
                "z_lr": 1e-3,
                "generator_init_std": 0.02,
                "generator_reset_every": 1,
                "warmup_generator_reset_every": 1,
                "generator_adam": "each round",
                "generator_beta1": 0.5,
                "generator_steps": 200,
                "synthesis_batch": 256,
                "ce_weight": 1.0,
                "bn_weight": 1.0,
                "adversarial_weight": 0.5,
                "contrastive_weight": 0.8,
                "contrastive_temperature": 0.1,
                "bank_capacity": 40_960,
                "student_lr": 0.1,
            },
            _NOISE,
        ),
        warmup_rounds=2,
        generator_steps=60,
        generator_lr=2e-3,
        z_lr=1e-2,
        student_steps=120,
        student_lr=0.03,
        pool_from_round=0,
    ),
    **_pair(
        "fast",
        "Fast",
        "Fang et al., Up to 100× Faster Data-free Knowledge Distillation, AAAI 2022",
        "The generator learns a good start (FOMAML) and needs only a few steps, with trained noise.",
        Config.parse(
            {
                **_POOLED,
                "rounds": 220,  # one an epoch
                "warmup_rounds": 20,
                "z_size": 256,
                "z_redraw": "round",
                "z_lr": 0.01,
                "noisy_reset_every": 140,  # once: before epoch 140 of 220
                "generator_adam": "each round",
                "generator_beta1": 0.5,
                "generator_steps": 10,
                "generator_lr": 2e-3,
                "meta_lr": 2e-2,  # generator_lr × generator_steps
                "synthesis_batch": 256,
                "ce_weight": 0.5,
                "bn_weight": 10.0,
                "bn_momentum": 0.9,
                "adversarial_weight": 1.33,
                "student_batch": 256,
            },
            _NOISE,
        ),
        warmup_rounds=5,  # a share of 20 of 220
        noisy_reset_every=38,  # a share of 140 of 220
        student_steps=20,
        student_lr=0.03,
    ),
}


def get(name: str) -> Method:
    """The preset of that name; ConfigError naming those that exist."""
    try:
        return PRESETS[name]
    except KeyError:
        raise ConfigError(f"preset must be one of {', '.join(PRESETS)}; {name[:60]!r} was given.") from None
