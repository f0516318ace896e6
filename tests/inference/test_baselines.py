"""Decoding and interventions of RNN, CNN and MANN against their equations, written out step by step."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from playground.errors import RequestError
from playground.inference import Model, decode
from playground.interventions import parse_all, parse_site
from playground.models import Edit, WeightEdit
from tests.inference.references.baselines import Decoder
from tests.inference.references.conditions import (
    ACTIVATION_KINDS,
    WEIGHT_KINDS,
    activation_text,
    fill,
    one_each,
    some_positions,
)

TOLERANCE = 1e-4
ROWS = (5, -1)
"""States that are decoded by the references, which take their time."""

OF_LSTM = ["L0.h", "L0.c[3:9]", "L0.i", "L0.f", "L0.g[5]", "L0.o", "L0", "embed", "embed[4]"]
OF_HEAD = ["key", "strength", "gate", "shift", "sharpening"]
SITES = {
    "rnn": [*OF_LSTM, "L1.h[17]", "L1.c", "L1.o[:4]", "L1"],
    "cnn": ["L0.conv", "L2.conv[5]", "L3.conv[4:]", "L1", "embed", "embed[2:7]", "L1.resid", "L3.resid[3]"],
    "mann": [
        *OF_LSTM,
        "memory",
        "memory[3]",
        "memory[:5,2]",
        "read",
        "read[2]",
        "read_weights",
        "write_weights[7]",
        "write_weights",
        "erase",
        "add[1:4]",
        *(f"{head}.{name}" for head in ("read_head", "write_head") for name in OF_HEAD),
        "read_head.key[3]",
        "write_head.shift[1]",
    ],
}
OF_CELL = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]
OF_NONE = ["embed.weight", "unembed.weight", "unembed.bias"]
WEIGHTS = {
    "rnn": [*OF_NONE, *(f"L{layer}.{name}" for layer in (0, 1) for name in OF_CELL)],
    "cnn": [*OF_NONE, *(f"L{layer}.conv.{name}" for layer in range(4) for name in ("weight", "bias"))],
    "mann": [
        *OF_NONE,
        *(f"L0.{name}" for name in OF_CELL),
        *(f"{head}.linear.{name}" for head in ("read_head", "write_head") for name in ("weight", "bias")),
        "first_read",
        "read_head.first_weights",
        "write_head.first_weights",
    ],
}
FIRST = ("first_read", "read_head.first_weights", "write_head.first_weights")


@pytest.fixture(scope="module")
def decoder(random_baseline) -> Decoder:
    return Decoder(random_baseline)


def check(model: Model, decoder: Decoder, text: str, rows: tuple[int, ...] = ROWS) -> None:
    """Compare one condition with the equations."""
    interventions = parse_all(text)
    run = model.run_all(interventions, shown=False)
    for row in rows:
        written, logits = decoder.write(interventions, row)
        assert run.tokens[row].tolist() == written, text
        assert np.abs(run.logits[row].numpy() - logits).max() < TOLERANCE, text


def test_what_is_written_is_what_the_equations_write(random_baseline, decoder):
    check(random_baseline, decoder, "", tuple(range(len(random_baseline.world.states))))
    completions = random_baseline.baseline_run.tokens[:, random_baseline.template.prompt_length :]
    assert len({tuple(row) for row in completions.tolist()}) > 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ACTIVATION_KINDS)
def test_every_kind_on_every_activation(random_baseline, decoder, kind, turn):
    for number, site in enumerate(SITES[random_baseline.name]):
        positions = some_positions(number, kind, turn)
        # One state at a time, each in its turn.
        row = number % len(random_baseline.world.states)
        text = activation_text(kind, site, positions, random_baseline.template)
        check(random_baseline, decoder, text, (row,))


@pytest.mark.slow
@pytest.mark.parametrize("kind", WEIGHT_KINDS)
def test_every_kind_on_every_weight(random_baseline, decoder, kind):
    sites = [parse_site(name) for name in WEIGHTS[random_baseline.name]]
    for text in one_each(kind, sites, random_baseline.network):
        check(random_baseline, decoder, text)


PARTS = {
    "rnn": ("L1.weight_ih", ("[3,:]", "[:,5]", "[2:4,7:]")),
    "cnn": ("L1.conv.weight", ("[3,:,:]", "[:,5]", "[:,:,0]", "[:,:,2]", "[2:4,7:,1]")),
    "mann": ("read_head.linear.weight", ("[3,:]", "[:,5]", "[2:4,7:]")),
}
"""Outputs by inputs; of a convolution outputs by inputs by taps."""


def test_every_form_of_index(random_baseline, decoder):
    weight, parts = PARTS[random_baseline.name]
    where = fill("@>{last}..", random_baseline.template)
    for part in (*parts, ""):
        for kind in ("flip", "nuke"):
            check(random_baseline, decoder, f"{kind}:{weight}{part}{where}")
        check(random_baseline, decoder, f"noise:{weight}{part}~0.5#2{where}")


def test_several_at_once_act_in_order(random_baseline, decoder):
    model = random_baseline
    one, two, *_, last = SITES[model.name]
    *_, weight, other = (name for name in WEIGHTS[model.name] if name not in FIRST)
    name, output = model.world.answers[1], model.world.outputs[0]
    state = ",".join(map(str, model.world.states[3]))
    for text in (
        f"zero:{one};mean:{two}@>{name}..;zero:{last}@{name}",
        f"zero:{one};mean:{one}",
        f"scale:{one}~2;patch:{one}@{name}<{state};scale:{one}~0.5",
        f"nuke:{weight};noise:{weight}~1#3@>{name}..;flip:{weight}@{name}",
        f"flip:{weight}~50%#1;flip:{weight}~50%#2@>{name}..;noise:{other}~0.2;zero:{one}@{name}",
        f"force:{output}=!;flip:{other}@>{name}..;force:{name}=1;mean:{two}"
        if name in model.world.outputs
        else f"force:{output}=!;flip:{other}@>{name}..",
    ):
        check(model, decoder, text)


@pytest.mark.parametrize("value", ["0", "1", "!"])
def test_what_follows_a_forced_token(random_baseline, decoder, value):
    for name in random_baseline.world.outputs:
        check(random_baseline, decoder, f"force:{name}={value}")


@pytest.mark.slow
def test_all_parts_are_among_those_that_are_compared_and_move_something(random_baseline):
    """The comparisons above mean nothing for what they leave out, or if nothing is changed."""
    network, clean = random_baseline.network, random_baseline.baseline_run.logits
    sites = {parse_site(name).whole for name in SITES[random_baseline.name]}
    assert {site.part for site in network.sites} == {site.part for site in sites}
    assert sites <= set(network.sites)
    assert {str(site) for site in network.weights} == set(WEIGHTS[random_baseline.name])
    texts = [f"zero:{site}" for site in network.sites]
    texts += [f"nuke:{site}" for site in network.weights]
    for text in texts:
        moved = (random_baseline.run_all(text, shown=False).logits - clean).abs().max()
        assert moved > 1e-6, text


def test_what_the_first_token_starts_from_changes_with_it_alone(random_baseline):
    names = [str(site) for site in random_baseline.network.weights if str(site) in FIRST]
    assert len(names) == (3 if random_baseline.name == "mann" else 0)
    first, last = random_baseline.world.inputs[0], random_baseline.world.answers[-1]
    for name in names:
        every, one = (random_baseline.run_all(f"flip:{name}{at}").logits for at in ("", f"@{first}"))
        assert torch.equal(every, one)
        with pytest.raises(
            RequestError, match="nothing that is written depends on this part at these tokens"
        ):
            random_baseline.run_all(f"flip:{name}@>{last}..")


def test_what_is_recorded_is_what_passes(random_baseline, decoder):
    network = random_baseline.network
    for each in network.maps:
        recorded = random_baseline.values(each.hook).numpy()
        assert recorded.shape[1:3] == (random_baseline.template.length, each.units)
        assert recorded.shape[3:] == ((each.components,) if each.components > 1 else ())
        assert np.abs(recorded - decoder.known[str(each.site)]).max() < TOLERANCE
        assert each.signed or recorded.min() >= 0


def test_one_state_is_its_row_of_all(random_baseline):
    model = random_baseline
    weight, *_ = (name for name in WEIGHTS[model.name] if name.startswith("L0"))
    name, output = model.world.answers[1], model.world.outputs[0]
    for text in ("", f"force:{output}=!;zero:L0@>{name}..", f"flip:{weight}~5%#3@{name};mean:embed[2]"):
        every = model.run_all(text)
        for row in (0, 3):
            state = model.world.states[row]
            for run in (
                model.run(state, text),
                model.complete(model.template.prompt(state), text, shown=True),
            ):
                assert torch.equal(run.tokens[0], every.tokens[row])
                assert (run.logits[0] - every.logits[row]).abs().max() < TOLERANCE
                assert run.recorded.keys() == every.recorded.keys()


def test_a_wrong_beginning_goes_on_as_the_equations_do(random_baseline, decoder):
    model, template = random_baseline, random_baseline.template
    weight, *_ = (name for name in WEIGHTS[model.name] if name.startswith("L0"))
    name, wrong = model.world.answers[1], template.ids[","]
    for length in (2, template.answer_positions[0] + 1, template.length):
        ids = template.truth[2, :length].copy()
        ids[min(template.answer_positions[0], length - 1)] = wrong
        for text in ("", f"zero:L0@>{name}..;flip:{weight}~20%#3@{name}"):
            run = model.complete(template.decode(ids), text)
            written, logits = decoder.write(parse_all(text), 0, ids.tolist())
            assert run.tokens[0].tolist() == written
            assert np.abs(run.logits[0].numpy() - logits).max() < TOLERANCE


@pytest.mark.slow
def test_a_sweep_is_a_pass_for_each_value(random_baseline):
    network, tokens = random_baseline.network, random_baseline.baseline_run.tokens[:5]
    everywhere = tuple(range(tokens.shape[1]))
    before = {name: value.clone() for name, value in network.parameters().items()}
    for site, weight in network.weights.items():
        values = weight + torch.randn(3, *weight.shape, generator=torch.Generator().manual_seed(0))
        for value, logits in zip(values, network.sweep(tokens, site, values), strict=True):
            edit = WeightEdit(site, everywhere, lambda weight, value=value: value)
            expected = network.forward(tokens, weights=[edit]).logits
            assert (logits - expected).abs().max() < TOLERANCE, site
    assert all(torch.equal(network.parameters()[name], value) for name, value in before.items())


def test_step_by_step_and_in_passes_over_whole_texts_are_the_same(random_baseline):
    model, network = random_baseline, random_baseline.network
    given = model.template.prompt_length
    guess = torch.from_numpy(model.template.truth.copy())
    guess[:, given:] = 0
    passes = decode(network.forward, guess, given)
    assert torch.equal(passes.tokens, model.baseline_run.tokens)
    assert (passes.logits - model.baseline_run.logits).abs().max() < TOLERANCE


def test_the_sums_do_not_depend_on_the_rows_that_run_together(random_baseline):
    tokens = random_baseline.baseline_run.tokens
    together = random_baseline.network.forward(tokens).logits
    alone = torch.cat([random_baseline.network.forward(row[None]).logits for row in tokens])
    assert (together - alone).abs().max() < TOLERANCE


def conditions(model: Model) -> list[str]:
    """Return some of every kind."""
    template, weights = model.template, [name for name in WEIGHTS[model.name] if name not in FIRST]
    texts = [
        activation_text(kind, site, "@>{last}..", template)
        for kind, site in zip(ACTIVATION_KINDS, SITES[model.name], strict=False)
    ]
    texts += [f"flip:{weights[0]}", f"nuke:{weights[-1]}~30%#1", f"noise:{weights[3]}~0.5#2"]
    name = model.world.answers[1]
    return [*texts, f"flip:{weights[-2]}@>{name}..", f"force:{model.world.outputs[0]}=!"]


def test_weights_stay_as_they_are_also_after_an_error(random_baseline):
    network, tokens = random_baseline.network, random_baseline.baseline_run.tokens
    clean = network.forward(tokens)
    before = {name: weight.clone() for name, weight in network.parameters().items()}
    for text in conditions(random_baseline):
        random_baseline.run_all(text)
    random_baseline.run_all(";".join(conditions(random_baseline)))

    def fail(value, positions):
        raise RuntimeError("in the middle")

    def negative(weight):
        return -weight

    weights = [WeightEdit(site, (2, 3), negative) for site in network.weights]
    for others in ([], weights):
        with pytest.raises(RuntimeError, match="in the middle"):
            network.forward(tokens, [Edit(network.maps[-1].hook, (3,), fail)], weights=others)
        assert all(torch.equal(network.parameters()[name], weight) for name, weight in before.items())
        assert torch.equal(network.forward(tokens).logits, clean.logits)

    def fail_with(weight):
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        network.forward(tokens, weights=[*weights, WeightEdit(weights[-1].weight, (3,), fail_with)])
    assert all(torch.equal(network.parameters()[name], weight) for name, weight in before.items())
    assert torch.equal(network.forward(tokens).logits, clean.logits)


def test_two_threads_on_one_model_never_see_each_other(random_baseline):
    model = random_baseline
    texts = ["", *conditions(model)]
    alone = {text: model.run_all(text, shown=False).logits for text in texts}
    wrong, start = [], threading.Barrier(2)

    def work(offset: int) -> None:
        start.wait()
        for number in range(15):
            text = texts[(number * (1 + offset) + offset) % len(texts)]
            if not torch.equal(model.run_all(text, shown=False).logits, alone[text]):
                wrong.append(text)

    threads = [threading.Thread(target=work, args=(offset,)) for offset in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
