"""The condition of the page as the query of its URL, and back.

?state=0,1,1,1,0&on=zero:L1H2@>newB..;flip:L0.mlp.W_in[12,40]&off=1&kind=patch&from=1,0,1,0,1&at=@newB&large=L1H2&...
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from parts.activations import SORTS, choosable
from parts.condition import (
    BY_NUMBER,
    BY_STATE,
    Brush,
    Condition,
    drawable,
    first_condition,
    named_positions,
    sort_keys,
)
from playground.errors import Fault, RequestError, count_of, quote
from playground.inference import Model
from playground.interventions import (
    MOST,
    ON_ACTIVATIONS,
    ON_WEIGHTS,
    Anchor,
    Intervention,
    Span,
    fit,
    format_all,
    parse,
    parse_positions,
    parse_site,
)
from playground.models import Site
from playground.worlds import State, state_text

Value = TypeVar("Value")
LARGEST_SEED = 999_999_999


def write_query(condition: Condition) -> dict[str, str]:
    """Return the parameters of the URL that says the same; what is as at first is left out."""
    brush, first = condition.brush, Brush()
    said: dict[str, str | None] = {
        "state": state_text(condition.state),
        "on": format_all(condition.tray) or None,
        "off": ",".join(str(index) for index in sorted(condition.off)) or None,
        "kind": brush.kind.kind if brush.kind != first.kind else None,
        "weights": brush.weight_kind.kind if brush.weight_kind != first.weight_kind else None,
        "at": str(brush.positions) or None,
        "amount": f"{brush.amount:g}" if brush.amount != first.amount else None,
        "noise": f"{brush.noise:g}" if brush.noise != first.noise else None,
        "seed": str(brush.seed) if brush.seed else None,
        "from": state_text(brush.source) if brush.source else None,
        "minus": state_text(brush.minus) if brush.minus else None,
        "step": str(condition.step) if condition.step is not None else None,
        "large": str(condition.large) if condition.large else None,
        "token": str(condition.token) if condition.token else None,
        "sort": condition.sort if condition.sort != BY_STATE else None,
        "margins": "1" if condition.margins else None,
        "weight": str(condition.weight) if condition.weight else None,
        "versus": state_text(condition.versus) if condition.versus else None,
        "activation": str(condition.activation) if condition.activation else None,
        "units": condition.units if condition.units != BY_NUMBER else None,
        "grouped": condition.grouped,
        "text": condition.text,
    }
    return {name: value for name, value in said.items() if value is not None}


def read_query(
    query: Mapping[str, str], model: Model, models: Sequence[Model]
) -> tuple[Condition, tuple[Fault, ...]]:
    """Return the condition that a URL's query describes, and what is wrong with it.

    What is wrong is left out, all else is kept.

    Args:
        query: parameters of the URL.
        model: the open model.
        models: those that the page shows; an intervention has to mean something to one of them.
    """
    first, faults = first_condition(model), []
    brush = first.brush

    def read(name: str, value: Value, reader: Callable[[str], Value]) -> Value:
        if name not in query:
            return value
        try:
            return reader(query[name])
        except RequestError as error:
            faults.extend(_in_url(fault, name) for fault in error.faults)
            return value

    def one_of(known: Mapping[str, Value]) -> Callable[[str], Value]:
        return lambda text: known[_one_of(text, known)]

    def read_positions(text: str) -> Span:
        span = parse_positions(text)
        span.mask(model.template)
        return span

    def read_sort(text: str) -> str:
        _one_of(text.removeprefix("-"), sort_keys(model))
        return text

    def read_activation(text: str) -> Site:
        site = parse_site(text)
        part = shown[_one_of(str(site.whole), shown)]
        if site.index and site not in map(part.site.at, range(part.units)):
            raise RequestError(
                Fault(
                    rule="a parameter has one of its values",
                    expected=f"one {part.noun}, from {part.site.at(0)} to {part.site.at(part.units - 1)}",
                    got=quote(text),
                    hint="It is as at first now.",
                )
            )
        return site

    def read_text(text: str) -> str:
        model.encode(text)
        return text

    parse_state: Callable[[str], State | None] = model.world.parse_state
    sites: dict[str, Site | None] = {str(site): site for site in drawable(model)}
    shown = {str(part.site): part for part in choosable(model)}
    answers: dict[str, str | None] = {name: name for name in model.world.answers}
    weights: dict[str, Site | None] = {str(site): site for site in model.network.weights}
    anchors: dict[str, Anchor | None] = {str(anchor): anchor for anchor in named_positions(model)}
    steps: dict[str, int | None] = {
        str(step): step for step in range(model.template.prompt_length, model.template.length)
    }
    tray, left_out = read_interventions(query.get("on", ""), models)
    faults += [_in_url(fault, "on") for fault in left_out]
    # Which of the tray are off is known by number: if some of it is gone, all that is left is on.
    numbers = {str(index): index for index in range(0 if left_out else len(tray))}
    condition = Condition(
        state=read("state", first.state, model.world.parse_state),
        tray=tray,
        off=read(
            "off",
            first.off,
            lambda text: frozenset(numbers[_one_of(each, numbers)] for each in text.split(",")),
        ),
        brush=Brush(
            kind=read("kind", brush.kind, one_of(ON_ACTIVATIONS)),
            weight_kind=read("weights", brush.weight_kind, one_of(ON_WEIGHTS)),
            positions=read("at", brush.positions, read_positions),
            amount=read("amount", brush.amount, lambda text: _number(text, -1e6, 1e6)),
            noise=read("noise", brush.noise, lambda text: _number(text, 1e-6, 1e6)),
            seed=int(read("seed", brush.seed, lambda text: _number(text, 0, LARGEST_SEED))),
            source=read("from", brush.source, parse_state),
            minus=read("minus", brush.minus, parse_state),
        ),
        step=read("step", first.step, one_of(steps)),
        large=read("large", first.large, one_of(sites)),
        token=read("token", first.token, one_of(anchors)),
        sort=read("sort", first.sort, read_sort),
        margins=read("margins", first.margins, lambda text: _one_of(text, ("0", "1")) == "1"),
        weight=read("weight", first.weight, one_of(weights)),
        versus=read("versus", first.versus, parse_state),
        activation=read("activation", first.activation, read_activation),
        units=read("units", first.units, lambda text: _one_of(text, tuple(SORTS))),
        grouped=read("grouped", first.grouped, one_of(answers)),
        text=read("text", first.text, read_text),
    )
    return condition, tuple(faults)


def read_interventions(
    text: str, models: Sequence[Model], before: Sequence[Intervention] = ()
) -> tuple[tuple[Intervention, ...], list[Fault]]:
    """Return the interventions in `text` that one of the models can carry out, and what is wrong with the rest.

    Args:
        text: several joined by ';'.
        models: one of them has to be able to.
        before: what is done already; an output is forced once.
    """
    kept: list[Intervention] = []
    faults: list[Fault] = []
    parts = text.split(";") if text else []
    for part in parts[:MOST]:
        try:
            intervention = parse(part.strip())
        except RequestError as error:
            faults += error.faults
            continue
        fits = [fit([*before, *kept, intervention], model.network) for model in models]
        if any(intervention not in one.left_out for one in fits):
            kept.append(intervention)
        else:
            faults += dict.fromkeys(
                fault for one in fits for fault in one.faults if fault.where == str(intervention)
            )
    if len(parts) > MOST:
        faults.append(too_many(len(parts), "The first ones are kept."))
    return tuple(kept), faults


def too_many(count: int, hint: str) -> Fault:
    """Return the fault of a condition with that many interventions."""
    return Fault(
        rule="a condition has a limited number of interventions",
        expected=f"at most {MOST}",
        got=count_of(count, "intervention"),
        hint=hint,
    )


def _one_of(text: str, known: Mapping[str, object] | tuple[str, ...]) -> str:
    if text in known:
        return text
    raise RequestError(
        Fault(
            rule="a parameter has one of its values",
            expected=f"one of {', '.join(known)}" if known else "nothing",
            got=quote(text),
            hint="It is as at first now.",
        )
    )


def _number(text: str, low: float, high: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if low <= value <= high:
        return value
    raise RequestError(
        Fault(
            rule="a parameter has one of its values",
            expected=f"a number from {low:g} to {high:g}",
            got=quote(text),
            hint="It is as at first now.",
        )
    )


def _in_url(fault: Fault, name: str) -> Fault:
    where = f"{name} in the address" + (f", {fault.where}" if fault.where else "")
    return replace(fault, where=where)
