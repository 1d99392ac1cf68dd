"""The store of embeddings: any subset in any order, the same bytes, and no damaged file goes unnoticed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from nayer.config import Config
from nayer.embeddings.label_table import prompted
from nayer.embeddings.precomputed import SHIPPED, EmbeddingTable, read_table, shipped_tables, write_table
from nayer.errors import AssetError, StorageError
from nayer.teachers.recipes import RECIPES
from tests.support.minilm import ENCODER


def a_table() -> EmbeddingTable:
    rows = np.random.default_rng(0).standard_normal((3, 5)).astype(np.float32)
    return EmbeddingTable("someone/encoder", ("a cat", "a dög", "a 🦊"), rows)


def test_what_is_written_is_read_back_and_the_same_table_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "deep" / "first.safetensors", tmp_path / "second.safetensors"
    write_table(a_table(), first)
    back = read_table(first)
    assert (back.encoder, back.texts) == (a_table().encoder, a_table().texts)
    np.testing.assert_array_equal(back.embeddings, a_table().embeddings)
    write_table(back, second)
    assert first.read_bytes() == second.read_bytes()
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [first.name, second.name]


def test_rows_come_in_the_order_asked_and_never_in_part() -> None:
    table = a_table()
    rows = table.rows(["a 🦊", "a cat"])
    assert rows is not None
    np.testing.assert_array_equal(rows, table.embeddings[[2, 0]])
    assert table.rows(["a cat", "a cow"]) is None


def test_every_damaged_byte_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "table.safetensors"
    write_table(a_table(), path)
    sound = path.read_bytes()
    for place in range(len(sound)):
        path.write_bytes(sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :])
        with suppress(AssetError):  # what is read all the same, padding or the header's spelling changed, is the table
            read = read_table(path)
            assert (read.encoder, read.texts) == (a_table().encoder, a_table().texts), place
            np.testing.assert_array_equal(read.embeddings, a_table().embeddings)


@pytest.mark.parametrize("content", [b"", b"not a table", b"\x02\x00\x00\x00\x00\x00\x00\x00{}"])
def test_a_file_that_is_no_table_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "table.safetensors").write_bytes(content)
    with pytest.raises(AssetError, match=r"table\.safetensors is not a table of embeddings"):
        shipped_tables(ENCODER, tmp_path)


def test_a_table_that_cannot_be_written_is_named_and_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"table\.safetensors could not be written"):
        write_table(a_table(), tmp_path / "file" / "table.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_only_tables_of_the_encoder_asked_for_are_served(tmp_path: Path) -> None:
    write_table(a_table(), tmp_path / "one.safetensors")
    assert shipped_tables(ENCODER, tmp_path) == []
    assert len(shipped_tables("someone/encoder", tmp_path)) == 1


def test_shipped_tables_are_finite_of_length_one_and_their_readme_names_them() -> None:
    readme = (SHIPPED / "README.md").read_text(encoding="utf-8")
    tables = sorted(SHIPPED.glob("*.safetensors"))
    assert tables
    for path in tables:
        table = read_table(path)
        np.testing.assert_allclose(np.linalg.norm(table.embeddings, axis=1), 1, atol=1e-5)
        assert len(set(table.texts)) == len(table.texts)
        assert path.name in readme
        assert table.encoder in readme


@pytest.mark.parametrize("name", RECIPES)
def test_the_names_of_every_recipe_have_shipped_embeddings_that_differ(name: str) -> None:
    [table] = shipped_tables(Config().encoder)
    rows = table.rows(prompted(RECIPES[name].classes, Config().prompt))
    assert rows is not None
    cosines = rows @ rows.T
    assert cosines[~np.eye(len(rows), dtype=bool)].max() < 0.97  # no two names that the encoder takes for one
