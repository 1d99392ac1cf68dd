"""A student as ONNX, which runs without PyTorch, and the check that it answers as the student does."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from nayer.common.extras import ONNX, onnx_is_missing
from nayer.common.safetensors_header import header
from nayer.errors import ConfigError, StorageError
from nayer.networks.classifiers import Classifier, build
from nayer.networks.specs import ModelSpec

TOLERANCE = 1e-4  # largest difference of a logit, for images from 0 to 1
IMAGES, LOGITS = "images", "logits"  # names of the input and the output
_TRIED = 5  # images of the check; another number than the export sees, so that a fixed batch is noticed


def check_onnx() -> None:
    """Raises ConfigError in one sentence if a package is missing."""
    if sentence := onnx_is_missing():
        raise ConfigError(sentence)


def onnx_of(student: Classifier, classes: Sequence[str]) -> bytes:
    """The file: images (n, c, h, w) from 0 to 1 → logits (n, k), for any n. The classes are in its metadata.

    Raises ConfigError if a package is missing, and StorageError if onnxruntime's answers differ by more than TOLERANCE.
    """
    check_onnx()
    import onnx

    spec = student.spec
    network = build(spec)  # on the CPU, and without hooks
    network.load_state_dict({name: value.detach().cpu() for name, value in student.state_dict().items()})
    images = torch.rand(2, spec.channels, spec.size, spec.size, generator=torch.Generator().manual_seed(0))
    with _quiet():
        program = torch.onnx.export(
            network.eval(),
            (images,),
            dynamo=True,
            input_names=[IMAGES],
            output_names=[LOGITS],
            dynamic_shapes=({0: torch.export.Dim("n")},),
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    _remove_notes(model)
    onnx.helper.set_model_props(model, {"classes": "\n".join(classes), "architecture": spec.architecture})
    content: bytes = model.SerializeToString()
    _check(content, network)
    return content


def onnx_of_file(student: bytes) -> bytes:
    """The same from a student's safetensors file, whose header describes it. Raises StorageError for another file."""
    import json

    from safetensors.torch import load

    check_onnx()
    about = header(student, "student").about
    if "model" not in about:
        raise StorageError(f"{ONNX} cannot be made, because the weights do not describe their network; run it again.")
    network = build(ModelSpec.model_validate_json(about["model"]))
    network.load_state_dict({**network.state_dict(), **load(student)})
    return onnx_of(network, json.loads(about["classes"]))


def logits_by_onnx(content: bytes, images: Any) -> Any:
    """The logits (n, k) of images (n, c, h, w) float32 by onnxruntime, on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return session.run([LOGITS], {IMAGES: images})[0]


def _check(content: bytes, network: Classifier) -> None:
    spec = network.spec
    images = torch.rand(_TRIED, spec.channels, spec.size, spec.size, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        wanted = network(images).numpy()
    gap = float(np.abs(logits_by_onnx(content, images.numpy()) - wanted).max())
    if not gap <= TOLERANCE:
        raise StorageError(f"{ONNX} is not written: a logit differs from the student's by {gap:.2g}.")


def _remove_notes(model: Any) -> None:
    """Removes the exporter's notes, which name files of this machine and take most of the room."""
    graphs = [model.graph, *model.functions]
    for graph in graphs:
        del graph.metadata_props[:]
        for node in graph.node:
            node.doc_string = ""
            del node.metadata_props[:]
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info, *model.graph.initializer):
        del value.metadata_props[:]
        value.doc_string = ""
    del model.metadata_props[:]


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's remarks on itself and on packages that it would also know."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
