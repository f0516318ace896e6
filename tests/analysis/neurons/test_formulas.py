"""Formulas for parts of models, held against activations, numpy's SVD and a network with neurons known by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from playground.analysis.base.presentation import Selection
from playground.analysis.base.view import View
from playground.analysis.neurons import formula_blocks
from playground.analysis.neurons.formula_blocks import FORMULAS
from playground.analysis.neurons.formulas import Formulas, measure_formulas
from playground.datasets import DatasetSpec
from playground.errors import RequestError
from playground.files import write_json
from playground.inference import Model, measure_activation, open_model
from playground.interventions import parse_site
from playground.models import ARCHITECTURES, Site, Size, Slice, save_model

SHIPPED = Path(__file__).parents[3] / "models" / "shipped"


@pytest.fixture(scope="module")
def by_hand(default_world, tmp_path_factory) -> Model:
    """Return a CNN in which channel 7 of the last layer is 1 where tokens 9 and 5 before it differ, being numbers.

    From the writing of newA on that is A XOR C, then B XOR D, then C XOR E.
    """
    spec = DatasetSpec(world=default_world, held_out=((1, 1, 1, 1, 1),))
    kind, size = ARCHITECTURES["cnn"], Size(width=8, layers=5)
    model = kind.make(spec.template, size, 0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        weights = {name: each for name, each in model.named_parameters() if name.endswith("conv.weight")}
        conv = [weights[f"layers.{layer}.conv.weight"] for layer in range(5)]
        model.get_parameter("embed.weight")[spec.template.ids["1"], 0] = 1.0
        here, one_before = 2, 1
        conv[0][1, 0, one_before] = 1.0  # whether the token before is 1; dilations are 1, 2, 4, 8, 16
        conv[2][2, 1, one_before] = 1.0  # whether that of five tokens before is
        conv[3][3, 1, one_before], conv[3][3, 2, here] = 1.0, -1.0  # that of nine before, and not of five
        conv[3][4, 1, one_before], conv[3][4, 2, here] = -1.0, 1.0
        conv[4][7, 3, here], conv[4][7, 4, here] = 1.0, 1.0
    folder = tmp_path_factory.mktemp("by-hand")
    save_model(model, kind, spec.template, size, folder)
    write_json(folder / "run.json", {"architecture": "cnn", "dataset": spec.to_json()})
    return open_model(folder, "cpu")


def found_at(formulas: Formulas, part: str, position: str) -> int:
    (index,) = (
        index
        for index, each in enumerate(zip(formulas.parts, formulas.positions, strict=True))
        if each == (part, position)
    )
    return index


def test_a_neuron_made_by_hand_is_named(by_hand):
    found = measure_formulas(by_hand)
    expected = {
        ("L4.conv[7]", ">newA"): "A XOR C",
        ("L4.conv[7]", ">newB"): "B XOR D",
        ("L4.conv[7]", ">newC"): "C XOR E",
        ("L3.conv[3]", ">newA"): "A AND NOT C",
        ("L3.conv[4]", ">newA"): "NOT A AND C",
        ("L2.conv[2]", ">newA"): "C",
        ("L0.conv[1]", ">newA"): "E",
        ("L4.conv[6]", ">newA"): "constant",
        ("L4.conv[7]", "newA"): "constant",
    }
    for (part, position), formula in expected.items():
        index = found_at(found, part, position)
        assert found.formulas[index] == formula
        assert found.exact[index] == (formula != "constant")
        assert found.explained[index] == pytest.approx(float(formula != "constant"))
    index = found_at(found, "L4.conv[7]", ">newA")
    assert found.line(index) == "L4.conv[7] at >newA: A XOR C, exact, 1.00 of variance"
    assert found.terms(index) == ("A*C 1.00",)
    assert (found.literals[index], found.operators[index]) == (2, 1)
    a, _, c, _, _ = np.array(by_hand.world.states).T
    assert found.values[index].tolist() == (a ^ c).tolist()
    constant = found_at(found, "L4.conv[6]", ">newA")
    assert found.line(constant) == "L4.conv[6] at >newA: constant"
    assert found.terms(constant) == ()
    conjunction = found_at(found, "L3.conv[3]", ">newA")
    assert set(found.terms(conjunction)) == {"A 0.33", "C 0.33", "A*C 0.33"}


def test_what_is_measured_is_the_model_under_interventions(by_hand):
    found = measure_formulas(by_hand, "zero:L3.conv[3]")
    assert found.interventions == ("zero:L3.conv[3]",)
    assert found.formulas[found_at(found, "L4.conv[7]", ">newA")] == "NOT A AND C"
    assert found.formulas[found_at(found, "L3.conv[3]", ">newA")] == "constant"
    flipped = measure_formulas(by_hand, "flip:L4.conv.weight[7,4,2]@>newB..")
    assert flipped.formulas[found_at(flipped, "L4.conv[7]", ">newA")] == "A XOR C"
    assert flipped.formulas[found_at(flipped, "L4.conv[7]", ">newB")] == "B AND NOT D"
    unedited = measure_formulas(by_hand)
    assert unedited.formulas[found_at(unedited, "L4.conv[7]", ">newA")] == "A XOR C"
    with pytest.raises(RequestError, match="expected"):
        measure_formulas(by_hand, "zero:L9.conv[3]")


def positions_of(model: Model) -> dict[str, int]:
    positions = model.template.positions
    stands = {name: positions[name] for name in model.world.answers}
    return stands | {f">{name}": index - 1 for name, index in stands.items()}


PARTS = {
    "gpt2": {"L0H0": 3 * 4, "L0.mlp[0]": 3 * 128},
    "rnn": {"L0.h[0]": 2 * 24, "L0.c[0]": 2 * 24},
    "cnn": {"L0.conv[0]": 4 * 24},
    "mann": {"L0.h[0]": 24, "L0.c[0]": 24, "memory[0]": 16},
}


def check_everything(model: Model) -> None:
    """Compare every part that is one number with its activation, and count all parts."""
    found, positions = measure_formulas(model), positions_of(model)
    expected = PARTS[model.network.architecture]
    pairs = set(zip(found.parts, found.positions, strict=True))
    assert len(pairs) == len(found.parts) == sum(expected.values()) * len(positions)
    assert {(part, position) for part in expected for position in positions} <= pairs
    assert found.values.shape == (len(pairs), len(model.world.states)) == found.spectrum.shape
    assert set(found.positions) == set(positions)
    activations = {}
    for index, (part, position) in enumerate(pairs_of(found)):
        site = parse_site(part)
        if site.head is not None or site.part == "memory":
            continue
        if site.whole not in activations:
            units = measure_activation(model, replace(site, index=(Slice(),)))
            activations[site.whole] = units.values
        value = activations[site.whole][:, positions[position], int(str(site.index[0]))]
        assert found.values[index] == pytest.approx(value, abs=1e-6)
        assert found.captured[index] == 1
    check_order(found)


def pairs_of(found: Formulas) -> list[tuple[str, str]]:
    return list(zip(found.parts, found.positions, strict=True))


def check_order(found: Formulas) -> None:
    constant = np.array([formula == "constant" for formula in found.formulas])
    assert (constant == (found.literals == 0)).all()
    assert (np.diff(constant.astype(int)) >= 0).all()
    shares = found.explained.round(2)
    assert (np.diff(shares) <= 0).all()
    for share in set(shares[~constant]):
        assert (np.diff(found.literals[(shares == share) & ~constant]) >= 0).all()
    assert found.spectrum.sum(1) == pytest.approx(np.where(constant, 0, 1), abs=1e-4)


def test_every_part_of_gpt2_at_every_answer(random_model):
    check_everything(random_model)


def test_every_part_of_the_baselines_at_every_answer(random_baseline):
    check_everything(random_baseline)


def check_direction(found: Formulas, part: str, position: str, vectors: np.ndarray) -> None:
    """Compare the values of a part with the first principal component of its vectors, state x component."""
    index = found_at(found, part, position)
    centred = vectors.astype(np.float64) - vectors.mean(0, dtype=np.float64)
    left, singular, _ = np.linalg.svd(centred, full_matrices=False)
    expected = left[:, 0] * singular[0]
    expected = expected * np.sign(expected[np.abs(expected).argmax()])
    assert found.values[index] == pytest.approx(expected, abs=1e-4 * singular[0])
    assert found.captured[index] == pytest.approx(singular[0] ** 2 / (singular**2).sum(), abs=1e-4)


@pytest.mark.parametrize("intervention", ["", "flip:L1.attn.W_O[2,0:3,:]", "nuke:L1H2.W_O[0:5,:]@{}.."])
def test_a_head_is_its_output_along_the_direction_in_which_that_varies_most(random_model, intervention):
    model, answers = random_model, random_model.world.answers
    asked = intervention.format(answers[-1])
    found = measure_formulas(model, asked)
    z = measure_activation(model, "L1H2", asked).values[:, :, 0]
    learnt = model.network.weights[parse_site("L1H2.W_O")].numpy()
    for position in (answers[0], f">{answers[-1]}", answers[-1]):
        weight = learnt.copy()
        if "flip" in asked:
            weight[0:3] *= -1
        if "nuke" in asked and position == answers[-1]:
            weight[0:5] = 0
        check_direction(found, "L1H2", position, z[:, positions_of(model)[position]] @ weight)


def test_what_heads_write_is_what_the_layer_writes(random_model):
    """The sum of z times W_O over heads, and the bias, is what TransformerLens has behind the layer's attention."""
    network = random_model.network
    attention = measure_activation(random_model, "L1.attn").values
    heads = [measure_activation(random_model, f"L1H{head}").values[:, :, 0] for head in range(4)]
    weights = [network.weights[Site(1, head, "W_O")].numpy() for head in range(4)]
    written = sum(z @ weight for z, weight in zip(heads, weights, strict=True))
    bias = network.weights[Site(1, part="attn.b_O")].numpy()
    assert written + bias == pytest.approx(attention, abs=1e-4)


