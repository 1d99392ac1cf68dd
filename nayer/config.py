"""One strict, frozen model of everything a run can be told; the command line, the page and the README read it.

A field is declared once, with its help, unit, bounds and group. Defaults are the preset `nayer`'s: the
published method with its convolutions shrunk for two CPU cores; `methods` holds the published constants.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

from nayer.errors import ConfigError
from nayer.settings import Setting, describe, sentence, setting
from nayer.text_rules import complaint

GROUPS = {
    "run": "What runs, and for how long",
    "source": "What the generator is fed",
    "noisy layer": "The re-drawn layer",
    "generator": "The generator and its training",
    "losses": "What the generator minimises",
    "pool": "The memory of synthesized images",
    "student": "The student and its training",
}


class Config(BaseModel):
    """A run, completely: the same config gives the same events, on one CPU, with one thread and no limit in seconds.

    Several threads add up in another order each time: losses then differ, at first in about the seventh digit.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    # --- run ---------------------------------------------------------------------------------------------------
    teacher: str = setting(
        "emoji10",
        group="run",
        max_length=256,
        fixed=True,
        help="A shipped teacher's name, a folder with config.json and model.safetensors, or owner/name on the Hub.",
    )
    student: str = setting(
        "",
        group="run",
        max_length=64,
        fixed=True,
        help="The student's architecture, such as lenet-8; empty takes the teacher's own smaller student.",
    )
    seed: int = setting(
        0, group="run", low=0, high=2**31 - 1, fixed=True, help="Every random draw of the run follows from it."
    )
    rounds: int = setting(
        60,
        group="run",
        unit="rounds",
        low=1,
        high=100_000,
        help="Rounds in all: one re-draw, one batch for the pool each.",
    )
    seconds: float = setting(
        0.0,
        group="run",
        unit="s",
        low=0.0,
        high=864_000.0,
        help="Stop after this long, at the end of a step; 0 for no limit.",
    )
    device: Literal["auto", "cpu", "cuda"] = setting(
        "auto", group="run", fixed=True, help="Where tensors live; auto takes a GPU if there is one."
    )
    precision: Literal["float32", "bfloat16", "auto"] = setting(
        "float32",
        group="run",
        fixed=True,
        help="What the networks count in, weights apart; auto takes bfloat16 where the device has instructions for it.",
    )
    compiled: bool = setting(
        False,
        group="run",
        fixed=True,
        help="Student and generator as torch compiles them: minutes to begin with, faster steps on a GPU.",
    )
    evaluate_every: int = setting(
        1, group="run", unit="rounds", low=1, high=10_000, help="Rounds between two measurements of the student."
    )
    test_data: str = setting(
        "",
        group="run",
        max_length=1024,
        fixed=True,
        help="Labelled test images, for the accuracy curve only: a folder a class, a zip or parquet file, a Hub id.",
    )
    test_images: int = setting(
        2000,
        group="run",
        unit="images",
        low=1,
        high=1_000_000,
        fixed=True,
        help="At most so many test images, spread over the split.",
    )

    # --- source ------------------------------------------------------------------------------------------------
    latent: Literal["lte", "one-hot", "random", "shuffled", "none"] = setting(
        "lte",
        group="source",
        help="The fixed table the generator starts from: label-text embeddings, a control, or none (noise alone).",
    )
    encoder: str = setting(
        "sentence-transformers/all-MiniLM-L6-v2",
        group="source",
        max_length=1024,
        fixed=True,
        help="The text encoder: a Hub id or a local folder.",
    )
    prompt: str = setting(
        "a photo of a {}",
        group="source",
        max_length=200,
        fixed=True,
        help="The sentence each class name is put into, at {}.",
    )
    embedding_norm: Literal["batch", "none"] = setting(
        "batch", group="source", help="A BatchNorm over the classes' embeddings in front of the noisy layer, or none."
    )

    z_size: int = setting(
        0,
        group="source",
        unit="numbers",
        low=0,
        high=4096,
        help="Gaussian noise beside the table, an image; 0 for none.",
    )
    z_combine: Literal["concat", "add"] = setting(
        "concat", group="source", help="Noise behind the embedding, or added to it (then as many numbers as it has)."
    )
    z_scale: float = setting(
        1.0, group="source", unit="× noise", low=0.0, high=100.0, help="How strong the noise is beside a table."
    )
    z_redraw: Literal["round", "step"] = setting(
        "round", group="source", help="Noise is drawn anew each round, or each step of the generator."
    )
    z_lr: float = setting(
        0.0, group="source", low=0.0, high=1.0, help="Adam's learning rate for the noise itself; 0 leaves it as drawn."
    )

    # --- noisy layer -------------------------------------------------------------------------------------------
    noisy_layer: bool = setting(True, group="noisy layer", help="Whether there is a noisy layer behind the source.")
    noisy_width: int = setting(
        1000,
        group="noisy layer",
        unit="units",
        low=0,
        high=8192,
        help="Outputs of the noisy layer; 0 for 25 a class, which is faster where classes are few.",
    )
    noisy_std: float = setting(
        1.0, group="noisy layer", low=1e-3, high=100.0, help="Standard deviation its weights are drawn with."
    )
    noisy_reset_every: int = setting(
        1,
        group="noisy layer",
        unit="rounds",
        low=0,
        high=100_000,
        help="Rounds between two re-draws; 0 never re-draws.",
    )
    redraw: Literal["noisy layer", "first layer"] = setting(
        "noisy layer",
        group="noisy layer",
        help="What is re-drawn then: the noisy layer, or the linear layer in front of the convolutions.",
    )
    routing: Literal["k-to-1", "1-to-1", "single"] = setting(
        "k-to-1", group="noisy layer", help="One noisy layer per set of all classes, per image, or a single one."
    )

    # --- generator ---------------------------------------------------------------------------------------------
    generator_width: int = setting(
        16,
        group="generator",
        unit="channels",
        low=1,
        high=512,
        fixed=True,
        help="Base channels of the generator; the published one has 64.",
    )
    generator_reset_every: int = setting(
        20,
        group="generator",
        unit="rounds",
        low=0,
        high=100_000,
        help="Rounds between rebuilds of the whole generator; 0 never.",
    )
    warmup_generator_reset_every: int = setting(
        0, group="generator", unit="rounds", low=0, high=100_000, help="The same during warm-up; 0 never."
    )
    generator_steps: int = setting(
        12,
        group="generator",
        unit="steps",
        low=1,
        high=2000,
        help="Optimiser steps of a round, on the same labels and noisy layers.",
    )
    generator_lr: float = setting(4e-3, group="generator", low=1e-6, high=1.0, help="Adam's learning rate.")
    generator_adam: Literal["each round", "kept"] = setting(
        "each round", group="generator", help="A new Adam each round, or one that is kept until a rebuild."
    )
    generator_init_std: float = setting(
        0.0, group="generator", low=0.0, high=1.0, help="Weights start from N(0, std²); 0 for PyTorch's default."
    )
    gradient_clip: float = setting(
        0.0, group="generator", low=0.0, high=1000.0, help="Longest gradient of the generator; 0 for no limit."
    )
    meta_lr: float = setting(
        0.0,
        group="generator",
        low=0.0,
        high=1.0,
        fixed=True,
        help="FOMAML: rounds train a copy, the generator learns where to start, at this rate; 0 for none.",
    )
    generator_beta1: float = setting(0.5, group="generator", low=0.0, high=0.9999, help="Adam's first-moment decay.")
    synthesis_batch: int = setting(
        100,
        group="generator",
        unit="images",
        low=1,
        high=4096,
        help="Images made in a round; at least one of each class.",
    )
    warmup_rounds: int = setting(
        2,
        group="generator",
        unit="rounds",
        low=0,
        high=10_000,
        help="Rounds that only fill the pool, before the student starts.",
    )
    crop_share: float = setting(
        0.125,
        group="generator",
        unit="× side",
        low=0.0,
        high=0.5,
        help="Padding of the random crop in front of teacher and student.",
    )
    flip: bool = setting(
        True, group="generator", help="Mirror images at random, where the teacher's classes survive it."
    )

    # --- losses ------------------------------------------------------------------------------------------------
    ce_weight: float = setting(
        0.5, group="losses", unit="× loss", low=0.0, high=100.0, help="How much the teacher must see the target label."
    )
    ce_target: Literal["label", "teacher"] = setting(
        "label", group="losses", help="That label: the wanted one, or whatever class the teacher thinks of first."
    )
    ce_temperature: float = setting(
        1.0,
        group="losses",
        low=1.0,
        high=100.0,
        help="How far the teacher is pushed to be sure: above 1, beyond the point where the label is likely.",
    )
    ce_boundary: float = setting(
        0.0,
        group="losses",
        unit="× target",
        low=0.0,
        high=1.0,
        help="Most of the target that may go to the teacher's second choice: images between two classes. 0 for none.",
    )
    entropy_weight: float = setting(
        0.0, group="losses", unit="× loss", low=0.0, high=100.0, help="How sure the teacher must be of each image."
    )
    balance_weight: float = setting(
        0.0, group="losses", unit="× loss", low=0.0, high=100.0, help="How evenly a batch must spread over the classes."
    )
    activation_weight: float = setting(
        0.0, group="losses", unit="× loss", low=0.0, high=100.0, help="How strongly images must excite the teacher."
    )
    bn_weight: float = setting(
        10.0,
        group="losses",
        unit="× loss",
        low=0.0,
        high=1000.0,
        help="How much images must match the teacher's BatchNorm statistics.",
    )
    bn_momentum: float = setting(
        0.9,
        group="losses",
        low=0.0,
        high=0.999,
        help="Share of the running average in the matched statistics, from the second round on.",
    )
    adversarial_weight: float = setting(
        1.33,
        group="losses",
        unit="× loss",
        low=0.0,
        high=100.0,
        help="How hard the generator looks for images the student gets wrong.",
    )
    adversarial_form: Literal["kl", "reverse-kl", "js", "l1"] = setting(
        "kl", group="losses", help="How far apart teacher and student are: a divergence, or the logits' distance."
    )
    adversarial_mask: Literal["agree", "none"] = setting(
        "agree", group="losses", help="Count only images where both pick the same class, or all of them."
    )
    contrastive_weight: float = setting(
        0.0,
        group="losses",
        unit="× loss",
        low=0.0,
        high=100.0,
        fixed=True,
        help="How different an image must be from all others.",
    )
    contrastive_temperature: float = setting(
        0.1, group="losses", low=1e-3, high=100.0, help="Sharpness of that comparison."
    )
    bank_capacity: int = setting(
        4096, group="losses", unit="images", low=1, high=1_000_000, fixed=True, help="Earlier images it compares with."
    )
    total_variation_weight: float = setting(
        0.0, group="losses", unit="× loss", low=0.0, high=1000.0, help="How smooth images must be."
    )

    # --- pool --------------------------------------------------------------------------------------------------
    memory: Literal["pool", "online"] = setting(
        "pool", group="pool", help="The student learns from the pool, or from images made for each of its steps."
    )
    keep: Literal["best", "last", "all"] = setting(
        "best",
        group="pool",
        help="Which batch of a round enters the pool: the one with the lowest loss, the last, or those of all steps.",
    )
    keep_from_step: int = setting(
        0,
        group="pool",
        unit="steps",
        low=0,
        high=2000,
        help="With keep=all, the first step of a round whose images are kept; early ones show little.",
    )
    pool_from_round: int = setting(
        1,
        group="pool",
        unit="rounds",
        low=0,
        high=1000,
        help="The first round whose images are kept; round 0 hardly learns.",
    )
    pool_capacity: int = setting(
        5000, group="pool", unit="images", low=1, high=1_000_000, fixed=True, help="Images kept; the oldest go first."
    )
    held_back: float = setting(
        0.05,
        group="pool",
        unit="× batch",
        low=0.0,
        high=0.5,
        help="Share of each batch the student never learns from, to measure agreement.",
    )

    # --- student -----------------------------------------------------------------------------------------------
    student_start: Literal["fresh", "thinned"] = setting(
        "fresh",
        group="student",
        fixed=True,
        help="Random weights, or a share of the teacher's own channels where the student is its thinner twin.",
    )
    student_every: int = setting(
        1, group="student", unit="rounds", low=1, high=1000, help="Rounds between two training phases of the student."
    )
    student_steps: int = setting(
        80, group="student", unit="steps", low=1, high=10_000, help="Optimiser steps of a phase."
    )
    student_batch: int = setting(128, group="student", unit="images", low=1, high=4096, help="Pool images in a step.")
    bent_share: float = setting(
        0.0,
        group="student",
        unit="× batch",
        low=0.0,
        high=1.0,
        help="Share of a step's images that are bent at random, as if drawn on rubber; 0 for none.",
    )
    student_loss: Literal["kl", "l1"] = setting(
        "kl", group="student", help="What it minimises: the divergence from the teacher, or the logits' distance."
    )
    attention_weight: float = setting(
        0.0, group="student", unit="× loss", low=0.0, high=10_000.0, help="How much it looks where the teacher looks."
    )
    hint_weight: float = setting(
        0.0,
        group="student",
        unit="× loss",
        low=0.0,
        high=1000.0,
        help="How closely its channels follow the teacher's own, where it is the teacher's thinner twin.",
    )
    student_optimizer: Literal["sgd", "adam"] = setting(
        "sgd", group="student", fixed=True, help="SGD with momentum, or Adam."
    )
    student_lr: float = setting(
        0.05, group="student", low=1e-6, high=10.0, help="The learning rate at the start of its cosine."
    )
    student_lr_end: float = setting(
        2e-4, group="student", low=0.0, high=10.0, help="The learning rate at the end of its cosine."
    )
    student_momentum: float = setting(0.9, group="student", low=0.0, high=0.9999, fixed=True, help="SGD's momentum.")
    weight_decay: float = setting(1e-4, group="student", low=0.0, high=1.0, fixed=True, help="SGD's weight decay.")
    temperature: float = setting(
        20.0, group="student", low=0.1, high=1000.0, help="Softens teacher and student before they are compared."
    )

    # --- events ------------------------------------------------------------------------------------------------
    report_every: int = setting(
        1, group="run", unit="rounds", low=1, high=100_000, help="Rounds between two batches that are shown."
    )
    event_every: int = setting(
        1,
        group="run",
        unit="steps",
        low=1,
        high=1000,
        help="Steps between two events; each copies numbers off the device.",
    )

    @field_validator("prompt")
    @classmethod
    def _prompt_has_a_place(cls, prompt: str) -> str:
        if prompt.count("{}") != 1:
            raise ValueError("has exactly one {} where the class name goes")
        return prompt

    @model_validator(mode="after")
    def _parts_fit(self) -> Config:
        if self.latent == "none" and not (self.z_size and not self.noisy_layer):
            raise ValueError("latent=none leaves the noise alone; use it with z_size above 0 and noisy_layer off.")
        if self.generator_adam == "kept" and (self.z_lr or self.meta_lr):
            raise ValueError("generator_adam=kept does not go with z_lr or meta_lr; use generator_adam=each round.")
        if self.redraw == "noisy layer" and not self.noisy_layer and self.noisy_reset_every:
            raise ValueError("redraw=noisy layer needs noisy_layer; switch it on, or use noisy_reset_every=0.")
        return self

    @classmethod
    def parse(cls, values: Mapping[str, object], base: Config | None = None) -> Config:
        """`base` (or the defaults) with `values` in place, checked.

        Raises ConfigError in one sentence that names the field, the value and what would work.
        """
        if wrong := complaint(dict(values), "settings"):
            raise ConfigError(wrong)
        merged = {**(base.model_dump() if base else {}), **values}
        try:
            return cls.model_validate(merged)
        except ValidationError as error:
            raise ConfigError(sentence(error, settings())) from None

    def changed(self, values: Mapping[str, object]) -> Config:
        """This config with `values` in place, for a run that goes on.

        Raises ConfigError for a value that does not work, and for a field that a run cannot change on its way.
        """
        after = Config.parse(values, self)
        for field in settings():
            value = getattr(after, field.name)
            if field.fixed and value != getattr(self, field.name):
                shown = repr(value)[:60]
                raise ConfigError(f"{field.name}={shown} cannot change while a run goes on; start a new run with it.")
        return after

    @property
    def looks_inside(self) -> bool:
        """Whether the student learns from more than what comes out of its teacher."""
        return self.attention_weight > 0.0 or self.hint_weight > 0.0

    @property
    def student_phases(self) -> int:
        """How often the student trains in a whole run: every `student_every` rounds after the warm-up."""
        return max(0, self.rounds - self.warmup_rounds) // self.student_every


def settings() -> list[Setting]:
    """Every field of `Config`, in order."""
    return describe(Config)
