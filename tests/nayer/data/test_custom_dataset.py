"""Images of one's own are read from wherever they lie, and a teacher learns from them."""

import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nayer.cli.main import main
from nayer.data.custom_dataset import find_pictures, labeled_as, read_own
from nayer.data.test_sets import load_testset
from nayer.errors import AssetError, ConfigError, NayerError
from nayer.teachers.folder import HELD_OUT
from nayer.teachers.load import load_teacher


def png(shade, side=8, mode="L"):
    stream = io.BytesIO()
    Image.new(mode, (side, side), shade).save(stream, "PNG")
    return stream.getvalue()


def shaded(base, number):
    return 20 * base + number


def files(splits=("",), per_class=10, names=("10", "2", "red_panda"), side=8):
    """Every class has shades of its own: 20 · its place in `names`, and up."""
    return {
        "/".join(filter(None, (split, name, f"{number}.png"))): png(shaded(base, number), side)
        for split in splits
        for base, name in enumerate(names)
        for number in range(per_class)
    }


def zipped(content):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return stream.getvalue()


def laid_out(folder, content):
    for name, data in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def parquet(path, rows, names=None):
    arrow = pytest.importorskip("pyarrow")
    table = arrow.table({"image": [{"bytes": data, "path": None} for _, data in rows], "label": [x for x, _ in rows]})
    if names:
        about = {"info": {"features": {"label": {"_type": "ClassLabel", "names": names}}}}
        table = table.replace_schema_metadata({"huggingface": json.dumps(about)})
    pytest.importorskip("pyarrow.parquet").write_table(table, path)
    return path


def test_folder_zip_and_parquet_hold_the_same_images(tmp_path):
    content = files(("mine/train", "mine/test"))
    (tmp_path / "a.zip").write_bytes(zipped({**content, "__MACOSX/10/._0.png": b"", "mine/train/10/.x.png": b""}))
    laid_out(tmp_path / "folder", content)
    names = ["two", "ten", "red_panda"]
    places = {"2": 0, "10": 1, "red_panda": 2}
    (tmp_path / "tables").mkdir()
    for split in ("train", "test"):
        rows = [(places[name.split("/")[2]], data) for name, data in content.items() if f"/{split}/" in name]
        parquet(tmp_path / "tables" / f"{split}-00000-of-00001.parquet", rows, names)
    read = [read_own(find_pictures(str(tmp_path / name))) for name in ("folder", "a.zip", "tables")]
    assert read[0].classes == read[1].classes == ("2", "10", "red panda")  # numbers in their order
    for own in read:
        by_class = {
            name: sorted(own.training[0][own.training[1] == place, 0, 0, 0].tolist())
            for place, name in enumerate(own.classes)
        }
        assert [*by_class.values()].count([shaded(2, number) for number in range(10)]) == 1
        assert by_class["red panda"] == [shaded(2, number) for number in range(10)]
        assert own.training[0].shape == own.testing[0].shape == (30, 1, 8, 8)
        assert not own.held_out


def test_without_a_test_folder_every_fifth_image_of_a_class_is_held_out_and_none_is_in_both(tmp_path):
    own = read_own(find_pictures(str(laid_out(tmp_path, files()))))
    assert np.bincount(own.testing[1]).tolist() == [2, 2, 2]
    assert len(own.training[1]) == 24
    seen = {image.tobytes() for image in own.training[0]}
    assert not [image for image in own.testing[0] if image.tobytes() in seen]


@pytest.mark.parametrize(
    ("side", "mode", "shape"), [(9, "L", (1, 9, 9)), (4, "RGB", (3, 8, 8)), (80, "L", (1, 64, 64))]
)
def test_size_and_color_are_the_pictures_own_as_far_as_that_works(tmp_path, side, mode, shape):
    content = {f"{name}/{i}.png": png(7, side, mode) for name in "ab" for i in range(5)}
    assert read_own(find_pictures(str(laid_out(tmp_path, content)))).training[0].shape[1:] == shape


@pytest.mark.parametrize(("size", "gray", "shape"), [(16, True, (1, 16, 16)), (0, False, (3, 8, 8))])
def test_size_and_color_can_be_asked_for(tmp_path, size, gray, shape):
    own = read_own(find_pictures(str(laid_out(tmp_path, files()))), size=size, gray=gray)
    assert own.training[0].shape[1:] == shape