def test_a_slot_is_its_content_along_a_direction(random_baseline):
    if random_baseline.network.architecture != "mann":
        return
    found = measure_formulas(random_baseline)
    content = measure_activation(random_baseline, "memory").values
    for position, index in positions_of(random_baseline).items():
        for slot in (0, 9):
            check_direction(found, f"memory[{slot}]", position, content[:, index, slot])


def test_a_token_can_be_chosen(by_hand):
    found = measure_formulas(by_hand)
    some = found.only(">newA")
    assert set(some.positions) == {">newA"}
    assert len(some.parts) == found.positions.count(">newA") > 0
    best = some.parts.index("L4.conv[7]")
    assert some.values[best].tolist() == found.values[found_at(found, "L4.conv[7]", ">newA")].tolist()
    assert some.formulas[best] == found.formulas[found_at(found, "L4.conv[7]", ">newA")]
    assert "A XOR C" in some.formulas
    assert (some.candidates, some.chance, some.inputs) == (found.candidates, found.chance, found.inputs)
    assert found.only("nowhere").parts == ()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_trained_model_knows_its_rules(architecture):
    """Where newB is written, a part of any model that has learnt it is NOT D, or D, in every state."""
    model = open_model(SHIPPED / architecture, "cpu")
    found = measure_formulas(model).only(position=">newB")
    column = model.world.answers.index("newB")
    written = model.baseline_run.tokens.numpy()[:, model.template.positions["newB"]]
    assert (written == model.world.truth_table[:, column]).mean() > 0.9
    best = found.formulas[:20]
    assert "NOT D" in best or "D" in best


