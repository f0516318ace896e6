"""From boards and runs to the data that the page's own components draw."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from parts.condition import Condition
from playground.analysis import Effect, margin_change
from playground.inference import Board, Model, Run
from playground.interventions import format_all
from playground.models import PARTS, Site
from playground.worlds import state_text

_FULL_SCALE = np.iinfo(np.uint16).max
_DIGITS = 4
Patterns = Float[np.ndarray, "layer head query key"]


@dataclass(frozen=True)
class View:
    """All that the page Probe shows of one condition.

    Args:
        model: the open model.
        condition: what is shown.
        state: index of the chosen state.
        baseline: the unedited model's board.
        edited: the board under the condition's interventions.
        patterns: attention in the chosen state, baseline and edited.
        labels: what stands at each position in that state, baseline and edited.
    """

    model: Model
    condition: Condition
    state: int
    baseline: Board
    edited: Board
    patterns: tuple[Patterns, Patterns]
    labels: tuple[list[str], list[str]]

    @property
    def writing(self) -> list[int]:
        """The positions at which answers are written."""
        return (self.model.template.answer_positions - 1).tolist()


def look(model: Model, condition: Condition) -> View:
    """Run the model under a condition, on all states."""
    state = model.world.states.index(condition.state)
    run = model.run(condition.interventions)
    baseline, edited = model.baseline, model.board(condition.interventions, run)
    return View(
        model=model,
        condition=condition,
        state=state,
        baseline=baseline,
        edited=edited,
        patterns=(_patterns_of(model, model.clean, state), _patterns_of(model, run, state)),
        labels=(token_labels(baseline, state), token_labels(edited, state)),
    )


def _patterns_of(model: Model, run: Run, state: int) -> Patterns:
    return np.stack([run.recorded[hook][state].float().cpu().numpy() for hook in model.network.pattern_hooks])


def token_labels(board: Board, state: int) -> list[str]:
    """Return what stands at each position: its name with its token, or the separator."""
    template = board.template
    return [
        f"{slot.name}={template.visible(token)}" if slot.name else template.visible(token)
        for slot, token in zip(template.slots, board.tokens[state], strict=True)
    ]


def strip_data(view: View) -> dict[str, Any]:
    """Return the written text of one state, token by token, baseline and edited, above the truth."""
    template, state = view.model.template, view.state
    masks = [intervention.positions.mask(template) for intervention in view.condition.interventions]
    slots = [
        {
            "name": slot.name or "",
            "given": index < template.prompt_length,
            "acted_on": any(mask[index] for mask in masks),
            "truth": template.visible(template.truth[state, index]),
            "baseline": _written(view.baseline, state, index),
            "edited": _written(view.edited, state, index),
        }
        for index, slot in enumerate(template.slots)
    ]
    return {"slots": slots, "edited": bool(masks), "condition": _tag(view)}


def _written(board: Board, state: int, index: int) -> dict[str, Any]:
    token, truth = board.tokens[state, index], board.template.truth[state, index]
    return {
        "token": board.template.visible(token),
        "right": bool(token == truth),
        "probability": float(board.token_probability[state, index]),
    }


def board_data(view: View) -> dict[str, Any]:
    """Return the board of all states, baseline beside edited; one row a state, one column an answer."""
    baseline, edited, condition = view.baseline, view.edited, view.condition
    template = baseline.template
    vocabulary = [template.visible(token) for token in range(len(template.vocabulary))]
    world = baseline.dataset.world

    def group(board: Board) -> dict[str, Any]:
        return {
            "written": board.written.tolist(),
            "margin": board.margin.round(_DIGITS).tolist(),
            "probability": board.probability.round(_DIGITS).tolist(),
            "tally": board.tally,
        }

    return {
        "names": list(world.answers),
        "vocabulary": vocabulary,
        "states": [state_text(state) for state in world.states],
        "held_out": baseline.held_out.tolist(),
        "truth": baseline.truth.tolist(),
        "baseline": group(baseline),
        "edited": group(edited) if edited.interventions else None,
        "moved": margin_change(baseline, edited).mean(-1).round(_DIGITS).tolist(),
        "chosen": state_text(condition.state),
        "sort": condition.sort,
        "margins": condition.margins,
        "condition": _tag(view),
    }


def mosaic_data(view: View) -> dict[str, Any]:
    """Return the attention patterns of all heads for one state, baseline and edited."""
    baseline, edited = view.patterns
    layers, heads = baseline.shape[:2]
    interventions = view.condition.interventions
    active: dict[str, str] = {}
    for each in interventions:
        site, here = str(each.site), f"{each.kind}{each.positions}"
        active[site] = f"{active[site]} {here}" if site in active else here
    moved = np.abs(edited - baseline).max((-1, -2))
    return {
        "layers": [
            {
                "name": str(Site(layer)),
                "heads": [
                    {"site": str(Site(layer, head=head)), "moved": float(moved[layer, head])}
                    for head in range(heads)
                ],
                "parts": [
                    *({"site": str(Site(layer, part=part)), "label": part} for part in PARTS),
                    {"site": str(Site(layer)), "label": "both"},
                ],
            }
            for layer in range(layers)
        ],
        "size": view.model.template.length,
        "baseline": _pack(baseline),
        "edited_patterns": _pack(edited),
        "labels": view.labels[0],
        "edited_labels": view.labels[1],
        "active": active,
        "edited": bool(interventions),
        "condition": _tag(view),
    }


def ranking_data(effects: list[Effect], board: Board) -> dict[str, Any]:
    """Return the heads by how much their ablation alone moves the margins."""
    active = {str(intervention.site) for intervention in board.interventions}
    return {
        "heads": [
            {
                "site": str(effect.intervention.site),
                "active": str(effect.intervention.site) in active,
                "seen": effect.moved_seen,
                "held_out": effect.moved_held_out,
                "broken_seen": effect.broken_seen,
                "broken_held_out": effect.broken_held_out,
            }
            for effect in effects
        ]
    }


def _pack(patterns: Patterns) -> str:
    """Return weights from 0 to 1 as base64 of 16-bit numbers: a third of the size of JSON."""
    return base64.b64encode((patterns * _FULL_SCALE).round().astype("<u2").tobytes()).decode("ascii")


def _tag(view: View) -> str:
    """Return what a painted component says that it shows."""
    condition = view.condition
    return f"{state_text(condition.state)} {format_all(condition.interventions)}".strip()
