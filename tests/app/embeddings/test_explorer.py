"""What the explorer answers: its numbers against the core's, its refusals, the real text encoder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from app.embeddings.explorer import Explorer
from app.environment import Environment
from nayer.analysis.projection import pca_basis
from nayer.analysis.row_similarity import Geometry, batch_normalized
from nayer.config import Config
from nayer.embeddings.label_table import label_table
from nayer.errors import ConfigError
from tests.support.minilm import minilm_folder
from tests.support.serving import created, wait_until
from tests.support.umap_stand_in import quick_umap

SHIPPED = ["truck", "ship", "cat", "dog", "ankle boot"]


def square(triangle: list[int], k: int) -> np.ndarray:
    matrix = np.eye(k)
    matrix[np.triu_indices(k, 1)] = np.asarray(triangle) / 1000
    return np.triu(matrix) + np.triu(matrix, 1).T


def test_shipped_names_are_answered_at_once_with_the_cores_own_numbers() -> None:
    answer = Explorer().describe({"names": SHIPPED})
    assert answer["state"] == "ready"
    config = Config()
    rows = label_table(SHIPPED, encoder=config.encoder, prompt=config.prompt, seed=0).embeddings
    for side, table in (("before", rows), ("after", batch_normalized(rows))):
        geometry = Geometry.of(table)
        np.testing.assert_allclose(square(answer[side]["cosines"], 5), geometry.cosines, atol=6e-4)
        assert answer[side]["mean"] == pytest.approx(geometry.mean, abs=1e-4)
        assert answer[side]["closest"] == geometry.closest(5)
    np.testing.assert_allclose([dot[:2] for dot in answer["anchors"]], pca_basis(rows).project(rows), atol=1e-3)
    assert (answer["width"], answer["lowest_mean"]) == (384, -0.25)
    assert answer["asked"]["names"] == SHIPPED


def test_the_real_encoder_works_in_the_background_and_knows_who_is_like_whom() -> None:
    explorer = Explorer()
    asked = {"names": ["a kitten", "a lorry", "a young cat", "a big truck"], "encoder": minilm_folder()}
    first = explorer.describe(asked)
    assert first["state"] == "loading"
    assert "The text encoder is loading" in first["sentence"]
    assert first["asked"]["names"] == asked["names"]
    wait_until(lambda: explorer.describe(first["asked"])["state"] == "ready", seconds=120)
    answer = explorer.describe(asked)
    assert {tuple(pair) for pair in answer["before"]["closest"][:2]} == {(0, 2), (1, 3)}
    assert sorted(answer["order"][:2]) in ([0, 2], [1, 3])


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"names": ["cat", "Cat "]}, "class name 2, 'Cat', appears already as 'cat'"),
        ({"names": ["cat", ""]}, "class name 2, '', has 0 characters; use 1 to 64"),
        ({"names": ["cat", "x" * 10_000]}, f"class name 2, '{'x' * 20}…', has 10000 characters; use 1 to 64"),
        ({"names": [f"class {i}" for i in range(201)]}, "there are 201 class names; use 2 to 200"),
        ({"names": []}, "there are 0 class names; use 2 to 200"),
        ({"names": "cat, dog"}, "names must be a list of texts; 'cat, dog' was given"),
        ({"names": ["cat", 3]}, "names must be a list of texts; "),
        ({"names": SHIPPED, "prompt": "a photo"}, "prompt must be a text that has exactly one {}"),
        ({"names": SHIPPED, "prompt": "{} {}"}, "; '{} {}' was given."),
        ({"names": SHIPPED, "prompt": ""}, "; '' was given."),
        ({"names": SHIPPED, "prompt": "x" * 10_000 + "{}"}, "prompt must be a text of at most 200 characters"),
        ({"names": SHIPPED, "latent": "none"}, "latent must be one of lte, one-hot"),
        ({"names": SHIPPED, "seed": -1}, "seed must be a whole number from 0 to 2,147,483,647; -1 was given"),
    ],
)
def test_what_cannot_be_shown_is_one_sentence(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Explorer().describe(values)
    assert sentence in str(refused.value)
    assert str(refused.value).endswith(".")
    assert len(str(refused.value)) < 300


def test_the_encoder_is_not_for_strangers_to_choose() -> None:
    shared = Explorer(local=False)
    assert shared.describe({"names": SHIPPED, "encoder": Config().encoder})["state"] == "ready"
    with pytest.raises(ConfigError, match="encoder='/etc' cannot be chosen on a shared page"):
        shared.describe({"names": SHIPPED, "encoder": "/etc"})


def test_umap_lays_out_four_names_and_refuses_three() -> None:
    explorer = Explorer(worker=quick_umap())
    wait_until(lambda: explorer.describe_by_umap({"names": SHIPPED})["state"] == "ready")
    rows = label_table(SHIPPED, encoder=Config().encoder, prompt=Config().prompt, seed=0).embeddings
    answer = explorer.describe_by_umap({"names": SHIPPED})
    np.testing.assert_allclose([dot[:2] for dot in answer["anchors"]], rows[:, :2], atol=1e-3)
    with pytest.raises(ConfigError, match="UMAP needs at least 4 classes; 3 were given; use PCA instead"):
        explorer.describe_by_umap({"names": SHIPPED[:3]})


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(created(environment=Environment(grace_seconds=30.0)), base_url="http://127.0.0.1") as client:
        yield client


def test_the_endpoint_answers_any_program(client: TestClient) -> None:
    told = client.post("/gradio_api/run/embeddings", json={"data": [SHIPPED, "a photo of a {}", "one-hot", 0, ""]})
    answer = told.json()["data"][0]
    assert set(answer["before"]["cosines"]) == {0}
    assert set(answer["after"]["cosines"]) == {-250}
    refused = client.post("/gradio_api/run/embeddings", json={"data": [["cat"], "a photo of a {}", "lte", 0, ""]})
    assert refused.status_code == 422
    assert refused.json()["error"] == "there is 1 class name; use 2 to 200."
    flat = client.post("/gradio_api/run/embeddings_umap", json={"data": [SHIPPED[:3], "a photo of a {}", "lte", 0, ""]})
    assert flat.json()["data"][0]["state"] == "failed"
    assert "at least 4 classes; 3 were given" in flat.json()["data"][0]["sentence"]


def test_the_pages_form_is_answered_or_refused_in_a_sentence_but_never_an_error(client: TestClient) -> None:
    form = {"typed": "truck, ship\ncat", "prompt": "a photo of a {}", "latent": "lte", "encoder": ""}
    answer = client.post("/explore", json=form)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["asked"]["names"] == ["truck", "ship", "cat"]
    for typed, sentence in {"cat,,dog": "class name 2, '', has 0 characters", "": "there are 0 class names"}.items():
        refused = client.post("/explore", json=form | {"typed": typed})
        assert refused.status_code == 200
        assert refused.json()["state"] == "refused"
        assert not refused.json()["controls"]
        assert sentence in refused.json()["sentence"]


def test_where_no_encoder_is_at_hand_controls_are_offered(client: TestClient) -> None:
    form = {"typed": "red panda, barn owl", "prompt": "a photo of a {}", "latent": "lte", "encoder": "nobody/nothing"}
    answers: list[dict[str, Any]] = []
    wait_until(
        lambda: answers.append(client.post("/explore", json=form).json()) or answers[-1]["state"] != "loading",
        seconds=120,
    )
    assert answers[-1]["controls"]
    assert "latent=one-hot and latent=random work without an encoder" in answers[-1]["sentence"]
    assert client.post("/explore", json=form | {"latent": "random"}).json()["state"] == "ready"
