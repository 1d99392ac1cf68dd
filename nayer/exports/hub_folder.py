"""A student as a repository of the Hub: a folder with weights, config, code and a model card, and the class Student.

The class adds the mixin of huggingface_hub to our classifier, so that one line loads the student:

    nayer.Student.from_pretrained("OWNER/NAME")

No code of that repository is executed. Source: https://huggingface.co/docs/huggingface_hub/guides/integrations
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData, PyTorchModelHubMixin, hf_hub_download
from pydantic import ValidationError

from nayer.common.files import check_ours, check_places, open_file, read_file, write_whole
from nayer.common.safetensors_header import HEADER_BYTES, header
from nayer.common.safetensors_io import compare_tensors
from nayer.errors import AssetError, ConfigError, NayerError, StorageError, excerpt
from nayer.exports.config_file import RUN_FILE, written
from nayer.exports.reproduce import command_line, nearest_preset
from nayer.exports.run_facts import RunFacts, read_facts
from nayer.exports.run_folder import CODE, CONFIG, MAX_STUDENT_BYTES, SAMPLES, load_student
from nayer.exports.standalone_code import plain_code
from nayer.networks.cards import TeacherCard, read_card, teacher_cards
from nayer.networks.classifiers import Classifier, shapes_of
from nayer.networks.specs import ModelSpec
from nayer.presets import get
from nayer.text_rules import check_names

WEIGHTS, CARD = "model.safetensors", "README.md"
UNKNOWN_LICENSE = "other"  # the Hub's word for a license that it does not list
MAX_PICTURE_BYTES = 16 << 20
MAX_CARD_BYTES = 1 << 20
_ARGUMENTS = ("architecture", "channels", "size", "mean", "std", "names")  # arguments of a student, in config.json
_CARD_LINE = "library_name: nayer"  # in the card of each folder that is written here


class Student(Classifier, PyTorchModelHubMixin, library_name="nayer", pipeline_tag="image-classification"):
    """A student with the names of its classes, which the Hub's library saves, loads and pushes.

    Images (n, c, h, w) from 0 to 1 → logits (n, k). The arguments are those of `ModelSpec`; `names` are the classes in
    the order of the logits.

    >>> student = nayer.Student("lenet-4", 1, 8, [0.5], [0.25], ["cat", "dog"])
    >>> student.save_pretrained(folder)
    >>> again = nayer.Student.from_pretrained(folder)
    Loading weights from local directory
    >>> again.names, again.spec == student.spec
    (['cat', 'dog'], True)
    """

    def __init__(
        self, architecture: str, channels: int, size: int, mean: list[float], std: list[float], names: list[str]
    ) -> None:
        spec = {"architecture": architecture, "channels": channels, "size": size, "classes": len(names)}
        super().__init__(ModelSpec(**spec, mean=tuple(mean), std=tuple(std)))  # type: ignore[arg-type]
        self.names = list(names)

    @classmethod
    def from_classifier(cls, student: Classifier, names: Sequence[str]) -> Student:
        """`student` with the names of its classes; both share their weights."""
        spec = student.spec
        named = cls(spec.architecture, spec.channels, spec.size, list(spec.mean), list(spec.std), list(names))
        named.load_state_dict(student.state_dict(), assign=True)
        return named.eval()

    @classmethod
    def _from_pretrained(cls, *, model_id: str, strict: bool = True, **more: Any) -> Student:
        """A missing weight is an error, unlike in the mixin. A pickle is never read.

        The weights are compared with config.json before memory is allocated. Raises AssetError if they do not fit.
        """
        check_weights(_weights_file(model_id, more), {name: more[name] for name in _ARGUMENTS if name in more})
        return super()._from_pretrained(model_id=model_id, strict=strict, **more)  # type: ignore[no-any-return]


def check_weights(path: Path, arguments: Mapping[str, Any]) -> None:
    """Raises AssetError unless a weights file has the tensors of the network that config.json describes.

    `arguments` are the arguments of `Student`. Only the header of the file is read.
    """
    try:
        names = arguments["names"]
        spec = {name: arguments[name] for name in _ARGUMENTS if name != "names"}
        model = ModelSpec.model_validate_json(json.dumps({**spec, "classes": len(check_names(names))}))
        with open_file(path, MAX_STUDENT_BYTES) as file:
            compare_tensors(header(file.read(HEADER_BYTES), WEIGHTS).tensors, shapes_of(model), WEIGHTS)
    except OSError as error:
        raise AssetError(f"{WEIGHTS} cannot be read ({error.strerror}); name a folder that `export` wrote.") from None
    except (ValidationError, ConfigError, KeyError, TypeError, ValueError, RecursionError):
        raise AssetError(f"{CONFIG} describes no student of this package; export the run again.") from None


def _weights_file(model_id: str, more: Mapping[str, Any]) -> Path:
    """The weights of a folder, or of a repository, which are then in the Hub's cache."""
    if os.path.isdir(model_id):
        return Path(model_id) / WEIGHTS
    names = ("revision", "cache_dir", "force_download", "token", "local_files_only")
    return Path(hf_hub_download(model_id, WEIGHTS, **{name: more[name] for name in names if name in more}))


