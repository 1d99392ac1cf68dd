"""Test splits: the shipped ones are what their README says, and a folder is read or refused in one sentence."""

from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nayer.data import test_sets
from nayer.data.image_decoding import decode
from nayer.data.readers import balanced, digits_for_testing, read_digits, read_idx
from nayer.data.test_sets import load_testset
from nayer.errors import AssetError, ConfigError
from nayer.networks.cards import SHIPPED, TeacherCard, read_card
from nayer.teachers.recipes import RECIPES

DEBIAN = Path(RECIPES["fashion"].folder)


@pytest.fixture
def card() -> TeacherCard:
    """Eight gray pixels a side, ten classes."""
    return read_card(SHIPPED / "digits")


def write_idx(path: Path, array: np.ndarray) -> None:
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    path.write_bytes(gzip.compress(header + array.tobytes()))


def png(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize(("name", "per_class", "side"), [("digits", 50, 8), ("fashion", 200, 28)])
def test_a_shipped_split_is_balanced(name: str, per_class: int, side: int) -> None:
    split = load_testset(read_card(SHIPPED / name))
    assert split is not None
    assert split.images.shape == (10 * per_class, 1, side, side)
    assert split.images.dtype == np.uint8
    assert np.bincount(split.labels).tolist() == [per_class] * 10
    assert (test_sets.FOLDER / f"{name}.npz").stat().st_size < 1_000_000


def test_the_digits_are_scikit_learns_and_none_is_learned_from() -> None:
    images, labels = read_digits()
    split = load_testset(read_card(SHIPPED / "digits"))
    assert split is not None
    places = digits_for_testing(labels)
    np.testing.assert_array_equal(split.images, images[places])
    np.testing.assert_array_equal(split.labels, labels[places])
    learned, _ = RECIPES["digits"].read(Path())
    assert len(learned) + len(split.images) == len(images)
    learned_from = {image.tobytes() for image in learned}
    assert not [image for image in split.images if image.tobytes() in learned_from]


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="needs Debian's dataset-fashion-mnist")
def test_the_fashion_split_is_the_first_of_each_class() -> None:
    images, labels = read_idx(DEBIAN / test_sets.IDX[0], DEBIAN / test_sets.IDX[1])
    split = load_testset(read_card(SHIPPED / "fashion"))
    assert split is not None
    places = balanced(labels, 200)
    np.testing.assert_array_equal(split.images, images[places])
    np.testing.assert_array_equal(split.labels, labels[places])


