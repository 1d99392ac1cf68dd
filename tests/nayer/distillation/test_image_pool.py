"""The pool never holds more than its capacity, never returns what it evicted, and rounds to 8 bits."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from nayer.distillation.image_pool import Pool, to_bytes

CPU = torch.device("cpu")


@given(capacity=st.integers(1, 20), batches=st.lists(st.integers(0, 30), max_size=8))
def test_the_pool_holds_exactly_the_newest_images(capacity, batches):
    pool = Pool(capacity, (1, 1, 1), CPU)
    added: list[int] = []
    for size in batches:
        values = [len(added) + i for i in range(size)]
        added += values
        pool.add(torch.tensor(values, dtype=torch.uint8).view(-1, 1, 1, 1), torch.tensor(values, dtype=torch.int64))
    newest = added[-capacity:]
    assert len(pool) == len(newest)
    assert sorted(pool.labels[: len(pool)].tolist()) == newest
    assert sorted(pool.images[: len(pool)].flatten().tolist()) == [v % 256 for v in newest]


def test_samples_come_from_the_pool_only_and_in_time_from_all_of_it():
    pool = Pool(4, (1, 1, 1), CPU)
    pool.add(torch.tensor([10, 20, 30, 40, 50], dtype=torch.uint8).view(-1, 1, 1, 1), torch.zeros(5, dtype=torch.int64))
    drawn = pool.sample(200, torch.Generator().manual_seed(0))
    assert set((drawn * 255).round().flatten().tolist()) == {20.0, 30.0, 40.0, 50.0}


def test_bytes_are_rounded_not_truncated():
    levels = torch.tensor([0.0, 0.9 / 255, 254.6 / 255, 1.0])
    assert to_bytes(levels).tolist() == [0, 1, 255, 255]
