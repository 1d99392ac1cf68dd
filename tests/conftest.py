"""What every test shares."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"  # a test never waits for a network; before huggingface_hub reads it
os.environ["NAYER_DATA"] = "off"  # nor does it write into the folders of whoever runs it

import hashlib
import signal
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, settings

from nayer.networks.cards import TeacherCard
from nayer.networks.classifiers import build
from nayer.networks.specs import ModelSpec
from nayer.teachers.load import weights_of

# A shell starts background jobs with Ctrl-C ignored, and children inherit that. Some tests send Ctrl-C to children.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The networks here are tiny: a second thread costs more than it brings, and other work may hold the second core.
torch.set_num_threads(1)

settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")


LONGEST = ("tests/docs/", "tests/browser/")  # few tests that take seconds each


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first: at the end the workers share short ones, and none waits for another's long file."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


@pytest.fixture(scope="session")
def teacher_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole teacher, small and untaught: 3 classes, 8 × 8 pixels, no test images of its own."""
    folder = tmp_path_factory.mktemp("teachers") / "tiny"
    folder.mkdir()
    model = ModelSpec(architecture="lenet-4", channels=1, size=8, classes=3, mean=(0.5,), std=(0.25,))
    weights = weights_of(build(model, torch.Generator().manual_seed(0)))
    card = TeacherCard(
        name="tiny",
        title="Tiny",
        model=model,
        student=model.model_copy(update={"architecture": "lenet-2"}),
        classes=("cat", "dog", "boat"),
        mirror=True,
        testset=None,
        test_accuracy=0.3,
        data="None: its weights are random.",
        license="MIT",
        seed=0,
        command="none",
        sha256=hashlib.sha256(weights).hexdigest(),
    )
    (folder / "model.safetensors").write_bytes(weights)
    (folder / "config.json").write_text(card.model_dump_json(), "utf-8")
    return folder
