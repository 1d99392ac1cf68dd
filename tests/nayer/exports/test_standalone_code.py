"""A student that was written is loaded without this package, and answers as it did."""

import subprocess
import sys

import pytest
import torch
from safetensors.torch import save

from nayer.config import Config
from nayer.exports.metrics_table import Record
from nayer.exports.run_folder import STUDENT, export
from nayer.exports.standalone_code import plain_code
from nayer.networks.classifiers import build
from nayer.networks.specs import FAMILIES, ModelSpec
from nayer.teachers.load import weights_of


def made(family, channels=3, size=16):
    values = tuple([0.4, 0.5, 0.6][:channels]), tuple([0.2, 0.3, 0.25][:channels])
    spec = ModelSpec(architecture=f"{family}-2", channels=channels, size=size, classes=3, mean=values[0], std=values[1])
    network = build(spec, torch.Generator().manual_seed(1))
    for name, buffer in network.named_buffers():  # statistics as after training
        if name.endswith(("running_mean", "running_var")):
            buffer.uniform_(0.5, 2.0)
    return spec, network.eval()


@pytest.mark.parametrize(("family", "channels", "size"), [*((family, 3, 8) for family in FAMILIES), ("lenet", 1, 9)])
def test_the_code_makes_the_same_network(family, channels, size):
    spec, network = made(family, channels, size)
    code = plain_code(spec, ["a", 'b"\n', "ç"], STUDENT)
    assert max(map(len, code.splitlines())) < 200
    names = {"__file__": "student.py", "__name__": "student"}
    exec(compile(code, "student.py", "exec"), names)
    assert names["CLASSES"] == ["a", 'b"\n', "ç"]
    twin = names["Network"]()
    twin.load_state_dict(network.state_dict())
    images = torch.rand(4, channels, size, size)
    assert torch.equal(twin.eval()(images), network(images))


def test_a_fresh_process_without_this_package_loads_what_a_run_has_written(tmp_path):
    spec, network = made("resnet8")
    record = Record()
    record.classes = ("cat", "dog", "boat")
    export(tmp_path, Config(), spec, network, record)
    lines = "import sys, student, torch\nnetwork = student.load()\nprint(student.CLASSES, 'nayer' in sys.modules)\n"
    lines += "print(network(torch.full((1, 3, 16, 16), 0.5)).tolist())"
    told = subprocess.run([sys.executable, "-c", lines], cwd=tmp_path, capture_output=True, text=True, check=True)
    classes, logits = told.stdout.splitlines()
    assert classes == "['cat', 'dog', 'boat'] False"
    torch.testing.assert_close(torch.tensor(eval(logits)), network(torch.full((1, 3, 16, 16), 0.5)))


def test_weights_without_batch_norms_counters_load_and_others_do_not(tmp_path):
    spec, network = made("resnet8")
    (tmp_path / "student.py").write_text(plain_code(spec, "abc", STUDENT))
    names = {"__file__": str(tmp_path / "student.py"), "__name__": "student"}
    exec((tmp_path / "student.py").read_text(), names)
    (tmp_path / STUDENT).write_bytes(weights_of(network))
    images = torch.rand(2, 3, 16, 16)
    assert torch.equal(names["load"]()(images), network(images))
    (tmp_path / STUDENT).write_bytes(save({"last.bias": torch.zeros(3)}))
    with pytest.raises(RuntimeError, match="Missing key"):
        names["load"]()
