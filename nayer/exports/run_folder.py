"""A run as files: the student and its loading code, samples, metrics, config. Each is written whole or not at all."""

from __future__ import annotations

import io
import json
from pathlib import Path

from PIL import Image
from pydantic import ValidationError
from safetensors.torch import save
from torch import nn

from nayer.common.files import check_ours, read_file, write_whole
from nayer.common.safetensors_header import read_tensor_file
from nayer.common.safetensors_io import read_tensors
from nayer.config import Config
from nayer.errors import NayerError, StorageError
from nayer.exports import config_file
from nayer.exports.config_file import RUN_FILE
from nayer.exports.metrics_table import Record
from nayer.exports.standalone_code import plain_code
from nayer.networks.classifiers import Classifier, build, shapes_of
from nayer.networks.specs import ModelSpec
from nayer.types import Images

STUDENT, SAMPLES, METRICS, CONFIG = "student.safetensors", "samples.png", "metrics.csv", "config.json"
CODE = "student.py"
MAX_CONFIG_BYTES, MAX_STUDENT_BYTES = 4 << 20, 4 << 30
SAMPLE_SIDE = 32  # px; smaller samples are enlarged by whole factors


def export(folder: Path, config: Config, model: ModelSpec, student: nn.Module, record: Record) -> list[Path]:
    """Writes the six files into `folder`, as many as fit. StorageError names the first file that did not fit."""
    contents = {
        STUDENT: save({name: value.detach().cpu().contiguous() for name, value in student.state_dict().items()}),
        CODE: plain_code(model, record.classes, STUDENT).encode(),
        CONFIG: _config_file(config, model, record).encode(),
        RUN_FILE: config_file.written(config).encode(),
        METRICS: record.csv().encode(),
        SAMPLES: png(record.grid(), model.size),
    }
    written, failures = [], []
    for name, content in contents.items():
        if not content:
            continue
        try:
            write_whole(folder / name, content)
            written.append(folder / name)
        except StorageError as failure:
            failures.append(failure)
    if failures:
        raise failures[0]
    return written


def check_run_folder(folder: Path) -> None:
    """Raises StorageError if the files of a run would replace others in `folder`, such as a teacher's config.json."""
    ours = any((folder / name).is_file() for name in (STUDENT, METRICS, "checkpoint.safetensors"))
    check_ours("out", folder, ours, (CONFIG, CODE, RUN_FILE, SAMPLES, STUDENT, METRICS), "a run")


def load_student(folder: Path) -> Classifier:
    """The student that `export` wrote, in eval mode. Raises StorageError if it is missing or damaged."""
    try:
        model = json.loads(read_file(folder / CONFIG, MAX_CONFIG_BYTES))["model"]
        spec = ModelSpec.model_validate_json(json.dumps(model))
        # The weights are compared with the shapes before memory is taken: a short config.json can name a network of
        # 36 GB.
        tensors = read_tensors(read_tensor_file(folder / STUDENT, MAX_STUDENT_BYTES), shapes_of(spec), STUDENT)
        student = build(spec)
        student.load_state_dict(tensors)
    except OSError as error:
        raise StorageError(
            f"{folder} contains no student ({error.strerror}); name a folder that `--out` wrote."
        ) from None
    except (NayerError, ValidationError, ValueError, KeyError, TypeError, RuntimeError, RecursionError):
        raise StorageError(f"{folder} contains a damaged student; train it again.") from None
    return student.eval()


def _config_file(config: Config, model: ModelSpec, record: Record) -> str:
    """`config` is the config of the run. `model` is the student's shape. `classes` are its output names in order."""
    content = {"config": config.model_dump(), "model": model.model_dump(), "classes": record.classes}
    if record.evaluated:
        content["evaluated"] = record.evaluated.to_json()
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def png(grid: Images, size: int) -> bytes:
    """The picture of `Record.grid` as PNG, enlarged without smoothing. Empty bytes for an empty grid."""
    if not grid.size:
        return b""
    factor = max(1, SAMPLE_SIDE // size)
    enlarged = grid.repeat(factor, axis=0).repeat(factor, axis=1)
    file = io.BytesIO()
    Image.fromarray(enlarged[:, :, 0] if grid.shape[2] == 1 else enlarged).save(file, "PNG")
    return file.getvalue()
