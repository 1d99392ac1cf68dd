"""The methods as data: each preset is a name, a paper and a config. No other module knows a method's name."""

from __future__ import annotations

import math
from dataclasses import dataclass

from nayer.config import Config
from nayer.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Method:
    """A preset: a config with its title and its paper."""

    title: str
    paper: str
    summary: str  # one to three sentences, for a person who chooses a preset
    config: Config


def _pair(name: str, title: str, paper: str, summary: str, published: Config, **shrunk: object) -> dict[str, Method]:
    """A method twice: shrunk for two cores under its name, and with the published constants as `…-paper`."""
    small = Config.parse({**_SHRUNK, **shrunk}, published)
    return {
        name: Method(f"{title}, small version for two cores", paper, summary, small),
        f"{name}-paper": Method(
            f"{title}, full size",
            paper,
            f"{summary} Sizes are close to the paper's, so this needs a GPU.",
            published,
        ),
    }


# The small sizes, which decide how much time a step takes. The small version of each method has them.
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

# A generator whose only input is Gaussian noise, and that is never reset. The methods before NAYER start from it.
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

# The methods without a pool do not augment the images for the networks.
_PLAIN: dict[str, object] = {"crop_share": 0.0, "flip": False}

# CMI, Fast and NAYER have a pool, and train the student in the same way.
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

# Settings with which a student that starts with random weights learns fast on two cores (docs/speed.md).
_FAST_STUDENT: dict[str, object] = {
    "rounds": 30,
    "precision": "auto",
    "overlap": True,
    "noisy_width": 0,  # 25 for each class
    "generator_steps": 24,
    "student_lr": 0.1,
    "elastic_share": 0.5,
}

# Settings for images that a person can name (docs/images.md). With the published weights the colors saturate.
_CLEAR: dict[str, object] = {
    "bn_weight": 1.0,
    "total_variation_weight": 3.0,
    "adversarial_weight": 0.15,
    "generator_reset_every": 0,
}

_NAYER_PAPER = Config(
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
    pool_from_round=1,  # the published pool has the images of round 0 too, when the generator has learned little
    held_back=0.0,
)

# CMI and GapSSG: each round has a new generator and trained noise. The student trains from the first round on.
_INVERTED: dict[str, object] = {
    **_POOLED,
    "rounds": 200,
    "pool_from_round": 0,
    "z_size": 256,
    "z_redraw": "round",
    "z_lr": 1e-3,
    "generator_init_std": 0.02,
    "generator_reset_every": 1,
    "generator_adam": "each round",
    "generator_beta1": 0.5,
    "generator_steps": 200,
    "synthesis_batch": 256,
    "student_batch": 128,
    "student_lr": 0.1,
    "student_lr_end": 0.0,
}

# The settings in which CPNet differs from NAYER. The small version also mixes the student's images (CutMix). The
# published code mixes the images from which the generator's losses are computed.
_COUPLED: dict[str, object] = {"mirror_weight": 1.0, "align_weight": 1.33}

# The controls: one generator step a round, and the generator is not trained.
_UNTRAINED: dict[str, object] = {
    **_SHRUNK,
    "generator_lr": 0.0,
    "generator_adam": "each round",
    "pool_from_round": 0,
}

_NAYER = "Tran et al., NAYER: Noisy Layer Data Generation, CVPR 2024, arXiv:2310.00258"
_CPNET = (
    "Chen et al., Coupling the Generator with Teacher for Effective Data-Free Knowledge Distillation (CPNet), ICCV "
    "2025; its published code does not run"
)

