"""A student as ONNX answers as the student does, for any number of images, and says nothing of the machine."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from nayer.cli.main import main
from nayer.common import extras
from nayer.common.extras import ONNX_PACKAGES
from nayer.errors import StorageError
from nayer.exports import onnx_file
from nayer.exports.onnx_file import TOLERANCE, logits_by_onnx, onnx_of, onnx_of_file
from nayer.exports.run_archive import description
from nayer.networks.classifiers import build
from nayer.networks.specs import FAMILIES, ModelSpec
from nayer.teachers.load import weights_of

EXTRA = all(importlib.util.find_spec(name) for name in ONNX_PACKAGES)
with_onnx = pytest.mark.skipif(not EXTRA, reason="the extra onnx is not installed: make slow installs it")


def trained(architecture="lenet-4", channels=1, size=8, classes=3):
    spec = ModelSpec(
        architecture=architecture,
        channels=channels,
        size=size,
        classes=classes,
        mean=(0.4,) * channels,
        std=(0.3,) * channels,
    )
    network = build(spec, torch.Generator().manual_seed(3))
    network(torch.rand(16, channels, size, size))  # moves the BatchNorms' statistics
    return network.eval()


@with_onnx
@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_answers_alike_for_any_number_of_images(family):
    import onnx

    network = trained(f"{family}-2", channels=3, size=32, classes=10)
    content = onnx_of(network, [f"class {number}" for number in range(10)])
    for count in (1, 7):
        images = torch.rand(count, 3, 32, 32, generator=torch.Generator().manual_seed(count))
        with torch.inference_mode():
            wanted = network(images).numpy()
        assert np.abs(logits_by_onnx(content, images.numpy()) - wanted).max() <= TOLERANCE
    model = onnx.load_from_string(content)
    onnx.checker.check_model(model, full_check=True)
    assert {one.key: one.value for one in model.metadata_props}["classes"].splitlines()[9] == "class 9"
    for place in (str(Path.cwd()), sys.prefix, ".py"):
        assert place.encode() not in content


@with_onnx
@pytest.mark.slow
def test_export_writes_it_from_a_folder_or_a_students_file(tmp_path, capsys):
    few = [
        "--rounds",
        "2",
        "--warmup-rounds",
        "1",
        "--generator-steps",
        "2",
        "--student-steps",
        "2",
        "--test-images",
        "50",
    ]
    assert main(["distill", "--teacher", "digits", *few, "--out", str(tmp_path / "run"), "--onnx"]) == 0
    assert main(["export", str(tmp_path / "run"), "--onnx", str(tmp_path / "mine.onnx")]) == 0
    assert (tmp_path / "mine.onnx").read_bytes() == (tmp_path / "run" / "student.onnx").read_bytes()
    network = trained()
    again = onnx_of_file(weights_of(network, description(network, "abc")))
    images = np.full((2, 1, 8, 8), 0.25, np.float32)
    with torch.inference_mode():
        assert np.abs(logits_by_onnx(again, images) - network(torch.from_numpy(images)).numpy()).max() <= TOLERANCE
    with pytest.raises(StorageError, match="a network that was not built here"):
        onnx_of_file(weights_of(torch.nn.Linear(2, 2)))


@with_onnx
@pytest.mark.slow
def test_a_file_that_answers_differently_is_not_written(monkeypatch):
    monkeypatch.setattr(onnx_file, "logits_by_onnx", lambda content, images: np.zeros((5, 3), np.float32))
    with pytest.raises(StorageError, match=r"^student\.onnx is not written: a logit differs from the student's by "):
        onnx_of(trained(), "abc")


def test_without_the_packages_one_sentence_says_what_brings_them_before_anything_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    words = ["distill", "--teacher", "digits", "--out", str(tmp_path / "o"), "--onnx"]
    assert main(words) == 2
    sentence = "student.onnx needs the package onnx, which is not installed; pip install 'nayer[onnx]'.\n"
    assert capsys.readouterr().err == sentence
    assert not (tmp_path / "o").exists()
    assert main(["distill", "--teacher", "digits", "--onnx"]) == 2
    assert capsys.readouterr().err == "onnx needs --out; name the folder of the run.\n"
