"""Image classifiers of transformers teach as they are: names, size and normalization are read from their own files."""

import json
import os
import sys

import huggingface_hub
import pytest
import torch

from nayer.config import Config
from nayer.errors import AssetError, ConfigError, NayerError
from nayer.events import GeneratorStep, Note, RunStarted
from nayer.library import named_run
from nayer.runs import side_by_side
from nayer.runs.side_by_side import Lab
from nayer.teachers.find import find_teacher

NAMES = {0: "cat", 1: "dog", 2: "great white shark, white shark, man-eater, man-eating shark, Carcharodon carcharias"}
ABOUT = {
    "do_normalize": True,
    "image_mean": [0.5, 0.4, 0.3],
    "image_std": [0.2, 0.3, 0.4],
    "size": {"shortest_edge": 12},
}
FEW = {"rounds": 2, "warmup_rounds": 1, "generator_steps": 2, "student_steps": 1, "noisy_width": 8}
FEW |= {"generator_width": 2, "synthesis_batch": 6, "latent": "one-hot", "device": "cpu", "student": "lenet-1"}


def residual():
    from transformers import ResNetConfig, ResNetForImageClassification

    sizes = {"embedding_size": 4, "hidden_sizes": [4, 8], "depths": [1, 1], "layer_type": "basic"}
    return ResNetForImageClassification(ResNetConfig(num_channels=3, **sizes, id2label=NAMES))


def transformer():
    from transformers import ViTConfig, ViTForImageClassification

    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    return ViTForImageClassification(ViTConfig(image_size=96, patch_size=48, num_channels=1, **sizes, id2label=NAMES))


def laid_out(folder, network, about):
    network.eval().save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(about))
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    torch.manual_seed(0)
    return laid_out(tmp_path_factory.mktemp("residual"), residual(), ABOUT)


def test_it_is_asked_as_transformers_would_ask_it(folder):
    from transformers import AutoModelForImageClassification

    teacher = find_teacher(str(folder))
    assert teacher.card.classes == ("cat", "dog", "great white shark")
    assert (teacher.card.model.channels, teacher.card.model.size) == (3, 12)
    images = torch.rand(2, 3, 12, 12)
    mean, std = (torch.tensor(ABOUT[key]).view(3, 1, 1) for key in ("image_mean", "image_std"))
    straight = AutoModelForImageClassification.from_pretrained(folder).eval()((images - mean) / std).logits
    torch.testing.assert_close(teacher.network(images), straight)


def test_a_run_learns_from_it_by_its_folder_with_its_statistics(folder):
    events = list(named_run(str(folder), **FEW).events())
    (started,) = [event for event in events if isinstance(event, RunStarted)]
    assert started.image_shape == (3, 12, 12)
    assert any(event.bn > 0 for event in events if isinstance(event, GeneratorStep))


def test_with_layer_norm_only_and_larger_images_it_teaches_without_the_bn_term(tmp_path):
    raw = {"do_rescale": False, "do_normalize": False, "size": {"height": 96, "width": 96}}
    run = named_run(str(laid_out(tmp_path, transformer(), raw)), **FEW)
    assert run.task.image_shape == (1, 32, 32)
    assert run.card.model.std == (1 / 255,)  # it wants numbers from 0 to 255
    notes = [event.message for event in run.events() if isinstance(event, Note)]
    assert any("no BatchNorm, so there is no BN term" in note for note in notes)


def changed(folder, to, **files):
    """A copy of a folder with these files in place of its own; None leaves one out."""
    for path in folder.iterdir():
        content = files.get(path.stem, path.read_bytes())
        if content is not None:
            (to / path.name).write_bytes(content)
    return to


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"preprocessor_config": None}, r"preprocessor_config\.json"),
        ({"preprocessor_config": b"{}"}, r"needs image_mean, image_std \(3 numbers each\) and size"),
        ({"preprocessor_config": b"[]"}, r"is not a readable image classifier|needs image_mean"),
        ({"preprocessor_config": json.dumps(ABOUT | {"image_std": [1, 1]}).encode()}, r"needs image_mean"),
        (
            {"preprocessor_config": json.dumps(ABOUT | {"image_std": [1, 1, 0]}).encode()},
            r"those of std must be above 0",
        ),
        ({"model": None}, r"is not a readable image classifier"),
        ({"model": b"\x80\x04."}, r"is not a readable image classifier"),
        ({"config": b'{"model_type": "bert", "architectures": []}'}, r"is not a readable image classifier"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(folder, tmp_path, files, sentence):
    with pytest.raises(NayerError, match=sentence) as refusal:
        find_teacher(str(changed(folder, tmp_path, **files)))
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 600


def test_weights_that_are_missing_are_not_made_up(folder, tmp_path):
    from safetensors.torch import load_file, save

    kept = {name: value for name, value in load_file(folder / "model.safetensors").items() if "classifier" not in name}
    with pytest.raises(AssetError, match=r"lacks 2 weights, such as classifier\.1\.bias"):
        find_teacher(str(changed(folder, tmp_path, model=save(kept, {"format": "pt"}))))


def test_weights_of_more_than_two_gigabytes_are_refused_before_they_are_read(folder, tmp_path):
    made = changed(folder, tmp_path)
    os.truncate(made / "model.safetensors", 1 << 43)  # a sparse file, so it takes no disk
    with pytest.raises(AssetError, match=r"model\.safetensors cannot be read \(larger than 2048 MB\)"):
        find_teacher(str(made))


def test_a_run_on_the_page_is_refused_if_it_does_not_fit_beside_its_teacher(folder, monkeypatch):
    monkeypatch.setattr(side_by_side, "limit_for_a_run", lambda: 1e6)
    config = Config.parse({"teacher": str(folder), **FEW})
    with pytest.raises(ConfigError, match=r"needs too much memory: this run takes 0\.1 GB"):
        list(Lab([config]).events())


def test_a_pickle_beside_it_is_not_opened(folder, tmp_path):
    made = changed(folder, tmp_path, model=None)
    torch.save(residual().state_dict(), made / "pytorch_model.bin")
    with pytest.raises(AssetError, match="is not a readable image classifier"):
        find_teacher(str(made))


def test_without_a_network_a_name_on_the_hub_is_one_sentence_and_nothing_heavy_is_imported(monkeypatch):
    def nowhere(*_, **__):
        raise ConnectionError("[Errno 101] Network is unreachable\nmore")

    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", nowhere)
    monkeypatch.setitem(sys.modules, "transformers", None)  # importing it fails
    with pytest.raises(ConfigError) as refusal:
        named_run("nobody/nothing")
    assert str(refusal.value) == (
        "teacher='nobody/nothing' is neither a local folder nor in the Hub's cache, and the Hub does not provide it"
        " ([Errno 101] Network is unreachable); name a folder with config.json and model.safetensors."
    )


@pytest.mark.parametrize("name", ["../up", "a/b/c", "a//b", "-", "nowhere"])
def test_what_is_no_name_on_the_hub_is_never_asked_for(name):
    with pytest.raises(ConfigError, match=r"does not exist; use digits, .* or the owner/name of an image classifier"):
        find_teacher(name)
