"""The verdict as a JSON document: every figure by name."""

from __future__ import annotations

from typing import Any

from playground.analysis.base.share import share_document
from playground.analysis.base.store import to_document
from playground.analysis.mechanism import Mechanism, RouteSummary, sentence
from playground.analysis.routes.verdict import WAYS, RouteCounts
from playground.inference import Model


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
    """Return the shares, their counts and the percentages shown; the shares are None if there are no texts."""
    return {
        **dict(zip(WAYS, counts.shares if counts.texts else (None, None, None), strict=True)),
        "texts": counts.texts,
        "counts": dict(zip(WAYS, counts.counts, strict=True)),
        "percent": dict(zip(WAYS, counts.percent, strict=True)),
    }
