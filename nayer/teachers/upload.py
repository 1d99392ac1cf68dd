"""A teacher that a visitor brings as files, and the facts known before its weights are read. Needs no torch."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from nayer.earlier_versions import RENAMED_CARD_FIELDS, with_present_names
from nayer.errors import AssetError, ConfigError, StorageError, excerpt
from nayer.networks.cards import JUDGE, MAX_CARD_BYTES, MAX_JUDGE_BYTES, TeacherCard, check_judge
from nayer.networks.specs import ModelSpec
from nayer.text_rules import check_names, text_error

PREFIX = "upload-"  # of the teacher's name in a run's config
STUDENT = "lenet-8"  # if its card names no student
_CONFIG, _WEIGHTS, _CLASSES, _TESTS = "config.json", "model.safetensors", "classes.json", "tests"
_JUDGE_CONFIG, _JUDGE_WEIGHTS = f"{JUDGE}/{_CONFIG}", f"{JUDGE}/{_WEIGHTS}"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the fixed date of an archive's members, so that the same files pack to the same bytes


@dataclass(frozen=True, eq=False)
class UploadedTeacher:
    """The bytes of the files, unchanged. `classes` replace the card's names. `tests` is a zip or parquet file or empty.

    `judge_config` and `judge_weights` are the two files of its `judge` folder, if there is one. The checked bytes are
    also the bytes in use, so nobody can replace them after the check.
    """

    config: bytes
    weights: bytes
    classes: tuple[str, ...] = ()
    tests: bytes = b""
    judge_config: bytes = b""
    judge_weights: bytes = b""

    @cached_property
    def name(self) -> str:
        """The teacher's name. The same files give the same name."""
        digest = hashlib.sha256()
        judge = (self.judge_config, self.judge_weights) if self.has_judge else ()  # no judge: the old name
        for part in (self.config, self.weights, "\n".join(self.classes).encode(), self.tests, *judge):
            digest.update(hashlib.sha256(part).digest())
        return f"{PREFIX}{digest.hexdigest()[:16]}"

    @property
    def has_judge(self) -> bool:
        """Whether the files contain a second network that names the samples of its runs."""
        return bool(self.judge_config or self.judge_weights)

    @property
    def size(self) -> int:
        """The size of all files, in bytes."""
        parts = (self.config, self.weights, self.tests, self.judge_config, self.judge_weights)
        return sum(len(part) for part in parts)

    def judge_card(self) -> TeacherCard:
        """The card of the judge. Raises AssetError if a file is missing, too large or damaged."""
        if not self.judge_config or not self.judge_weights:
            raise AssetError("The judge needs both config.json and model.safetensors; upload its whole folder.")
        if len(self.judge_weights) > MAX_JUDGE_BYTES:
            raise AssetError(f"The judge is larger than {MAX_JUDGE_BYTES >> 20} MB; upload a smaller network.")
        # If the visitor typed other class names, they apply to the judge too.
        return UploadedTeacher(self.judge_config, self.judge_weights, self.classes).card()

    def card(self) -> TeacherCard:
        """The teacher's card, under `name`. Fills in what `config.json` leaves out, except the network and its classes.

        Raises AssetError, which names the error in config.json or in the judge. Raises ConfigError for names that do
        not fit.
        """
        fields = _read(self.config)
        classes = tuple(self.classes or _names(fields))
        spec = _spec(fields, len(classes), given=bool(self.classes))
        sha256 = hashlib.sha256(self.weights).hexdigest()
        if fields.get("sha256", sha256) != sha256:
            raise AssetError(
                "model.safetensors does not match the sha256 in config.json; send the two files that belong together."
            )
        usual: dict[str, Any] = {
            "title": "Your own teacher",
            "student": {**spec, "architecture": STUDENT},
            "mirror": True,
            "testset": None,
            "test_accuracy": None,
            "data": "Its owner knows.",
            "license": "Its owner's.",
            "seed": 0,
            "command": "none: it was trained elsewhere",
        }
        named = with_present_names(fields, RENAMED_CARD_FIELDS)
        known = {key: value for key, value in named.items() if key in TeacherCard.model_fields}
        fixed: dict[str, Any] = {"name": self.name, "classes": check_names(classes), "sha256": sha256, "judge": None}
        try:
            card = TeacherCard.model_validate_json(json.dumps({**usual, **known, **fixed}))
        except ValidationError as error:
            raise _wrong(error) from None
        if not self.has_judge:
            return card
        judge = self.judge_card()
        check_judge(judge, card)
        return card.model_copy(update={"judge": judge.model})

    def packed(self) -> bytes:
        """All of it as one archive; see `unpacked`."""
        stream = io.BytesIO()
        names = json.dumps(self.classes).encode()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
            for name, part in {
                _CONFIG: self.config,
                _WEIGHTS: self.weights,
                _CLASSES: names,
                _TESTS: self.tests,
                **({_JUDGE_CONFIG: self.judge_config, _JUDGE_WEIGHTS: self.judge_weights} if self.has_judge else {}),
            }.items():
                archive.writestr(zipfile.ZipInfo(name, _EPOCH), part)
        return stream.getvalue()

    @classmethod
    def unpacked(cls, content: bytes) -> UploadedTeacher:
        """The teacher from bytes that `packed` made. Raises StorageError for anything else."""
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                config, weights, classes, tests = (archive.read(name) for name in (_CONFIG, _WEIGHTS, _CLASSES, _TESTS))
                judge = [archive.read(name) for name in (_JUDGE_CONFIG, _JUDGE_WEIGHTS) if name in archive.namelist()]
            return cls(config, weights, tuple(map(str, json.loads(classes))), tests, *judge)
        except (zipfile.BadZipFile, ValueError, LookupError, TypeError):
            raise StorageError("the teacher of this run is damaged on disk; upload it again.") from None


def _read(content: bytes) -> dict[str, Any]:
    if len(content) > MAX_CARD_BYTES:
        raise AssetError(f"config.json is larger than {MAX_CARD_BYTES >> 20} MB; send the file that `teach` wrote.")
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict) or not isinstance(fields.get("model"), dict):
        if isinstance(fields, dict) and "architectures" in fields:
            raise AssetError(
                "config.json is a file of transformers; this page needs `model` and `classes` in it, and `distill "
                "--teacher` takes the folder of such a model."
            )
        raise AssetError("config.json does not describe a network; it needs `model` and `classes`, as `teach` writes.")
    if wrong := text_error(fields, "config.json"):
        raise AssetError(wrong)
    return fields


def _names(fields: Mapping[str, Any]) -> Sequence[str]:
    names = fields.get("classes")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise AssetError("config.json needs a list of texts as `classes`; add one, or type the class names.")
    return names


def _spec(fields: Mapping[str, Any], names: int, *, given: bool) -> dict[str, Any]:
    """The network, checked. The check comes before the names, so a wrong number of names differs from a wrong file."""
    try:
        spec = ModelSpec.model_validate_json(json.dumps(fields["model"]))
    except ValidationError as error:
        raise _wrong(error, "model.") from None
    if spec.classes != names:
        where = "there are" if given else "config.json has"
        raise ConfigError(
            f"{where} {names} class names, but the teacher has {spec.classes} outputs; name every output, in order."
        )
    return spec.model_dump(mode="json")


def _wrong(error: ValidationError, within: str = "") -> AssetError:
    first = error.errors(include_url=False)[0]
    where = excerpt(within + ".".join(map(str, first["loc"])))
    return AssetError(f"config.json is wrong at {where} ({excerpt(first['msg'].removeprefix('Value error, '), 300)}).")
