"""Results as JSON documents: every figure by name; tokens as texts."""

from __future__ import annotations

from typing import Any

from playground.analysis.base.share import Share
from playground.analysis.base.store import to_document
from playground.analysis.circuits.circuits import Circuits
from playground.analysis.circuits.shapley import measure_shapley
from playground.analysis.circuits.smallest import JUDGED, find_smallest
from playground.analysis.edges.edges import Edges
from playground.analysis.interchange.alignment import Alignment, align
from playground.analysis.interchange.interchange import Interchange
from playground.analysis.mechanism import Mechanism, RouteSummary, sentence
from playground.analysis.neurons.formulas import Formulas
from playground.analysis.residual.attention import Attention
from playground.analysis.residual.attribution import Attribution
from playground.analysis.routes.route import Route, Routes
from playground.analysis.routes.verdict import WAYS, RouteCounts
from playground.inference import Model

EDGES_SHOWN = 200


def routes_document(routes: Routes, model: Model) -> dict[str, Any]:
    """Return what was written in every text, and what follows from that, by answer."""
    return {
        "exhaustive": routes.exhaustive,
        "answers": {route.answer: _route(route) for route in routes.answers},
    }


def _route(route: Route) -> dict[str, Any]:
    ways = [
        {
            "text": text,
            "recomputed": list(route.recomputed[index]),
            "agreement": float(route.agreement[index]),
            "follows": share_document(route.follows(index)),
            "follows_seen": share_document(route.follows(index, ~route.held_out)),
            "follows_held_out": share_document(route.follows(index, route.held_out)),
        }
        for index, text in enumerate(route.derivations)
    ]
    variables = {
        name: {
            "influence": float(route.influence[index]),
            "influence_in_the_world": float(route.world_influence[index]),
            "effect": to_document(route.effect[index]),
            "follows_flip": share_document(route.follows_flip(name)),
        }
        for index, name in enumerate(route.variables)
    }
    return {
        "derivations": ways,
        "variables": variables,
        "texts": route.texts.tolist(),
        "written": [None if number < 0 else number for number in route.written.tolist()],
    }


def share_document(share: Share) -> dict[str, Any]:
    """Return a share with the two numbers that it comes from."""
    return {"holds": share.holds, "of": share.of, "share": share.share}


def patching_document(measured: Interchange, model: Model) -> dict[str, Any]:
    """Return the mean recovered effect of every part at every token, by answer; seen and held-out states apart."""
    base, source = measured.pairs[measured.neighbours].T
    held_out = measured.held_out[base] | measured.held_out[source]
    return _grid(measured) | {
        "pairs": len(measured.neighbours),
        "recovered": {
            answer: {
                "all": to_document(measured.mean_recovered(answer)),
                "seen": to_document(measured.mean_recovered(answer, ~held_out)),
                "held_out": to_document(measured.mean_recovered(answer, held_out)),
            }
            for answer in measured.answers
        },
    }


def interchange_document(measured: Interchange, model: Model) -> dict[str, Any]:
    """Return the interchange accuracy of every part at every token, by variable and answer; recovered effects too."""
    found = [_alignment(each, measured) for each in align(model.world, measured)]
    return patching_document(measured, model) | {
        "pairs": len(measured.pairs),
        "exhaustive": measured.exhaustive,
        "variables": found,
    }


def _grid(measured: Interchange) -> dict[str, Any]:
    return {
        "sites": list(measured.sites),
        "tokens": list(measured.tokens),
        "done": share_document(Share(*measured.progress)),
    }


def _alignment(alignment: Alignment, measured: Interchange) -> dict[str, Any]:
    site, token = alignment.best
    return {
        "variable": alignment.variable,
        "kind": alignment.kind,
        "answer": alignment.answer,
        "pairs_that_count": alignment.counted,
        "right_without_exchange": alignment.unpatched,
        "best": {"site": measured.sites[site], "token": measured.tokens[token]},
        "accuracy": to_document(alignment.accuracy),
    }


