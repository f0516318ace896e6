"""Edges: the graph against the bridge, scores and recoveries against TransformerLens' own tools."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from transformer_lens.model_bridge.sources._bridge_builder import build_bridge_from_module
from transformer_lens.tools.analysis import EdgeAttributionConfig, attribution_patch, faithfulness
from transformer_lens.tools.analysis.attribution_patching import Node

from playground.analysis.base.store import Store
from playground.analysis.edges.edges import Edges, measure_edges
from playground.analysis.edges.graph import Detour, graph_of
from playground.analysis.edges.pairs import pairs_of
from playground.errors import RequestError
from playground.inference import Model, load_model, make_plan, token_names
from playground.interventions import parse_all
from tests.analysis.small_gpt2 import as_transformers, make_small


@pytest.fixture(scope="module")
def small(spec, tmp_path_factory) -> Model:
    return make_small(spec, tmp_path_factory.mktemp("small") / "gpt2")


def bridge_of(model: Model):
    gpt2 = as_transformers(model)
    return build_bridge_from_module(gpt2, architecture="GPT2LMHeadModel", hf_config=gpt2.config)


@pytest.fixture(scope="module")
def plain(small) -> Edges:
    """Return plain edge attribution, with circuits of one size."""
    *_, found = measure_edges(small, sizes=(40,), steps=1)
    return found


def scored(growing: Iterator[Edges]) -> Edges:
    """Return what is known as soon as all edges have scores, before circuits are tried."""
    return next(each for each in growing if each.scored.all())


def differing(model: Model, answer: int) -> list[tuple[int, int]]:
    """Return the pairs of source and base that differ in one input and in an answer, counted by hand."""
    given, states = model.template.truth[:, model.template.answer_positions[answer]], model.world.states
    return [
        (source, base)
        for base, one in enumerate(states)
        for source, other in enumerate(states)
        if sum(a != b for a, b in zip(one, other, strict=True)) == 1 and given[base] != given[source]
    ]


def rarest(model: Model) -> int:
    """Return the answer that differs in the fewest pairs, but in some: TransformerLens takes them one by one."""
    counts = {answer: len(differing(model, answer)) for answer in range(len(model.world.answers))}
    return min((answer for answer in counts if counts[answer]), key=counts.__getitem__)


def metric_of(model: Model, answer: int, source: int, base: int):
    position = model.template.answer_positions[answer]
    to, away = model.template.truth[[source, base], position].tolist()
    return lambda logits: logits[0, position - 1, to] - logits[0, position - 1, away]


def node_of(name: str, position: int, *, writes: bool, layers: int) -> Node:
    if name in ("embed", "logits"):
        return Node(name, position, None if writes else layers - 1)
    layer, head = int(name[1]), int(name[3]) if "H" in name else None
    if writes:
        return Node("mlp_out" if head is None else "attn_head_out", position, layer, head)
    return Node("mlp_in" if head is None else f"{name[-1]}_input", position, layer, head)


def nodes_of(edges: Edges, entry) -> tuple[Node, Node]:
    writer, reader, position = (int(each) for each in entry)
    return (
        node_of(edges.writers[writer], position, writes=True, layers=2),
        node_of(edges.readers[reader], position, writes=False, layers=2),
    )


def test_pairs_are_all_states_with_one_input_turned(small):
    pairs, states = pairs_of(small.world), small.world.states
    found = list(zip(pairs.source.tolist(), pairs.base.tolist(), strict=True))
    one_apart = {
        (source, base)
        for source in range(len(states))
        for base in range(len(states))
        if np.abs(np.subtract(states[source], states[base])).sum() == 1
    }
    assert set(found) == one_apart
    assert len(found) == len(one_apart)
    for (source, base), which in zip(found, pairs.input.tolist(), strict=True):
        assert states[source][which] != states[base][which]


@pytest.mark.parametrize("edits", ["", "zero:L0H1@>{0}..;scale:L1.mlp[3]~2;flip:L1.mlp.W_in;mean:L0.mlp"])
def test_the_graph_computes_what_the_bridge_does(small, edits):
    asked = parse_all(edits.format(small.world.outputs[0]))
    graph, tokens = graph_of(small, asked, "edges"), small.baseline_run.tokens
    plan = make_plan(asked, small.network, small.values)
    expected = small.network.forward(tokens, plan.edits, (), plan.weights).logits
    with torch.no_grad():
        flow = graph.run(graph.embed(tokens))
    torch.testing.assert_close(flow.scores, expected, rtol=1e-4, atol=1e-4)
    # What no edge carries a head's own value of is that head ablated.
    writer, head = graph.writers.index("L0H0"), "mean:L0H0"
    plan = make_plan([*asked, *parse_all(head)], small.network, small.values)
    expected = small.network.forward(tokens, plan.edits, (), plan.weights).logits
    edges = torch.zeros(*graph.linked.shape, tokens.shape[1])
    edges[writer, graph.linked[writer]] = 1
    with torch.no_grad():
        clean = graph_of(small, (), "edges")
        means = clean.run(clean.embed(tokens)).written.mean(1, keepdim=True)
        ablated = graph.run(graph.embed(tokens), Detour(edges, means.expand(-1, len(tokens), -1, -1)))
    torch.testing.assert_close(ablated.scores, expected, rtol=1e-4, atol=1e-4)
    assert (ablated.scores - flow.scores).abs().max() > 1e-2


def test_scores_are_those_of_attribution_patching_in_transformer_lens(small, plain):
    answer, bridge = rarest(small), bridge_of(small)
    tokens = torch.from_numpy(small.template.truth)[:, :-1]
    pairs = differing(small, answer)
    assert plain.pairs[answer] == len(pairs)
    total: dict[tuple[Node, Node], float] = {}
    for source, base in pairs:
        result = attribution_patch(
            bridge,
            tokens[source : source + 1],
            tokens[base : base + 1],
            metric_of(small, answer, source, base),
            EdgeAttributionConfig(granularity="edge"),
        )
        for edge, score in result.edge_scores.items():
            total[edge] = total.get(edge, 0.0) + score / len(pairs)
    entries = np.argwhere(plain.exists[answer])
    found = {nodes_of(plain, entry): plain.scores[answer][tuple(entry)] for entry in entries}
    assert len(found) == len(entries)
    for edge, score in total.items():
        assert found.get(edge, 0.0) == pytest.approx(score, rel=1e-3, abs=1e-4), edge
    assert set(found) <= set(total)
    assert max(map(abs, found.values())) > 0.1
    assert not plain.scores[~plain.exists].any()


def test_what_a_circuit_recovers_is_its_faithfulness_in_transformer_lens(second_spec, tmp_path):
    small = make_small(second_spec, tmp_path / "gpt2")
    *_, plain = measure_edges(small, sizes=(40,), steps=1)
    answer, bridge = rarest(small), bridge_of(small)
    tokens = torch.from_numpy(small.template.truth)[:, :-1]
    name, entries = plain.answers[answer], np.argwhere(plain.exists[answer])
    order = np.argsort(-np.abs(plain.scores[answer][plain.exists[answer]]), kind="stable")
    trials = [each for each in plain.trials if each.answer == name]
    assert [each.edges for each in trials] == [40, len(entries)]
    circuit = [nodes_of(plain, entries[each]) for each in order[:40]]
    done = way = 0.0
    for source, base in differing(small, answer):
        one, other = tokens[source : source + 1], tokens[base : base + 1]
        result = faithfulness(bridge, one, other, metric_of(small, answer, source, base), circuit)
        done += result.recovered * (result.full_metric - result.corrupt_metric)
        way += result.full_metric - result.corrupt_metric
    assert trials[0].recovered == pytest.approx(done / way, rel=1e-3, abs=1e-3)
    assert plain.gap[answer] == pytest.approx(way / plain.pairs[answer], rel=1e-3, abs=1e-4)
    assert abs(trials[0].recovered - 1) > 0.02
    sizes = np.sort(np.abs(plain.scores[answer]), axis=None)
    assert trials[0].estimated == pytest.approx(sizes[-40:].sum() / sizes.sum())


def test_all_edges_are_the_whole_model(small, plain):
    truth = torch.from_numpy(small.template.truth)
    with torch.no_grad():
        right = (as_transformers(small)(truth).logits[:, :-1].argmax(-1) == truth[:, 1:]).numpy()
    held_out = small.baseline.held_out
    whole = {each.answer: each for each in plain.trials if each.edges == each.of}
    assert list(whole) == list(plain.answers)
    for answer, trial in enumerate(whole.values()):
        column = right[:, small.template.answer_positions[answer] - 1]
        assert trial.recovered == pytest.approx(1, abs=1e-2)
        assert trial.estimated == pytest.approx(1)
        sources = [source for source, _ in differing(small, answer)]
        assert trial.right == trial.whole == pytest.approx(column[sources].mean())
        assert trial.right_seen == pytest.approx(column[~held_out].mean())
        assert trial.right_held_out == pytest.approx(column[held_out].mean())
    small_ones = [each for each in plain.trials if each.edges < each.of]
    assert any(each.right != whole[each.answer].right for each in small_ones)
    assert any(each.right_seen != whole[each.answer].right_seen for each in small_ones)


def test_with_many_steps_what_the_embedding_sends_sums_to_the_whole_gap(small):
    """Integrated gradients are complete (Sundararajan et al. 2017): all that differs comes from the embedding."""
    edges = scored(measure_edges(small, steps=40))
    for answer in np.flatnonzero(edges.pairs):
        assert edges.writers[0] == "embed"
        sent = edges.scores[answer, 0].sum()
        assert sent == pytest.approx(edges.gap[answer], rel=0.05, abs=0.01)
    assert np.abs(edges.gap).max() > 0.1


def test_the_largest_edges_are_named(small, plain):
    answer = rarest(small)
    first, second = plain.largest(answer, 2)
    assert abs(first.score) == pytest.approx(np.abs(plain.scores[answer]).max())
    assert abs(second.score) == pytest.approx(np.sort(np.abs(plain.scores[answer]), axis=None)[-2])
    writer, reader = plain.writers.index(first.writer), plain.readers.index(first.reader)
    position = token_names(small.template).index(first.position)
    assert plain.scores[answer, writer, reader, position] == first.score


def test_interventions_count(small, plain):
    silent = scored(measure_edges(small, "zero:L1H0", steps=1))
    writer = silent.writers.index("L1H0")
    assert not silent.scores[:, writer].any()
    assert plain.scores[:, writer].any()
    assert silent.interventions == ("zero:L1H0",)
    assert silent.trials == ()


def test_who_stops_half_way_can_go_on_and_finds_the_same(small, plain, tmp_path):
    store = Store(small, folder=tmp_path)
    kinds = ("edges test", 1, Edges)

    def measure(begun: Edges | None) -> Iterator[Edges]:
        return measure_edges(small, sizes=(40,), steps=1, begun=begun)

    stops = 0
    for many in (3, 3, 5, 1_000):
        growing = store.resume(*kinds, measure, lambda edges: edges.progress)
        for _, each in zip(range(many), growing, strict=False):
            stops += each.progress[0] < each.progress[1]
        growing.close()
        done, of = store.load(*kinds).progress
        assert done <= of
        assert (done == of) == (many == 1_000)
    assert stops > len(small.world.answers)
    found = store.load(*kinds)
    assert found.trials == plain.trials
    for name in ("scores", "gap", "pairs", "scored"):
        assert np.array_equal(getattr(found, name), getattr(plain, name)), name


def test_an_answer_without_scores_names_no_edges(small):
    first = next(measure_edges(small))
    assert not first.scored.any()
    assert first.progress[0] == 0
    assert first.largest(0, 5) == ()


@pytest.mark.parametrize(
    ("run", "edits", "options", "message"),
    [
        ("rnn", "", {}, "edges need a model"),
        ("gpt2", "zero:L2.attn;patch:L1.resid@newB<1,0,1,0,1", {}, "one on L1.resid"),
        ("gpt2", "zero:L2", {}, "zero:L2H0;zero:L2.mlp"),
        ("gpt2", "", {"sizes": (5, 0)}, "sizes and steps of at least 1, got 0"),
        ("gpt2", "", {"steps": 0}, "got 0"),
    ],
)
def test_what_cannot_be_measured_is_said_at_once(run, edits, options, message):
    model = load_model("shipped", run)
    with pytest.raises(RequestError) as caught:
        measure_edges(model, edits, **options)
    assert message in str(caught.value)
