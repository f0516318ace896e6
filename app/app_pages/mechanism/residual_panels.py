"""Panels of what happens while an answer is written: where heads look, when it stands, what adds to it."""

from __future__ import annotations

import numpy as np
import streamlit as st
from jaxtyping import Float

from app_pages.mechanism import panel_widgets
from app_pages.mechanism.panel_widgets import STATE, Shown, choose_cell, show_grid, show_list, writing_of
from playground.analysis import Attention, Attribution, Lens
from playground.worlds import World
from state import widgets
from state.condition import Condition

MEAN, SMALLEST, LARGEST, DIFFERENCE = "mean", "smallest", "largest", "held out − seen"
_MOST_COMPONENTS = 40


def choose_spread(world: World, condition: Condition) -> None:
    """Show which number of the attention weights over all states is meant."""
    st.segmented_control(
        "Over all states", [MEAN, SMALLEST, LARGEST, DIFFERENCE], default=MEAN, required=True, key="spread"
    )


def _says_nothing_of(shown: Shown, answers: tuple[str, ...]) -> bool:
    """Say so if an answer was not looked at."""
    if shown.answer in answers:
        return False
    panel_widgets.say(
        f"{shown.answer} was not looked at: it reads no other answer, and none reads it. Looked at were {', '.join(answers)}."
    )
    return True


def draw_attention(shown: Shown) -> None:
    """Show where each head looks while the answer is written, and its weight in every state."""
    found: Attention = shown.result
    if _says_nothing_of(shown, found.answers):
        return
    answer = found.answers.index(shown.answer)
    wanted = widgets.value_of("spread", MEAN)
    values = {MEAN: found.all.mean, SMALLEST: found.all.smallest, LARGEST: found.all.largest}.get(
        wanted, found.difference
    )
    if values is None:
        panel_widgets.say("No state was held out.")
        return
    layers, heads = values.shape[1:3]
    rows = [f"L{layer}H{head}" for layer in range(layers) for head in range(heads)]
    position = int(shown.side.model.template.positions[shown.answer])
    tokens = found.tokens[:position]
    chosen = panel_widgets.cell_in(shown, rows, tokens)
    show_grid(
        shown,
        rows,
        tokens,
        values[answer].reshape(layers * heads, -1)[:, :position],
        label=f"attention at {shown.answer}, {wanted}",
        corner="head \\ looks at",
        legend=f"Attention weight in percent at the token before {shown.answer}, from which it is written: {wanted} over the "
        "states. Where a head looks is not yet what it does. A click lists the states.",
        take=lambda row, column: choose_cell(rows[row], tokens[column]),
        chosen=chosen,
        largest=1.0,
    )
    if chosen:
        _list_weights(shown, rows[chosen[0]], *divmod(chosen[0], heads), tokens[chosen[1]], chosen[1])


def _list_weights(shown: Shown, name: str, layer: int, head: int, token: str, key: int) -> None:
    model = shown.side.model
    hook = model.network.pattern_hooks[layer]
    query = int(model.template.positions[shown.answer]) - 1
    run = model.record([hook], shown.side.applied)
    weights = run.recorded[hook][:, head, query, key].float().cpu().numpy()
    rows = [
        ((shown.state_text(index), f"{weights[index]:.3f}"), None)
        for index in np.argsort(-weights, kind="stable").tolist()
    ]
    show_list(
        shown,
        [STATE, "weight"],
        rows,
        label=f"weights of {name} on {token}",
        summary=f"{name} looks at {token} while {shown.answer} is written, in every state; the largest weight comes first.",
    )


