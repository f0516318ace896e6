"""The whole condition of the page as one value, and as the query of its URL.

?state=0,1,1,1,0&on=zero:L1H2@>newB..;mean:L0.mlp&kind=mean&at=@>newB..&large=L1H2&token=>newB&sort=-moved&margins=1
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from playground.errors import Fault, RequestError, count_of, quote
from playground.inference import Model
from playground.interventions import (
    EVERYWHERE,
    KINDS,
    MOST,
    Anchor,
    Intervention,
    Span,
    Zero,
    format_all,
    parse,
    parse_positions,
)
from playground.models import Site
from playground.worlds import State, state_text

Value = TypeVar("Value")

BY_STATE = "state"


@dataclass(frozen=True, kw_only=True)
class Condition:
    """All that a page shows follows from this, and from the files.

    Args:
        state: the chosen state.
        interventions: what is done to the model, in order.
        kind: of the ablation that the next click adds.
        positions: of the ablation that the next click adds.
        large: the part that is drawn large; None for the model's first.
        token: the position whose receptive field is drawn; None for where the last answer is written.
        sort: the column by which the board is sorted, with '-' in front for the other direction.
        margins: whether the board shows margins.
    """

    state: State
    interventions: tuple[Intervention, ...] = ()
    kind: type[Intervention] = Zero
    positions: Span = EVERYWHERE
    large: Site | None = None
    token: Anchor | None = None
    sort: str = BY_STATE
    margins: bool = False

    def query(self) -> dict[str, str]:
        """Return the parameters of the URL that says the same; what is as at first is left out."""
        first = Condition(state=self.state)
        query = {"state": state_text(self.state)}
        if self.interventions:
            query["on"] = format_all(self.interventions)
        if self.kind != first.kind:
            query["kind"] = self.kind.kind
        if self.positions != first.positions:
            query["at"] = str(self.positions)
        if self.large:
            query["large"] = str(self.large)
        if self.token:
            query["token"] = str(self.token)
        if self.sort != first.sort:
            query["sort"] = self.sort
        if self.margins:
            query["margins"] = "1"
        return query

    def toggled(self, site: Site) -> tuple[Intervention, ...]:
        """Return the interventions after a click on a site: without those on it, or with one more."""
        others = tuple(active for active in self.interventions if active.site != site)
        if len(others) < len(self.interventions):
            return others
        return (*others, self.kind(site, self.positions))


def sort_keys(model: Model) -> tuple[str, ...]:
    """Return the columns by which a board can be sorted."""
    answers = model.world.answers
    return (
        BY_STATE,
        "held-out",
        *(f"baseline.{name}" for name in answers),
        *(f"edited.{name}" for name in answers),
        "moved",
    )


def drawable(model: Model) -> tuple[Site, ...]:
    """Return the parts of a model that can be drawn large: attention heads, or maps of units x tokens."""
    network = model.network
    heads = network.elements if network.pattern_hooks else ()
    return (*heads, *(each.site for each in network.maps))


def named_positions(model: Model) -> tuple[Anchor, ...]:
    """Return every position that has a name, in their order."""
    names = model.template.positions
    both = [anchor for name in names for anchor in (Anchor(name, writing=True), Anchor(name))]
    return tuple(both[1:])  # Nothing stands before the first token.


def first_condition(model: Model) -> Condition:
    """Return the condition of a page without a query: the first held-out state, if there is one."""
    held_out = model.dataset.held_out
    return Condition(state=held_out[0] if held_out else model.world.states[0])


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

    def read(name: str, value: Value, reader: Callable[[str], Value]) -> Value:
        if name not in query:
            return value
        try:
            return reader(query[name])
        except RequestError as error:
            faults.extend(_in_url(fault, name) for fault in error.faults)
            return value

    def read_kind(text: str) -> type[Intervention]:
        return KINDS[_one_of(text, KINDS)]

    def read_large(text: str) -> Site:
        sites = {str(site): site for site in drawable(model)}
        return sites[_one_of(text, sites)]

    def read_token(text: str) -> Anchor:
        anchors = {str(anchor): anchor for anchor in named_positions(model)}
        return anchors[_one_of(text, anchors)]

    def read_positions(text: str) -> Span:
        span = parse_positions(text)
        span.mask(model.template)
        return span

    def read_sort(text: str) -> str:
        _one_of(text.removeprefix("-"), sort_keys(model))
        return text

    interventions, left_out = read_interventions(query.get("on", ""), models)
    faults += [_in_url(fault, "on") for fault in left_out]
    condition = Condition(
        state=read("state", first.state, model.world.parse_state),
        interventions=interventions,
        kind=read("kind", first.kind, read_kind),
        positions=read("at", first.positions, read_positions),
        large=read("large", first.large, read_large),
        token=read("token", first.token, read_token),
        sort=read("sort", first.sort, read_sort),
        margins=read("margins", first.margins, lambda text: _one_of(text, ("0", "1")) == "1"),
    )
    return condition, tuple(faults)


def read_interventions(text: str, models: Sequence[Model]) -> tuple[tuple[Intervention, ...], list[Fault]]:
    """Return the interventions in `text` that one of the models can carry out, and what is wrong with the rest."""
    kept: list[Intervention] = []
    faults: list[Fault] = []
    parts = text.split(";") if text else []
    for part in parts[:MOST]:
        try:
            intervention = parse(part.strip())
        except RequestError as error:
            faults += error.faults
            continue
        fits = [model.fit([intervention]) for model in models]
        if any(one.applied for one in fits):
            kept.append(intervention)
        else:
            faults += dict.fromkeys(fault for one in fits for fault in one.faults)
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
            expected=f"one of {', '.join(known)}",
            got=quote(text),
            hint="It is as at first now.",
        )
    )


def _in_url(fault: Fault, name: str) -> Fault:
    where = f"{name} in the address" + (f", {fault.where}" if fault.where else "")
    return replace(fault, where=where)
