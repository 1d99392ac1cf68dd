"""Crop and mirror equal padding, slicing and flipping by hand, gradient included; elastic distortion equals SciPy's."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.ndimage import map_coordinates

from nayer.distillation.augmentation import (
    DISTORTION,
    DISTORTION_POINTS,
    crop_and_flip,
    cutmix,
    elastic_distortion,
    local_view,
)


def by_hand(images: torch.Tensor, padding: int, flip: bool, seed: int) -> torch.Tensor:
    rng = torch.Generator().manual_seed(seed)
    n, _, height, width = images.shape
    shifts = torch.randint(-padding, padding + 1, (2, n, 1, 1), generator=rng).flatten(1)
    mirrored = torch.rand((n, 1, 1), generator=rng).flatten() < 0.5 if flip else torch.zeros(n, dtype=torch.bool)
    padded = F.pad(images, [padding] * 4)
    rows = []
    for i in range(n):
        top, left = padding + int(shifts[0, i]), padding + int(shifts[1, i])
        crop = padded[i, :, top : top + height, left : left + width]
        rows.append(crop.flip(2) if mirrored[i] else crop)
    return torch.stack(rows)


def test_crop_and_flip_equals_padding_slicing_and_flipping():
    images = torch.rand(16, 3, 7, 7, generator=torch.Generator().manual_seed(1))
    got = crop_and_flip(images, 2, True, torch.Generator().manual_seed(5))
    torch.testing.assert_close(got, by_hand(images, 2, True, 5))


def test_without_padding_and_flip_nothing_changes():
    images = torch.rand(4, 1, 5, 5)
    assert torch.equal(crop_and_flip(images, 0, False, torch.Generator()), images)


def test_the_gradient_goes_to_the_pixels_that_were_kept():
    images = torch.rand(6, 1, 6, 6, requires_grad=True)
    crop_and_flip(images, 2, True, torch.Generator().manual_seed(2)).sum().backward()
    twin = images.detach().clone().requires_grad_()
    by_hand(twin, 2, True, 2).sum().backward()
    assert images.grad is not None
    assert torch.equal(images.grad, twin.grad)


@pytest.mark.parametrize(("height", "width", "share", "many"), [(28, 28, 0.5, 3), (12, 9, 1.0, 6), (9, 12, 0.4, 2)])
def test_elastic_distortion_moves_pixels_as_far_as_points_of_a_coarse_grid_say(height, width, share, many):
    images = torch.rand(6, 2, height, width, generator=torch.Generator().manual_seed(1))
    got = elastic_distortion(images, share, torch.Generator().manual_seed(5))
    moves = torch.randn((many, 2, DISTORTION_POINTS, DISTORTION_POINTS), generator=torch.Generator().manual_seed(5))
    across, down = (
        F.interpolate(moves, (height, width), mode="bicubic", align_corners=False).double().numpy().swapaxes(0, 1)
    )
    rows, columns = np.mgrid[:height, :width]
    for i in range(many):
        at = [rows + DISTORTION * height * down[i], columns + DISTORTION * width * across[i]]
        for channel in range(2):
            expected = map_coordinates(images[i, channel].double().numpy(), at, order=1, mode="grid-constant")
            np.testing.assert_allclose(got[i, channel].numpy(), expected, atol=1e-4)
    assert torch.equal(got[many:], images[many:])


def test_what_is_not_distorted_is_untouched_and_draws_nothing():
    rng = torch.Generator().manual_seed(3)
    before = rng.get_state()
    images = torch.rand(4, 1, 5, 5)
    assert elastic_distortion(images, 0.0, rng) is images
    assert torch.equal(rng.get_state(), before)


def test_distorted_images_stay_images():
    distorted = elastic_distortion(torch.ones(50, 1, 28, 28), 1.0, torch.Generator().manual_seed(0))
    assert distorted.max() <= 1.0 + 1e-6
    assert torch.all(distorted[:, :, 10:18, 10:18] > 1.0 - 1e-6)  # black comes in from outside alone
    assert distorted.min() == 0.0


def test_a_local_view_shows_a_quarter_of_the_image_or_more():
    """Of an image whose pixel says its column, a view has a range of at least √(¼ · ¾) = 0.433 of the width."""
    ramp = torch.arange(16.0).expand(64, 1, 16, 16).contiguous()
    views = local_view(ramp, flip=False, rng=torch.Generator().manual_seed(0))
    width = (views.amax(dim=(1, 2, 3)) - views.amin(dim=(1, 2, 3))) / 15
    assert views.shape == ramp.shape
    assert width.min() > 0.43
    assert width.max() > 0.9
    assert (views.diff(dim=3) >= -1e-4).all()  # nothing is mirrored
    mirrored = local_view(ramp, flip=True, rng=torch.Generator().manual_seed(0)).diff(dim=3).sum(dim=(1, 2, 3)) < 0
    assert 16 < mirrored.sum() < 48


def test_cutmix_puts_a_rectangle_of_the_next_image_into_a_share_of_them():
    images = torch.arange(8.0).view(8, 1, 1, 1).expand(8, 1, 10, 10).contiguous()
    mixed = cutmix(images, 0.5, torch.Generator().manual_seed(1))
    assert torch.equal(mixed[4:], images[4:])
    for place in range(4):
        other = images[place - 1, 0, 0, 0]
        foreign = mixed[place, 0] == other
        assert torch.equal(mixed[place, 0][~foreign], images[place, 0][~foreign])
        rows, columns = foreign.any(dim=1), foreign.any(dim=0)
        assert torch.equal(foreign, rows[:, None] & columns[None])  # a rectangle
    assert (mixed[:4] != images[:4]).any()
    assert torch.equal(cutmix(images, 0.0, torch.Generator()), images)
