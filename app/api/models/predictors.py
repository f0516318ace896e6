"""What can be right without a network: simple predictors and formulas, fitted on the seen states."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Condition
from typing import Any

from cachetools import LRUCache, cached
from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from api.answers import stream
from playground.datasets import (
    ConsistentFormulas,
    DatasetSpec,
    Guess,
    Guesses,
    default_hold_out,
    find_consistent_formulas,
    guess,
    never_seen,
    parse_hold_out,
)
from playground.errors import count_of
from playground.worlds import parse_world, state_text

router = APIRouter()


@router.get("/predictors", response_class=StreamingResponse)
def get_predictors(rules: str, held_out: str | None = None) -> StreamingResponse:
    """Return which held-out states simple predictors get right, then also which ones the formulas that fit do.

    Args:
        rules: the text of a world's rules.
        held_out: the states held out of training, such as 1,0,1;0,*,0; empty for none. By default the world's own
            hold-out.
    """
    world = parse_world(rules)
    if held_out is None:
        held = default_hold_out(world)
    else:
        held = parse_hold_out(held_out, world) if held_out.strip() else ()
    return stream(_parts(DatasetSpec(world=world, held_out=held)))


def _parts(spec: DatasetSpec) -> Iterator[dict[str, Any]]:
    """Yield the data of the panel each time that more is known, with what is being computed meanwhile."""
    if not spec.held_out:
        yield predictors_data(spec, None, None)
        return
    if spec not in _formulas_of.cache:
        if spec not in _guesses_of.cache:
            yield predictors_data(spec, None, None) | {"progress": "Fitting simple predictors …"}
        guesses = _guesses_of(spec)
        yield predictors_data(spec, guesses, None) | {"progress": "Searching for all formulas that fit …"}
    yield predictors_data(spec, _guesses_of(spec), _formulas_of(spec))


def _itself(spec: DatasetSpec) -> DatasetSpec:
    return spec


@cached(LRUCache(256), key=_itself, condition=Condition())
def _guesses_of(spec: DatasetSpec) -> Guesses:
    return guess(spec)


@cached(LRUCache(256), key=_itself, condition=Condition())
def _formulas_of(spec: DatasetSpec) -> ConsistentFormulas:
    return find_consistent_formulas(spec)


def predictors_data(
    spec: DatasetSpec, guesses: Guesses | None, formulas: ConsistentFormulas | None
) -> dict[str, Any]:
    """Return which held-out states simple predictors and formulas get right.

    Args:
        spec: the world and the hold-out.
        guesses: of the predictors; None while they are unknown.
        formulas: those that fit; None while they are unknown.
    """
    held = len(spec.held_out)
    return {
        "answers": list(spec.world.answers),
        "counted": bool(spec.world.counts),
        "held": held,
        "summary": _summary(spec, guesses),
        "predictors": [_predictor(each, best=each is guesses.best) for each in guesses.guesses]
        if guesses
        else [],
        "formulas": _formulas(spec, formulas) if formulas else None,
        "states": _states(spec, guesses, formulas) if guesses else [],
        "never_seen": list(never_seen(spec.world, spec.held_out)),
        "what": f"{';'.join(map(state_text, spec.held_out))} {'formulas' if formulas else ''}",
    }


def tally(spec: DatasetSpec) -> tuple[int, int] | None:
    """Return how many held-out states the best simple predictor gets right, and how many there are; None if none."""
    best = guess(spec).best
    return best.tally if best else None


def scores(spec: DatasetSpec) -> dict[str, Any] | None:
    """Return the predictors' scores, shown with the scores of models; None if no state is held out."""
    guesses = guess(spec)
    if guesses.best is None:
        return None
    held = len(spec.held_out)
    by_answer = [
        int(each.held_out_right[:, answer].sum())
        for answer, each in enumerate(guesses.best_by_answer.values())
    ]
    return {
        "name": f"best of {len(guesses.guesses)} simple predictors",
        "title": f"held-out states that simple predictors, fitted on the seen states alone, get right; whole answers: {guesses.best.name}",
        "scores": [(right, held) for right in (guesses.best.tally[0], *by_answer)],
    }


def _summary(spec: DatasetSpec, guesses: Guesses | None) -> str:
    if not spec.held_out:
        return "No state is held out: a model may have memorised whatever it gets right."
    states = count_of(len(spec.held_out), "held-out state")
    if guesses is None or guesses.best is None:
        return f"Can a simple predictor do the {states}? Computing …"
    right, held = guesses.best.tally
    outputs, _ = max(each.tally_of_outputs for each in guesses.guesses)
    but_for_counts = (
        f" Without the counts, the best one gets {outputs} of {held} right." if outputs > right else ""
    )
    if not right:
        return f"No simple predictor, fitted on the seen states alone, gets any of the {states} right.{but_for_counts}"
    return (
        f"A {guesses.best.name}, fitted on the seen states alone, gets {right} of {held} held-out states right: "
        f"only what a model gets right beyond that is informative.{but_for_counts}"
    )


def _predictor(each: Guess, *, best: bool) -> dict[str, Any]:
    return {
        "name": each.name,
        "by_answer": each.held_out_right.sum(0).tolist(),
        "outputs": each.tally_of_outputs[0],
        "whole": each.tally[0],
        "best": best,
    }


def _formulas(spec: DatasetSpec, formulas: ConsistentFormulas) -> dict[str, Any]:
    by_output = {each.output: each for each in formulas.outputs}

    def cell(name: str) -> dict[str, Any] | None:
        if name not in by_output:
            return None
        each = by_output[name]
        title = f"no formula of up to {count_of(formulas.size, 'name')} gives {name} in all seen states"
        if each.count:
            title = f"{count_of(each.count, 'formula')} fit; the simplest: {each.smallest}"
        return {"count": each.count, "share": each.mean, "words": f"of {each.count:,}", "title": title}

    return {
        "size": f"of up to {formulas.size}",
        "title": f"Formulas of inputs and earlier outputs, of up to {count_of(formulas.size, 'name')}, that are right in all seen states: the "
        "share of them that is right in held-out states. Formulas that agree in all states count as one.",
        "by_answer": [cell(name) for name in spec.world.answers],
        "whole": formulas.whole_mean,
    }


def _states(spec: DatasetSpec, guesses: Guesses, formulas: ConsistentFormulas | None) -> list[dict[str, Any]]:
    whole = formulas.whole if formulas else None
    return [
        {
            "state": state_text(state),
            "right": [bool(each.held_out_right[index].all()) for each in guesses.guesses],
            "formulas": None if whole is None else float(whole[index]),
        }
        for index, state in enumerate(spec.held_out)
    ]
