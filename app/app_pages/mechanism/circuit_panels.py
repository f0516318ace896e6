"""Panels of what parts compute alone, of sets of heads, of edges between parts, and of exchanges decoded freely."""

from __future__ import annotations

import numpy as np
import streamlit as st
from jaxtyping import Bool

from app_pages.mechanism import panel_widgets
from app_pages.mechanism.panel_widgets import STATE, Shown, choose_cell, show_grid, show_list, writing_of
from playground.analysis import (
    JUDGED,
    Circuits,
    Edges,
    Formulas,
    FreeRunningInterchange,
    Shapley,
    Smallest,
    find_smallest,
    measure_shapley,
)
from playground.interventions import format_all
from state import session

_MOST_PARTS = 300
_MOST_EDGES = 60
PART = {"name": "part", "part": True, "title": "a click lists what is behind it"}


def draw_formulas(shown: Shown) -> None:
    """Show which formula each part computes where the answer is written, and the values of one in every state."""
    found: Formulas = shown.result
    token = writing_of(shown, shown.answer)
    here = found.only(position=token)
    kept = range(min(_MOST_PARTS, len(here.parts)))
    rows = [
        (
            (
                here.parts[index],
                here.formulas[index],
                "exact" if here.exact[index] else f"{here.explained[index]:.2f}",
                f"{here.captured[index]:.2f}",
                ", ".join(here.terms(index)) or "–",
            ),
            None,
        )
        for index in kept
    ]
    left_out = len(here.parts) - len(rows)
    show_list(
        shown,
        [
            PART,
            "is high where",
            {"name": "explained", "title": "share of the variance of its values that the formula explains"},
            {"name": "captured", "title": "share of the part's own variance that these values have"},
            {"name": "spectrum", "title": "share of the variance by subsets of the inputs"},
        ],
        rows,
        label=f"formulas at {token}",
        summary=f"What each part computes at {token}, where {shown.answer} is written: the best explained first. "
        f"{found.candidates:,} functions of the inputs were tried; of random values {found.chance:.2f} would be explained."
        + (f" {left_out:,} more parts are left out." if left_out else ""),
        what="formulas",
        take_row=lambda row: choose_cell(here.parts[row], token),
    )
    chosen = panel_widgets.cell_in(shown, here.parts, [token])
    if chosen:
        values = here.values[chosen[0]]
        show_list(
            shown,
            [STATE, "value"],
            [
                ((shown.state_text(index), f"{values[index]:.3f}"), None)
                for index in np.argsort(-values, kind="stable").tolist()
            ],
            label=f"values of {here.parts[chosen[0]]} at {token}",
            summary=f"{here.line(chosen[0])}. Its value in every state, the highest first.",
        )


def draw_circuits(shown: Shown) -> None:
    """Show the smallest sets of heads that keep each answer, what each head is worth, and what one alone breaks."""
    found: Circuits = shown.result
    if not found.done[found.whole]:
        return
    what = (shown.side.model.digest, format_all(shown.side.applied), str(found.progress[0]))
    rows = [
        (
            (
                each.target,
                f"{each.size} of {len(each.heads)}",
                f"{each.count:,}",
                " ".join(each.sets[0]) or "none",
                f"{each.states} states",
                each.decoded_in_words,
                "all sets were looked at" if each.proven else "there may be smaller ones",
            ),
            None,
        )
        for each in _smallest(what, found)
    ]
    show_list(
        shown,
        [
            "answer",
            "heads needed",
            "such sets",
            "the first of them",
            "kept right in",
            {
                "name": "decoded",
                "title": "states in which it is right when the model reads what it wrote itself",
            },
            "proven",
        ],
        rows,
        label="smallest circuits",
        summary="The fewest heads with which an answer stays right in all states in which it is right with all of them, all "
        f"other heads set to their mean. {JUDGED}",
        what="smallest",
    )
    done, of = found.progress
    if done == of:
        _show_worth(shown, found, _worth(what, found))


@st.cache_resource(show_spinner=False, max_entries=16)
def _smallest(what: tuple[str, ...], _found: Circuits) -> tuple[Smallest, ...]:
    """Return the smallest circuits; `what` tells them from all others."""
    return find_smallest(_found)


@st.cache_resource(show_spinner=False, max_entries=16)
def _worth(what: tuple[str, ...], _found: Circuits) -> Shapley:
    return measure_shapley(_found)


