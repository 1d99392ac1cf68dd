"""Samples of drawings: where nothing varies a sample is its drawing, and what varies stays within its bounds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from nayer.cli.main import main
from nayer.data import emoji
from nayer.data.emoji import BACKGROUND, PLAIN, TESTING, TRAINING, WIDE, Variety
from nayer.data.emoji_classes import CLASSES, ICONS
from nayer.data.emoji_icons import FOR_TESTING, FOR_TRAINING, Drawings
from nayer.data.test_sets import load_testset
from nayer.errors import AssetError
from nayer.networks.cards import SHIPPED, read_card
from tests.support.icon_sets import write_icon_set

STILL = Variety(
    turn=0.0,
    scale=(1.0, 1.0),
    squeeze=0.0,
    shift=0.0,
    mirror=0.0,
    hue=0.0,
    saturation=(1.0, 1.0),
    contrast=(1.0, 1.0),
    brightness=0.0,
)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(n: int, side: int = 16) -> Tensor:
    """Opaque drawings (n, 4, side, side) without a structure that a turn could keep."""
    pixels = torch.randint(0, 256, (n, 4, side, side), generator=rng(5), dtype=torch.uint8)
    pixels[:, 3] = 255
    return pixels


def shrunk(drawings: Tensor) -> Tensor:
    """Twice as coarse: each pixel the mean of four."""
    return torch.nn.functional.avg_pool2d(drawings[:, :3].float(), 2)


def test_where_nothing_varies_a_sample_is_its_drawing() -> None:
    drawings = noise(3)
    samples = emoji.varied(drawings, STILL, 8, rng())
    assert (samples.shape, samples.dtype) == ((3, 3, 8, 8), torch.uint8)
    torch.testing.assert_close(samples.float(), shrunk(drawings), atol=0.51, rtol=0.0)  # rounding


def test_a_mirrored_sample_is_its_drawings_mirror_image() -> None:
    drawings = noise(3)
    samples = emoji.varied(drawings, replace(STILL, mirror=1.0), 8, rng())
    torch.testing.assert_close(samples.float(), shrunk(drawings).flip(3), atol=0.51, rtol=0.0)


def test_half_the_side_puts_the_whole_drawing_into_the_middle() -> None:
    drawings = torch.full((2, 4, 16, 16), 255, dtype=torch.uint8)
    drawings[:, :3] = 10
    samples = emoji.varied(drawings, replace(STILL, scale=(0.5, 0.5)), 16, rng())
    inside = torch.zeros(16, 16, dtype=torch.bool)
    inside[4:12, 4:12] = True
    assert (samples[:, :, inside] == 10).all()
    border = torch.nn.functional.max_pool2d(inside[None].float(), 3, 1, 1)[0].bool() & ~inside
    assert (samples[:, :, ~inside & ~border] >= round(BACKGROUND[0] * 255)).all()


def test_a_transparent_drawing_shows_the_background_alone() -> None:
    samples = emoji.varied(torch.zeros(4, 4, 16, 16, dtype=torch.uint8), STILL, 8, rng())
    low, high = (round(bound * 255) for bound in BACKGROUND)
    assert low <= int(samples.min())
    assert int(samples.max()) <= high
    assert samples.float().std(dim=(0, 2, 3)).min() > 5  # different ones


def test_half_transparent_is_half_the_drawing_and_half_the_background() -> None:
    drawings = torch.zeros(2, 4, 16, 16, dtype=torch.uint8)
    behind = emoji.varied(drawings, STILL, 8, rng()).float()
    drawings[:, 3] = 51  # a fifth
    drawings[:, 0] = 200
    mixed = emoji.varied(drawings, STILL, 8, rng()).float()
    torch.testing.assert_close(mixed[:, 0], 40 + 0.8 * behind[:, 0], atol=1.0, rtol=0.0)
    torch.testing.assert_close(mixed[:, 1:], 0.8 * behind[:, 1:], atol=1.0, rtol=0.0)


def test_a_gradient_is_straight_and_stays_within_its_bounds() -> None:
    grounds = emoji.gradients(50, 9, rng()).double()
    assert grounds.shape == (50, 3, 9, 9)
    assert BACKGROUND[0] - 1e-6 <= float(grounds.min())
    assert float(grounds.max()) <= BACKGROUND[1] + 1e-6
    for axis in (2, 3):  # no second difference in either direction
        bends = grounds.diff(n=2, dim=axis)
        torch.testing.assert_close(bends, torch.zeros_like(bends), atol=1e-6, rtol=0.0)


def test_placements_turn_scale_and_shift_within_their_bounds_and_use_them() -> None:
    maps = emoji.placements(4000, replace(PLAIN, squeeze=0.0), rng())
    linear, offset = maps[:, :, :2], maps[:, :, 2:]
    zooms = linear.det().abs().sqrt()
    sides = 1.0 / zooms
    assert PLAIN.scale[0] - 1e-5 <= float(sides.min()) < PLAIN.scale[0] + 0.01
    assert PLAIN.scale[1] - 0.01 < float(sides.max()) <= PLAIN.scale[1] + 1e-5
    orthogonal = linear / zooms[:, None, None]
    torch.testing.assert_close(orthogonal @ orthogonal.mT, torch.eye(2).expand(4000, 2, 2), atol=1e-5, rtol=0.0)
    turns = torch.rad2deg(torch.atan2(linear[:, 1, 0], linear[:, 1, 1]))
    assert PLAIN.turn - 0.2 < float(turns.abs().max()) <= PLAIN.turn + 1e-3
    assert abs(float((linear.det() < 0).float().mean()) - PLAIN.mirror) < 0.03
    shifts = torch.linalg.solve(linear, -offset) / 2.0  # of the whole side
    assert PLAIN.shift - 0.01 < float(shifts.abs().max()) <= PLAIN.shift + 1e-5


def test_width_and_height_differ_by_no_more_than_the_squeeze() -> None:
    linear = emoji.placements(4000, replace(STILL, squeeze=0.2), rng())[:, :, :2]
    lengths = linear.norm(dim=2)
    assert 0.8 - 1e-5 <= float(lengths.min()) < 0.81
    assert 1.19 < float(lengths.max()) <= 1.2 + 1e-5
    assert float((lengths[:, 0] - lengths[:, 1]).abs().max()) > 0.3


def test_a_tint_keeps_grays_and_a_third_of_a_turn_carries_red_to_green() -> None:
    maps = emoji.tints(200, WIDE, rng())
    grays = torch.tensor([0.3, 0.3, 0.3])
    torch.testing.assert_close(maps @ grays, grays.expand(200, 3), atol=1e-6, rtol=0.0)
    torch.testing.assert_close(emoji.tints(3, STILL, rng()), torch.eye(3).expand(3, 3, 3), atol=1e-6, rtol=0.0)
    [faded] = emoji.tints(1, replace(STILL, saturation=(0.0, 0.0)), rng())
    torch.testing.assert_close(faded, torch.full((3, 3), 1 / 3), atol=1e-6, rtol=0.0)
    thirds = {
        tuple(column.round().int().tolist())
        for column in emoji.tints(2000, replace(STILL, hue=120.0), rng())[:, :, 0]
        if (column - column.round()).abs().max() < 0.02
    }
    assert thirds == {(1, 0, 0), (0, 1, 0), (0, 0, 1)}


def test_saturation_scales_the_distance_from_gray() -> None:
    maps = emoji.tints(2000, WIDE, rng())
    color = torch.tensor([0.9, 0.2, 0.1])
    gray = color.mean()
    distances = (maps @ color - gray).norm(dim=1) / (color - gray).norm()
    assert WIDE.saturation[0] - 1e-5 <= float(distances.min()) < WIDE.saturation[0] + 0.01
    assert WIDE.saturation[1] - 0.01 < float(distances.max()) <= WIDE.saturation[1] + 1e-5


def test_contrast_and_brightness_are_affine_in_the_pixels() -> None:
    drawings = torch.full((500, 4, 16, 16), 255, dtype=torch.uint8)
    drawings[:, :3] = 128
    bright = emoji.varied(drawings, replace(STILL, brightness=0.2), 8, rng()).float()
    assert 0.19 < float((bright - 128).abs().max()) / 255 <= 0.203
    assert float(bright.std(dim=(1, 2, 3)).max()) == 0.0  # one for the whole sample
    drawings[:, :3] = 192
    far = emoji.varied(drawings, replace(STILL, contrast=(0.5, 1.5)), 8, rng()).float()
    factors = (far[:, 0, 0, 0] - 127.5) / 64.5
    assert 0.49 < float(factors.min()) < 0.52
    assert 1.48 < float(factors.max()) < 1.51


def test_the_same_seed_gives_the_same_samples_and_every_drawing_comes_equally_often() -> None:
    labels = np.array([0, 1, 1, 0, 1])
    pixels = np.full((5, 4, 16, 16), 255, np.uint8)
    pixels[:, :3] = np.arange(5, dtype=np.uint8)[:, None, None, None] * 50
    drawings = Drawings(pixels, labels)
    images, marks = emoji.samples(drawings, 6, STILL, rng(), side=8)
    assert marks.tolist() == [0] * 6 + [1] * 6
    assert images[:, 0, 4, 4].tolist() == [0, 150] * 3 + [50, 100, 200] * 2
    again, _ = emoji.samples(drawings, 6, WIDE, rng(), side=8)
    same, _ = emoji.samples(drawings, 6, WIDE, rng(), side=8)
    other, _ = emoji.samples(drawings, 6, WIDE, rng(1), side=8)
    np.testing.assert_array_equal(again, same)
    assert not np.array_equal(again, other)


def test_the_classes_are_ten_of_a_hundred_and_no_icon_draws_two() -> None:
    assert len(CLASSES["emoji10"]) == 10
    assert len(CLASSES["emoji100"]) == 100
    assert set(CLASSES["emoji10"]) < set(CLASSES["emoji100"])
    icons = [icon for names in ICONS.values() for icon in names]
    assert len(set(icons)) == len(icons)


@pytest.mark.parametrize("name", ["emoji10", "emoji100"])
def test_the_shipped_split_is_balanced_small_and_attributed(name: str) -> None:
    card = read_card(SHIPPED / name)
    assert card.classes == CLASSES[name]
    split = load_testset(card)
    assert split is not None
    each = TESTING[name].per_class
    assert (split.images.shape, split.images.dtype) == ((each * len(card.classes), 3, 32, 32), np.uint8)
    assert np.bincount(split.labels).tolist() == [each] * len(card.classes)
    folder = SHIPPED.parent / "testsets"
    assert (folder / f"{name}.npz").stat().st_size < 4_000_000
    readme = (folder / "README.md").read_text("utf-8")
    for style in FOR_TESTING:
        for fact in (style.author, style.license, style.source):
            assert fact in readme
    assert f"`{name}.npz`" in readme


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """Every style with every icon of `emoji10`: an opaque square of the class's gray, darker where it trains."""
    for base, styles in ((0, FOR_TRAINING), (100, FOR_TESTING)):
        for style in styles:
            grays = {
                icon: f"#{base + 10 * label:02x}{base + 10 * label:02x}{base + 10 * label:02x}"
                for label, name in enumerate(CLASSES["emoji10"])
                for icon in ICONS[name]
            }
            write_icon_set(tmp_path, style.name, grays)
    return tmp_path