def attribution_document(found: Attribution, model: Model) -> dict[str, Any]:
    """Return what every component adds to right minus wrong, by answer."""
    vocabulary = model.template.vocabulary
    return {
        "components": list(found.components),
        "answers": {
            answer: {
                "mean": to_document(found.mean[index]),
                "mean_seen": to_document(found.mean_seen[index]),
                "mean_held_out": _part_of(found.mean_held_out, index),
                "difference": to_document(found.difference[index]),
                "right": [vocabulary[token] for token in found.right[index].tolist()],
                "wrong": [vocabulary[token] for token in found.wrong[index].tolist()],
                "by_state": to_document(found.values[index]),
            }
            for index, answer in enumerate(found.answers)
        },
    }


def attention_document(found: Attention, model: Model) -> dict[str, Any]:
    """Return where every head looks while an answer is written, by answer, layer, head and token."""
    return to_document(found) | {
        "difference": to_document(found.difference),
        "largest_differences": to_document(found.largest_differences),
    }


def _part_of(values: Any, index: int) -> Any:
    return None if values is None else to_document(values[index])


def formulas_document(found: Formulas, model: Model) -> dict[str, Any]:
    """Return every part at every token with its formula, the best explained first."""
    return {
        "candidates": found.candidates,
        "explained_by_chance": found.chance,
        "parts": [
            {
                "part": part,
                "position": found.positions[index],
                "formula": found.formulas[index],
                "literals": int(found.literals[index]),
                "explained": float(found.explained[index]),
                "exact": bool(found.exact[index]),
                "spectrum": list(found.terms(index)),
            }
            for index, part in enumerate(found.parts)
        ],
    }


def circuits_document(found: Circuits, model: Model) -> dict[str, Any]:
    """Return the smallest sets of heads that keep each answer, and the Shapley value of every head."""
    done, of = found.progress
    document: dict[str, Any] = {
        "heads": list(found.heads),
        "exhaustive": found.exhaustive,
        "subsets": {"measured": done, "of": of},
        "judged": JUDGED,
    }
    if found.done[found.whole]:
        document["smallest"] = [
            to_document(each) | {"silenced": to_document(each.silenced)} for each in find_smallest(found)
        ]
    if done == of:
        document["shapley"] = to_document(measure_shapley(found))
    return document


def edges_document(found: Edges, model: Model) -> dict[str, Any]:
    """Return the edges with the largest scores for each answer that has been scored, and what circuits of them keep."""
    return {
        "steps": found.steps,
        "answers": {
            answer: {
                "pairs": int(found.pairs[index]),
                "gap": float(found.gap[index]),
                "edges": int(found.exists[index].sum()),
                "largest": to_document(found.largest(index, EDGES_SHOWN)),
                "trials": [to_document(each) for each in found.trials if each.answer == answer],
            }
            for index, answer in enumerate(found.answers)
            if found.scored[index]
        },
    }


def mechanism_document(mechanism: Mechanism, model: Model) -> dict[str, Any]:
    """Return the verdict, with its claims and their counterexamples."""
    return {
        "model": mechanism.model,
        "world": model.world.text,
        "interventions": list(mechanism.interventions),
        "seen_right": mechanism.seen_right,
        "seen": mechanism.seen,
        "verdict": list(mechanism.verdict),
        "caveats": list(mechanism.caveats),
        "route_summaries": [_route_summary(each) for each in mechanism.route_summaries],
        "claims": [
            {"text": claim.text, "cases": claim.cases, **share_document(claim.share)}
            | {"counterexamples": list(claim.counterexamples)}
            for claim in mechanism.claims
        ],
    }


def _route_summary(found: RouteSummary) -> dict[str, Any]:
    return {
        "answer": found.answer,
        "outputs": list(found.outputs),
        "inputs": list(found.inputs),
        "sentence": sentence(found),
        "way": found.way,
        **_counts(found.counts),
        "held_out": _counts(found.held_out),
        "follows_flip": to_document(found.follows_flip),
        "derivation": found.derivation,
        "agreement": found.agreement,
    }


def _counts(counts: RouteCounts) -> dict[str, Any]:
    """Return shares, the counts that they come from, and the percentages that are shown; no shares of no texts."""
    return {
        **dict(zip(WAYS, counts.shares if counts.texts else (None, None, None), strict=True)),
        "texts": counts.texts,
        "counts": dict(zip(WAYS, counts.counts, strict=True)),
        "percent": dict(zip(WAYS, counts.percent, strict=True)),
    }
