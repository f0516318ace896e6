"""Numbers that say what a weight is like, against torch and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from playground.analysis import matrices_of, summarise
from playground.interventions import parse_site


def test_singular_values_are_those_of_every_head(random_model):
    network = random_model.network
    shared = summarise(network, parse_site("L1.attn.W_V"))
    assert shared.shape == (4, 32, 8)
    for head in range(4):
        alone = summarise(network, parse_site(f"L1H{head}.W_V"))
        expected = torch.linalg.svdvals(network.weights[parse_site(f"L1H{head}.W_V")]).numpy()
        assert alone.singular_values[0] == pytest.approx(expected, rel=1e-4)
        assert shared.singular_values[head] == pytest.approx(expected, rel=1e-4)
        assert (np.diff(expected) <= 0).all()


def test_numbers_of_every_weight(random_model, random_baseline):
    for model in (random_model, random_baseline):
        for site, weight in model.network.weights.items():
            summary, values = summarise(model.network, site), weight.double()
            assert summary.norm == pytest.approx(float(values.norm()), rel=1e-5)
            assert summary.largest == pytest.approx(float(values.abs().max()))
            assert summary.deviation == pytest.approx(float(values.std(correction=0)), rel=1e-5, abs=1e-9)
            assert summary.mean == pytest.approx(float(values.mean()), rel=1e-4, abs=1e-7)
            matrices = matrices_of(site, weight.numpy())
            assert matrices.size == weight.numel()
            if weight.dim() > 1:
                assert float((summary.singular_values**2).sum()) == pytest.approx(summary.norm**2, rel=1e-4)
            else:
                assert summary.singular_values.size == 0


def test_matrices_of_a_convolution_are_those_of_its_taps(random_baseline):
    if random_baseline.network.architecture != "cnn":
        return
    site = parse_site("L0.conv.weight")
    weight = random_baseline.network.weights[site].numpy()
    assert all(np.array_equal(matrices_of(site, weight)[tap], weight[:, :, tap]) for tap in range(3))