def draw_lens(shown: Shown) -> None:
    """Show from which part on each answer is right: over all states, and what stands on top in the chosen one."""
    found: Lens = shown.result
    visible = shown.side.model.template.visible
    top, right, margin = found.top[:, :, shown.state], found.right[:, :, shown.state], found.margin
    notes = [
        [
            f"{visible(int(top[answer, part]))} {panel_widgets.signed(float(margin[answer, part, shown.state]))} "
            + ("✓" if right[answer, part] else "✗")
            for answer in range(len(found.answers))
        ]
        for part in range(len(found.parts))
    ]
    chosen = _chosen_of(shown, found.parts, found.answers)
    show_grid(
        shown,
        found.parts,
        found.answers,
        found.accuracy.T,
        label="the right answer behind each part",
        corner="behind \\ answer",
        legend=f"Percent of all states in which the right answer is on top if the model stopped there. Below, the state "
        f"{shown.state_text(shown.state)}: the token on top, and its logits ahead of the best wrong one. A click lists the states.",
        take=lambda row, column: _choose_part(shown, found.parts[row], found.answers[column]),
        chosen=chosen,
        notes=notes,
        largest=1.0,
    )
    if chosen:
        part, answer = chosen
        ok = found.right[answer, part]
        values = found.margin[answer, part]
        rows = [
            (
                (
                    shown.state_text(index),
                    visible(int(found.truth[answer, index])),
                    visible(int(found.top[answer, part, index])),
                    panel_widgets.signed(float(values[index])),
                ),
                bool(ok[index]),
            )
            for index in np.argsort(values, kind="stable").tolist()
        ]
        show_list(
            shown,
            [STATE, "right is", "on top", "ahead"],
            rows,
            label=f"{found.answers[answer]} behind {found.parts[part]}",
            summary=f"Behind {found.parts[part]} {found.answers[answer]} is right in {int(ok.sum())} of {len(ok)} states: the worst "
            "come first.",
        )


def draw_attribution(shown: Shown) -> None:
    """Show what each component adds to right minus wrong: on average, and in the chosen state."""
    found: Attribution = shown.result
    answer = found.answers.index(shown.answer) if shown.answer in found.answers else 0
    kept = _largest(found.mean[answer])
    names = [found.components[index] for index in kept]
    chosen = _chosen_of(shown, names, found.answers)
    left_out = len(found.components) - len(kept)
    show_grid(
        shown,
        names,
        found.answers,
        found.mean[:, kept].T,
        label="logits that each component adds",
        corner="component \\ answer",
        legend="Logits that a component adds to the right answer less a wrong one, the mean over all states; below in the state "
        f"{shown.state_text(shown.state)}. {f'{left_out} smaller ones are left out. ' if left_out else ''}A click lists the states.",
        take=lambda row, column: _choose_part(shown, names[row], found.answers[column]),
        chosen=chosen,
        notes=[
            [
                panel_widgets.signed(float(found.values[each, shown.state, index]))
                for each in range(len(found.answers))
            ]
            for index in kept
        ],
        unit="logits",
    )
    if chosen:
        component, column = kept[chosen[0]], chosen[1]
        values = found.values[column, :, component]
        rows = [
            (
                (
                    shown.state_text(index),
                    panel_widgets.signed(float(values[index])),
                    panel_widgets.signed(float(found.difference[column, index])),
                ),
                None,
            )
            for index in np.argsort(-np.abs(values), kind="stable").tolist()
        ]
        show_list(
            shown,
            [STATE, "adds", "all add up to"],
            rows,
            label=f"{found.components[component]} on {found.answers[column]}",
            summary=f"What {found.components[component]} adds to {found.answers[column]} in every state, in logits; the most comes "
            "first.",
        )


def _largest(mean: Float[np.ndarray, " component"]) -> list[int]:
    """Return the components that add most, in their own order."""
    return sorted(np.argsort(-np.abs(mean), kind="stable")[:_MOST_COMPONENTS].tolist())


def _choose_part(shown: Shown, part: str, answer: str) -> None:
    choose_cell(part, writing_of(shown, answer), answer=answer)


def _chosen_of(
    shown: Shown, parts: list[str] | tuple[str, ...], answers: tuple[str, ...]
) -> tuple[int, int] | None:
    """Return the chosen part and answer; None where the chosen token is another than the one it is written from."""
    if shown.answer not in answers or shown.condition.cell is None:
        return None
    part, token = shown.condition.cell
    if part not in parts or token != writing_of(shown, shown.answer):
        return None
    return list(parts).index(part), answers.index(shown.answer)
