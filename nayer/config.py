"""One strict, frozen model of all settings of a run; the command line, the page and the reference read it.

A field is declared once, with its help, unit, bounds and group. Defaults are the preset `nayer`'s: the
published method with its convolutions shrunk for two CPU cores; `methods` holds the published constants.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

from nayer.errors import ConfigError
from nayer.retired_settings import without_retired
from nayer.settings import Setting, describe, sentence, setting
from nayer.text_rules import complaint

MAX_SEED = 2**31 - 1
GROUPS = {
    "run": "What runs, and how long",
    "source": "The input of the generator",
    "noisy layer": "The noisy layer",
    "generator": "The generator and its training",
    "losses": "What the generator minimizes",
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
        help="Name of a shipped teacher, the folder of a teacher, or owner/name of a model on the Hub.",
        symbol="T",
        place="teachers/find.py:find_teacher",
    )
    student: str = setting(
        "",
        group="run",
        level=2,
        max_length=64,
        fixed=True,
        help="Architecture of the student, such as lenet-8. Empty: the teacher's own choice, a smaller network.",
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
        help="Number of rounds. Each re-draws the noisy layer and adds one batch of images to the pool.",
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
        help="Time limit. The run stops after the step in progress; 0 means no limit. Such a run cannot be repeated.",
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
            "Limit of the counted multiply-adds of all networks, in billions; 0 means no limit. Unlike seconds, it "
            "is the same on every machine."
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
        place="common/device.py:device",
    )
    precision: Literal["float32", "bfloat16", "auto"] = setting(
        "float32",
        group="run",
        fixed=True,
        help="Compute type: float32, or bfloat16 by autocast; auto uses bfloat16 where the device supports it.",
        place="networks/precision.py:autocast",
    )
    compiled: bool = setting(
        False,
        group="run",
        fixed=True,
        help="Compile student and generator with torch.compile. This takes minutes; steps on a GPU are then faster.",
        place="networks/compiling.py:compile_networks",
    )
    overlap: bool = setting(
        False,
        group="run",
        level=2,
        fixed=True,
        help="Train the student on earlier rounds while the generator makes the next batch. This uses two cores.",
        place="distillation/train.py:synthesize_beside_student",
    )
    evaluate_every: int = setting(
        1,
        group="run",
        resumable=True,
        unit="rounds",
        low=1,
        high=10_000,
        help="Number of rounds between two evaluations of the student.",
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
        help="Fixed input of the generator: label-text embeddings, a control table, or none (noise alone).",
        symbol="e_y",
        place="embeddings/label_table.py:label_table",
    )
    encoder: str = setting(
        "sentence-transformers/all-MiniLM-L6-v2",
        group="source",
        max_length=1024,
        fixed=True,
        help="Text encoder: a Hub id or a local folder.",
        place="embeddings/text_encoder.py:embed",
    )
    prompt: str = setting(
        "a photo of a {}",
        group="source",
        max_length=200,
        fixed=True,
        help="Prompt. Each class name replaces {}.",
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
        help="Size of the Gaussian noise vector per image, in addition to the embedding; 0 means no noise.",
        symbol="z",
        place="networks/generator.py:Latent.draw",
    )
    z_combine: Literal["concat", "add"] = setting(
        "concat",
        group="source",
        level=2,
        rebuilds_generator=True,
        help="Append the noise to the embedding, or add it. Added noise must have the size of the embedding.",
        symbol="z",
        place="networks/generator.py:Latent.forward",
    )
    z_redraw: Literal["round", "step"] = setting(
        "round",
        group="source",
        help="Draw new noise each round, or each generator step.",
        symbol="z",
        place="distillation/train.py:synthesize",
    )
    z_lr: float = setting(
        0.0,
        group="source",
        low=0.0,
        high=1.0,
        help="Learning rate of Adam for the noise; 0 leaves the noise as drawn.",
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
        help="Outputs of the noisy layer; 0 means 25 per class, which is faster with few classes.",
        place="networks/noisy_layer.py:outputs",
    )
    noisy_reset_every: int = setting(
        1,
        group="noisy layer",
        level=2,
        unit="rounds",
        low=0,
        high=100_000,
        help="Number of rounds between two re-draws; 0 means never.",
        place="distillation/train.py:redraw",
    )
    redraw: Literal["noisy layer", "first layer"] = setting(
        "noisy layer",
        group="noisy layer",
        level=2,
        help="Which layer is re-drawn: the noisy layer, or the linear layer in front of the convolutions.",
        place="distillation/train.py:redraw",
    )
    routing: Literal["k-to-1", "1-to-1", "single"] = setting(
        "k-to-1",
        group="noisy layer",
        level=2,
        rebuilds_generator=True,
        help="One noisy layer for each set of all classes, one per image, or one for the whole batch.",
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
        help="Base channels of the generator. The published one has 64; 0 means no network: the noise is the pixels.",
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
        help="Number of rounds between two rebuilds of the whole generator; 0 means never.",
        place="distillation/train.py:redraw",
    )
    warmup_generator_reset_every: int = setting(
        0,
        group="generator",
        unit="rounds",
        low=0,
        high=100_000,
        help="Number of rounds between two rebuilds during warm-up; 0 means never.",
        place="distillation/train.py:redraw",
    )
    generator_steps: int = setting(
        12,
        group="generator",
        unit="steps",
        low=1,
        high=2000,
        help="Optimizer steps of the generator per round, on the same labels and noisy layers.",
        symbol="g",
        place="distillation/train.py:synthesize",
    )
    generator_lr: float = setting(
        4e-3,
        group="generator",
        low=0.0,
        high=1.0,
        help="Learning rate of the generator's Adam; 0 means the generator stays as it is drawn.",
        place="distillation/optimizers.py:generator_optimizer",
    )
    generator_cosine: bool = setting(
        False,
        group="generator",
        help="Lower the generator's learning rate along a cosine to 0 at the end of the run.",
        place="distillation/optimizers.py:generator_learning_rate",
    )
    generator_adam: Literal["each round", "kept"] = setting(
        "each round",
        group="generator",
        help="Create a new Adam each round, or keep one until the next rebuild.",
        place="distillation/train.py:_generator_adam",
    )
    generator_init_std: float = setting(
        0.0,
        group="generator",
        rebuilds_generator=True,
        low=0.0,
        high=1.0,
        help="Weights start from N(0, std²); 0 means PyTorch's default.",
        place="networks/generator.py:Generator",
    )
    gradient_clip: float = setting(
        0.0,
        group="generator",
        low=0.0,
        high=1000.0,
        help="Largest gradient norm of the generator, and of the student; 0 means no limit.",
        place="distillation/train.py:synthesize",
    )
    meta_lr: float = setting(
        0.0,
        group="generator",
        low=0.0,
        high=1.0,
        fixed=True,
        help=(
            "Meta learning rate (FOMAML): each round trains a copy, and the generator learns a good start for it; 0 "
            "means off."
        ),
        place="distillation/optimizers.py:meta_optimizer",
    )
    generator_beta1: float = setting(
        0.5,
        group="generator",
        low=0.0,
        high=0.9999,
        help="First-moment decay of the generator's Adam.",
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
        help="Number of rounds before the student starts. These rounds only fill the pool.",
        place="distillation/train.py:_student_is_due",
    )
    crop_share: float = setting(
        0.125,
        group="generator",
        unit="× side",
        low=0.0,
        high=0.5,
        help="Padding of the random crop of the images that teacher and student get.",
        place="distillation/augmentation.py:crop_and_flip",
    )
    flip: bool = setting(
        True,
        group="generator",
        help="Flip images at random, if a flipped image keeps its class.",
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
        help="Weight of the cross-entropy of the teacher against the target label.",
        symbol="α_ce",
        place="distillation/losses.py:cross_entropy_loss",
    )
    ce_target: Literal["label", "teacher"] = setting(
        "label",
        group="losses",
        help="Target label: the wanted class, or the class that the teacher predicts.",
        symbol="ŷ",
        place="distillation/train.py:generator_objective",
    )
    ce_temperature: float = setting(
        1.0,
        group="losses",
        low=1.0,
        high=100.0,
        help="Softmax temperature of the cross-entropy term. Above 1 the gradient persists once the label is likely.",
        place="distillation/losses.py:cross_entropy_loss",
    )
    ce_boundary: float = setting(
        0.0,
        group="losses",
        unit="× target",
        low=0.0,
        high=1.0,
        help="Largest target probability of the teacher's second class, for images between two classes; 0 means none.",
        place="distillation/losses.py:cross_entropy_loss",
    )
    entropy_weight: float = setting(
        0.0,
        group="losses",
        unit="× loss",
        low=0.0,
        high=100.0,
        help="Weight of the entropy of the teacher's prediction for each image.",
        place="distillation/losses.py:entropy_loss",
    )
    balance_weight: float = setting(
        0.0,
        group="losses",
        unit="× loss",
        low=0.0,
        high=100.0,
        help="Weight of the term that spreads a batch evenly over the classes.",
        place="distillation/losses.py:information_entropy_loss",
    )
    balance_temperature: float = setting(
        1.0,
        group="losses",
        low=0.1,
        high=1000.0,
        help="Softmax temperature of the teacher's predictions in the term that spreads a batch over the classes.",
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
        help="Weight of the distance to the teacher's BatchNorm statistics.",
        symbol="α_bn",
        place="distillation/losses.py:batchnorm_loss",
    )
    bn_momentum: float = setting(
        0.9,
        group="losses",
        low=0.0,
        high=0.999,
        help="Share of the running average in the matched batch statistics, from the second round on.",
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
            "Adversarial term: KL divergence of student from teacher or of teacher from student, L1 distance of their "
            "logits, or GapSSG's loss on the gap and the sum of their logits."
        ),
        symbol="L_adv",
        place="distillation/losses.py:adversarial_loss",
    )
    adversarial_temperature: float = setting(
        1.0,
        group="losses",
        low=0.1,
        high=1000.0,
        help="Softmax temperature of an adversarial KL divergence, which is scaled by its square.",
        symbol="τ",
        place="distillation/losses.py:adversarial_loss",
    )
    adversarial_mask: Literal["agree", "none"] = setting(
        "agree",
        group="losses",
        help="Images that the adversarial term counts: only those for which both predict the same class, or all.",
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
        help="Weight of the contrastive term: it asks for images that differ from all others.",
        place="distillation/losses.py:contrastive_loss",
    )
    contrastive_with: Literal["views", "student"] = setting(
        "views",
        group="losses",
        fixed=True,
        help=(
            "What the contrastive term compares: two views of an image in the teacher, or one image in teacher and "
            "student, against harder and harder earlier images."
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
        help="Weight of the total variation of the images. It makes images smooth.",
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
            "Weight of the mirror term. Above 0 the generator has the teacher's stages in reverse, and each stage must "
            "be like the teacher's."
        ),
        place="networks/mirrored.py:MirroredHead",
    )
    align_weight: float = setting(
        0.0,
        group="losses",
        unit="× loss",
        low=0.0,
        high=1000.0,
        help="Weight of the alignment of the teacher's features with those of a smoothed label.",
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
        help="With keep=all: the first step whose images are kept. Images of early steps show little.",
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
        help="Share of each batch that is held back. The student never learns from it; agreement is measured on it.",
        place="distillation/evaluation.py:HeldBack",
    )

    # --- student -----------------------------------------------------------------------------------------------
    student_start: Literal["fresh", "thinned"] = setting(
        "fresh",
        group="student",
        fixed=True,
        help="Start from random weights, or from a share of the teacher's channels if the student is a narrower copy.",
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
        help="Optimizer steps of the student per phase.",
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
    bent_share: float = setting(
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
        help="BatchNorm statistics of the teacher that labels the student's images: its own, or those of the batch.",
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
        help="Weight of hints: the student's channels follow the teacher's, if it is a narrower copy.",
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
        help="Weight decay of the student's optimizer.",
        place="distillation/optimizers.py:student_optimizer",
    )
    temperature: float = setting(
        20.0,
        group="student",
        low=0.1,
        high=1000.0,
        help="Softmax temperature of the distillation loss.",
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
        help="Number of rounds between two reported batches.",
        place="distillation/train.py:_rounds",
    )
    event_every: int = setting(
        1,
        group="run",
        resumable=True,
        unit="steps",
        low=1,
        high=1000,
        help="Number of steps between two events. Each event copies numbers off the device.",
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
            raise ValueError("generator_width=0 has pixels for noise; use latent=none, mirror_weight=0 and meta_lr=0.")
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
        if wrong := complaint(dict(values), "settings"):
            raise ConfigError(wrong)
        merged = {**(base.model_dump() if base else {}), **values}
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
    return tuple(describe(Config))  # a study of a thousand methods asks a thousand times
