"""A teacher that comes as two files is refused in one sentence or teaches as it would from a folder."""

import hashlib
import io
import json

import pytest
import torch
from safetensors.torch import load, save

from nayer.config import Config
from nayer.errors import AssetError, ConfigError, NayerError, StorageError
from nayer.events import Evaluated, RunStarted
from nayer.networks.cards import SHIPPED, read_card
from nayer.runs.side_by_side import Lab
from nayer.teachers.load import load_teacher
from nayer.teachers.upload import UploadedTeacher
from nayer.teachers.upload_loading import opened, remarks
from tests.support.uploaded import CARD, CLASSES, SPEC, config, drawn, uploaded, weights

MODEL = CARD["model"]


def test_a_shipped_teachers_files_make_the_teacher_they_are_but_for_its_name():
    files = [(SHIPPED / "digits" / name).read_bytes() for name in ("config.json", "model.safetensors")]
    came = UploadedTeacher(*files)
    card, images = came.card(), torch.rand(2, 1, 8, 8)
    assert card.model_copy(update={"name": "digits"}) == read_card(SHIPPED / "digits")
    assert torch.equal(opened(came)[0].network(images), load_teacher("digits").network(images))


def test_a_network_and_its_classes_are_enough_and_other_names_may_be_given():
    card = uploaded().card()
    assert (card.classes, card.model, card.student.architecture) == (CLASSES, SPEC, "lenet-8")
    assert card.test_accuracy is None
    other = uploaded(classes=("sun", "box", "dot"))
    assert other.card().classes == ("sun", "box", "dot")
    assert other.name != uploaded().name == uploaded().name


def test_it_comes_back_from_its_archive_as_it_was():
    came = uploaded(classes=("sun", "box", "dot"), tests=drawn())
    back = UploadedTeacher.unpacked(came.packed())
    assert (back.config, back.weights, back.classes, back.tests) == (
        came.config,
        came.weights,
        came.classes,
        came.tests,
    )
    assert back.packed() == came.packed()
    for content in (b"", came.packed()[:-30], drawn()):
        with pytest.raises(StorageError, match="damaged on disk"):
            UploadedTeacher.unpacked(content)


NOT_FINITE = {**load(weights()), "last.bias": torch.tensor([0.0, float("nan"), 0.0])}


@pytest.mark.parametrize(
    ("parts", "kind", "sentence"),
    [
        (
            {"classes": ("sun", "box")},
            ConfigError,
            r"^there are 2 class names, but the teacher has 3 outputs; name every",
        ),
        ({"config": config(classes=["a"] * 4)}, ConfigError, r"^config\.json has 4 class names, but the teacher has 3"),
        ({"config": config(classes=["a", "A", "b"])}, ConfigError, r"^class name 2, 'A', appears already as 'a'"),
        ({"config": config(classes="abc")}, AssetError, r"needs a list of texts as `classes`"),
        ({"config": config(classes=[1, 2, 3])}, AssetError, r"needs a list of texts as `classes`"),
        ({"config": config(model=None)}, AssetError, r"does not describe a network"),
        ({"config": config(model=None, architectures=["ViT"])}, AssetError, r"a file of transformers"),
        ({"config": b""}, AssetError, r"does not describe a network"),
        ({"config": b"[" * 100_000}, AssetError, r"does not describe a network"),
        ({"config": b"\xff\xfe{"}, AssetError, r"does not describe a network"),
        ({"config": b" " * (2 << 20)}, AssetError, r"larger than 1 MB"),
        ({"config": config(model={**MODEL, "size": 65})}, AssetError, r"wrong at model\.size \(.*64\)\.$"),
        (
            {"config": config(model={**MODEL, "channels": 2})},
            AssetError,
            r"wrong at model\. \(.*channels must be 1 or 3",
        ),
        ({"config": config(model={**MODEL, "architecture": "alexnet-1"})}, AssetError, r"'alexnet-1' was given"),
        ({"config": config(model={**MODEL, "architecture": "own"})}, ConfigError, r"'own' was given"),
        ({"config": config(model={**MODEL, "std": [float("inf")]})}, AssetError, r"wrong at model\.std"),
        ({"config": config(mirror="yes")}, AssetError, r"wrong at mirror"),
        ({"config": config(sha256="0" * 64)}, AssetError, r"does not match the sha256"),
        (
            {"config": config(model={**MODEL, "size": 16})},
            AssetError,
            r"does not fit config\.json \(body\.9\.weight has",
        ),
        ({"weights": weights(classes=4)}, AssetError, r"\(last\.bias has the shape \[4\], expected \[3\]"),
        ({"weights": weights(architecture="plainnet-1")}, AssetError, r"body\.1\.bias is missing|body\.0\.bias"),
        ({"weights": save(NOT_FINITE)}, AssetError, r"^last\.bias is not finite"),
        ({"weights": b"PK\3\4"}, AssetError, r"is not a safetensors file"),
        ({"tests": b"neither"}, AssetError, r"^test images is not a zip file"),
        ({"tests": b"PAR1neither"}, AssetError, r"^test images is missing, damaged"),
        (
            {"tests": drawn(("circle", "moon"))},
            AssetError,
            r"^test_data has classes that the teacher does not know \('moon'\)",
        ),
    ],
)
def test_what_cannot_teach_is_one_sentence(parts, kind, sentence):
    with pytest.raises(kind, match=sentence) as refusal:
        opened(uploaded(**parts))
    assert isinstance(refusal.value, NayerError)
    assert str(refusal.value).isprintable()
    assert len(str(refusal.value)) < 400