def test_parts_are_listed_with_their_values(by_hand):
    found = measure_formulas(by_hand)
    view = View(by_hand, answer="newB", state=2)
    said, table = FORMULAS.present(found, view)
    assert f"{found.candidates:,} functions" in said.text
    assert "more parts" not in table.caption
    parts = {row.cells[0]: row for row in table.rows}
    assert len(parts) == sum(position == ">newB" for position in found.positions)
    row = parts["L4.conv[7]"]
    assert row.cells[1:4] == ("B XOR D", "exact", "1.00")
    assert row.selects == Selection("L4.conv[7]", ">newB", "newB")
    cases = row.cases()
    values = {state: float(value) for state, value in (each.cells for each in cases.rows)}
    states = [tuple(map(int, state.split(","))) for state in values]
    assert sorted(states) == sorted(by_hand.world.states)
    assert list(values.values()) == [float(b != d) for _, b, _, d, _ in states]
    assert parts["L4.conv[6]"].cells[1:3] == ("constant", "0.00")


def test_of_many_parts_the_best_are_listed(by_hand, monkeypatch):
    monkeypatch.setattr(formula_blocks, "MOST_PARTS", 2)
    found = measure_formulas(by_hand)
    _, table = FORMULAS.present(found, View(by_hand, answer="newA"))
    assert [row.cells[:2] for row in table.rows] == list(
        zip(found.only(position=">newA").parts[:2], found.only(position=">newA").formulas[:2], strict=True)
    )
    assert f"{len(found.only(position='>newA').parts) - 2} more parts" in table.caption


def test_formulas_are_drawn_where_answers_are_written_and_where_they_stand(random_model):
    found, world = measure_formulas(random_model), random_model.world
    _, best, *drawn = FORMULAS.present(found, View(random_model))
    assert [row.cells[:3] for row in best.rows] == list(
        zip(found.parts[:10], found.positions[:10], found.formulas[:10], strict=True)
    )
    reading = [name for name in world.answers if set(world.dependencies[name]) & set(world.outputs)]
    unfolded = [each.title for each in drawn if not each.folded]
    assert unfolded == [f"formulas where {name} is written" for name in reading]
    positions = [
        f">{name}" if where == "is written" else name
        for name in world.answers
        for where in ("is written", "stands")
    ]
    assert len(drawn) == len(positions)
    for block, position in zip(drawn, positions, strict=True):
        assert block.reference == ("by chance", found.chance)
        here = [
            (part, formula, explained)
            for part, at, formula, explained in zip(
                found.parts, found.positions, found.formulas, found.explained, strict=True
            )
            if at == position and formula != "constant"
        ]
        assert f"{len(here)} part" in block.caption
        for bar in block.bars:
            same = [(part, explained) for part, formula, explained in here if formula == bar.note]
            name, _, others = bar.name.partition(" + ")
            assert (name, bar.value) == max(same, key=lambda each: round(each[1], 2))
            assert int(others or 0) == max(sum(explained >= 0.9 for _, explained in same) - 1, 0)
