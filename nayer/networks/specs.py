"""The description of a classifier before it is built: architecture name, images, classes. Needs no torch."""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from nayer.errors import ConfigError

SIDES = (8, 64)  # px; the side must be large enough for two halvings, and small enough to limit memory
WIDTHS = (1, 128)  # channels after the first convolution; wrn's k
OWN = "own"  # a spec's architecture for a network from another program, which cannot be built here

FAMILIES = {  # networks of one shape in any width; `models` builds them
    "lenet": "two 5×5 convolutions with BatchNorm and a hidden layer",
    "plainnet": "lenet without BatchNorm",
    "convnet4": "four 3×3 convolutions with BatchNorm, and the mean over the last map",
    "vgg": "the same four convolutions, and a hidden layer that knows where in the image a feature is",
    "resnet8": "three residual blocks in three stages",
    "resnet9": "eight convolutions, four of them in two residual blocks; made for fast training",
    "resnet14": "six residual blocks in three stages",
    "resnet18": "eight residual blocks in four stages",
    "resnet20": "nine residual blocks in three stages",
    "resnet34": "sixteen residual blocks in four stages",
    "wrn16": "six wide residual blocks in three stages; W is the widening factor k",
    "wrn40": "eighteen wide residual blocks in three stages; W is the widening factor k",
}


def parse_architecture(text: str, field: str = "architecture") -> tuple[str, int]:
    """`lenet-8` → its family's name and its width; ConfigError names `field` and the existing families."""
    match = re.fullmatch(r"([a-z0-9]+)-([0-9]{1,3})", text)
    if match and match[1] in FAMILIES and WIDTHS[0] <= int(match[2]) <= WIDTHS[1]:
        return match[1], int(match[2])
    known = ", ".join(f"{name}-W" for name in FAMILIES)
    raise ConfigError(
        f"{field} must be one of {known} with a width W of {WIDTHS[0]} to {WIDTHS[1]}; {text[:60]!r} was given."
    )


class ModelSpec(BaseModel):
    """Everything that is needed to build a classifier, except its weights."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    architecture: str = Field(
        description=(
            "Family and width, such as lenet-16 or wrn16-1. The width is the channels after the first convolution, "
            "or k of wrn."
        )
    )
    channels: int = Field(description="1 for gray images, 3 for RGB.")
    size: int = Field(ge=SIDES[0], le=SIDES[1], description="Side of the square images, px.")
    classes: int = Field(ge=2, le=1000)
    mean: tuple[float, ...] = Field(description="Per channel, of images in [0, 1].")
    std: tuple[float, ...] = Field(description="Per channel, of images in [0, 1].")

    @field_validator("architecture")
    @classmethod
    def _architecture_exists(cls, architecture: str) -> str:
        try:
            if architecture != OWN:
                parse_architecture(architecture)
        except ConfigError as error:
            raise ValueError(str(error)) from None
        return architecture

    @model_validator(mode="after")
    def _channels_agree(self) -> ModelSpec:
        if self.channels not in (1, 3):
            raise ValueError(f"channels must be 1 or 3; {self.channels} was given")
        if len(self.mean) != self.channels or len(self.std) != self.channels or min(self.std) <= 0:
            raise ValueError(f"mean and std need {self.channels} numbers each, and those of std must be above 0")
        return self
