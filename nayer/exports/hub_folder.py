"""A student as a repository of the Hub: a folder with weights, config, plain code and a model card, and its class.

The class is huggingface_hub's own mixin on our classifier, so that one line loads the student:

    nayer.Student.from_pretrained("OWNER/NAME")

No code of the repository runs. Source: https://huggingface.co/docs/huggingface_hub/guides/integrations
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData, PyTorchModelHubMixin

from nayer.common.files import read_file, write_whole
from nayer.errors import NayerError, StorageError, excerpt
from nayer.exports.config_file import RUN_FILE, written
from nayer.exports.reproduce import command_line, nearest_preset
from nayer.exports.run_facts import RunFacts, read_facts
from nayer.exports.run_folder import CODE, CONFIG, SAMPLES, load_student
from nayer.exports.standalone_code import plain_code
from nayer.networks.cards import TeacherCard, read_card, teacher_cards
from nayer.networks.classifiers import Classifier
from nayer.networks.specs import ModelSpec
from nayer.presets import get

WEIGHTS, CARD = "model.safetensors", "README.md"
UNKNOWN_LICENSE = "other"  # the Hub's word for a license that it does not list
MAX_PICTURE_BYTES = 16 << 20


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
    def of(cls, student: Classifier, names: Sequence[str]) -> Student:
        """`student` with the names of its classes; both share their weights."""
        spec = student.spec
        made = cls(spec.architecture, spec.channels, spec.size, list(spec.mean), list(spec.std), list(names))
        made.load_state_dict(student.state_dict(), assign=True)
        return made.eval()

    @classmethod
    def _from_pretrained(cls, *, strict: bool = True, **more: Any) -> Student:
        """Unlike the mixin's, strict: a weight that is missing is an error."""
        return super()._from_pretrained(strict=strict, **more)  # type: ignore[no-any-return]


def write_hub_folder(run: Path, out: Path, *, repository: str = "OWNER/NAME", license: str = "") -> list[Path]:
    """Writes the repository of the student in `run`, a folder that `--out` wrote, and returns its files.

    It needs no network. `repository` is the name in the card's line that loads the student. `license` is an
    identifier of the Hub, such as mit; empty leaves the question to the card's reader. Raises StorageError.
    """
    told, network = read_facts(run), load_student(run)
    student = Student.of(network, told.classes)
    try:
        out.mkdir(parents=True, exist_ok=True)
        student.save_pretrained(out, model_card_kwargs={})
    except OSError as error:
        raise StorageError(
            f"{excerpt(out, 200)} cannot be written ({error.strerror}); choose another folder."
        ) from None
    contents = {
        CODE: plain_code(network.spec, told.classes, WEIGHTS).encode(),
        RUN_FILE: written(told.config).encode(),
        CARD: str(model_card(told, network.spec, repository, license)).encode(),
    }
    with suppress(OSError):  # a run that was stopped in its first round has no picture
        contents[SAMPLES] = read_file(run / SAMPLES, MAX_PICTURE_BYTES)
    for name, content in contents.items():
        write_whole(out / name, content)
    return sorted(out / name for name in [*contents, WEIGHTS, CONFIG])


def model_card(told: RunFacts, spec: ModelSpec, repository: str, license: str) -> ModelCard:
    """The card: teacher, data-free, preset, accuracy, command and license, with the Hub's metadata."""
    preset, changes = nearest_preset(told.config)
    teacher = _teacher(told.config.teacher)
    results = []
    if told.accuracy is not None:
        results.append(
            EvalResult(
                task_type="image-classification",
                dataset_type=told.config.teacher if "/" not in told.config.teacher else "own",
                dataset_name=f"test images of {told.config.teacher}",
                metric_type="accuracy",
                metric_value=round(told.accuracy, 4),
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
        "teacher": f"`{told.config.teacher}`" + (f": {teacher.title}" if teacher else ""),
        "the teacher learned from": teacher.data if teacher else "unknown to this run",
        "training images of the student": "none: it was distilled data-free, from generated images alone",
        "method": f"preset `{preset}`{differs}; {method.paper}",
        "student": f"`{spec.architecture}`, images ({spec.channels}, {spec.size}, {spec.size}) from 0 to 1",
        "classes": ", ".join(map(_plain, told.classes)),
        "accuracy on test images": _percent(told.accuracy),
        "the teacher's accuracy": _percent(told.teacher_accuracy),
        "agreement with the teacher": _percent(told.agreement),
        "license": (f"`{license}`" if license else "not stated by the publisher")
        + (f"; the teacher: {teacher.licence}" if teacher else ""),
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
        f"## Train it again\n\n```bash\n{command_line(told.config)}\n```\n\n`{RUN_FILE}` has all settings.\n"
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
    except Exception as error:  # no network, no token, no right, a malformed name
        reason = excerpt(str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__, 160)
        raise StorageError(
            f"push={excerpt(repository)!r} did not reach the Hub ({reason.rstrip('.:')}); the folder {folder} has all "
            "files, and `hf upload` sends them too."
        ) from None
    return str(made)


def _teacher(name: str) -> TeacherCard | None:
    """The card of a shipped teacher, or of a teacher in a folder that is still there."""
    try:
        return next((card for card in teacher_cards() if card.name == name), None) or read_card(Path(name))
    except (NayerError, OSError, ValueError):
        return None


def _percent(share: float | None) -> str:
    return "not measured" if share is None else f"{share:.2%}"


def _plain(name: str) -> str:
    """A name that Markdown shows as it is: people chose it."""
    return re.sub(r"([\\`*_\[\]<>&~#])", r"\\\1", name)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
