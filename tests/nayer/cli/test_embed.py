"""`embed` rebuilds the shipped table from the official checkpoint."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest

from nayer.cli.embed import add_embed_arguments, embed_command
from nayer.config import Config
from nayer.embeddings.precomputed import SHIPPED, read_table, shipped_tables
from nayer.errors import ConfigError
from tests.support.minilm import ENCODER, minilm_folder


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    add_embed_arguments(parser)
    return embed_command(parser.parse_args(words))


def test_the_command_rebuilds_the_shipped_table_from_its_names(tmp_path: Path) -> None:
    [shipped] = shipped_tables(ENCODER)
    names = [text.removeprefix("a photo of a ") for text in shipped.texts]
    out = tmp_path / "table.safetensors"
    assert run(*names, "--encoder", minilm_folder(), "--record-as", ENCODER, "--out", str(out)) == 0
    rebuilt = read_table(out)
    assert (rebuilt.encoder, rebuilt.texts) == (shipped.encoder, shipped.texts)
    np.testing.assert_allclose(rebuilt.embeddings, shipped.embeddings, atol=1e-5)
    command = (SHIPPED / "README.md").read_text(encoding="utf-8")
    assert all(name in command for name in names)


def test_names_and_prompt_are_checked_before_anything_is_loaded(tmp_path: Path) -> None:
    out = str(tmp_path / "table.safetensors")
    with pytest.raises(ConfigError, match="class name 2, 'cat', appears already"):
        run("cat", "cat", "--encoder", "no/such", "--out", out)
    with pytest.raises(ConfigError, match=r"exactly one \{\}"):
        run("cat", "dog", "--encoder", "no/such", "--prompt", "a photo", "--out", out)


def test_the_defaults_are_the_configs() -> None:
    parser = argparse.ArgumentParser()
    add_embed_arguments(parser)
    args = parser.parse_args(["cat", "dog", "--out", "x"])
    assert (args.encoder, args.prompt) == (Config().encoder, Config().prompt)
