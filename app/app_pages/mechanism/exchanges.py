"""Panels of exchanges between states: of tokens, of activations by their effect, of activations by what they stand for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st
from jaxtyping import Bool, Float

from app_pages.mechanism import panel_widgets
from app_pages.mechanism.panel_widgets import Shown, choose_cell, show_grid, show_list
from playground.analysis import Alignment, Interchange, align, outcomes
from playground.worlds import CausalVariable, World, causal_variables
from state import session, widgets
from state.condition import Condition

ALL, SEEN, HELD_OUT, DIFFERENCE = "all", "seen", "held out", "held out − seen"
_KINDS = {
    "input": "the input {}, with all that follows from it",
    "written": "{} as it stands in the text",
    "recomputed": "{}, computed from the inputs",
    "partial sum": "the partial sum {}",
}
EXCHANGED = (
    {"name": "text of", "state": True, "title": "the state whose text the model reads"},
    {"name": "value of", "state": True, "title": "the state whose value is put in"},
)


def text_of(variable: CausalVariable) -> str:
    """Return a variable as it stands in the address."""
    return f"{variable.kind}:{variable.name}"


def variable_of(world: World, condition: Condition, answer: str) -> CausalVariable | None:
    """Return the variable that is looked for: the chosen one, or an output that the answer reads from the text."""
    fitting = [each for each in causal_variables(world) if answer in each.answers(world)]
    chosen = [each for each in fitting if text_of(each) == condition.variable]
    read = [each for each in fitting if each.kind == "written" and each.output != answer]
    return next(iter([*chosen, *read, *fitting]), None)


def choose_variable(world: World, condition: Condition) -> None:
    """Show which variable of a causal model is looked for."""
    answer = panel_widgets.answer_of(world, condition)
    known = {
        text_of(each): _KINDS[each.kind].format(each.name)
        for each in causal_variables(world)
        if answer in each.answers(world)
    }
    variable = variable_of(world, condition, answer)
    if variable is None:
        return
    widgets.show(
        st.selectbox,
        "Variable",
        list(known),
        key="variable",
        value=text_of(variable),
        on_choice=lambda text: session.change(variable=text),
        format_func=lambda text: known.get(text, text),
        width=420,
        help="What a part may stand for: if it alone had its value of another state, the answer would be another.",
    )


def draw_interchange(shown: Shown) -> None:
    """Show how well every part at every token stands for the chosen variable, and the pairs behind one number."""
    measured: Interchange = shown.result
    variable = variable_of(shown.world, shown.condition, shown.answer)
    if variable is None:
        panel_widgets.say(f"{shown.answer} follows from nothing that could be exchanged.")
        return
    alignment = _alignment(shown, variable)
    if not alignment.counted:
        panel_widgets.say(
            f"No pair of states tells whether {shown.answer} follows this variable: it is the same in all that was written, or "
            "its value changes nothing. Choose another one."
        )
        return
    chosen = panel_widgets.cell_in(shown, measured.sites, measured.tokens)
    show_grid(
        shown,
        measured.sites,
        measured.tokens,
        np.where(measured.done, alignment.accuracy, np.nan),
        label=f"{shown.answer} by {text_of(variable)}",
        corner="part \\ token",
        legend=f"Percent of {alignment.counted} pairs of states in which {shown.answer} becomes what follows from "
        f"{_KINDS[variable.kind].format(variable.name)} of the other state. With nothing exchanged "
        f"{alignment.unpatched} are so. A click lists the pairs.",
        take=lambda row, column: choose_cell(measured.sites[row], measured.tokens[column]),
        chosen=chosen,
        largest=1.0,
    )
    if chosen and measured.done[chosen]:
        _list_outcomes(shown, alignment, *chosen)


def _alignment(shown: Shown, variable: CausalVariable) -> Alignment:
    found = align(shown.world, shown.result, [variable])
    return next(each for each in found if each.answer == shown.answer)


def _list_outcomes(shown: Shown, alignment: Alignment, site: int, token: int) -> None:
    """List the pairs behind one number, those first in which the answer is not what was expected."""
    measured: Interchange = shown.result
    found = outcomes(shown.world, measured, alignment, site, token)
    visible = shown.side.model.template.visible
    order = np.argsort(found.right, kind="stable")
    rows = [
        (
            (
                *(shown.state_text(state) for state in found.pairs[index]),
                visible(int(found.expected[index])),
                visible(int(found.written[index])),
                "as expected" if found.right[index] else "otherwise",
            ),
            bool(found.right[index]),
        )
        for index in order.tolist()
    ]
    where = f"{measured.sites[site]} at {measured.tokens[token]}"
    show_list(
        shown,
        [*EXCHANGED, "expected", "written", "so it is"],
        rows,
        label=f"pairs of {where}",
        summary=f"{where}: {shown.answer} is as expected in {int(found.right.sum())} of {len(found.right)} pairs.",
    )


def choose_states(world: World, condition: Condition) -> None:
    """Show over which states the recovered effect is averaged."""
    st.segmented_control(
        "Pairs of states", [ALL, SEEN, HELD_OUT, DIFFERENCE], default=ALL, required=True, key="patched_among"
    )


def draw_patching(shown: Shown) -> None:
    """Show how far an exchange brings the answer to the other state's, and the pairs behind one number."""
    measured: Interchange = shown.result
    if shown.answer not in measured.answers:
        return
    base, source = measured.pairs[measured.neighbours].T
    held_out = measured.held_out[base] | measured.held_out[source]
    chosen = panel_widgets.cell_in(shown, measured.sites, measured.tokens)
    show_grid(
        shown,
        measured.sites,
        measured.tokens,
        np.where(measured.done, _recovered(measured, shown.answer, held_out), np.nan),
        label=f"recovered effect on {shown.answer}",
        corner="part \\ token",
        legend=f"How far {shown.answer} is brought from one state's to the other's, of pairs that differ in one input and in "
        "this answer: 0 nothing, 1 wholly; below 0 away from it. A click lists the pairs.",
        take=lambda row, column: choose_cell(measured.sites[row], measured.tokens[column]),
        chosen=chosen,
        unit="effect",
        largest=1.0,
    )
    if chosen and measured.done[chosen]:
        _list_recovered(shown, held_out, *chosen)


