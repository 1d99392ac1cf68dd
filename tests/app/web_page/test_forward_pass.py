"""The forward pass in JavaScript gives PyTorch's logits, for every family of networks."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import numpy as np
import pytest
import torch

from nayer.networks.classifiers import Classifier
from nayer.networks.plain_layers import plain_weights, rounded, shape_of
from nayer.networks.specs import FAMILIES
from tests.support.plain import filled, random_network
from tests.support.repository import ROOT

ASKING = """
import { readFileSync } from "node:fs";
import { logitsOf } from "%s";
const told = JSON.parse(readFileSync(0, "utf-8"));
const answers = told.map(({ network, codes, numbers, pixels }) => {
  const weights = { codes: Float32Array.from(codes), numbers: Float32Array.from(numbers) };
  return Array.from(logitsOf(network, weights, pixels));
});
console.log(JSON.stringify(answers));
"""
CASES = [(f"{family}-{1 if family == 'wrn16' else 3}", 3, 16) for family in FAMILIES if family != "wrn40"]
CASES += [("wrn40-1", 3, 8), ("lenet-4", 1, 28), ("vgg-2", 1, 28), ("convnet4-5", 1, 9), ("resnet8-3", 1, 13)]


def asked(questions: list[dict[str, Any]]) -> list[list[float]]:
    code = ASKING % (ROOT / "app/static/panels/forward_pass.js").as_uri()
    done = subprocess.run(
        ["node", "--input-type=module", "-e", code],
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        check=True,
    )
    answers: list[list[float]] = json.loads(done.stdout)
    return answers


def question(network: Classifier, codes: np.ndarray, numbers: np.ndarray, pixels: np.ndarray) -> dict[str, Any]:
    spec, shape = network.spec, shape_of(network.spec)
    assert shape is not None, (
        f"{spec.architecture} has a layer that `nayer/networks/plain_layers.py` does not list. Add it there, and to "
        "`app/static/panels/forward_pass.js`, which computes it in the browser."
    )
    told = {"layers": shape.layers, "image": [spec.channels, spec.size], "mean": spec.mean, "std": spec.std}
    return {"network": told, "codes": codes.tolist(), "numbers": numbers.tolist(), "pixels": pixels.tolist()}


def test_every_family_has_the_logits_of_pytorch() -> None:
    rng = np.random.default_rng(0)
    questions, wanted = [], []
    for architecture, channels, size in CASES:
        network = random_network(architecture, channels=channels, size=size)
        pixels = rng.integers(0, 256, (channels, size, size))
        images = torch.from_numpy(pixels)[None].float() / 255.0
        # The weights themselves, each with a step of 1, and then the rounded ones.
        pairs = plain_weights(network)
        whole = np.concatenate([weight.ravel() for weight, _ in pairs])
        steps = np.concatenate([part for _, bias in pairs for part in (np.ones_like(bias), bias)])
        short = rounded(pairs)
        for codes, numbers in ((whole, steps), (short.codes, short.numbers)):
            questions.append(question(network, codes, numbers, pixels.ravel()))
        with torch.no_grad():
            wanted += [network(images)[0].numpy(), filled(network.spec, short.codes, short.numbers)(images)[0].numpy()]
    for (architecture, *_), answers, logits in zip(
        [case for case in CASES for _ in range(2)], asked(questions), wanted, strict=True
    ):
        np.testing.assert_allclose(answers, logits, atol=1e-4, rtol=0, err_msg=architecture)


@pytest.mark.parametrize("architecture", ["lenet-4", "wrn16-1"])
def test_a_rounded_weight_is_at_most_half_a_step_away(architecture: str) -> None:
    pairs = plain_weights(random_network(architecture))
    short = rounded(pairs)
    code = number = 0
    for weight, bias in pairs:
        steps = short.numbers[number : number + len(bias)].reshape(-1, *[1] * (weight.ndim - 1))
        codes = short.codes[code : code + weight.size].reshape(weight.shape)
        assert (np.abs(codes * steps - weight) <= 0.5001 * steps).all()
        assert np.array_equal(short.numbers[number + len(bias) : number + 2 * len(bias)], bias)
        code, number = code + weight.size, number + 2 * len(bias)
    shape = shape_of(random_network(architecture).spec)
    assert shape is not None
    assert (code, number) == (len(short.codes), len(short.numbers)) == (shape.weights, 2 * shape.biases)


def test_every_family_of_the_table_is_tried() -> None:
    assert {architecture.partition("-")[0] for architecture, *_ in CASES} == set(FAMILIES)
