"""Results as JSON documents: every figure by name; tokens as texts."""

from __future__ import annotations

from typing import Any

from playground.analysis.alignment import Alignment, align
from playground.analysis.interchange import Interchange
from playground.analysis.mechanism import Mechanism
from playground.analysis.route import Route, Routes, Share
from playground.analysis.store import to_document
from playground.inference import Model


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
        for index, text in enumerate(route.formulations)
    ]
    variables = {
        name: {
            "influence": float(route.influence[index]),
            "influence_in_the_world": float(route.world_influence[index]),
            "effect": to_document(route.effect[index]),
            "goes_along": share_document(route.goes_along(name)),
        }
        for index, name in enumerate(route.variables)
    }
    return {
        "formulations": ways,
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
        "fingerprints": [to_document(each) | {"way": each.way} for each in mechanism.fingerprints],
        "claims": [
            {"text": claim.text, "cases": claim.cases, **share_document(claim.share)}
            | {"counterexamples": list(claim.counterexamples)}
            for claim in mechanism.claims
        ],
    }