def write_hub_folder(run: Path, out: Path, *, repository: str = "OWNER/NAME", license: str = "") -> list[Path]:
    """Writes the repository of the student in `run`, a folder that `--out` wrote, and returns its files.

    It needs no network. `repository` is the name in the card's line that loads the student. `license` is an
    identifier of the Hub, such as mit; empty means that the card states no license. Raises StorageError.
    """
    facts, network = read_facts(run), load_student(run)
    if len(facts.classes) != network.spec.classes:
        raise StorageError(f"{excerpt(run, 200)} contains a damaged {CONFIG}; run it again.")
    check_hub_folder(out)
    student = Student.from_classifier(network, facts.classes)
    try:
        out.mkdir(parents=True, exist_ok=True)
        student.save_pretrained(out, model_card_kwargs={})
    except OSError as error:
        raise StorageError(
            f"{excerpt(out, 200)} cannot be written ({error.strerror}); choose another folder."
        ) from None
    contents = {
        CODE: plain_code(network.spec, facts.classes, WEIGHTS).encode(),
        RUN_FILE: written(facts.config).encode(),
        CARD: str(model_card(facts, network.spec, repository, license)).encode(),
    }
    with suppress(OSError):  # a run that was stopped in its first round has no picture
        contents[SAMPLES] = read_file(run / SAMPLES, MAX_PICTURE_BYTES)
    for name, content in contents.items():
        write_whole(out / name, content)
    return sorted(out / name for name in [*contents, WEIGHTS, CONFIG])


def check_hub_folder(out: Path) -> None:
    """Raises StorageError for a folder with other files of these names, such as the run's own folder."""
    try:
        ours = _CARD_LINE in read_file(out / CARD, MAX_CARD_BYTES).decode("utf-8", "replace")
    except OSError:
        ours = False
    check_ours("hub-folder", out, ours, (CARD, CONFIG, WEIGHTS, CODE, RUN_FILE, SAMPLES), "a student for the Hub")
    check_places(out, (CARD, CONFIG, WEIGHTS, CODE, RUN_FILE, SAMPLES))
    for name in (CONFIG, WEIGHTS):  # the Hub's library would write through a link
        if (out / name).is_symlink():
            raise StorageError(f"{excerpt(out / name, 200)} is a link; move it away, or choose another folder.")


