"""The cards of teachers, shipped or in a folder, checked before use. Needs no torch."""

from __future__ import annotations

import json
import re
from pathlib import Path

from pydantic import (
    AliasChoices,
    AliasGenerator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from nayer.common.files import read_file
from nayer.common.hub import MAX_JSON_BYTES
from nayer.common.paths import ASSETS
from nayer.earlier_versions import RENAMED_CARD_FIELDS
from nayer.errors import AssetError, ConfigError
from nayer.networks.specs import ModelSpec, parse_architecture
from nayer.text_rules import MAX_NAME_LENGTH, check_names, forbidden

SHIPPED = ASSETS / "teachers"
JUDGES = ASSETS / "judges"
JUDGE = "judge"  # the folder inside a teacher's folder that holds its judge
NAME = re.compile("[a-z0-9][a-z0-9-]{0,63}")  # of a shipped folder
MAX_CARD_BYTES = 1 << 20
MAX_JUDGE_BYTES = 8 << 20  # of its weights: a run holds it in memory with everything else
MAX_EPSILON = 16.0  # L2; the largest distance of two gray images of 16 × 16 pixels
MAX_STEPS = 100  # of gradients, to perturb an image


class Robustness(BaseModel):
    """How a network learned from perturbed images, and its accuracy on them. Lengths are L2, of images in [0, 1]."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    epsilon: float = Field(gt=0.0, le=MAX_EPSILON, description="Largest perturbation of an image.")
    steps: int = Field(ge=1, le=MAX_STEPS, description="Gradient steps per image in training.")
    accuracy: float = Field(ge=0.0, le=1.0, description="Accuracy on test images, perturbed as far.")
    test_steps: int = Field(ge=1, le=MAX_STEPS, description="Gradient steps per test image.")


def _names_in_files(field: str) -> AliasChoices:
    """The names under which cards contain a field: its own, and those of earlier versions."""
    return AliasChoices(field, *(earlier for earlier, present in RENAMED_CARD_FIELDS.items() if present == field))


class TeacherCard(BaseModel):
    """The facts about a teacher except its weights: the content of `config.json`."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        allow_inf_nan=False,
        alias_generator=AliasGenerator(validation_alias=_names_in_files),
    )

    name: str = Field(pattern=rf"^{NAME.pattern}$")
    title: str = Field(min_length=1, max_length=MAX_NAME_LENGTH)
    model: ModelSpec
    student: ModelSpec = Field(description="The smaller network that learns from it unless another is named.")
    classes: tuple[str, ...] = Field(description="The classes' names, in the order of the labels.")
    mirror: bool = Field(description="Whether a flipped image keeps its class.")
    testset: str | None = Field(description="Name of a suitable test split, such as digits; none if there is none.")
    test_accuracy: float | None = Field(
        ge=0.0, le=1.0, description="Accuracy on the data's own test images, 0..1; none if nobody has measured it."
    )
    data: str = Field(description="What it learned from, in one sentence.")
    license: str = Field(description="License of the data.")
    seed: int
    command: str = Field(description="Command that trains it again.")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of model.safetensors.")
    judge: ModelSpec | None = Field(default=None, description="Network of the judge that was made or uploaded with it.")
    robust: Robustness | None = Field(default=None, description="None if it learned from images without perturbation.")

    @field_validator("classes")
    @classmethod
    def _names_fit(cls, classes: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return check_names(classes)
        except ConfigError as error:
            raise ValueError(str(error)) from None

    @field_validator("title", "data", "license", "command")
    @classmethod
    def _can_be_shown(cls, text: str) -> str:
        if found := forbidden(text):
            raise ValueError(f"contains {found}, a character that cannot be shown")
        return text

    @model_validator(mode="after")
    def _parts_agree(self) -> TeacherCard:
        k = len(self.classes)
        if k != self.model.classes or k != self.student.classes:
            raise ValueError(
                f"classes has {k} names, but the networks have {self.model.classes} and {self.student.classes} outputs"
            )
        if (self.model.channels, self.model.size) != (self.student.channels, self.student.size):
            raise ValueError("model and student need images of the same size")
        return self


def teacher_cards() -> list[TeacherCard]:
    """The shipped teachers, smallest images first; a teacher with a damaged card is left out (loading it says why)."""
    cards = []
    for folder in SHIPPED.glob("*"):
        if (folder / "config.json").is_file():
            try:
                cards.append(read_card(folder))
            except AssetError:
                continue
    return sorted(cards, key=lambda card: (card.model.channels, card.model.size, card.name))


def read_card(folder: Path, what: str = "teacher") -> TeacherCard:
    """The card in a teacher's or judge's folder; AssetError names the card and the wrong field."""
    try:
        return TeacherCard.model_validate_json(read_part(folder / "config.json", MAX_CARD_BYTES))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        place = f"{where} ({first['msg'][:120]})"
        raise AssetError(
            f"{what}={folder.name!r} cannot be used: config.json is wrong at {place}; restore it."
        ) from None
    except AssetError as error:
        raise AssetError(f"{what}={folder.name!r} cannot be used: {error}; restore its folder.") from None


def judge_folder(card: TeacherCard, teacher: Path | None = None) -> Path | None:
    """The folder of a teacher's judge: inside the `teacher`'s own folder, else the shipped judge of its data set."""
    if teacher is not None and (teacher / JUDGE).is_dir():
        return teacher / JUDGE
    if card.testset is None or not NAME.fullmatch(card.testset) or not (JUDGES / card.testset).is_dir():
        return None
    return JUDGES / card.testset


def check_judge(judge: TeacherCard, card: TeacherCard) -> None:
    """Raises AssetError if the images or classes of a judge differ from those of the teacher whose samples it names."""
    if judge.classes != card.classes:
        raise AssetError("The judge knows other classes than the teacher; train one on the same images.")
    if (judge.model.channels, judge.model.size) != (card.model.channels, card.model.size):
        raise AssetError("The judge knows images of another size than the teacher; train one on the same images.")


def is_pretrained(folder: Path) -> bool:
    """Whether a folder's `config.json` is one of transformers'."""
    try:
        content = json.loads(read_file(folder / "config.json", MAX_JSON_BYTES))
    except (OSError, ValueError, RecursionError):
        return False
    return (
        isinstance(content, dict) and "model" not in content and bool({"architectures", "model_type"} & content.keys())
    )


def student_spec(card: TeacherCard, architecture: str = "") -> ModelSpec:
    """The network that learns: the teacher's own student, or any other for the same images and classes."""
    if not architecture:
        return card.student
    parse_architecture(architecture, field="student")
    return card.model.model_copy(update={"architecture": architecture})


def teacher_folder(name: str) -> Path:
    """The folder of a shipped teacher."""
    if NAME.fullmatch(name) and (SHIPPED / name).is_dir():
        return SHIPPED / name
    try:
        if name and Path(name).is_dir():
            return Path(name).resolve()
    except (OSError, ValueError):  # a name too long, or with a NUL
        pass
    known = ", ".join(card.name for card in teacher_cards())
    raise ConfigError(
        f"teacher={name[:60]!r} does not exist; use {known}, a folder with config.json and model.safetensors, or"
        " the owner/name of an image classifier on the Hub."
    )


def read_part(path: Path, limit: int) -> bytes:
    """A file of a teacher's folder, of at most `limit` bytes. Raises AssetError naming it."""
    try:
        return read_file(path, limit)
    except OSError as error:
        raise AssetError(f"{path.name} cannot be read ({error.strerror})") from None