def test_test_images_are_matched_by_name_and_strangers_are_named():
    pictures = find_in_zip(files(names=("Red_Panda", "CAT")))
    images, labels = labeled_as(pictures, ("dog", "cat", "red panda"), 1, 8)
    assert {(int(label), int(image[0, 0, 0]) // 20) for image, label in zip(images, labels, strict=True)} == {
        (2, 0),
        (1, 1),
    }
    with pytest.raises(
        AssetError, match=r"^test_data has classes that the teacher does not know \('Red_Panda'\); the teacher knows"
    ):
        labeled_as(pictures, ("dog", "cat"), 1, 8)


def test_numbers_that_are_no_names_are_places():
    pictures = find_in_zip(files(names=("0", "2")))
    _, labels = labeled_as(pictures, ("dog", "cat", "red panda"), 1, 8)
    assert np.bincount(labels).tolist() == [10, 0, 10]
    _, labels = labeled_as(pictures, ("2", "0"), 1, 8)
    assert np.bincount(labels).tolist() == [10, 10]


def find_in_zip(content):
    from nayer.data.image_folders import VISITOR, in_zip

    return in_zip(zipped(content), "mine.zip", VISITOR)


@pytest.mark.parametrize(
    ("content", "more", "sentence"),
    [
        ({}, {}, r"^images has no images in folders named after their classes"),
        ({"1.png": png(1)}, {}, r"^images has no images in folders named after their classes"),
        (files(names=("cat",)), {}, r"^there is 1 class name; use 2 to 200"),
        (files(names=("cat", "Cat")), {}, r"'Cat'.* appears already as 'cat'|'cat'.* appears already as 'Cat'"),
        (files(per_class=1), {}, r"^every class needs at least 5 images, or there must be a folder named test"),
        ({**files(), "dog/1.png": png(1)}, {}, r"^class 'dog' has 1 training images; it needs at least 2\.$"),
        ({**files(), "dog/1.png": b"GIF89a"}, {}, r"^dog/1.png is not a readable image"),
        (files(), {"size": 7}, r"^size must be 8 to 64 px"),
    ],
)
def test_images_that_cannot_be_learned_are_refused_in_one_sentence(tmp_path, content, more, sentence):
    (tmp_path / "images").mkdir()
    with pytest.raises(NayerError, match=sentence):
        read_own(find_pictures(str(laid_out(tmp_path / "images", content))), **more)


def test_what_is_nowhere_and_what_the_hub_cannot_give_are_one_sentence(tmp_path):
    with pytest.raises(ConfigError, match=r"^data='/no/such/thing' does not exist; name a folder"):
        find_pictures("/no/such/thing")
    with pytest.raises(AssetError, match=r"^data='owner/thing' is not a folder .*check the name and the network"):
        find_pictures("owner/thing")
    parquet(tmp_path / "x.parquet", [(1.5, png(0))])
    with pytest.raises(AssetError, match=r"^x\.parquet is missing, damaged or has no columns image and label"):
        find_pictures(str(tmp_path / "x.parquet"))


def test_a_teacher_learns_ones_own_images_and_a_student_is_measured_on_them(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    laid_out(tmp_path / "images", files(per_class=15))
    assert main(["teach", "--data", "images", "--out", "mine/Shades of_gray", "--epochs", "30"]) == 0
    out = Path("mine/Shades of_gray")
    card = load_teacher(str(out)).card
    assert (card.name, card.title, card.classes) == ("shades-of-gray", "Shades of gray", ("2", "10", "red panda"))
    assert card.test_accuracy == 1.0  # three bands of gray
    assert str(tmp_path) not in (out / "config.json").read_text() + (out / "README.md").read_text()
    test = load_testset(card, str(out / HELD_OUT))
    assert test is not None
    assert np.bincount(test.labels).tolist() == [3, 3, 3]
    few = "--rounds 1 --warmup-rounds 0 --generator-steps 1 --student-steps 1 --latent one-hot --device cpu"
    test_data = ["--test-data", str(out / HELD_OUT)]
    assert main(["distill", "--teacher", str(out), *test_data, "--out", "run", *few.split()]) == 0
    evaluated = json.loads(Path("run/config.json").read_text())["evaluated"]
    assert evaluated["measured_on"] == "test images"
    assert evaluated["teacher_accuracy"] == 1.0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("", "name is missing; use one of digits"),
        ("--data images", "name is missing; use one of digits"),
        ("digits --size 16", "size cannot be used with name='digits'"),
        ("--data images --out x --model alexnet-1", "model must be one of lenet-W"),
        ("--data images --out x --colour blue", "Argument --color/--colour: invalid choice"),
        ("--data images --out .", "out='.' cannot be a teacher's folder"),
    ],
)
def test_a_command_that_cannot_be_meant_so_is_one_sentence(tmp_path, monkeypatch, capsys, words, sentence):
    monkeypatch.chdir(tmp_path)
    assert main(["teach", *words.split()]) == 2
    assert capsys.readouterr().err.startswith(sentence)


def test_a_class_whose_folder_cannot_be_read_is_not_left_out(tmp_path, monkeypatch):
    for name in ("cat", "dog", "boat"):
        (tmp_path / "d" / name).mkdir(parents=True)
        for number in range(5):
            (tmp_path / "d" / name / f"{number}.png").write_bytes(png_of_zeros())
    monkeypatch.chdir(tmp_path / "d" / "boat")
    for _ in range(40):  # deeper than the system opens by its whole path, so it cannot be read by anybody
        os.mkdir("x" * 120)
        os.chdir("x" * 120)
    with pytest.raises(AssetError, match=r"^x+ in d cannot be read \(File name too long\); make it readable\.$"):
        find_pictures(str(tmp_path / "d"))
    os.chdir(tmp_path)


def png_of_zeros():
    content = io.BytesIO()
    Image.new("L", (8, 8)).save(content, "PNG")
    return content.getvalue()
