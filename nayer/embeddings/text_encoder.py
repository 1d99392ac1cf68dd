"""A text encoder of `transformers`, run once per set of class names: texts in, embeddings out.

CLIP's text tower gives its projected text embeddings as they are (Radford et al., 2021). Every other encoder
gives the mean of its last hidden states over real tokens, scaled to length 1: the pipeline that
sentence-transformers/all-MiniLM-L6-v2 declares in its own `modules.json` (Transformer, mean Pooling, Normalize).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nayer.common.hub import check_folder, first_line, hub_problem, quiet, safetensors_only
from nayer.embeddings.packaged_encoder import checked_folder, way_to_get
from nayer.errors import EncoderError
from nayer.types import Floats

CLIP_TYPES = frozenset({"clip", "clip_text_model"})  # `model_type` of a whole CLIP, and of its text tower alone
BATCH = 64  # texts per forward pass
MAX_TOKENS = 256  # all-MiniLM-L6-v2's own limit; CLIP's tokenizer says 77
WITHOUT_ENCODER = "latent=one-hot and latent=random work without an encoder"


def embed(texts: Sequence[str], encoder: str) -> Floats:
    """The embeddings (n, d) of `texts` by `encoder`: a local folder, or a Hub id.

    The files of a Hub id come from an installed package, the Hub's cache or the network, in this order.

    Raises EncoderError, in one sentence and without long retries, if this fails.
    """
    try:
        import torch
        import transformers
    except ImportError as error:
        raise EncoderError(
            f"label texts need the package {error.name}: pip install {error.name}; {WITHOUT_ENCODER}."
        ) from None
    safetensors_only()
    with quiet(transformers), torch.inference_mode():
        try:
            tokenizer, model, is_clip = _load(encoder, transformers, torch)
            batches = [texts[start : start + BATCH] for start in range(0, len(texts), BATCH)]
            table = torch.cat([_forward(batch, tokenizer, model, is_clip, torch) for batch in batches])  # (n, d)
        except EncoderError:
            raise
        except Exception as error:  # a foreign folder can fail in any way inside transformers
            raise EncoderError(
                f"encoder={encoder!r} cannot embed class names ({first_line(error)}); {WITHOUT_ENCODER}."
            ) from None
    embeddings: Floats = table.numpy()
    if not np.isfinite(embeddings).all():
        raise EncoderError(f"encoder={encoder!r} gives embeddings that are not finite; {WITHOUT_ENCODER}.")
    return embeddings


def _forward(texts: Sequence[str], tokenizer: Any, model: Any, is_clip: bool, torch: Any) -> Any:
    """One batch of texts -> (n, d) float32."""
    limit = min(MAX_TOKENS, tokenizer.model_max_length)
    tokens = tokenizer(list(texts), padding=True, truncation=True, max_length=limit, return_tensors="pt")  # (n, t)
    output = model(**tokens)
    if is_clip:
        return output.text_embeds  # (n, d)
    real = tokens["attention_mask"].unsqueeze(-1)  # (n, t, 1), 0 at padding
    mean = (output.last_hidden_state * real).sum(1) / real.sum(1)  # (n, t, d) -> (n, d)
    return torch.nn.functional.normalize(mean, dim=1)


def _load(encoder: str, transformers: Any, torch: Any) -> tuple[Any, Any, bool]:
    """(tokenizer, model in eval mode, whether it is CLIP).

    It tries a folder, an installed package, the Hub's cache, and then the network.
    """
    if not encoder.strip():
        raise EncoderError(f"encoder is empty; name a Hub id or a local folder; {WITHOUT_ENCODER}.")
    try:
        check_folder(encoder)
    except OSError as error:
        raise EncoderError(f"encoder={encoder[:100]!r} cannot be used: {error.strerror}; {WITHOUT_ENCODER}.") from None
    if not Path(encoder).is_dir() and (folder := checked_folder(encoder)):
        return _pretrained(str(folder), transformers, torch, local_files_only=True)
    try:
        return _pretrained(encoder, transformers, torch, local_files_only=True)
    except OSError:  # not a folder with an encoder, not in the cache
        if Path(encoder).is_dir():
            raise
    refused = hub_problem(encoder, "config.json")
    if refused:
        raise EncoderError(
            f"encoder={encoder!r} is neither a local folder nor in the Hub's cache, and the Hub does not provide it "
            f"({refused}); {way_to_get(encoder)}{WITHOUT_ENCODER}."
        )
    return _pretrained(encoder, transformers, torch, local_files_only=False)


def _pretrained(encoder: str, transformers: Any, torch: Any, **where: bool) -> tuple[Any, Any, bool]:
    where["trust_remote_code"] = False  # no code from a repository is run, and the terminal shows no question
    is_clip = transformers.AutoConfig.from_pretrained(encoder, **where).model_type in CLIP_TYPES
    kind = transformers.CLIPTextModelWithProjection if is_clip else transformers.AutoModel
    tokenizer = transformers.AutoTokenizer.from_pretrained(encoder, **where)
    model, report = kind.from_pretrained(encoder, dtype=torch.float32, output_loading_info=True, **where)
    missing = [key for key in report["missing_keys"] if not key.startswith("pooler.")]  # BERT's pooler is not used here
    if missing:
        raise EncoderError(
            f"encoder={encoder!r} lacks {len(missing)} weights, such as {min(missing)}; {WITHOUT_ENCODER}."
        )
    return tokenizer, model.eval(), is_clip