def model_card(facts: RunFacts, spec: ModelSpec, repository: str, license: str) -> ModelCard:
    """The card: teacher, data-free, preset, accuracy, command and license, with the Hub's metadata."""
    preset, changes = nearest_preset(facts.config)
    teacher = _teacher(facts.config.teacher)
    results = []
    if facts.accuracy is not None:
        results.append(
            EvalResult(
                task_type="image-classification",
                dataset_type=facts.config.teacher if "/" not in facts.config.teacher else "own",
                dataset_name=f"test images of {facts.config.teacher}",
                metric_type="accuracy",
                metric_value=round(facts.accuracy, 4),
            )
        )
    about = ModelCardData(
        license=license or UNKNOWN_LICENSE,
        library_name="nayer",
        pipeline_tag="image-classification",
        tags=["knowledge-distillation", "data-free", "model_hub_mixin", "pytorch_model_hub_mixin", "nayer"],
        model_name=repository.rpartition("/")[2] if results else None,
        eval_results=results or None,
    )
    method = get(preset)
    differs = f" with other values of {', '.join(f'`{name}`' for name in changes)}" if changes else ""
    rows = {
        "teacher": f"`{facts.config.teacher}`" + (f": {teacher.title}" if teacher else ""),
        "the teacher learned from": teacher.data if teacher else "unknown to this run",
        "training images of the student": "none: it was distilled data-free, from generated images alone",
        "method": f"preset `{preset}`{differs}; {method.paper}",
        "student": f"`{spec.architecture}`, images ({spec.channels}, {spec.size}, {spec.size}) from 0 to 1",
        "classes": ", ".join(map(_plain, facts.classes)),
        "accuracy on test images": _percent(facts.accuracy),
        "the teacher's accuracy": _percent(facts.teacher_accuracy),
        "agreement with the teacher": _percent(facts.agreement),
        "license": (f"`{license}`" if license else "not stated by the publisher")
        + (f"; the teacher: {teacher.license}" if teacher else ""),
    }
    table = "\n".join(f"| {name} | {_cell(value)} |" for name, value in rows.items())
    return ModelCard(
        f"---\n{about}\n---\n\n# A student that saw no training image\n\n"
        "This image classifier was trained by data-free distillation: a teacher answered, and no image of its data set "
        "was used.\n\n"
        f"| | |\n| --- | --- |\n{table}\n\n"
        "## Load it\n\nWith the package `nayer`:\n\n"
        f'```python\nimport nayer\n\nstudent = nayer.Student.from_pretrained("{repository}")\n```\n\n'
        f"With PyTorch and safetensors alone, in a copy of this folder: `import student; network = student.load()`.\n\n"
        f"## Train it again\n\n```bash\n{command_line(facts.config)}\n```\n\n`{RUN_FILE}` has all settings.\n"
    )


def push(folder: Path, repository: str, *, private: bool = False) -> str:
    """Uploads a folder of `write_hub_folder` to the Hub and returns its address. Raises StorageError.

    It creates the repository if it does not exist. The token is the one of `hf auth login` or of HF_TOKEN.
    """
    from huggingface_hub import HfApi

    try:
        api = HfApi()
        made = api.create_repo(repository, private=private, exist_ok=True)
        api.upload_folder(repo_id=made.repo_id, folder_path=folder, commit_message="A data-free distilled student")
    except Exception as error:  # no network, no token, no permission, a malformed name
        reason = excerpt(str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__, 160)
        raise StorageError(
            f"push={excerpt(repository)!r} did not reach the Hub ({reason.rstrip('.:')}); the folder {folder} has all "
            "files, and `hf upload` sends them too."
        ) from None
    return str(made)


def _teacher(name: str) -> TeacherCard | None:
    """The card of a shipped teacher, or of a teacher in a folder; None if the folder does not exist."""
    try:
        return next((card for card in teacher_cards() if card.name == name), None) or read_card(Path(name))
    except (NayerError, OSError, ValueError):
        return None


def _percent(share: float | None) -> str:
    return "not measured" if share is None else f"{share:.2%}"


def _plain(name: str) -> str:
    """A name in which Markdown has no effect, because people chose the names."""
    return re.sub(r"([\\`*_\[\]<>&~#])", r"\\\1", name)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
