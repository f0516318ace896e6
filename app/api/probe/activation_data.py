"""The data of page Activations: an activation in one state, and one of its units in all states."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from api.asked.activations import Part
from api.asked.views import View, token_labels
from api.probe.measured import Measured, Values
from playground.inference import token_names
from playground.interventions import ActivationIntervention
from playground.models import Site
from playground.worlds import state_text


def activations_data(view: View, measured: Measured) -> dict[str, Any]:
    """Return the data of the component: a part in one state, and one of its units in all states.

    In one state, these are the baseline and the edited values or, with `versus`, the values of two states; and
    their difference.
    """
    part, condition = measured.part, view.condition
    groups = _groups(view, measured)
    difference = _difference(groups)
    template = view.model.template
    return {
        "site": str(part.site),
        "title": part.title,
        "noun": part.noun,
        "units": part.units,
        "components": part.components,
        "names": None if part.can_be_changed else _names(view, part),
        "slots": [slot.name or "" for slot in template.slots],
        "positions": list(token_names(template)),
        "groups": [
            {"name": name, "labels": labels, "values": _flat(values)} for name, values, labels in groups
        ],
        "difference": None if difference is None else _flat(difference),
        "difference_name": " − ".join(name for name, _, _ in reversed(groups)),
        "limits": _limits(part, *(values for _, values, _ in groups)),
        "difference_limit": 0.0 if difference is None else float(np.abs(difference).max()),
        "sort": condition.units,
        "order": _order(view, groups),
        "token": None if condition.token is None else condition.token.index(template),
        "token_name": None if condition.token is None else str(condition.token),
        "versus": None if condition.versus is None else state_text(condition.versus),
        "unit": _unit(condition.activation),
        "action": condition.click_action.kind.kind if part.can_be_changed else None,
        "whole": _done_to_all(view, part),
        "marks": _marks(view, part),
        "states": _states(view, measured),
        "condition": view.tag,
    }


_MOST_LISTED = 14

Drawn = Float[np.ndarray, "unit token component"]
Group = tuple[str, Drawn, list[str]]
"""The name of a group, its values, and the label of each position."""


def _groups(view: View, measured: Measured) -> list[Group]:
    """Return the groups to compare: one state unedited and edited, or two states under the same edits."""
    condition = view.condition

    def group(name: str, values: Values, state: int, *, edited: bool) -> Group:
        labels = token_labels(view.edited if edited else view.baseline, state)
        return name, values[state].swapaxes(0, 1), labels

    if condition.versus is not None:
        other = view.model.world.states.index(condition.versus)
        return [
            group(state_text(condition.state), measured.last, view.state, edited=True),
            group(state_text(condition.versus), measured.last, other, edited=True),
        ]
    groups = [group("baseline", measured.baseline, view.state, edited=False)]
    if measured.edited is not None:
        groups.append(group("edited", measured.edited, view.state, edited=True))
    return groups


def _difference(groups: list[Group]) -> Drawn | None:
    """Return the second minus the first, if there are two."""
    return groups[1][1] - groups[0][1] if len(groups) > 1 else None


def _order(view: View, groups: list[Group]) -> list[int]:
    """Return the sorted units; equal ones are in the order of their numbers."""
    sort, first, difference = view.condition.units, _at_token(view, groups[0][1]), _difference(groups)
    if sort == "value":
        key = first.max(-1)
    elif sort == "largest":
        key = np.abs(first).max(-1)
    elif sort == "changed" and difference is not None:
        key = np.abs(_at_token(view, difference)).max(-1)
    else:
        key = np.zeros(len(first))
    return np.argsort(-key, kind="stable").tolist()


def _at_token(view: View, values: Drawn) -> Float[np.ndarray, "unit column"]:
    """Return the values of each unit at the chosen token, or at all of them."""
    token = view.condition.token
    at = values if token is None else values[:, token.index(view.model.template)]
    return at.reshape(len(values), -1)


def _strongest(values: Float[np.ndarray, "unit column"]) -> Float[np.ndarray, " unit"]:
    """Return for each unit the value that is farthest from zero."""
    return np.take_along_axis(values, np.abs(values).argmax(-1)[:, None], -1)[:, 0]


def strongest_data(view: View, measured: Measured) -> dict[str, Any]:
    """Return the top units in the chosen order, with their values and differences."""
    part, condition = measured.part, view.condition
    groups, names = _groups(view, measured), _names(view, measured.part)
    shown = {name: values for name, values, _ in groups}
    difference = _difference(groups)
    if difference is not None:
        shown["difference"] = difference
    values = np.stack([_strongest(_at_token(view, each)) for each in shown.values()], -1)
    picked = _unit(condition.activation)
    acted = {unit for mark in _marks(view, part) for unit in mark["units"]}
    order = _order(view, groups)[:_MOST_LISTED]
    where = f"at {condition.token}" if condition.token else "where they are strongest"
    sorts_by_difference = condition.units == "changed" and difference is not None
    return {
        "title": f"{part.noun.capitalize()}s of {part.site} {where}",
        "noun": part.noun,
        "site": str(part.site),
        "groups": list(shown),
        "sorted_by": len(shown) - 1 if sorts_by_difference else 0,
        "is_sorted": sorts_by_difference or condition.units in ("value", "largest"),
        "action": condition.click_action.kind.kind if part.can_be_changed else None,
        "units": [
            {
                "name": names[unit],
                "site": str(part.site.at(unit)),
                "picked": unit == picked,
                "acted": unit in acted,
                "values": values[unit].tolist(),
            }
            for unit in order
        ],
        "condition": view.tag,
    }


def _names(view: View, part: Part) -> list[str]:
    """Return the names of the units: their numbers, or the scored tokens."""
    template = view.model.template
    return [str(unit) if part.can_be_changed else template.visible(unit) for unit in range(part.units)]


def _states(view: View, measured: Measured) -> dict[str, Any] | None:
    """Return the values of the chosen unit in all states; None if no unit is chosen."""
    unit, condition, world = _unit(view.condition.activation), view.condition, view.model.world
    if unit is None:
        return None
    shown = {"baseline": measured.baseline}
    if measured.edited is not None:
        shown["edited"] = measured.edited
    values = {name: each[:, :, unit] for name, each in shown.items()}
    difference = values["edited"] - values["baseline"] if "edited" in values else None
    template = view.model.template
    return {
        "names": [state_text(state) for state in world.states],
        "held_out": view.baseline.held_out.tolist(),
        "answers": list(world.answers),
        "truth": [[template.visible(token) for token in row] for row in view.baseline.truth],
        "grouped": condition.grouped,
        "chosen": view.state,
        "versus": None if condition.versus is None else world.states.index(condition.versus),
        "groups": [{"name": name, "values": _flat(each)} for name, each in values.items()],
        "difference": None if difference is None else _flat(difference),
        "difference_name": "edited − baseline",
        "limits": _limits(measured.part, *values.values()),
        "difference_limit": 0.0 if difference is None else float(np.abs(difference).max()),
    }


def _unit(site: Site | None) -> int | None:
    return site.index[0].start if site is not None and site.index else None


def _limits(part: Part, *shown: np.ndarray) -> tuple[float, float]:
    """Return the ends of a colour scale that covers all shown values."""
    bound = part.bound or max(float(np.abs(each).max()) for each in shown)
    return (-bound if part.signed else 0.0, bound)


def _done_to_all(view: View, part: Part) -> str | None:
    """Return the edit of a whole part; None if there is none."""
    done = [_done(each) for each in _changes(view) if each.site == part.site]
    return " ".join(done) or None


def _marks(view: View, part: Part) -> list[dict[str, Any]]:
    """Return the units on which interventions act, and how."""
    return [
        {"units": list(range(part.units))[each.site.index[0].as_slice], "text": _done(each)}
        for each in _changes(view)
        if each.site.index and each.site.whole == part.site
    ]


def _changes(view: View) -> list[ActivationIntervention]:
    return [each for each in view.applied if isinstance(each, ActivationIntervention)]


def _done(change: ActivationIntervention) -> str:
    """Return the intervention without its site: `zero@>newB..`, `scale~2`."""
    return str(change).replace(f":{change.site}", "", 1)


def _flat(values: np.ndarray) -> Float[np.ndarray, " number"]:
    """Return numbers in one row, exact."""
    return np.ascontiguousarray(values, dtype=np.float32).ravel()
