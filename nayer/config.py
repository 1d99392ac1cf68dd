"""One strict, frozen model of everything a run can be told; the command line, the page and the README read it.

A field is declared once, with its help, unit, bounds and group. Defaults are the preset `nayer`'s: the
published method with its convolutions shrunk for two CPU cores; `methods` holds the published constants.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic.fields import FieldInfo

from nayer.errors import ConfigError

GROUPS = {
    "run": "What runs, and for how long",
    "source": "What the generator is fed",
    "noisy layer": "The re-drawn layer",
    "generator": "The generator and its training",
    "losses": "What the generator minimises",
    "pool": "The memory of synthesized images",
    "student": "The student and its training",
}


def setting(
    default: Any,
    *,
    help: str,
    group: str,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    max_length: int | None = None,
) -> Any:
    """A config field; `low` and `high` are inclusive, `unit` is what a number counts."""
    extra: dict[str, Any] = {"group": group, "unit": unit}
    return Field(default, description=help, ge=low, le=high, max_length=max_length, json_schema_extra=extra)


class Config(BaseModel):
    """A run, completely: the same config gives the same events (on one machine, on the CPU)."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    # --- run ---------------------------------------------------------------------------------------------------
    teacher: str = setting(
        "fashion",
        group="run",
        max_length=256,
        help="A shipped teacher's name, or a folder with config.json and model.safetensors.",
    )
    student: str = setting(
        "",
        group="run",
        max_length=64,
        help="The student's architecture, such as lenet-8; empty takes the teacher's own smaller student.",
    )
    seed: int = setting(0, group="run", low=0, high=2**31 - 1, help="Every random draw of the run follows from it.")
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
        help="Stop after this long, at the end of a round; 0 for no limit.",
    )
    device: Literal["auto", "cpu", "cuda"] = setting(
        "auto", group="run", help="Where tensors live; auto takes a GPU if there is one."
    )
    evaluate_every: int = setting(
        1, group="run", unit="rounds", low=1, high=10_000, help="Rounds between two measurements of the student."
    )
    test_data: str = setting(
        "", group="run", max_length=1024, help="A folder with labelled test images, for the accuracy curve only."
    )
    test_images: int = setting(
        2000,
        group="run",
        unit="images",
        low=1,
        high=1_000_000,
        help="At most so many test images, spread over the split.",
    )

    # --- source ------------------------------------------------------------------------------------------------
    latent: Literal["lte", "one-hot", "random", "shuffled"] = setting(
        "lte", group="source", help="The fixed table behind the noisy layer: label-text embeddings, or a control."
    )
    encoder: str = setting(
        "sentence-transformers/all-MiniLM-L6-v2",
        group="source",
        max_length=1024,
        help="The text encoder: a Hub id or a local folder.",
    )
    prompt: str = setting(
        "a photo of a {}", group="source", max_length=200, help="The sentence each class name is put into, at {}."
    )
    embedding_norm: Literal["batch", "none"] = setting(
        "batch", group="source", help="A BatchNorm over the classes' embeddings in front of the noisy layer, or none."
    )

    # --- noisy layer -------------------------------------------------------------------------------------------
    noisy_width: int = setting(
        1000,
        group="noisy layer",
        unit="units",
        low=1,
        high=8192,
        help="Outputs of the noisy layer; wide is cheap and matters.",
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
    generator_lr: float = setting(
        4e-3, group="generator", low=1e-6, high=1.0, help="Adam's learning rate; a new Adam each round."
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
        0.5, group="losses", unit="× loss", low=0.0, high=100.0, help="How much the teacher must see the wanted label."
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

    # --- pool --------------------------------------------------------------------------------------------------
    keep: Literal["best", "last"] = setting(
        "best", group="pool", help="Which batch of a round enters the pool: the one with the lowest loss, or the last."
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
        5000, group="pool", unit="images", low=1, high=1_000_000, help="Images kept; the oldest go first."
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
    student_every: int = setting(
        1, group="student", unit="rounds", low=1, high=1000, help="Rounds between two training phases of the student."
    )
    student_steps: int = setting(
        40, group="student", unit="steps", low=1, high=10_000, help="Optimiser steps of a phase."
    )
    student_batch: int = setting(128, group="student", unit="images", low=1, high=4096, help="Pool images in a step.")
    student_lr: float = setting(
        0.05, group="student", low=1e-6, high=10.0, help="SGD's learning rate at the start of its cosine."
    )
    student_lr_end: float = setting(
        2e-4, group="student", low=0.0, high=10.0, help="SGD's learning rate at the end of its cosine."
    )
    student_momentum: float = setting(0.9, group="student", low=0.0, high=0.9999, help="SGD's momentum.")
    weight_decay: float = setting(1e-4, group="student", low=0.0, high=1.0, help="SGD's weight decay.")
    temperature: float = setting(
        20.0, group="student", low=0.1, high=1000.0, help="Softens teacher and student before they are compared."
    )

    # --- events ------------------------------------------------------------------------------------------------
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
            raise ValueError("needs exactly one {} where the class name goes")
        return prompt

    @classmethod
    def parse(cls, values: Mapping[str, object], base: Config | None = None) -> Config:
        """`base` (or the defaults) with `values` in place, checked.

        Raises ConfigError in one sentence that names the field, the value and what would work.
        """
        merged = {**(base.model_dump() if base else {}), **values}
        try:
            return cls.model_validate(merged)
        except ValidationError as error:
            raise ConfigError(_sentence(error)) from None

    @property
    def student_phases(self) -> int:
        """How often the student trains in a whole run: every `student_every` rounds after the warm-up."""
        return max(0, self.rounds - self.warmup_rounds) // self.student_every


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of `Config` as a form or a parser needs it."""

    name: str
    kind: type  # bool, int, float or str
    default: Any
    choices: tuple[str, ...]  # empty unless the field is one of a few words
    low: float | None
    high: float | None
    help: str
    unit: str
    group: str


def settings() -> list[Setting]:
    """Every field of `Config`, in order."""
    return [_setting(name, field) for name, field in Config.model_fields.items()]


def _setting(name: str, field: FieldInfo) -> Setting:
    is_choice = get_origin(field.annotation) is Literal
    extra = field.json_schema_extra
    assert isinstance(extra, dict)  # `setting` is the only way fields are made
    low, high = (next((getattr(m, bound) for m in field.metadata if hasattr(m, bound)), None) for bound in ("ge", "le"))
    return Setting(
        name=name,
        kind=str if is_choice or not isinstance(field.annotation, type) else field.annotation,
        default=field.default,
        choices=get_args(field.annotation) if is_choice else (),
        low=low,
        high=high,
        help=field.description or "",
        unit=str(extra["unit"]),
        group=str(extra["group"]),
    )


def _sentence(error: ValidationError) -> str:
    """The first complaint of pydantic, as one sentence for a person."""
    first = error.errors()[0]
    name = str(first["loc"][0]) if first["loc"] else "config"
    value = repr(first["input"])
    shown = value if len(value) <= 60 else value[:57] + "…"
    known = {s.name: s for s in settings()}
    if name not in known:
        return f"{name} is not a setting; see the settings' list for the {len(known)} that exist."
    return f"{name}={shown} does not work; use {_what_works(known[name], first)}."


def _what_works(field: Setting, complaint: Any) -> str:
    if complaint["type"] == "value_error":
        return f"a text that {complaint['ctx']['error']}"
    if complaint["type"] == "string_too_long":
        return f"at most {complaint['ctx']['max_length']} characters"
    if field.choices:
        return "one of " + ", ".join(field.choices)
    noun = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}[field.kind]
    if field.low is None and field.high is None:
        return noun
    unit = f" ({field.unit})" if field.unit else ""
    return f"{noun} from {field.low:g} to {field.high:g}{unit}"
