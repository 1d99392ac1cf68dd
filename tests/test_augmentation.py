"""Crop and mirror equal padding, slicing and flipping done by hand, gradient included."""

import torch
import torch.nn.functional as F

from nayer.augmentation import crop_and_flip


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
