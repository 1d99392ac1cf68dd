"""Class names to tables: names are checked, shipped rows need no encoder, controls keep what they promise."""

from __future__ import annotations

import subprocess
import sys
import unicodedata

import numpy as np
import pytest

from nayer.config import Config
from nayer.embeddings.label_table import Table, is_available, label_table
from nayer.errors import ConfigError, EncoderError
from nayer.text_rules import MAX_NAMES, check_names
from tests.support.minilm import minilm_folder

CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
FASHION = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")


def table_of(names: tuple[str, ...] = CIFAR10, latent: str = "lte", **changes: object) -> Table:
    settings = {name: getattr(Config(), name) for name in ("encoder", "prompt", "seed")} | changes
    return label_table(names, latent, **settings)


def test_default_tables_come_without_encoder_torch_or_network() -> None:
    program = f"""
import sys
def refuse(event, args):
    assert not event.startswith("socket."), event
sys.addaudithook(refuse)
from nayer.config import Config
from nayer.embeddings.label_table import label_table
for names in {(CIFAR10, DIGITS, FASHION)!r}:
    for latent in ("lte", "shuffled", "random", "one-hot"):
        table = label_table(names, latent, encoder=Config().encoder, prompt=Config().prompt, seed=0)
        assert table.embeddings.shape == (10, 10 if latent == "one-hot" else 384)
print(sorted({{"torch", "transformers", "huggingface_hub", "umap"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_rows_belong_to_their_names_in_any_order_and_mixture() -> None:
    mixed = ("truck", "nine", "ankle boot", "cat")
    table = table_of(mixed)
    for row, name in zip(table.embeddings, mixed, strict=True):
        home = next(names for names in (CIFAR10, DIGITS, FASHION) if name in names)
        np.testing.assert_array_equal(row, table_of(home).embeddings[home.index(name)])
    assert table.source == "Label-text embeddings: “a photo of a {}” by " + Config().encoder + ", shipped."


def test_new_names_go_through_the_encoder_and_known_ones_agree_with_the_shipped_rows() -> None:
    names = ("fox", *CIFAR10)
    table = table_of(names, encoder=minilm_folder())
    np.testing.assert_allclose(table.embeddings[1:], table_of().embeddings, atol=1e-5)
    assert table.source.endswith("computed on this machine.")


def test_the_prompt_is_what_the_encoder_reads() -> None:
    drawn = table_of(prompt="a pencil drawing of a {}", encoder=minilm_folder()).embeddings
    assert np.abs(drawn - table_of().embeddings).max() > 0.01
    bare = table_of(("a photo of a cat", "a photo of a dog"), prompt="{}", encoder=minilm_folder()).embeddings
    np.testing.assert_allclose(bare, table_of(("cat", "dog")).embeddings, atol=1e-5)


@pytest.mark.parametrize("prompt", ["a photo", "{} and {}", ""])
def test_a_prompt_needs_one_place_for_the_name(prompt: str) -> None:
    with pytest.raises(ConfigError, match=r"exactly one \{\}"):
        table_of(prompt=prompt)


def test_names_the_encoder_cannot_tell_apart_are_refused_by_name() -> None:
    # None of these signs is in MiniLM's vocabulary: all are its one unknown token.
    with pytest.raises(EncoderError, match=r"gives the class names '🫠' and '🫡' the same embedding.*latent=one-hot"):
        table_of(("cat", "🫠", "dog", "🫡"), encoder=minilm_folder())


def test_controls_need_no_encoder_for_names_nobody_has_embedded() -> None:
    names = ("snark", "boojum", "jabberwock")
    for latent in ("one-hot", "random"):
        assert len(table_of(names, latent, encoder="nobody/knows").embeddings) == 3


def test_one_hot_is_the_identity() -> None:
    np.testing.assert_array_equal(table_of(latent="one-hot").embeddings, np.eye(10))


def test_random_rows_are_standard_normal_and_follow_the_seed() -> None:
    names = tuple(f"class {number}" for number in range(MAX_NAMES))
    rows = table_of(names, "random", seed=3).embeddings
    assert rows.shape == (MAX_NAMES, 384)  # as wide as the encoder's own
    # 76,800 numbers: five standard errors of mean, variance and share beyond one deviation.
    assert abs(rows.mean()) < 5 / np.sqrt(rows.size)
    assert abs(rows.var() - 1) < 5 * np.sqrt(2 / rows.size)
    assert abs((np.abs(rows) > 1).mean() - 0.3173) < 5 * np.sqrt(0.3173 * 0.6827 / rows.size)
    np.testing.assert_array_equal(rows, table_of(names, "random", seed=3).embeddings)
    assert np.abs(rows - table_of(names, "random", seed=4).embeddings).max() > 1


@pytest.mark.parametrize("names", [CIFAR10[:2], CIFAR10[:3], CIFAR10])
def test_shuffled_gives_every_row_to_another_class_and_changes_nothing_else(names: tuple[str, ...]) -> None:
    own = table_of(names).embeddings
    for seed in range(20):
        shuffled = table_of(names, "shuffled", seed=seed).embeddings
        same = (shuffled[:, None] == own[None]).all(axis=2)  # (k, k)
        assert not same.diagonal().any()
        np.testing.assert_array_equal(same.sum(axis=0), 1)
        np.testing.assert_array_equal(same.sum(axis=1), 1)
    np.testing.assert_array_equal(shuffled, table_of(names, "shuffled", seed=19).embeddings)


def test_another_seed_shuffles_otherwise_and_leaves_the_embeddings_alone() -> None:
    orders = {table_of(latent="shuffled", seed=seed).embeddings.tobytes() for seed in range(10)}
    assert len(orders) == 10
    np.testing.assert_array_equal(table_of(seed=1).embeddings, table_of(seed=2).embeddings)


def test_every_table_says_what_it_is() -> None:
    for latent in ("lte", "one-hot", "random", "shuffled"):
        table = table_of(latent=latent)
        assert table.latent == latent
        assert table.source.endswith(".")
        assert table.embeddings.dtype == np.float32
    with pytest.raises(ConfigError, match="latent must be one of lte, one-hot, random, shuffled; 'clip' was given"):
        table_of(latent="clip")


def test_names_are_composed_and_stripped_and_emoji_stay_whole() -> None:
    family = "👨\u200d👩\u200d👧"
    assert check_names(["  Äpfel\t", unicodedata.normalize("NFD", "Café"), family]) == ("Äpfel", "Caf\u00e9", family)
    longest = tuple(f"{number:064}" for number in range(MAX_NAMES))
    assert check_names(longest) == longest


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        ([], "there are 0 class names; use 2 to 200"),
        (["cat"], "there is 1 class name; use 2 to 200"),
        ([f"class {number}" for number in range(201)], "there are 201 class names; use 2 to 200"),
        (["cat", "  "], "class name 2, '  ', has 0 characters; use 1 to 64"),
        (["x" * 65, "cat"], f"class name 1, '{'x' * 20}…', has 65 characters; use 1 to 64"),
        (["cat", "do\x00g"], r"class name 2, 'do\\x00g', contains control characters"),
        (["cat", "do\ng"], r"class name 2, 'do\\ng', contains control characters"),
        (["cat", "\u202egod"], r"class name 2, '\\u202egod', contains control characters"),
        (["cat", "\ud800"], r"class name 2, '\\ud800', contains control characters"),
        (["Cat", "dog", "cAT "], "class name 3, 'cAT', appears already as 'Cat'"),
        (["Straße", "STRASSE"], "class name 2, 'STRASSE', appears already as 'Straße'"),
        (["Caf\u00e9", "Cafe\u0301"], "class name 2, 'Café', appears already as 'Café'"),
        (["fish", "\ufb01sh"], "class name 2, '\ufb01sh', appears already as 'fish'"),
        (["cat", "\uff23at\u00a0"], "class name 2, '\uff23at', appears already as 'cat'"),
        (["cat", "\u200b\u200f"], r"class name 2, '\\u200b\\u200f', is invisible; use a name that can be seen"),
    ],
)
def test_names_that_cannot_be_used_are_named(names: list[str], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        label_table(names, "one-hot", encoder="", prompt="", seed=0)


def test_a_table_is_at_hand_unless_the_encoder_must_run() -> None:
    def ready(names: list[str], latent: str = "lte", prompt: str = Config().prompt) -> bool:
        return is_available(names, latent, encoder=Config().encoder, prompt=prompt)

    assert ready(["truck", "zero"])
    assert ready(["truck", "zero"], "shuffled")
    assert not ready(["truck", "red panda"])
    assert not ready(["truck", "zero"], prompt="a drawing of a {}")
    assert ready(["truck", "red panda"], "one-hot")
    assert ready(["truck", "red panda"], "random")