def _show_worth(shown: Shown, found: Circuits, worth: Shapley) -> None:
    answers = shown.world.answers
    columns = [worth.targets.index(answer) for answer in answers]
    held_out = worth.held_out
    chosen = panel_widgets.cell_in(shown, worth.heads, [writing_of(shown, shown.answer)])
    place = (chosen[0], answers.index(shown.answer)) if chosen else None
    show_grid(
        shown,
        worth.heads,
        answers,
        worth.seen.values[:, columns],
        label="worth of each head",
        corner="head \\ answer",
        legend="Shapley value of a head in percent of the seen states: its mean gain over all orders in which heads can be "
        "added. Below, of the held-out states. A click lists the states that the head alone breaks or mends.",
        take=lambda row, column: choose_cell(
            worth.heads[row], writing_of(shown, answers[column]), answer=answers[column]
        ),
        chosen=place,
        notes=None
        if held_out is None
        else [
            [f"◆ {100 * held_out.values[row, column]:.0f}" for column in columns]
            for row in range(len(worth.heads))
        ],
    )
    if place:
        _list_without(shown, found, *place)


def _list_without(shown: Shown, found: Circuits, head: int, answer: int) -> None:
    """List in which states the answer is right with all heads, without one, and with that one alone."""
    right = found.right_in(found.targets.index(shown.world.answers[answer]))
    alone = np.arange(len(found.heads)) == head
    without, only = _subset(found, ~alone), _subset(found, alone)
    if without is None or only is None:
        return
    whole = right[found.whole]
    changed = right[without] != whole
    said = {True: "right", False: "wrong"}
    rows = [
        (
            (
                shown.state_text(index),
                said[bool(whole[index])],
                said[bool(right[without, index])],
                said[bool(right[only, index])],
            ),
            bool(~changed[index]),
        )
        for index in np.argsort(~changed, kind="stable").tolist()
    ]
    name = found.heads[head]
    show_list(
        shown,
        [STATE, "all heads", f"without {name}", f"{name} alone"],
        rows,
        label=f"{shown.world.answers[answer]} without {name}",
        summary=f"{shown.world.answers[answer]} is another without {name} in {int(changed.sum())} of {len(changed)} states.",
    )


def _subset(found: Circuits, kept: Bool[np.ndarray, " head"]) -> int | None:
    """Return the number of the subset with these heads; None if it was not drawn."""
    numbers = np.flatnonzero((found.subsets == kept).all(1))
    return int(numbers[0]) if len(numbers) else None


def draw_edges(shown: Shown) -> None:
    """Show what circuits of the highest edges keep of the answer, and these edges."""
    found: Edges = shown.result
    answer = found.answers.index(shown.answer)
    if not found.scored[answer]:
        panel_widgets.say(f"The edges of {shown.answer} have no scores yet.")
        return
    trials = [
        (
            (
                f"{each.edges:,} of {each.of:,}",
                panel_widgets.percent(each.estimated),
                panel_widgets.percent(each.recovered),
                panel_widgets.percent(each.right),
                panel_widgets.percent(each.right_seen),
                panel_widgets.percent(each.right_held_out),
            ),
            None,
        )
        for each in found.trials
        if each.answer == shown.answer
    ]
    show_list(
        shown,
        ["edges kept", "estimated", "really recovered", "right", "right if seen", "right if held out"],
        trials,
        label=f"circuits of {shown.answer}",
        summary=f"What is left of the difference that {found.pairs[answer]:,} pairs of states make to {shown.answer} if only the "
        "edges with the highest scores are kept: by the estimate, and when all others are really cut.",
        what="trials",
    )
    edges = [
        ((each.writer, each.reader, each.position, panel_widgets.signed(each.score)), None)
        for each in found.largest(answer, _MOST_EDGES)
    ]
    show_list(
        shown,
        [PART | {"name": "is written by"}, "is read by", "at", "logits"],
        edges,
        label=f"edges of {shown.answer}",
        summary=f"The {len(edges)} edges with the largest scores of {int(found.exists[answer].sum()):,}: by how many logits "
        "each is estimated to move the answer towards the other state's.",
        take_row=lambda row: choose_cell(edges[row][0][0], edges[row][0][2]),
    )


def draw_free(shown: Shown) -> None:
    """Show for every variable where it stands best, and whether the answer follows when all is written anew."""
    found: FreeRunningInterchange = shown.result
    meant = [
        index for index, answer in enumerate(found.answers) if answer == shown.answer and found.done[index]
    ]
    rows = [
        (
            (
                found.sites[index],
                found.tokens[index],
                f"{found.variables[index]} ({found.kinds[index]})",
                f"{found.right[index]} of {found.counted[index]}",
                f"{found.free_right[index]} of {found.free_counted[index]}",
            ),
            None,
        )
        for index in meant
    ]
    show_list(
        shown,
        [PART, "at", "stands best for", "on its own text", "decoded freely"],
        rows,
        label=f"exchanges for {shown.answer}",
        summary=f"The part and token that stand best for each variable by {shown.answer}: in how many pairs the answer follows "
        "an exchange there as the text stands, and when the model reads what it then writes.",
        take_row=lambda row: session.change(
            cell=(found.sites[meant[row]], found.tokens[meant[row]]),
            variable=f"{found.kinds[meant[row]]}:{found.variables[meant[row]]}",
        ),
    )
