"""Strips: every image at its place, in gray and in color."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from app.support.images import jpeg, strip


@pytest.mark.parametrize("channels", [1, 3])
def test_the_nth_image_lies_in_the_nth_place(channels: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, channels, 4, 6), dtype=np.uint8)
    row = strip(images)
    assert row.shape[:2] == (4, 30)
    for n, image in enumerate(images):
        place = row[:, 6 * n : 6 * n + 6]
        np.testing.assert_array_equal(place if channels == 1 else place.transpose(2, 0, 1), image.squeeze())


def test_a_jpeg_keeps_the_colors_of_neighboring_small_images_apart() -> None:
    images = np.zeros((4, 3, 8, 8), dtype=np.uint8)
    for n in range(3):
        images[n, n] = 255  # red, green, blue, black
    shown = np.asarray(Image.open(io.BytesIO(jpeg(images)))).astype(int)
    assert np.abs(shown - strip(images)).max() < 8
