"""The real encoders: MiniLM's official checkpoint, a tiny CLIP, and a Hub on this machine's loopback."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from nayer.common import hub as hub_reading
from nayer.embeddings.precomputed import shipped_tables
from nayer.embeddings.text_encoder import BATCH, embed
from nayer.errors import EncoderError
from tests.support.minilm import ENCODER, minilm_folder

COMMIT = "0" * 40


@pytest.fixture(scope="module")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any, Any]:
    """A whole CLIP with random weights and a tokenizer of letters, saved as OpenAI's is: (folder, model, tokenizer)."""
    folder = tmp_path_factory.mktemp("clip")
    letters = [chr(code) for code in range(33, 127)]
    tokens = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: place for place, token in enumerate(tokens)}
    tokenizer = transformers.CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)
    tokenizer.save_pretrained(folder)
    last = len(tokens) - 1
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    ids = {"vocab_size": len(tokens), "bos_token_id": last - 1, "eos_token_id": last, "pad_token_id": last}
    torch.manual_seed(0)
    config = transformers.CLIPConfig(
        text_config={**sizes, **ids, "projection_dim": 8},
        vision_config={**sizes, "image_size": 8, "patch_size": 4},
        projection_dim=8,
    )
    model = transformers.CLIPModel(config).eval()
    model.save_pretrained(folder)
    return folder, model, tokenizer


def test_the_shipped_rows_are_what_the_official_checkpoint_gives() -> None:
    [table] = shipped_tables(ENCODER)
    np.testing.assert_allclose(embed(table.texts, minilm_folder()), table.embeddings, atol=1e-5)


def test_minilm_is_the_length_one_mean_over_real_tokens_of_the_bare_network() -> None:
    folder = minilm_folder()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    texts = ["a photo of a cat", "a photo of an ankle boot seen from the side"]
    with torch.inference_mode():  # one text at a time: no padding, no mask
        means = [model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].mean(0).numpy() for text in texts]
    expected = np.stack([mean / np.linalg.norm(mean) for mean in means])
    np.testing.assert_allclose(embed(texts, folder), expected, atol=1e-5)


def test_a_text_has_the_same_embedding_in_whatever_company() -> None:
    texts = [f"a photo of number {place}" + " again" * (place % 7) for place in range(2 * BATCH + 3)]
    together = embed(texts, minilm_folder())
    assert together.shape == (len(texts), 384)
    assert together.dtype == np.float32
    some = [0, BATCH - 1, BATCH, len(texts) - 1]
    np.testing.assert_allclose(embed([texts[i] for i in some], minilm_folder()), together[some], atol=1e-5)


def test_a_text_longer_than_the_encoder_reads_is_cut() -> None:
    long = "word " * 1000
    rows = embed([long, long + "and more", "word"], minilm_folder())
    np.testing.assert_allclose(rows[0], rows[1], atol=1e-6)
    assert np.abs(rows[0] - rows[2]).max() > 1e-3


def test_clip_gives_its_projected_text_embeddings_as_they_are(tiny_clip: tuple[Path, Any, Any]) -> None:
    folder, model, tokenizer = tiny_clip
    texts = ["a photo of a cat", "dog"]
    with torch.inference_mode():
        features = [model.get_text_features(**tokenizer(text, return_tensors="pt")).pooler_output for text in texts]
    rows = embed(texts, str(folder))
    np.testing.assert_allclose(rows, torch.cat(features).numpy(), atol=1e-5)
    assert np.abs(np.linalg.norm(rows, axis=1) - 1).min() > 0.1  # not scaled to length 1


def test_loading_is_silent_and_leaves_logging_and_progress_bars_as_they_were(
    capfd: pytest.CaptureFixture[str],
) -> None:
    logging = transformers.utils.logging
    verbosity = logging.get_verbosity()
    try:
        logging.set_verbosity_info()
        embed(["a cat"], minilm_folder())
        assert logging.get_verbosity() == logging.INFO
        assert logging.is_progress_bar_enabled()
    finally:
        logging.set_verbosity(verbosity)
    assert capfd.readouterr() == ("", "")


