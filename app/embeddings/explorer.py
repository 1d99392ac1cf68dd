"""The embedding explorer: the map of a list of names, and their similarity before and after BatchNorm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app.content import messages
from app.embeddings.table_cache import TableRequest, Tables
from app.embeddings.umap_process import Mapper, UmapProcess
from app.fairness.executors import Executors
from app.fairness.fair_cache import FairCache, MakeOnce
from app.fairness.fair_executor import Busy
from app.run_state.embedding_map import Atlas, dots
from app.runs.requested_config import check_shared
from app.support.class_names import split
from nayer.analysis.row_similarity import Geometry, batch_normalized, lowest_mean
from nayer.analysis.umap_worker import UmapLayout, checked
from nayer.config import Config
from nayer.embeddings.label_table import LATENTS, Table
from nayer.errors import ConfigError, EncoderError, NayerError
from nayer.text_rules import check_names

CLOSEST = 5  # pairs of names in the answer, before and after BatchNorm
_THOUSANDTHS = 1000
_MAPS = 32  # UMAP layouts that are kept


class Explorer:
    """Answers requests about class names. An error in a request is answered with one sentence."""

    def __init__(self, pools: Executors | None = None, worker: Mapper | None = None, *, local: bool = True) -> None:
        pools = pools or Executors()
        self._tables = Tables(pools.encoder)
        self._worker = worker or UmapProcess(pools.mapping)
        self._local = local
        self._maps: MakeOnce[TableRequest, UmapLayout] = MakeOnce(pools.umap, FairCache(_MAPS))

    def describe(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to {names, prompt, latent, seed, encoder}, or {state: loading, sentence}. Raises NayerError."""
        request = self._request(values)
        table = self._tables.look(request)
        if table is None:
            return {"state": "loading", "sentence": messages.LOADING_ENCODER, "asked": _values_of(request)}
        return {"state": "ready", "asked": _values_of(request)} | _description(request, table)

    def describe_by_umap(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """{state, sentence, anchors}: warming until there is a layout. Raises NayerError."""
        request = self._request(values)
        table = self._tables.look(request)
        if table is None:
            return {"state": "warming", "sentence": messages.LOADING_ENCODER, "anchors": []}
        anchors, points = checked(table.embeddings, np.empty((0, table.embeddings.shape[1]), np.float32))
        layout = self._maps.look(request, lambda: self._worker.layout(anchors, points))
        if layout is None:
            return {"state": "warming", "sentence": self._worker.message or messages.FITTING_UMAP, "anchors": []}
        places = layout.anchors
        return {"state": "ready", "sentence": "", "anchors": dots(places, np.arange(len(places)))}

    def answer_form(self, form: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to the form of the page, {typed, prompt, latent, encoder}. A refusal is an answer, too."""
        try:
            return self.describe(dict(form) | {"names": split(str(form.get("typed", "")))})
        except NayerError as error:
            return {"state": "refused", "sentence": str(error), "controls": isinstance(error, EncoderError)}

    # --- endpoints -----------------------------------------------------------------------------------------------

    def embeddings(
        self,
        names: list[str],
        prompt: str = Config().prompt,
        latent: str = "lte",
        seed: int = 0,
        encoder: str = "",
    ) -> dict[str, Any]:
        """Embeddings of class names. `anchors` are points on a plane: [x, y, index of the name]. `before` and `after`
        (BatchNorm) have the cosines in thousandths, the upper triangle row by row, with mean, lowest and highest.
        `state` is loading while the text encoder works on names that no shipped table has. Then ask again."""
        return self.describe(_values(names, prompt, latent, seed, encoder))

    def embeddings_umap(
        self,
        names: list[str],
        prompt: str = Config().prompt,
        latent: str = "lte",
        seed: int = 0,
        encoder: str = "",
    ) -> dict[str, Any]:
        """UMAP of at least four names. `state` is warming until `anchors` are ready; then ask again. If it is failed,
        `sentence` says why."""
        try:
            return self.describe_by_umap(_values(names, prompt, latent, seed, encoder))
        except Busy as error:
            return {"state": "warming", "sentence": str(error), "anchors": []}
        except NayerError as error:
            return {"state": "failed", "sentence": str(error), "anchors": []}

    def _request(self, values: Mapping[str, Any]) -> TableRequest:
        names = values.get("names")
        if not isinstance(names, Sequence) or isinstance(names, str) or not all(isinstance(n, str) for n in names):
            raise ConfigError(f"names must be a list of texts; {str(names)[:60]!r} was given.")
        rest = {name: values[name] for name in ("prompt", "latent", "seed", "encoder") if name in values}
        if not rest.get("encoder"):
            rest.pop("encoder", None)
        if rest.get("latent") not in (None, *LATENTS):
            raise ConfigError(f"latent must be one of {', '.join(LATENTS)}; {str(rest['latent'])[:60]!r} was given.")
        config = Config.parse(rest)
        if not self._local:
            check_shared(rest, Config())
        return TableRequest(check_names(names), config.prompt, config.latent, config.seed, config.encoder)


def _values(names: list[str], prompt: str, latent: str, seed: int, encoder: str) -> dict[str, Any]:
    return {"names": names, "prompt": prompt, "latent": latent, "seed": seed, "encoder": encoder}


def _values_of(request: TableRequest) -> dict[str, Any]:
    return _values(list(request.names), request.prompt, request.latent, request.seed, request.encoder)


def _description(request: TableRequest, table: Table) -> dict[str, Any]:
    before, after = Geometry.of(table.embeddings), Geometry.of(batch_normalized(table.embeddings))
    k, width = table.embeddings.shape
    return {
        "source": table.source,
        "width": width,
        "anchors": Atlas.of(table.embeddings).anchors(),
        "order": before.order(),
        "before": _cosines(before),
        "after": _cosines(after),
        "lowest_mean": lowest_mean(k),
    }


def _cosines(geometry: Geometry) -> dict[str, Any]:
    between = geometry.cosines[np.triu_indices(len(geometry.cosines), 1)]
    return {
        "cosines": np.rint(_THOUSANDTHS * between).astype(int).tolist(),
        "mean": round(geometry.mean, 4),
        "lowest": round(geometry.lowest, 4),
        "highest": round(geometry.highest, 4),
        "closest": geometry.closest(CLOSEST),
    }
