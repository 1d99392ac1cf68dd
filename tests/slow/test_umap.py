"""UMAP itself: half a minute of loading and compiling, then the laws a map needs."""

from __future__ import annotations

import os

import numpy as np
import pytest

from nayer.analysis.projection import onto_anchors
from nayer.analysis.umap_worker import umap_worker
from nayer.config import Config
from nayer.embeddings.label_table import label_table

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Tensorflow not installed:ImportWarning"),
]

CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def noisy_outputs(table: np.ndarray, layers: int) -> np.ndarray:
    """BatchNorm and random linear layers over a table (k, d) -> (layers · k, d), laid on its rows."""
    rng = np.random.default_rng(0)
    normed = (table - table.mean(axis=0)) / np.sqrt(table.var(axis=0) + 1e-5)
    outputs = np.stack([normed @ rng.standard_normal((table.shape[1], 1000)) for _ in range(layers)])
    return onto_anchors(outputs, table).reshape(-1, table.shape[1])


@pytest.mark.parametrize("latent", ["lte", "one-hot", "random", "shuffled"])
def test_what_noisy_layers_make_of_a_class_lies_nearest_to_it_and_the_picture_stays(latent: str) -> None:
    table = label_table(CIFAR10, latent, encoder=Config().encoder, prompt=Config().prompt, seed=0).embeddings
    moving = noisy_outputs(table, layers=4)
    worker = umap_worker()
    layout = worker.layout(table, moving)
    assert worker.state == "ready"
    assert "NUMBA_THREADING_LAYER" not in os.environ
    distances = np.linalg.norm(layout.points[:, None] - layout.anchors[None], axis=2)  # (40, 10)
    assert (distances.argmin(axis=1) == np.tile(np.arange(10), 4)).mean() >= 0.95
    again = worker.layout(table, moving)
    np.testing.assert_array_equal(again.points, layout.points)
    others = worker.layout(table, moving[::-1] + 0.01)
    np.testing.assert_array_equal(others.anchors, layout.anchors)


@pytest.mark.parametrize("k", [4, 5, 60])
def test_any_number_of_classes_from_four_on_has_a_layout(k: int) -> None:
    table = np.random.default_rng(k).standard_normal((k, 32))
    layout = umap_worker().layout(table, table + 0.01)
    assert np.isfinite(layout.anchors).all()
    assert np.isfinite(layout.points).all()
    distances = np.linalg.norm(layout.points[:, None] - layout.anchors[None], axis=2)
    assert (distances.argmin(axis=1) == np.arange(k)).mean() >= 0.95
