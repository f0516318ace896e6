"""The condition of the page as the query of its URL, and back.

?state=0,1,1,1,0&on=zero:L1H2@>newB..;flip:L0.mlp.W_in[12,40]&off=1&kind=patch&from=1,0,1,0,1&at=@newB&large=L1H2&...
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from api.asked.activations import SORTS, choosable
from api.asked.condition import (
    BY_NUMBER,
    BY_STATE,
    VIEWS,
    ClickAction,
    Condition,
    drawable,
    first_condition,
    lowest_amount,
    named_positions,
    sort_keys,
)
from playground.analysis import METHODS, View
from playground.errors import Fault, RequestError, nearest, quote
from playground.inference import Model, token_names
from playground.interventions import (
    LARGEST_AMOUNT,
    Anchor,
    Intervention,
    SiteIntervention,
    Span,
    TokenIntervention,
    activation_kinds,
    fit,
    format_all,
    parse,
    parse_positions,
    parse_site,
    split_interventions,
    weight_kinds,
)
from playground.limits import MOST_INTERVENTIONS, too_many
from playground.models import Site, check_step, find_run, runs_of, split_step
from playground.seeds import read_seed
from playground.worlds import State, state_text

Value = TypeVar("Value")
_AT = "@"
CHANGE_OF = "change of "
"""How attribution names what an intervention added."""


def write_query(condition: Condition) -> dict[str, str]:
    """Return the condition as parameters of a URL; defaults are left out."""
    action, first = condition.click_action, ClickAction()
    said: dict[str, str | None] = {
        "view": condition.view,
        "state": state_text(condition.state),
        "on": format_all(condition.edits) or None,
        "off": ",".join(str(index) for index in sorted(condition.off)) or None,
        "kind": action.kind.kind if action.kind != first.kind else None,
        "weights": action.weight_kind.kind if action.weight_kind != first.weight_kind else None,
        "at": str(action.positions) or None,
        "amount": repr(action.amount) if action.amount != action.kind.default_amount else None,
        "noise": repr(action.noise) if action.noise != action.weight_kind.default_amount else None,
        "seed": str(action.seed) if action.seed else None,
        "from": state_text(action.source) if action.source else None,
        "minus": state_text(action.minus) if action.minus else None,
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
        "beside": condition.beside,
        "open": ",".join(condition.opened) or None,
        "answer": condition.answer,
        "options": ";".join(f"{name}={value}" for name, value in condition.options) or None,
        "cell": _AT.join(condition.cell) if condition.cell else None,
    }
    return {name: value for name, value in said.items() if value is not None}


class _Query:
    """Reads the parameters of a URL one by one.

    Args:
        said: the parameters.
    """

    def __init__(self, said: Mapping[str, str]) -> None:
        self.said = said
        self.faults: list[Fault] = []

    def read(self, name: str, first: Value, reader: Callable[[str], Value]) -> Value:
        """Return the value of a parameter; if it is missing or invalid, the default."""
        if name not in self.said:
            return first
        try:
            return reader(self.said[name])
        except RequestError as error:
            self.faults += [_in_url(fault, name) for fault in error.faults]
            return first


def read_query(
    query: Mapping[str, str], model: Model, models: Sequence[Model]
) -> tuple[Condition, tuple[Fault, ...]]:
    """Return the condition that a URL's query describes, and what is wrong with the query.

    Invalid parts are left out; everything else is kept.

    Args:
        query: parameters of the URL.
        model: the open model.
        models: those that the page shows; an intervention must apply to at least one of them. None: this is not checked.
    """
    first, asked = first_condition(model), _Query(query)
    edits, left_out = read_interventions(query.get("on", ""), models)
    asked.faults += [_in_url(fault, "on") for fault in left_out]
    # The edits that are off are given by number: if some edits are invalid, all the others are on.
    numbers = {str(index): index for index in range(0 if left_out else len(edits))}
    condition = Condition(
        state=asked.read("state", first.state, model.world.parse_state),
        edits=edits,
        off=asked.read(
            "off",
            first.off,
            lambda text: frozenset(numbers[_one_of(each, numbers)] for each in text.split(",")),
        ),
        click_action=_read_click_action(asked, model),
    )
    return _read_views(asked, model, condition), tuple(asked.faults)


def _read_click_action(asked: _Query, model: Model) -> ClickAction:
    first = ClickAction()
    parse_state: Callable[[str], State | None] = model.world.parse_state

    def read_positions(text: str) -> Span:
        span = parse_positions(text)
        span.mask(model.template)
        return span

    kind = asked.read("kind", first.kind, _known(activation_kinds()))
    weight_kind = asked.read("weights", first.weight_kind, _known(weight_kinds()))
    return ClickAction(
        kind=kind,
        weight_kind=weight_kind,
        positions=asked.read("at", first.positions, read_positions),
        amount=asked.read("amount", kind.default_amount, lambda text: _amount(text, kind)),
        noise=asked.read("noise", weight_kind.default_amount, lambda text: _amount(text, weight_kind)),
        seed=asked.read("seed", first.seed, read_seed),
        source=asked.read("from", first.source, parse_state),
        minus=asked.read("minus", first.minus, parse_state),
    )


def _read_views(asked: _Query, model: Model, first: Condition) -> Condition:
    """Return the condition with what the pages show."""
    template, network = model.template, model.network
    sites: dict[str, Site | None] = {str(site): site for site in drawable(model)}
    answers: dict[str, str | None] = {name: name for name in model.world.answers}
    weights: dict[str, Site | None] = {str(site): site for site in network.weights}
    anchors: dict[str, Anchor | None] = {str(anchor): anchor for anchor in named_positions(model)}
    steps: dict[str, int | None] = {str(n): n for n in range(template.prompt_length, template.length)}
    parse_state: Callable[[str], State | None] = model.world.parse_state

    def read_sort(text: str) -> str:
        _one_of(text.removeprefix("-"), sort_keys(model))
        return text

    def read_text(text: str) -> str:
        model.encode(text)
        return text

    beside = asked.read("beside", first.beside, lambda text: _beside(text, asked.said.get("name", "")))
    return replace(
        first,
        view=asked.read("view", first.view, lambda text: _one_of(text, VIEWS)),
        step=asked.read("step", first.step, _known(steps)),
        large=asked.read("large", first.large, _known(sites)),
        token=asked.read("token", first.token, _known(anchors)),
        sort=asked.read("sort", first.sort, read_sort),
        margins=asked.read("margins", first.margins, lambda text: _one_of(text, ("0", "1")) == "1"),
        weight=asked.read("weight", first.weight, _known(weights)),
        versus=asked.read("versus", first.versus, parse_state),
        activation=asked.read("activation", first.activation, lambda text: _activation(text, model)),
        units=asked.read("units", first.units, lambda text: _one_of(text, tuple(SORTS))),
        grouped=asked.read("grouped", first.grouped, _known(answers)),
        text=asked.read("text", first.text, read_text),
        beside=beside,
        opened=asked.read("open", first.opened, _methods),
        answer=asked.read("answer", first.answer, _known(answers)),
        options=asked.read("options", first.options, lambda text: _options(text, model)),
        cell=asked.read("cell", first.cell, lambda text: _cell(text, model, another=beside is not None)),
    )


def _beside(text: str, name: str) -> str:
    """Return the run that `text` names, perhaps at a training step."""
    base, step = split_step(text)
    _one_of(base, tuple(runs_of(name)))
    check_step(find_run(name, base), step)
    return text


def _methods(text: str) -> tuple[str, ...]:
    known = tuple(method.name for method in METHODS.values())
    return tuple(dict.fromkeys(_one_of(each, known) for each in text.split(",")))


def _options(text: str, model: Model) -> tuple[tuple[str, str], ...]:
    """Return the options of methods that `text` sets; each must be offered for at least one answer."""
    known: dict[str, dict[str, str]] = {}
    for method in METHODS.values():
        if method.unavailable_reason(model.network):
            continue
        for answer in model.world.answers:
            for option in method.options(View(model, answer=answer)):
                known.setdefault(option.name, {}).update(option.choices)
    found = {}
    for part in text.split(";"):
        name, _, value = part.partition("=")
        choices = known[_one_of(name, known)]
        found[name] = _one_of(value, choices)
    return tuple(found.items())


def _cell(text: str, model: Model, *, another: bool) -> tuple[str, str]:
    """Return the part and the token that `text` names; with a second model, the part may belong to that."""
    site, _, token = text.partition(_AT)
    network = model.network
    part = str(parse_site(site.removeprefix(CHANGE_OF)).whole)
    if not another:
        _one_of(part, tuple(dict.fromkeys(map(str, (*network.sites, *network.weights)))))
    return site, _one_of(token, token_names(model.template))


def _activation(text: str, model: Model) -> Site:
    """Return the activation that `text` names, or one unit of it."""
    site, shown = parse_site(text), {str(part.site): part for part in choosable(model)}
    part = shown[_one_of(str(site.whole), shown)]
    if site.index and site not in map(part.site.at, range(part.units)):
        raise _unknown(text, f"one {part.noun}, from {part.site.at(0)} to {part.site.at(part.units - 1)}")
    return site


def read_interventions(
    text: str, models: Sequence[Model], before: Sequence[Intervention] = ()
) -> tuple[tuple[Intervention, ...], list[Fault]]:
    """Return the interventions in `text` that at least one model can carry out, and what is wrong with the rest.

    Args:
        text: interventions joined by ';'.
        models: at least one of them must be able to carry out each intervention; none: this is not checked.
        before: the interventions already active; an output can be forced only once.
    """
    kept: list[Intervention] = []
    faults: list[Fault] = []
    parts = split_interventions(text)
    for part in parts[:MOST_INTERVENTIONS]:
        try:
            intervention = parse(part)
        except RequestError as error:
            faults += error.faults
            continue
        # Only these can conflict with it.
        forced = [each for each in (*before, *kept) if isinstance(each, TokenIntervention)]
        fits = [fit([*forced, intervention], model.network) for model in models]
        if not models or any(intervention not in one.left_out for one in fits):
            kept.append(intervention)
        else:
            faults += dict.fromkeys(
                fault for one in fits for fault in one.faults if fault.where == str(intervention)
            )
    if len(parts) > MOST_INTERVENTIONS:
        faults.append(too_many(len(parts), "The first ones are kept."))
    return tuple(kept), faults


def _one_of(text: str, known: Mapping[str, object] | tuple[str, ...]) -> str:
    if text in known:
        return text
    raise _unknown(text, nearest(text, known))


def _unknown(text: str, expected: str) -> RequestError:
    return RequestError.of(
        message="unknown value", expected=expected, got=quote(text), hint="The default is shown instead."
    )


def _known(values: Mapping[str, Value]) -> Callable[[str], Value]:
    """Return a function that reads the name of one of these values."""
    return lambda text: values[_one_of(text, values)]


def _amount(text: str, kind: type[SiteIntervention]) -> float:
    """Return the amount that `text` gives for a kind."""
    low, high = lowest_amount(kind), LARGEST_AMOUNT
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if low <= value <= high:
        return value
    raise _unknown(text, f"a number from {low:g} to {high:g}")


def _in_url(fault: Fault, name: str) -> Fault:
    return fault.within(f"{name} in the address")