def test_what_is_tested_never_comes_from_a_style_that_trains(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for splits in (TRAINING, TESTING):
        monkeypatch.setitem(splits, "emoji10", replace(splits["emoji10"], variety=STILL, per_class=7))
    for split, base in ((emoji.training_images, 0), (emoji.testing_images, 100)):
        images, labels = split("emoji10", packages)
        assert labels.tolist() == [label for label in range(10) for _ in range(7)]
        np.testing.assert_array_equal(images[:, 0, 16, 16], base + 10 * labels)


def test_the_command_draws_the_split_that_testing_reads(packages: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = packages / "deep" / "split.npz"
    words = ["draw", "emoji10", "--data", str(packages), "--out", str(out)]
    assert main(words) == 0
    first = out.read_bytes()
    assert main(words) == 0
    assert out.read_bytes() == first
    split = load_testset(read_card(SHIPPED / "emoji10"), str(packages))
    assert split is not None
    with np.load(out) as arrays:
        np.testing.assert_array_equal(arrays["images"], split.images)
        np.testing.assert_array_equal(arrays["labels"], split.labels)
    assert main(["draw", "fashion", "--data", str(packages), "--out", str(out)]) == 2
    assert "name must be one of emoji10, emoji100, mnist; 'fashion' was given." in capsys.readouterr().err


def test_a_folder_without_packages_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssetError, match="npm install @iconify-json/noto-v1"):
        emoji.training_images("emoji10", tmp_path)