def test_what_a_run_will_lack_is_said_beforehand():
    plain = {**MODEL, "architecture": "plainnet-1"}
    said = remarks(*opened(uploaded(config=config(model=plain), weights=weights(architecture="plainnet-1"))))
    assert said == ["It has no BatchNorm, so there is no BN term."]
    zeros = save({name: torch.zeros_like(value) for name, value in load(weights()).items()})
    said = remarks(*opened(uploaded(weights=zeros, tests=drawn(each=4))))
    assert said[0] == "It gives the same answer for every image, so a student can learn nothing from it."
    assert said[1] == "It is correct on 33% of 12 of your test images."
    assert "near chance" in said[2]


def test_a_parquet_file_of_test_images_is_read_from_memory():
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    pictures = opened(uploaded(tests=drawn()))[1]
    from nayer.data.image_folders import VISITOR, in_zip

    rows = [(picture.label, picture.data) for picture in in_zip(drawn(), "a.zip", VISITOR)]
    stream = io.BytesIO()
    table = {"image": [{"bytes": data, "path": None} for _, data in rows], "label": [label for label, _ in rows]}
    parquet.write_table(arrow.table(table), stream)
    same = opened(uploaded(tests=stream.getvalue()))[1]
    assert (same.images == pictures.images).all()
    assert (same.labels == pictures.labels).all()


def test_a_run_learns_from_it_and_is_measured_on_the_images_that_came_along():
    came = uploaded(classes=("sun", "box", "dot"), tests=drawn(("sun", "box", "dot"), each=3))
    few = {"rounds": 2, "warmup_rounds": 1, "generator_steps": 1, "student_steps": 1, "noisy_width": 8}
    values = {**few, "generator_width": 2, "synthesis_batch": 6, "latent": "one-hot", "device": "cpu"}
    config = Config.parse({**values, "teacher": came.name})
    lab = Lab([config], (), b"", came)
    events = list(lab.events())
    (started,) = [event for event in events if isinstance(event, RunStarted)]
    assert started.classes == ("sun", "box", "dot")
    measured = [event for event in events if isinstance(event, Evaluated)]
    assert measured[-1].images == 9
    again = Lab([config], (), lab.checkpoint(), came)
    assert next(event for event in again.events() if isinstance(event, RunStarted)).classes == ("sun", "box", "dot")


def test_the_card_says_nothing_of_the_machine():
    card = uploaded().card()
    assert card.sha256 == hashlib.sha256(weights()).hexdigest()
    assert json.loads(card.model_dump_json())["name"].startswith("upload-")
