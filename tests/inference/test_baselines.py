"""Decoding and interventions of RNN, CNN and MANN against their equations, written out step by step."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from playground.inference import Model, decode
from playground.interventions import parse, parse_all
from tests.models.references import write

TOLERANCE = 1e-4
ROWS = (0, 5, -1)
"""States that are decoded by the references, which take their time."""

POSITIONS = ["", "@{last}", "@>{last}..", "@{first}..{middle}"]
SITES = {
    "rnn": ["L0.h", "L1.h[17]", "L0.c[3:9]", "L1.i", "L0.f", "L1.g[5]", "L0.o", "L0", "L1"],
    "cnn": ["L0.conv", "L2.conv[5]", "L3.conv[4:]", "L1"],
    "mann": [
        "memory",
        "memory[3]",
        "memory[:5]",
        "read",
        "read[2]",
        "read_weights",
        "write_weights[7]",
        "write_weights",
        "L0.h",
        "L0.c[3]",
        "L0.i",
        "L0.f",
        "L0.g[:4]",
        "L0.o",
        "L0",
    ],
}
ALL_SITES = [(architecture, site) for architecture, sites in SITES.items() for site in sites]


def fill(positions: str, model: Model) -> str:
    answers = model.world.answers
    return positions.format(first=model.world.inputs[0], middle=answers[0], last=answers[1])


def reference_values(model: Model) -> dict[str, np.ndarray]:
    """Return for every named value its mean over all states, token x ..., on the model's own texts."""
    values: dict[str, list] = {}
    for text in model.clean.tokens.tolist():
        own: dict[str, list] = {}

        def keep(name, position, value, own=own):
            own.setdefault(name, []).append(value)
            return value

        write(model.name, model.network.weights(), text, len(text), keep)
        for name, steps in own.items():
            values.setdefault(name, []).append(np.array(steps))
    return {name: np.mean(rows, axis=0) for name, rows in values.items()}


def edit_for(model: Model, interventions, means):
    masks = [each.positions.mask(model.template) for each in interventions]

    def edit(name: str, position: int, value: np.ndarray) -> np.ndarray:
        for intervention, mask in zip(interventions, masks, strict=True):
            site = intervention.site
            parts = ["c", "h"] if model.name != "cnn" else ["conv"]
            whole = site.part is None and name in [f"{site}.{part}" for part in parts]
            if mask[position] and (whole or name == str(site.whole)):
                value, units = value.copy(), site.units.slice if site.units else slice(None)
                value[units] = 0.0 if intervention.kind == "zero" else means[name][position][units]
        return value

    return edit


def assert_equal_to_the_reference(model: Model, text: str, means) -> None:
    interventions = parse_all(text)
    run = model.run(interventions, shown=False)
    edit = edit_for(model, interventions, means)
    length, given = model.template.length, model.template.prompt_length
    for row in ROWS:
        prompt = model.template.truth[row, :given].tolist()
        written, logits = write(model.name, model.network.weights(), prompt, length, edit)
        assert run.tokens[row].tolist() == written
        assert np.abs(run.logits[row].numpy() - logits).max() < TOLERANCE


@pytest.fixture(scope="module")
def means(random_baseline):
    return reference_values(random_baseline)


def test_what_is_written_is_what_the_equations_write(random_baseline, means):
    assert_equal_to_the_reference(random_baseline, "", means)
    completions = random_baseline.clean.tokens[:, random_baseline.template.prompt_length :]
    assert len({tuple(row) for row in completions.tolist()}) > 1


@pytest.mark.parametrize("kind", ["zero", "mean"])
@pytest.mark.parametrize("positions", POSITIONS)
def test_every_ablation_at_any_positions(random_baseline, means, kind, positions):
    for site in SITES[random_baseline.name]:
        assert_equal_to_the_reference(
            random_baseline, f"{kind}:{site}{fill(positions, random_baseline)}", means
        )


def test_several_at_once_act_in_order(random_baseline, means):
    one, two, *_, last = SITES[random_baseline.name]
    name = random_baseline.world.answers[1]
    assert_equal_to_the_reference(
        random_baseline, f"zero:{one};mean:{two}@>{name}..;zero:{last}@{name}", means
    )
    assert_equal_to_the_reference(random_baseline, f"zero:{one};mean:{one}", means)


def test_every_site_is_one_of_the_references_and_moves_something(random_baseline):
    """The comparisons above mean nothing if nothing is changed."""
    network, clean = random_baseline.network, random_baseline.clean.logits
    tested = {parse(f"zero:{site}").site.whole for site in SITES[random_baseline.name]}
    for site in network.sites:
        zero, mean = (random_baseline.run(f"{kind}:{site}").logits for kind in ("zero", "mean"))
        assert (zero - clean).abs().max() > 100 * TOLERANCE, site
        assert (mean - clean).abs().max() > TOLERANCE / 10, site
    assert {str(site) for site in tested} <= {str(site) for site in network.sites}
    assert {site.part for site in tested} == {site.part for site in network.sites}


def test_what_is_recorded_is_what_passes(random_baseline, means):
    network = random_baseline.network
    for each in network.maps:
        recorded = random_baseline.clean.recorded[each.hook].mean(0).numpy()
        assert recorded.shape[:2] == (random_baseline.template.length, each.units)
        assert recorded.shape[2:] == ((each.components,) if each.components > 1 else ())
        assert np.abs(recorded - means[str(each.site)]).max() < TOLERANCE
        values = random_baseline.clean.recorded[each.hook]
        assert each.signed or values.min() >= 0


def test_step_by_step_and_in_passes_over_whole_texts_are_the_same(random_baseline):
    model, network = random_baseline, random_baseline.network
    given = model.template.prompt_length
    guess = torch.from_numpy(model.template.truth.copy())
    guess[:, given:] = 0
    passes = decode(network.forward, guess, given)
    assert torch.equal(passes.tokens, model.clean.tokens)
    assert (passes.logits - model.clean.logits).abs().max() < TOLERANCE


def test_the_sums_do_not_depend_on_the_rows_that_run_together(random_baseline):
    tokens = random_baseline.clean.tokens
    together = random_baseline.network.forward(tokens).logits
    alone = torch.cat([random_baseline.network.forward(row[None]).logits for row in tokens])
    assert (together - alone).abs().max() < TOLERANCE


def test_weights_stay_as_they_are_also_after_an_error(random_baseline):
    from playground.models import Edit

    network, clean = random_baseline.network, random_baseline.network.forward(random_baseline.clean.tokens)
    before = {name: weight.clone() for name, weight in network.weights().items()}
    for site in network.sites:
        random_baseline.run(f"zero:{site};mean:{site}")

    def fail(value, positions):
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        network.forward(random_baseline.clean.tokens, [Edit(network.maps[0].hook, (3,), fail)])
    assert all(torch.equal(network.weights()[name], weight) for name, weight in before.items())
    again = network.forward(random_baseline.clean.tokens)
    assert torch.equal(again.logits, clean.logits)


def test_two_threads_on_one_model_never_see_each_other(random_baseline):
    model, sites = random_baseline, SITES[random_baseline.name]
    texts = ["", f"zero:{sites[0]}", f"mean:{sites[1]}", f"zero:{sites[-1]}"]
    alone = {text: model.run(text).logits for text in texts}
    wrong, start = [], threading.Barrier(2)

    def work(offset: int) -> None:
        start.wait()
        for number in range(40):
            text = texts[(number * (1 + offset) + offset) % len(texts)]
            if not torch.equal(model.run(text).logits, alone[text]):
                wrong.append(text)

    threads = [threading.Thread(target=work, args=(offset,)) for offset in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