def _recovered(
    measured: Interchange, answer: str, held_out: Bool[np.ndarray, " neighbour"]
) -> Float[np.ndarray, "site token"]:
    match widgets.value_of("patched_among", ALL):
        case "seen":
            return measured.mean_recovered(answer, ~held_out)
        case "held out":
            return measured.mean_recovered(answer, held_out)
        case "held out − seen":
            return measured.mean_recovered(answer, held_out) - measured.mean_recovered(answer, ~held_out)
    return measured.mean_recovered(answer)


def _list_recovered(shown: Shown, held_out: Bool[np.ndarray, " neighbour"], site: int, token: int) -> None:
    measured: Interchange = shown.result
    effects = measured.recovered[site, token, :, measured.answers.index(shown.answer)]
    visible, column = shown.side.model.template.visible, measured.answers.index(shown.answer)
    known = np.flatnonzero(np.isfinite(effects))
    rows = []
    for index in known[np.argsort(-effects[known], kind="stable")].tolist():
        base, source = measured.pairs[measured.neighbours[index]].tolist()
        written = measured.written[site, token, measured.neighbours[index], column]
        own, other = measured.unpatched[[base, source], column]
        cells = (
            shown.state_text(base),
            shown.state_text(source),
            f"{visible(int(own))} → {visible(int(other))}",
            visible(int(written)),
            panel_widgets.signed(float(effects[index])),
        )
        rows.append((cells, None))
    where = f"{measured.sites[site]} at {measured.tokens[token]}"
    of_them = int(held_out[known].sum())
    show_list(
        shown,
        [*EXCHANGED, "unpatched", "written", "recovered"],
        rows,
        label=f"pairs of {where}",
        summary=f"{where}: {len(known)} of {len(effects)} pairs have two different {shown.answer}; in {of_them} of "
        "them one state was held out. The largest effect comes first.",
    )


def draw_tokens(shown: Shown) -> None:
    """Show how often an answer follows if one token alone is exchanged, for all answers at once."""
    measured: Interchange = shown.result
    found = {(each.answer, token): each for token, each in _by_token(shown.world, measured)}
    values = np.full((len(measured.answers), len(measured.tokens)), np.nan)
    for (answer, token), each in found.items():
        if each.counted:
            column = measured.tokens.index(token)
            values[measured.answers.index(answer), column] = each.accuracy[0, column]
    token = shown.condition.cell[1] if shown.condition.cell else None
    chosen = found.get((shown.answer, token)) if token in measured.tokens else None
    place = (measured.answers.index(shown.answer), measured.tokens.index(token)) if chosen and token else None
    show_grid(
        shown,
        measured.answers,
        measured.tokens,
        values,
        label="answers by exchanged tokens",
        corner="answer \\ token",
        legend="Percent of the pairs of states in which the answer becomes what follows from the exchanged token, of those "
        "in which that is another. A click lists the pairs.",
        take=lambda row, column: choose_cell(
            measured.sites[0], measured.tokens[column], answer=measured.answers[row]
        ),
        chosen=place if chosen and chosen.counted else None,
        marked=[measured.answers.index(shown.answer)],
        largest=1.0,
    )
    if chosen and chosen.counted and place:
        _list_outcomes(shown, chosen, 0, place[1])


def _by_token(world: World, measured: Interchange) -> Sequence[tuple[str, Alignment]]:
    """Return of each token how well it stands for its own variable: what was given, or what stands written."""
    meant = {
        each: each.output or each.name
        for each in causal_variables(world)
        if each.kind in ("input", "written") and (each.output or each.name) in measured.tokens
    }
    return [
        (token, alignment)
        for variable, token in meant.items()
        for alignment in align(world, measured, [variable])
        if alignment.answer != token
    ]
