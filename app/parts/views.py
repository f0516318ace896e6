"""From boards and runs to the data that the page's own components draw."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from jaxtyping import Float

from parts.condition import Condition
from playground.analysis import Effect
from playground.datasets import Template
from playground.inference import Board, Model, Run
from playground.interventions import format_all
from playground.models import PARTS, Site
from playground.worlds import state_text

_FULL_SCALE = np.iinfo(np.uint16).max
Patterns = Float[np.ndarray, "layer head query key"]


def patterns_of(model: Model, run: Run, state: int) -> Patterns:
    """Return the attention patterns of one state."""
    return np.stack([run.recorded[hook][state].float().cpu().numpy() for hook in model.network.pattern_hooks])


def token_labels(board: Board, state: int) -> list[str]:
    """Return what stands at each position: its name with its token, or the separator."""
    vocabulary = board.template.vocabulary
    return [
        f"{slot.name}={vocabulary[token].strip() or '⏎'}" if slot.name else _visible(vocabulary[token])
        for slot, token in zip(board.template.slots, board.tokens[state], strict=True)
    ]


def strip_data(baseline: Board, edited: Board, state: int, positions: np.ndarray) -> dict[str, Any]:
    """Return the written text of one state, token by token, baseline and edited, above the truth.

    Args:
        baseline: the unedited model's board.
        edited: the board under the active interventions.
        state: index of the state.
        positions: at which an active intervention acts.
    """
    template = baseline.template
    truth = template.truth[state]
    slots = [
        {
            "name": slot.name or "",
            "given": index < template.prompt_length,
            "acted_on": bool(positions[index]),
            "truth": _visible(template.vocabulary[truth[index]]),
            "baseline": _written(baseline, state, index),
            "edited": _written(edited, state, index),
        }
        for index, slot in enumerate(template.slots)
    ]
    return {"slots": slots, "edited": bool(edited.interventions), "condition": _tag(edited, state)}


def _written(board: Board, state: int, index: int) -> dict[str, Any]:
    token, truth = board.tokens[state, index], board.template.truth[state, index]
    return {
        "token": _visible(board.template.vocabulary[token]),
        "right": bool(token == truth),
        "probability": float(board.token_probability[state, index]),
    }


def board_data(baseline: Board, edited: Board, condition: Condition) -> dict[str, Any]:
    """Return the board of all states, baseline beside edited."""
    vocabulary = baseline.template.vocabulary
    moved = np.abs(edited.margin - baseline.margin).mean(-1)

    def cells(board: Board, state: int) -> list[dict[str, Any]]:
        return [
            {
                "token": _visible(vocabulary[board.written[state, answer]]),
                "truth": vocabulary[board.truth[state, answer]],
                "right": bool(board.written[state, answer] == board.truth[state, answer]),
                "margin": float(board.margin[state, answer]),
                "probability": float(board.probability[state, answer]),
            }
            for answer in range(len(board.dataset.world.answers))
        ]

    rows = [
        {
            "state": state_text(state),
            "held_out": bool(baseline.held_out[index]),
            "baseline": cells(baseline, index),
            "edited": cells(edited, index),
            "baseline_correct": bool(baseline.correct[index]),
            "edited_correct": bool(edited.correct[index]),
            "moved": float(moved[index]),
        }
        for index, state in enumerate(baseline.dataset.world.states)
    ]
    return {
        "names": list(baseline.dataset.world.answers),
        "rows": rows,
        "chosen": state_text(condition.state),
        "sort": condition.sort,
        "margins": condition.margins,
        "edited": bool(edited.interventions),
        "condition": _tag(edited, baseline.dataset.world.states.index(condition.state)),
    }


def mosaic_data(
    template: Template,
    patterns: tuple[Patterns, Patterns],
    labels: tuple[list[str], list[str]],
    board: Board,
    state: int,
) -> dict[str, Any]:
    """Return the attention patterns of all heads for one state, baseline and edited.

    Args:
        template: the form of the texts.
        patterns: baseline and edited.
        labels: what stands at each position in the baseline's and in the edited text.
        board: the edited board; its interventions are marked.
        state: index of the state.
    """
    baseline, edited = patterns
    layers, heads = baseline.shape[:2]
    active: dict[str, str] = {}
    for intervention in board.interventions:
        here = f"{intervention.kind}{intervention.positions}"
        active[str(intervention.site)] = here
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
        "size": template.length,
        "baseline": _pack(baseline),
        "edited_patterns": _pack(edited),
        "labels": list(labels[0]),
        "edited_labels": list(labels[1]),
        "active": active,
        "edited": bool(board.interventions),
        "condition": _tag(board, state),
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


def _tag(board: Board, state: int) -> str:
    """Return what a painted component says that it shows."""
    return f"{state_text(board.dataset.world.states[state])} {format_all(board.interventions)}".strip()


def _visible(token: str) -> str:
    return token.strip() or "⏎"