def test_weights_that_are_not_the_encoders_are_refused(tiny_clip: tuple[Path, Any, Any], tmp_path: Path) -> None:
    folder, _, _ = tiny_clip
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = load_file(tmp_path / "model.safetensors")
    del weights["text_projection.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(EncoderError, match=r"lacks 1 weights, such as text_projection\.weight"):
        embed(["a cat"], str(tmp_path))


@pytest.mark.parametrize(
    ("encoder", "reason"),
    [
        ("  ", "encoder is empty"),
        ("{folder}", "Unrecognized model"),
        ("{folder}/nothing/here", "neither a local folder nor in the Hub's cache"),
        ("no one/can//mean this", "neither a local folder nor in the Hub's cache"),
    ],
)
def test_what_is_no_encoder_is_refused_in_a_sentence_with_the_way_out(
    encoder: str, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(EncoderError, match=reason) as refusal:
        embed(["a cat"], encoder.format(folder=tmp_path))
    assert "latent=one-hot and latent=random work" in str(refusal.value)
    assert "\n" not in str(refusal.value)


@contextmanager
def hub(folder: Path) -> Iterator[tuple[str, Counter[str]]]:
    """A Hub that has `folder` as tiny/clip, is out of order for tiny/broken, and counts requests by path."""
    asked: Counter[str] = Counter()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked[self.path] += 1
            file = folder / self.path.rpartition("/")[2]
            if self.path.startswith("/tiny/clip/resolve/main/") and file.is_file():
                content, status = file.read_bytes(), 200
            else:
                content, status = b"", 503 if self.path.startswith("/tiny/broken/") else 404
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{file.name}"')
            if status == 404:
                self.send_header("X-Error-Code", "EntryNotFound")
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        do_HEAD = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


ASK = """
import json, sys
from nayer.embeddings.text_encoder import embed
from nayer.errors import EncoderError
answers = []
for encoder in sys.argv[1:]:
    try:
        answers.append(embed(["cat", "dog"], encoder).tolist())
    except EncoderError as error:
        answers.append(str(error))
print(json.dumps(answers))
"""


def ask_in_a_new_process(encoders: list[str], **environment: str) -> list[Any]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "TRANSFORMERS_"))}
    done = subprocess.run(
        [sys.executable, "-c", ASK, *encoders], env=inherited | environment, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    answers: list[Any] = json.loads(done.stdout)
    return answers


@pytest.mark.slow
def test_an_encoder_is_fetched_once_and_then_works_offline(tiny_clip: tuple[Path, Any, Any], tmp_path: Path) -> None:
    folder, _, _ = tiny_clip
    expected = embed(["cat", "dog"], str(folder))
    with hub(folder) as (address, asked):
        fetched, broken, missing = ask_in_a_new_process(
            ["tiny/clip", "tiny/broken", "tiny/missing"], HF_ENDPOINT=address, HF_HOME=str(tmp_path)
        )
        np.testing.assert_allclose(fetched, expected, atol=1e-5)
        assert "encoder='tiny/broken' is neither" in broken
        assert asked["/tiny/broken/resolve/main/config.json"] == 1  # no retries
        assert "encoder='tiny/missing' is neither" in missing
        asked.clear()
        again, unknown = ask_in_a_new_process(
            ["tiny/clip", "tiny/unknown"], HF_ENDPOINT=address, HF_HOME=str(tmp_path), HF_HUB_OFFLINE="1"
        )
    np.testing.assert_allclose(again, expected, atol=1e-5)
    assert "latent=one-hot and latent=random work" in unknown
    assert not asked


def test_a_hub_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where no server answers the lookup of a name, which no timeout of a request covers."""
    ended = threading.Event()
    monkeypatch.setattr(hub_reading, "HUB_SECONDS", -0.9)  # and one more second
    monkeypatch.setattr(hub_reading, "_refusal", lambda *names: str(ended.wait()))
    try:
        assert hub_reading.hub_problem("tiny/clip", "config.json") == "no answer within -1 s"
    finally:
        ended.set()