def test_a_damaged_split_is_refused_by_its_hash(
    card: TeacherCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytearray((test_sets.FOLDER / "digits.npz").read_bytes())
    monkeypatch.setattr(test_sets, "FOLDER", tmp_path)
    with pytest.raises(AssetError, match=r"^testset='digits' is missing; restore assets/testsets/digits\.npz\.$"):
        load_testset(card)
    content[-30] ^= 1
    (tmp_path / "digits.npz").write_bytes(content)
    with pytest.raises(AssetError, match=r"^testset='digits' does not match its SHA-256;"):
        load_testset(card)


def test_a_teacher_of_other_data_has_no_split(card: TeacherCard) -> None:
    assert load_testset(card.model_copy(update={"testset": None})) is None


def test_without_the_hub_cifar10_has_no_split(card: TeacherCard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)  # as if it were not installed
    assert load_testset(card.model_copy(update={"testset": "cifar10"})) is None


def test_folders_named_after_classes_are_read_in_the_order_of_the_labels(card: TeacherCard, tmp_path: Path) -> None:
    for label, name in [(7, "seven"), (2, "two")]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").write_bytes(png(np.full((8, 8), 10 * label, np.uint8)))
        (tmp_path / name / ".DS_Store").write_bytes(b"no picture")
        (tmp_path / name / "notes.txt").write_bytes(b"no picture")
    split = load_testset(card, str(tmp_path))
    assert split is not None
    assert split.labels.tolist() == [2, 7]
    assert split.images[:, 0, 0, 0].tolist() == [20, 70]


def test_idx_files_are_read_as_they_were_written(card: TeacherCard, tmp_path: Path) -> None:
    images = np.arange(3 * 64, dtype=np.uint8).reshape(3, 8, 8)
    labels = np.array([9, 0, 4], np.uint8)
    for name, array in zip(test_sets.IDX, (images, labels), strict=True):
        write_idx(tmp_path / name, array)
    split = load_testset(card, str(tmp_path))
    assert split is not None
    np.testing.assert_array_equal(split.images, images[:, None])
    np.testing.assert_array_equal(split.labels, labels)


def test_a_parquet_file_is_read_as_the_hub_writes_it(card: TeacherCard, tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    pictures = [np.full((8, 8), shade, np.uint8) for shade in (5, 250)]
    column = [{"bytes": png(picture), "path": None} for picture in pictures]
    parquet.write_table(arrow.table({"img": column, "label": [3, 1]}), tmp_path / "test.parquet")
    split = load_testset(card, str(tmp_path))
    assert split is not None
    np.testing.assert_array_equal(split.images, np.stack(pictures)[:, None])
    assert split.labels.tolist() == [3, 1]


def test_a_folder_without_labeled_images_is_refused(card: TeacherCard, tmp_path: Path) -> None:
    with pytest.raises(
        AssetError, match=r"has no images in folders named after their classes; put them there, as in cat/1\.png"
    ):
        load_testset(card, str(tmp_path))
    with pytest.raises(ConfigError, match=r"^test_data='.*missing' does not exist; name a folder"):
        load_testset(card, str(tmp_path / "missing"))


def test_labels_beyond_the_classes_and_images_of_another_size_are_refused(card: TeacherCard, tmp_path: Path) -> None:
    write_idx(tmp_path / test_sets.IDX[0], np.zeros((1, 8, 8), np.uint8))
    write_idx(tmp_path / test_sets.IDX[1], np.array([10], np.uint8))
    with pytest.raises(AssetError, match=r"^test_data has labels from 10 to 10; they must be 0 to 9\.$"):
        load_testset(card, str(tmp_path))
    write_idx(tmp_path / test_sets.IDX[0], np.zeros((1, 9, 9), np.uint8))
    with pytest.raises(
        AssetError, match=r"^test_data has images of shape \(1, 9, 9\); the teacher needs \(1, 8, 8\)\.$"
    ):
        load_testset(card, str(tmp_path))


@pytest.mark.parametrize(
    "content",
    [b"", b"text", gzip.compress(b"", mtime=0), gzip.compress(b"\0\0\x0d\1\0\0\0\1\0\0\0\0", mtime=0)],
    ids=["empty", "text", "empty inside", "cut short"],
)
def test_what_is_no_idx_file_is_refused(card: TeacherCard, tmp_path: Path, content: bytes) -> None:
    (tmp_path / test_sets.IDX[0]).write_bytes(content)
    with pytest.raises(AssetError, match=r"^t10k-images-idx3-ubyte\.gz is missing or not a gzipped IDX file"):
        load_testset(card, str(tmp_path))


def test_a_parquet_file_without_the_columns_is_refused(card: TeacherCard, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    (tmp_path / "test.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(AssetError, match=r"^test\.parquet is missing, damaged or has no columns image and label"):
        load_testset(card, str(tmp_path))


def test_an_oblong_picture_gives_its_middle_square() -> None:
    picture = np.zeros((8, 24, 3), np.uint8)
    picture[:, 8:16] = (10, 20, 30)
    pixels = decode(png(picture), "x.png", channels=3, size=8)
    np.testing.assert_array_equal(pixels, np.broadcast_to(np.array([10, 20, 30])[:, None, None], (3, 8, 8)))


@pytest.mark.parametrize("data", [b"", b"GIF89a", png(np.zeros((8, 8), np.uint8))[:40]])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(AssetError, match=r"^x\.png is not a readable image; use PNG, JPEG, BMP or WebP\.$"):
        decode(data, "x.png", channels=1, size=8)


def test_a_huge_picture_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(AssetError, match=r"^x\.png is 1025 × 8 px; at most 1024 px per side are read\.$"):
        decode(png(np.zeros((8, 1025), np.uint8)), "x.png", channels=1, size=8)
