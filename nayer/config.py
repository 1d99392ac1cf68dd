"""One strict, frozen model of all settings of a run; the command line, the page and the reference read it.

A field is declared once, with its help, unit, bounds and group. Defaults are the preset `nayer`'s: the
published method with its convolutions shrunk for two CPU cores; `presets` holds the published constants.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

from nayer.earlier_versions import RENAMED_SETTINGS, with_present_names, without_retired
from nayer.errors import ConfigError
from nayer.settings import Setting, describe, sentence, setting
from nayer.text_rules import text_error

MAX_SEED = 2**31 - 1
GROUPS = {
    "run": "The run and its length",
    "source": "The input of the generator",
    "noisy layer": "The noisy layer",
    "generator": "The generator and its training",
    "losses": "The losses of the generator",
    "pool": "The pool of synthesized images",
    "student": "The student and its training",
}


class Config(BaseModel):
    """All settings of a run. On one CPU thread the same config gives the same events, unless a time limit ends the run.

    Several threads add numbers in a different order each time. Then losses differ, at first in about the seventh digit.

    >>> nayer.Config.parse({"rounds": 5}, base=nayer.presets.get("dfq").config).rounds
    5
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    # --- run ---------------------------------------------------------------------------------------------------
    teacher: str = setting(
        "emoji10",
        group="run",
        level=1,
        decides_inputs=True,
        max_length=256,
        fixed=True,
        help=(
            "The teacher: the name of a shipped teacher, the folder of a teacher, or owner/name of a model on the Hub."
        ),
        symbol="T",
        place="teachers/find.py:find_teacher",
    )
    student: str = setting(
        "",
        group="run",
        level=2,
        max_length=64,
        fixed=True,
        help=(
            "Architecture of the student, such as lenet-8. Empty: the smaller architecture that the teacher's card "
            "names."
        ),
        symbol="S",
        place="networks/cards.py:student_spec",
    )
    seed: int = setting(
        0,
        group="run",
        level=1,
        low=0,
        high=MAX_SEED,
        fixed=True,
        help="Random seed. On one thread and without a time limit, the same seed and settings repeat a run exactly.",
        place="runs/run.py:open_run",
    )
    rounds: int = setting(
        60,
        group="run",
        level=1,
        resumable=True,
        unit="rounds",
        low=1,
        high=100_000,
        help="Number of rounds. Each round re-draws the noisy layer and adds one batch of images to the pool.",
        place="distillation/train.py:_rounds",
    )
    seconds: float = setting(
        0.0,
        group="run",
        level=2,
        resumable=True,
        unit="s",
        low=0.0,
        high=864_000.0,
        help=(
            "Time limit of the run; 0 means no limit. The run cannot be repeated exactly. The learning rate follows "
            "the planned rounds, not the time."
        ),
        place="distillation/train.py:_rounds",
    )
    work: float = setting(
        0.0,
        group="run",
        level=2,
        resumable=True,
        unit="10⁹ multiply-adds",
        low=0.0,
        high=1e9,
        help=(
            "Limit of the multiply-adds of all networks, in billions; 0 means no limit. Unlike a time limit, it ends "
            "the run after the same step on every machine."
        ),
        place="distillation/train.py:_is_cut",
    )
    device: Literal["auto", "cpu", "cuda"] = setting(
        "auto",
        group="run",
        decides_inputs=True,
        resumable=True,
        fixed=True,
        help="Device for the computation; auto uses a GPU if there is one.",
        place="networks/execution.py:device",
    )
    precision: Literal["float32", "bfloat16", "auto"] = setting(
        "float32",
        group="run",
        fixed=True,
        help="Compute type: float32, or bfloat16 by autocast; auto uses bfloat16 where the device supports it.",
        place="networks/execution.py:autocast",
    )
    compiled: bool = setting(
        False,
        group="run",
        fixed=True,
        help="Compile student and generator with torch.compile. This takes minutes; steps on a GPU are then faster.",
        place="networks/execution.py:compile_networks",
    )
    overlap: bool = setting(
        False,
        group="run",
        level=2,
        fixed=True,
        help=(
            "Train the student on images of earlier rounds while the generator makes the next batch. This uses two "
            "cores."
        ),
        place="distillation/train.py:synthesize_beside_student",
    )
    evaluate_every: int = setting(
        1,
        group="run",
        resumable=True,
        unit="rounds",
        low=1,
        high=10_000,
        help=(
            "Number of rounds between two evaluations of the student. More rounds between them save time; the "
            "accuracy curve has fewer points."
        ),
        place="distillation/train.py:_rounds",
    )
    test_data: str = setting(
        "",
        group="run",
        decides_inputs=True,
        resumable=True,
        max_length=1024,
        fixed=True,
        help="Labeled test images, for the accuracy curve only: a folder per class, zip, parquet or Hub id.",
        place="runs/run.py:_evaluator",
    )
    test_images: int = setting(
        2000,
        group="run",
        decides_inputs=True,
        resumable=True,
        unit="images",
        low=1,
        high=1_000_000,
        fixed=True,
        help="Largest number of test images, chosen evenly from the test split.",
        place="runs/run.py:_evaluator",
    )

    # --- source ------------------------------------------------------------------------------------------------
    latent: Literal["lte", "one-hot", "random", "shuffled", "none"] = setting(
        "lte",
        group="source",
        level=1,
        rebuilds_generator=True,
        help=(
            "Input of the generator for each class: label-text embeddings (lte), one of three control tables "
            "(one-hot, random, shuffled), or none (noise alone)."
        ),
        symbol="e_y",
        place="embeddings/label_table.py:label_table",
    )
    encoder: str = setting(
        "sentence-transformers/all-MiniLM-L6-v2",
        group="source",
        max_length=1024,
        fixed=True,
        help="Text encoder that makes the embeddings: a Hub id or a local folder.",
        place="embeddings/text_encoder.py:embed",
    )
    prompt: str = setting(
        "a photo of a {}",
        group="source",
        max_length=200,
        fixed=True,
        help="Text that the encoder reads. Each class name replaces {}.",
        place="embeddings/label_table.py:prompted",
    )

    z_size: int = setting(
        0,
        group="source",
        level=2,
        rebuilds_generator=True,
        unit="numbers",
        low=0,
        high=4096,
        help="Size of the Gaussian noise vector of each image, in addition to the embedding; 0 means no noise.",
        symbol="z",
        place="networks/generator.py:Latent.draw",
    )
    z_combine: Literal["concat", "add"] = setting(
        "concat",
        group="source",
        level=2,
        rebuilds_generator=True,
        help="Append the noise to the embedding, or add it. Added noise always has the size of the embedding.",
        symbol="z",
        place="networks/generator.py:Latent.forward",
    )
    z_redraw: Literal["round", "step"] = setting(
        "round",
        group="source",
        help="When new noise is drawn: once a round, or at each generator step.",
        symbol="z",
        place="distillation/train.py:synthesize",
    )
    z_lr: float = setting(
        0.0,
        group="source",
        low=0.0,
        high=1.0,
        help="Learning rate of Adam for the noise; 0 means that the noise is not trained.",
        place="distillation/train.py:_noise",
    )

    # --- noisy layer -------------------------------------------------------------------------------------------
    noisy_layer: bool = setting(
        True,
        group="noisy layer",
        rebuilds_generator=True,
        help="Put a noisy layer between the embeddings and the generator.",
        symbol="Z",
        place="networks/noisy_layer.py:NoisyLayer",
    )
    noisy_width: int = setting(
        1000,
        group="noisy layer",
        rebuilds_generator=True,
        unit="units",
        low=0,
        high=8192,
        help="Outputs of the noisy layer. 0 means 25 per class (64 to 1,000 in all), which is faster with few classes.",
        place="networks/noisy_layer.py:outputs",
    )
    noisy_reset_every: int = setting(
        1,
        group="noisy layer",
        level=2,
        unit="rounds",
        low=0,
        high=100_000,
        help="Number of rounds between two re-draws of the layer that the setting redraw names; 0 means no re-draws.",
        place="distillation/train.py:redraw",
    )
    redraw: Literal["noisy layer", "first layer"] = setting(
        "noisy layer",
        group="noisy layer",
        level=2,
        help="The layer that is re-drawn: the noisy layer, or the linear layer in front of the convolutions.",
        place="distillation/train.py:redraw",
    )
    routing: Literal["k-to-1", "1-to-1", "single"] = setting(
        "k-to-1",
        group="noisy layer",
        level=2,
        rebuilds_generator=True,
        help=(
            "Number of noisy layers: one for each set of all classes (k-to-1), one per image (1-to-1), or one for the "
            "whole batch (single)."
        ),
        symbol="K-to-1",
        place="networks/noisy_layer.py:group_size",
    )

    # --- generator ---------------------------------------------------------------------------------------------
    generator_width: int = setting(
        16,
        group="generator",
        unit="channels",
        low=0,
        high=512,
        fixed=True,
        help=(
            "Base channels of the generator; the paper has 64. 0 means that there is no generator network: the noise "
            "is the image."
        ),
        symbol="G",
        place="networks/generator.py:Generator",
    )
    generator_reset_every: int = setting(
        20,
        group="generator",
        level=2,
        unit="rounds",
        low=0,
        high=100_000,
        help=(
            "Number of rounds between two resets of the generator; 0 means no resets. A reset draws all of its "
            "weights again."
        ),
        place="distillation/train.py:redraw",
    )
    warmup_generator_reset_every: int = setting(
        0,
        group="generator",
        unit="rounds",
        low=0,
        high=100_000,
        help="Number of rounds between two resets of the generator during the warm-up; 0 means no resets.",
        place="distillation/train.py:redraw",
    )
    generator_steps: int = setting(
        12,
        group="generator",
        unit="steps",
        low=1,
        high=2000,
        help=(
            "Optimizer steps of the generator per round, on the same labels and noisy layers. More steps lower the "
            "losses and take more time."
        ),
        symbol="g",
        place="distillation/train.py:synthesize",
    )
    generator_lr: float = setting(
        4e-3,
        group="generator",
        low=0.0,
        high=1.0,
        help="Learning rate of the generator's Adam; 0 means that the generator is not trained.",
        place="distillation/optimizers.py:generator_optimizer",
    )
    generator_cosine: bool = setting(
        False,
        group="generator",
        help="Decrease the generator's learning rate along a cosine, to 0 at the end of the run.",
        place="distillation/optimizers.py:generator_learning_rate",
    )
    generator_adam: Literal["each round", "kept"] = setting(
        "each round",
        group="generator",
        help="When the generator gets a new Adam: each round, or only after a reset (kept).",
        place="distillation/train.py:_generator_adam",
    )
    generator_init_std: float = setting(
        0.0,
        group="generator",
        rebuilds_generator=True,
        low=0.0,
        high=1.0,
        help=(
            "Standard deviation of the generator's initial weights, which come from N(0, std²); 0 means PyTorch's "
            "default."
        ),
        place="networks/generator.py:Generator",
    )
    gradient_clip: float = setting(
        0.0,
        group="generator",
        low=0.0,
        high=1000.0,
        help=(
            "Largest gradient norm of the generator, and of the student; longer gradients are scaled down to it. 0 "
            "means no limit."
        ),
        place="distillation/train.py:synthesize",
    )
    meta_lr: float = setting(
        0.0,
        group="generator",
        low=0.0,
        high=1.0,
        fixed=True,
        help=(
            "Learning rate of meta-learning (FOMAML); 0 means off. Each round trains a copy of the generator, and the "
            "generator learns weights from which a copy needs few steps."
        ),
        place="distillation/optimizers.py:meta_optimizer",
    )
    generator_beta1: float = setting(
        0.5,
        group="generator",
        low=0.0,
        high=0.9999,
        help="Decay rate β₁ of the first moment of the generator's Adam. A higher value averages over more steps.",
        symbol="β₁",
        place="distillation/optimizers.py:_adam",
    )
    synthesis_batch: int = setting(
        100,
        group="generator",
        rebuilds_generator=True,
        unit="images",
        low=1,
        high=4096,
        help="Images per round; at least one per class.",
        place="distillation/task.py:Task.labels",
    )
    warmup_rounds: int = setting(
        2,
        group="generator",
        unit="rounds",
        low=0,
        high=10_000,
        help="Number of rounds before the training of the student starts. These rounds only fill the pool.",
        place="distillation/train.py:_student_is_due",
    )
    crop_share: float = setting(
        0.125,
        group="generator",
        unit="× side",
        low=0.0,
        high=0.5,
        help="Padding of the random crop of the images that both networks get. A higher value shifts the images more.",
        place="distillation/augmentation.py:crop_and_flip",
    )
    flip: bool = setting(
        True,
        group="generator",
        help="Flip images left to right at random, if the teacher's card says that a flipped image keeps its class.",
        place="distillation/augmentation.py:crop_and_flip",
    )

    # --- losses ------------------------------------------------------------------------------------------------
    ce_weight: float = setting(
        0.5,
        group="losses",
        level=2,
        unit="× loss",
        low=0.0,
        high=100.0,
        help="Weight of the cross-entropy of the teacher's prediction against the target label.",
        symbol="α_ce",
        place="distillation/losses.py:cross_entropy_loss",
    )
    ce_target: Literal["label", "teacher"] = setting(
        "label",
        group="losses",
        help="Target label: the class that was asked for, or the class that the teacher predicts.",
        symbol="ŷ",
        place="distillation/train.py:generator_objective",
    )
    ce_temperature: float = setting(
        1.0,
        group="losses",
        low=1.0,
        high=100.0,
        help=(
            "Softmax temperature of the cross-entropy term. Above 1, an image that is already likely to have its "
            "class still gives a gradient."
        ),
        place="distillation/losses.py:cross_entropy_loss",
    )
    ce_boundary: float = setting(
        0.0,
        group="losses",
        unit="× target",
        low=0.0,
        high=1.0,
        help=(
            "Largest share of the target that goes to the teacher's second class; each image gets a random share up "
            "to it. Above 0, images lie between two classes."
        ),
        place="distillation/losses.py:cross_entropy_loss",
    )
    entropy_weight: float = setting(
        0.0,
        group="losses",
        unit="× loss",
        low=0.0,
        high=100.0,
        help=(
            "Weight of the entropy of the teacher's prediction for each image. A higher weight asks for more "
            "confident predictions."
        ),
        place="distillation/losses.py:entropy_loss",
    )
    balance_weight: float = setting(
        0.0,
        group="losses",
        unit="× loss",
        low=0.0,
        high=100.0,
        help=(
            "Weight of the term that asks for batches with equally many images of each class, as the teacher predicts "
            "them."
        ),
        place="distillation/losses.py:information_entropy_loss",
    )
    balance_temperature: float = setting(
        1.0,
        group="losses",
        low=0.1,
        high=1000.0,
        help="Softmax temperature of the teacher's predictions in the term of balance_weight.",
        symbol="τ",
        place="distillation/losses.py:information_entropy_loss",
    )
    activation_weight: float = setting(
        0.0,
        group="losses",
        unit="× loss",
        low=0.0,
        high=100.0,
        help="Weight of the term that asks for large activations in the teacher.",
        place="distillation/losses.py:activation_loss",
    )
    bn_weight: float = setting(
        10.0,
        group="losses",
        level=2,
        unit="× loss",
        low=0.0,
        high=1000.0,
        help="Weight of the distance between the statistics of the images and the teacher's BatchNorm statistics.",
        symbol="α_bn",
        place="distillation/losses.py:batchnorm_loss",
    )
    bn_momentum: float = setting(
        0.9,
        group="losses",
        low=0.0,
        high=0.999,
        help=(
            "Share of the average over earlier rounds in the statistics of the images. 0 means that only the present "
            "batch counts."
        ),
        place="networks/hooks.py:ema",
    )
    adversarial_weight: float = setting(
        1.33,
        group="losses",
        level=2,
        unit="× loss",
        low=0.0,
        high=100.0,
        help="Weight of the adversarial term: it asks for images on which student and teacher differ.",
        symbol="α_adv",
        place="distillation/losses.py:adversarial_loss",
    )
    adversarial_form: Literal["kl", "reverse-kl", "l1", "gap"] = setting(
        "kl",
        group="losses",
        help=(
            "Form of the adversarial term: KL(teacher ‖ student), KL(student ‖ teacher) (reverse-kl), L1 distance of "
            "the logits, or GapSSG's two losses (gap)."
        ),
        symbol="L_adv",
        place="distillation/losses.py:adversarial_loss",
    )
    adversarial_temperature: float = setting(
        1.0,
        group="losses",
        low=0.1,
        high=1000.0,
        help=(
            "Softmax temperature of the adversarial KL divergence, which is multiplied by the square of the "
            "temperature."
        ),
        symbol="τ",
        place="distillation/losses.py:adversarial_loss",
    )
    adversarial_mask: Literal["agree", "none"] = setting(
        "agree",
        group="losses",
        help=(
            "Images that the adversarial term counts: only those for which both networks predict the same class, or "
            "all."
        ),
        symbol="ω",
        place="distillation/losses.py:adversarial_loss",
    )
    contrastive_weight: float = setting(
        0.0,
        group="losses",
        unit="× loss",
        low=0.0,
        high=100.0,
        fixed=True,
        help=(
            "Weight of the contrastive term: it asks for images that differ from others, among them those of the "
            "memory bank."
        ),
        place="distillation/losses.py:contrastive_loss",
    )
    contrastive_with: Literal["views", "student"] = setting(
        "views",
        group="losses",
        fixed=True,
        help=(
            "What the contrastive term compares with earlier images: two views of an image in the teacher, or an "
            "image in teacher and student."
        ),
        place="distillation/contrast.py:new_contrast",
    )
    bank_capacity: int = setting(
        4096,
        group="losses",
        unit="images",
        low=1,
        high=1_000_000,
        fixed=True,
        help="Number of earlier images in the memory bank of the contrastive term.",
        place="networks/contrastive_head.py:Bank",
    )
    total_variation_weight: float = setting(
        0.0,
        group="losses",
        unit="× loss",
        low=0.0,
        high=1000.0,
        help=(
            "Weight of the total variation: the mean difference of neighboring pixels. A higher weight gives smoother "
            "images."
        ),
        place="distillation/losses.py:total_variation_loss",
    )
    mirror_weight: float = setting(
        0.0,
        group="losses",
        unit="× loss",
        low=0.0,
        high=1000.0,
        fixed=True,
        help=(
            "Weight of the mirror term. Above 0, the generator has the teacher's stages in reverse order, and the "
            "features of each stage must be like the teacher's."
        ),
        place="networks/mirrored.py:MirroredHead",
    )
    align_weight: float = setting(
        0.0,
        group="losses",
        unit="× loss",
        low=0.0,
        high=1000.0,
        help="Weight of the alignment term: it asks for features of the teacher that belong to a smoothed label.",
        place="distillation/losses.py:alignment_loss",
    )

    # --- pool --------------------------------------------------------------------------------------------------
    memory: Literal["pool", "online"] = setting(
        "pool",
        group="pool",
        help="Images that the student learns from: those of the pool, or new ones for each of its steps.",
        symbol="M",
        place="distillation/train.py:_images",
    )
    keep: Literal["best", "last", "all"] = setting(
        "best",
        group="pool",
        help="Which batch of a round enters the pool: the one with the lowest loss, the last, or all.",
        symbol="M",
        place="distillation/train.py:synthesize",
    )
    keep_from_step: int = setting(
        0,
        group="pool",
        unit="steps",
        low=0,
        high=2000,
        help="With keep=all: the first step whose images enter the pool. Images of early steps show little.",
        place="distillation/train.py:synthesize",
    )
    pool_from_round: int = setting(
        1,
        group="pool",
        unit="rounds",
        low=0,
        high=1000,
        help="The first round whose images enter the pool. The generator has learned little in round 0.",
        symbol="M",
        place="distillation/train.py:remember",
    )
    pool_capacity: int = setting(
        5000,
        group="pool",
        unit="images",
        low=1,
        high=1_000_000,
        fixed=True,
        help="Largest number of images in the pool. The newest replace the oldest.",
        symbol="M",
        place="distillation/image_pool.py:Pool",
    )
    held_back: float = setting(
        0.05,
        group="pool",
        unit="× batch",
        low=0.0,
        high=0.5,
        help="Share of each batch that the student never learns from. Agreement with the teacher is measured on it.",
        place="distillation/evaluation.py:HeldBack",
    )

    # --- student -----------------------------------------------------------------------------------------------
    student_start: Literal["fresh", "thinned"] = setting(
        "fresh",
        group="student",
        fixed=True,
        help=(
            "Initial weights of the student: random (fresh), or a part of the teacher's channels (thinned), which only "
            "a narrower copy of the teacher can have."
        ),
        symbol="S",
        place="distillation/state.py:starts_thinned",
    )
    student_every: int = setting(
        1,
        group="student",
        unit="rounds",
        low=1,
        high=1000,
        help="Number of rounds between two training phases of the student.",
        place="distillation/train.py:_student_is_due",
    )
    student_steps: int = setting(
        80,
        group="student",
        unit="steps",
        low=1,
        high=10_000,
        help="Optimizer steps of the student per training phase.",
        place="distillation/train.py:distill",
    )
    student_batch: int = setting(
        128,
        group="student",
        unit="images",
        low=1,
        high=4096,
        help="Images per student step.",
        place="distillation/train.py:_images",
    )
    elastic_share: float = setting(
        0.0,
        group="student",
        unit="× batch",
        low=0.0,
        high=1.0,
        help="Share of the images of a step that get a random elastic distortion; 0 means none.",
        place="distillation/augmentation.py:elastic_distortion",
    )
    cutmix_share: float = setting(
        0.0,
        group="student",
        unit="× batch",
        low=0.0,
        high=1.0,
        help="Share of the images of a step that get a rectangle of another image; 0 means none.",
        place="distillation/augmentation.py:cutmix",
    )
    teacher_statistics: Literal["stored", "batch"] = setting(
        "stored",
        group="student",
        help=(
            "BatchNorm statistics that the teacher uses when it labels the student's images: its stored ones, or "
            "those of the batch."
        ),
        place="distillation/evaluation.py:batch_statistics",
    )
    student_loss: Literal["kl", "l1"] = setting(
        "kl",
        group="student",
        help="Loss of the student: KL divergence from the teacher, or L1 distance of the logits.",
        symbol="L_KL",
        place="distillation/train.py:_student_loss",
    )
    attention_weight: float = setting(
        0.0,
        group="student",
        unit="× loss",
        low=0.0,
        high=10_000.0,
        help="Weight of attention transfer: the student's attention maps follow the teacher's.",
        place="distillation/losses.py:attention_loss",
    )
    hint_weight: float = setting(
        0.0,
        group="student",
        unit="× loss",
        low=0.0,
        high=1000.0,
        help=(
            "Weight of the hint term: the student's activations follow the teacher's. It acts only on a student that "
            "is a narrower copy of the teacher."
        ),
        place="distillation/losses.py:hint_loss",
    )
    student_optimizer: Literal["sgd", "adam"] = setting(
        "sgd",
        group="student",
        fixed=True,
        help="Optimizer of the student: SGD with momentum, or Adam.",
        place="distillation/optimizers.py:student_optimizer",
    )
    student_lr: float = setting(
        0.05,
        group="student",
        low=1e-6,
        high=10.0,
        help="Learning rate of the student at the start of its cosine schedule.",
        place="distillation/optimizers.py:cosine",
    )
    student_lr_end: float = setting(
        2e-4,
        group="student",
        low=0.0,
        high=10.0,
        help="Learning rate of the student at the end of its cosine schedule.",
        place="distillation/optimizers.py:cosine",
    )
    weight_decay: float = setting(
        1e-4,
        group="student",
        low=0.0,
        high=1.0,
        fixed=True,
        help="Weight decay of the student's optimizer. A higher value keeps the weights smaller.",
        place="distillation/optimizers.py:student_optimizer",
    )
    temperature: float = setting(
        20.0,
        group="student",
        low=0.1,
        high=1000.0,
        help=(
            "Softmax temperature of the distillation loss. A higher value makes the teacher's probabilities more equal."
        ),
        symbol="τ",
        place="distillation/losses.py:distillation_loss",
    )

    # --- events ------------------------------------------------------------------------------------------------
    report_every: int = setting(
        1,
        group="run",
        unit="rounds",
        low=1,
        high=100_000,
        help=(
            "Number of rounds between two rounds whose images and measures are reported. More rounds between them "
            "save time."
        ),
        place="distillation/train.py:_rounds",
    )
    event_every: int = setting(
        1,
        group="run",
        resumable=True,
        unit="steps",
        low=1,
        high=1000,
        help="Number of steps between two steps whose losses are reported. Each of them copies numbers off the device.",
        place="distillation/train.py:synthesize",
    )

    @model_validator(mode="before")
    @classmethod
    def _of_this_version(cls, values: Any) -> Any:
        return without_retired(values) if isinstance(values, Mapping) else values

    @field_validator("prompt")
    @classmethod
    def _prompt_has_a_place(cls, prompt: str) -> str:
        if prompt.count("{}") != 1:
            raise ValueError("has exactly one {} where the class name goes")
        return prompt

    @model_validator(mode="after")
    def _parts_fit(self) -> Config:
        if self.latent == "none" and not ((self.z_size or not self.generator_width) and not self.noisy_layer):
            raise ValueError("latent=none leaves only noise as input; use z_size above 0 and switch noisy_layer off.")
        if not self.generator_width and (self.latent != "none" or self.mirror_weight or self.meta_lr):
            raise ValueError(
                "generator_width=0 makes the noise the image; use latent=none, mirror_weight=0 and meta_lr=0."
            )
        if self.overlap and (self.memory == "online" or self.compiled):
            raise ValueError("overlap does not work with memory=online or compiled; use memory=pool and compiled off.")
        if self.generator_adam == "kept" and (self.z_lr or self.meta_lr):
            raise ValueError("generator_adam=kept does not work with z_lr or meta_lr; use generator_adam=each round.")
        if self.redraw == "noisy layer" and not self.noisy_layer and self.noisy_reset_every:
            raise ValueError("redraw=noisy layer needs noisy_layer; switch it on, or use noisy_reset_every=0.")
        return self

    @classmethod
    def parse(cls, values: Mapping[str, object], base: Config | None = None) -> Config:
        """Returns `base` (or the defaults) changed by `values`, checked. Drops retired settings of stored configs.

        Raises ConfigError in one sentence that names the field, the value and the allowed values.
        """
        if wrong := text_error(dict(values), "settings"):
            raise ConfigError(wrong)
        merged = {**(base.model_dump() if base else {}), **with_present_names(values, RENAMED_SETTINGS)}
        try:
            return cls.model_validate(merged)
        except ValidationError as error:
            raise ConfigError(sentence(error, settings())) from None

    def changed(self, values: Mapping[str, object]) -> Config:
        """Returns this config changed by `values`, for a run that continues.

        Raises ConfigError for a value that does not work, and for a field that a run cannot change after its start.
        """
        after = Config.parse(values, self)
        for field in settings():
            value = getattr(after, field.name)
            if field.fixed and value != getattr(self, field.name):
                excerpted = repr(value)[:60]
                raise ConfigError(f"{field.name}={excerpted} cannot change during a run; start a new run with it.")
        return after

    @property
    def looks_inside(self) -> bool:
        """Whether the student learns from more than the outputs of its teacher."""
        return self.attention_weight > 0.0 or self.hint_weight > 0.0

    @property
    def student_phases(self) -> int:
        """How often the student trains in a whole run: every `student_every` rounds after the warm-up."""
        return max(0, self.rounds - self.warmup_rounds) // self.student_every


def settings() -> list[Setting]:
    """Every field of `Config`, in order."""
    return list(_settings())


@cache
def _settings() -> tuple[Setting, ...]:
    return tuple(describe(Config))  # cached: a study of a thousand methods calls it a thousand times