PRESETS: dict[str, Method] = {
    "nayer": Method(
        "NAYER, small version for two cores",
        paper=_NAYER,
        summary="The published method with a narrow generator, small batches and short phases. A run takes a minute.",
        config=Config(),
    ),
    "nayer-paper": Method(
        "NAYER, full size",
        paper=_NAYER,
        summary=(
            "The paper's constants for CIFAR-10, with embeddings of MiniLM instead of CLIP. This needs a GPU: on two "
            "cores a generator step takes about 4 s."
        ),
        config=_NAYER_PAPER,
    ),
    "nayer-clear": Method(
        "NAYER, clear images",
        paper=_NAYER,
        summary=(
            "Smooth images: a person sees what the teacher looks for. This preset is for teachers that learned from "
            "perturbed images. The student starts with random weights."
        ),
        config=Config.parse({**_FAST_STUDENT, **_CLEAR}),
    ),
    "nayer-turbo": Method(
        "NAYER, fast student from random weights",
        paper=_NAYER,
        summary=(
            "The student has a high learning rate and trains at the same time as the generator. It learns from the "
            "images of all late generator steps, and half of them are distorted."
        ),
        config=Config.parse({**_FAST_STUDENT, "keep": "all", "keep_from_step": 4}),
    ),
    "nayer-thinned": Method(
        "NAYER, student cut from the teacher",
        paper=_NAYER,
        summary=(
            "The student starts with a part of the teacher's channels instead of random weights, so it is accurate "
            "before its first step. It also learns from the teacher's features."
        ),
        config=Config(
            precision="auto",
            noisy_width=0,  # 25 for each class
            generator_steps=24,
            student_start="thinned",
            student_lr=0.01,
            student_steps=60,
            hint_weight=2.0,
            elastic_share=0.5,
            keep="all",
            keep_from_step=4,
        ),
    ),
    "cpnet": Method(
        "CPNet, small version for two cores",
        paper=_CPNET,
        summary=(
            "NAYER with a generator that has the teacher's stages in reverse order, with similar features. The student "
            "also learns from mixed images (CutMix)."
        ),
        config=Config.parse({**_COUPLED, "cutmix_share": 0.5}),
    ),
    "cpnet-paper": Method(
        "CPNet, full size",
        paper=_CPNET,
        summary="NAYER's sizes with the generator and the loss terms of CPNet's code. This needs a GPU.",
        config=Config.parse({**_COUPLED, "adversarial_form": "reverse-kl"}, _NAYER_PAPER),
    ),
    **_pair(
        "dafl",
        "DAFL",
        "Chen et al., Data-Free Learning of Student Networks, ICCV 2019",
        "The teacher must classify the images with confidence, equally many of each class. The student has no "
        "influence.",
        Config.parse(
            {
                **_PLAIN,
                "rounds": 100_000,  # the most that a run may have; published: 2000 epochs of 120 steps
                "report_every": 120,
                "evaluate_every": 120,
                "synthesis_batch": 1024,
                "z_size": 1000,
                "z_redraw": "round",  # the student learns from the batch of the generator's step
                "generator_lr": 0.02,
                "ce_weight": 0.05,
                "ce_target": "teacher",
                "balance_weight": 5.0 / math.log(10.0),  # published with log₁₀
                "activation_weight": 0.01,
                "student_steps": 1,
                "student_lr": 0.1,
                "weight_decay": 5e-4,
            },
            _NOISE,
        ),
        rounds=3000,
        report_every=20,
        evaluate_every=20,
        z_size=100,  # a tenth, like the batch
        generator_lr=8e-3,
        student_lr=0.1,
    ),
    **_pair(
        "zskt",
        "ZSKT",
        "Micaelli and Storkey, Zero-shot Knowledge Transfer via Adversarial Belief Matching, NeurIPS 2019",
        "The generator searches for images on which teacher and student disagree. The student also learns attention.",
        Config.parse(
            {
                **_PLAIN,
                "rounds": 80_000,
                "report_every": 800,
                "evaluate_every": 800,
                "synthesis_batch": 128,
                "z_redraw": "round",  # reused for the ten student steps
                "generator_cosine": True,
                # Published with a KL that is a tenth of ours for ten classes: clip 5, attention 250.
                "gradient_clip": 50.0,
                "attention_weight": 2500.0,
                "adversarial_weight": 1.0,
                "student_steps": 10,
                "student_optimizer": "adam",
                "student_lr": 2e-3,
                "weight_decay": 0.0,
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
        "The generator increases the L1 distance between the logits of teacher and student, and the student "
        "decreases it.",
        Config.parse(
            {
                **_PLAIN,
                "rounds": 25_000,  # 500 epochs of 50
                "report_every": 50,
                "evaluate_every": 50,
                "synthesis_batch": 256,
                "z_size": 256,
                "adversarial_weight": 1.0,
                "adversarial_form": "l1",
                "student_steps": 5,
                "student_loss": "l1",
                "student_lr": 0.1,
                "generator_cosine": True,  # published: both rates fall to a hundredth, in two steps
                "weight_decay": 5e-4,
            },
            _NOISE,
        ),
        report_every=20,
        evaluate_every=20,
        rounds=1500,
        generator_lr=0.01,
        generator_cosine=False,  # the small version's rate was tuned without it
        student_lr=0.2,
    ),
    **_pair(
        "dfq",
        "DFQ",
        "Choi et al., Data-Free Network Quantization with Adversarial Knowledge Distillation, CVPRW 2020",
        "Teacher and student must disagree on the images, which match BatchNorm statistics and are equally many of "
        "each class.",
        Config.parse(
            {
                **_PLAIN,
                "rounds": 8000,  # 200 epochs of 40
                "report_every": 100,
                "evaluate_every": 100,
                "synthesis_batch": 256,
                "z_size": 256,
                "generator_beta1": 0.5,
                "ce_weight": 1.0,
                "ce_target": "teacher",
                "balance_weight": 20.0,
                "bn_weight": 1.0,
                "adversarial_weight": 1.0,
                "student_steps": 10,
                "student_lr": 0.1,
            },
            _NOISE,
        ),
        rounds=1000,
        report_every=10,
        evaluate_every=10,
        generator_lr=5e-3,
        student_lr=0.03,
    ),
    **_pair(
        "cmi",
        "CMI",
        "Fang et al., Contrastive Model Inversion for Data-Free Knowledge Distillation, IJCAI 2021",
        "Each round has a new generator and trained noise. Its images must differ from each other and from earlier "
        "ones.",
        Config.parse(
            {
                **_INVERTED,
                "ce_weight": 1.0,
                "bn_weight": 1.0,
                "adversarial_weight": 0.5,
                "contrastive_weight": 0.8,
                "bank_capacity": 40_960,
            },
            _NOISE,
        ),
        generator_steps=60,
        generator_lr=2e-3,
        z_lr=1e-2,
        student_batch=64,  # half of a round's images
        student_steps=120,  # two for each generator step
        student_lr=0.03,
        bank_capacity=400,  # 4 batches, not 160: with 160, the comparison would cost more than the networks
    ),
    **_pair(
        "gapssg",
        "GapSSG",
        "Wang et al., Unpacking the Gap Box Against Data-Free Knowledge Distillation (GapSSG), TPAMI 2024",
        "Each round has a new generator. It makes images for which the logits of teacher and student differ.",
        Config.parse(
            {
                **_INVERTED,
                "z_lr": 2e-3,
                "generator_lr": 2e-3,
                "bn_weight": 1.0,
                "adversarial_weight": 0.5,
                "adversarial_form": "gap",
                "adversarial_mask": "none",
                "student_steps": 402,  # the mean of the published 4, 8 … 800
                "student_lr": 0.2,
            },
            _NOISE,
        ),
        generator_steps=60,
        generator_lr=4e-3,
        z_lr=1e-2,
        student_batch=64,
        student_steps=120,
        student_lr=0.03,
    ),
    **_pair(
        "fast",
        "Fast",
        "Fang et al., Up to 100× Faster Data-free Knowledge Distillation, AAAI 2022",
        "Meta-learning (FOMAML) finds initial weights from which the generator needs only a few steps. The noise is "
        "trained too.",
        Config.parse(
            {
                **_POOLED,
                "rounds": 220,  # one an epoch
                "warmup_rounds": 20,
                "z_size": 256,
                "z_redraw": "round",
                "z_lr": 0.01,
                "noisy_reset_every": 139,  # once: before the 140th round of 220
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
        noisy_reset_every=38,  # a share of 139 of 220
        student_steps=20,
        student_lr=0.03,
    ),
    **_pair(
        "deepinversion",
        "DeepInversion",
        "Yin et al., Dreaming to Distill: Data-free Knowledge Transfer via DeepInversion, CVPR 2020",
        "There is no generator. The pixels of each batch start as noise and are trained for many steps.",
        Config.parse(
            {
                **_POOLED,
                "adversarial_mask": "none",
                "pool_from_round": 0,
                "generator_width": 0,  # pixels
                "rounds": 200,
                "z_redraw": "round",
                "z_lr": 0.1,
                "generator_adam": "each round",
                "generator_beta1": 0.5,
                "generator_steps": 1000,
                "synthesis_batch": 256,
                "ce_weight": 1.0,
                "bn_weight": 10.0,
                "total_variation_weight": 1e-3,
                "student_batch": 256,
                "student_lr": 0.1,
                "student_lr_end": 0.0,
            },
            _NOISE,
        ),
        generator_width=0,
        generator_steps=120,
        student_steps=48,  # 400 for 1000 generator steps
        student_lr=0.05,
    ),
    **_pair(
        "adadfkd",
        "AdaDFKD",
        "Li et al., AdaDFKD: Exploring Adaptive Inter-Sample Relationship in Data-Free Knowledge Distillation",
        "The teacher's features of an image must differ from the student's features of earlier images. These become "
        "similar.",
        Config.parse(
            {
                **_PLAIN,
                "rounds": 20_000,  # 500 epochs of 40
                "report_every": 200,
                "evaluate_every": 200,
                "synthesis_batch": 1024,
                "z_size": 512,
                "generator_init_std": 0.02,
                "ce_weight": 1.0,
                "ce_target": "teacher",
                "balance_weight": 20.0,
                "balance_temperature": 20.0,
                "bn_weight": 1.0,
                "adversarial_weight": 1.0,
                "adversarial_temperature": 3.0,
                "contrastive_weight": 0.1,
                "contrastive_with": "student",
                "bank_capacity": 8192,
                "student_steps": 10,
                "student_lr": 0.1,
                "temperature": 20.0,
            },
            _NOISE,
        ),
        rounds=1000,
        report_every=10,
        evaluate_every=10,
        generator_lr=5e-3,
        # The small version follows an earlier script of the same repository (14e6706).
        adversarial_weight=0.3,
        adversarial_temperature=1.0,
        adversarial_mask="agree",
        bank_capacity=1600,  # 16 batches
        student_lr=0.03,
    ),
    "untrained": Method(
        "Control: a generator that is never trained",
        paper="no paper: a control",
        summary=(
            "Each round draws a new generator and uses its images without any training. The student's accuracy here "
            "shows how much it learns without a trained generator."
        ),
        config=Config.parse(
            {
                **_UNTRAINED,
                "generator_reset_every": 1,
                "warmup_generator_reset_every": 1,
                "z_redraw": "round",
                "memory": "pool",
                "temperature": 20.0,
                "student_steps": 80,
                "student_lr": 0.05,
                "student_lr_end": 2e-4,
            },
            _NOISE,
        ),
    ),
    "noise": Method(
        "Control: noise as images",
        paper=(
            "Raikwar and Mishra, Discovering and Overcoming Limitations of Noise-engineered Data-free Knowledge "
            "Distillation, NeurIPS 2022"
        ),
        summary=(
            "The images are Gaussian noise, and there is no generator. The teacher uses the BatchNorm statistics of "
            "the batch."
        ),
        config=Config.parse(
            {
                **_UNTRAINED,
                **_PLAIN,
                "generator_width": 0,
                "memory": "online",
                "teacher_statistics": "batch",
                "student_steps": 80,
                "student_optimizer": "adam",
                "student_lr": 1e-3,
                "weight_decay": 0.0,
                "temperature": 20.0,
            },
            _NOISE,
        ),
    ),
}


def get(name: str) -> Method:
    """The preset with that name. Raises ConfigError, which names all presets."""
    try:
        return PRESETS[name]
    except KeyError:
        raise ConfigError(f"preset must be one of {', '.join(PRESETS)}; {name[:60]!r} was given.") from None
