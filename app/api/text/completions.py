"""How models continue a text, right or wrong, and what the rules say about it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from api.asked.condition import Condition
from api.asked.query import Asked
from api.asked.views import tag
from api.models import library
from playground.datasets import Template, never_seen
from playground.errors import RequestError, count_of
from playground.inference import Completion, Model
from playground.interventions import Intervention
from playground.worlds import State, state_text

_NAMES = {",": "a comma", "\n": "a line break", " - ": "a dash"}


@dataclass(frozen=True)
class Written:
    """How one model continues a text.

    Args:
        model: the model.
        applied: the interventions that apply to it, after this text.
        baseline: what it writes unedited.
        edited: what it writes under the applied interventions; the baseline if there are none.
        notes: why other interventions are not applied after this text.
    """

    model: Model
    applied: tuple[Intervention, ...]
    baseline: Completion
    edited: Completion
    notes: tuple[str, ...]


def text_data(asked: Asked) -> dict[str, Any]:
    """Return how all models of the name that learnt the same task continue the text, the open one first."""
    condition = asked.condition
    text = text_of(asked.model, condition)
    rivals, left_out = library.open_rivals(asked.model, asked.run)
    models = [asked.model, *(model for model in rivals if model.name != asked.model.name)]
    written = go_on(models, condition, text)
    return {
        "editor": editor_data(written[0], condition, text),
        "completion": completion_data(written, condition),
        "notes": [*dict.fromkeys(note for one in written for note in one.notes), *left_out],
        "unfit": [
            {"model": model.name, "edit": fault.where, "why": f"expected {fault.expected}"}
            for model in rivals
            for fault in model.fit(condition.interventions).faults
        ],
    }


def read_typed(model: Model, typed: str) -> dict[str, str | None]:
    """Return a typed text as an address names it: without spaces that models do not know, null for a bare prompt.

    Args:
        model: the open one.
        typed: the content of the text box.

    Returns:
        The text, and the state with whose prompt it begins; null if there is none.

    Raises:
        RequestError: if the model cannot read the text.
    """
    text = _tidy(typed)
    state = _state_of(model.encode(text), model)
    is_prompt = state is not None and text == model.template.prompt(state)
    return {"text": None if is_prompt else text, "state": None if state is None else state_text(state)}


def text_of(model: Model, condition: Condition) -> str:
    """Return the text that the models continue: the prompt of the state, unless another was chosen."""
    return model.template.prompt(condition.state) if condition.text is None else condition.text


def go_on(models: Sequence[Model], condition: Condition, text: str) -> list[Written]:
    """Let every model continue a text, unedited and under the condition."""
    written = []
    for model in models:
        fit = model.fit(condition.interventions, len(model.encode(text)))
        baseline = library.completion(model, text, ())
        edited = library.completion(model, text, fit.applied) if fit.applied else baseline
        # Interventions that never apply to the model, whatever the text, are explained at the edits.
        elsewhere = set(map(str, model.fit(condition.interventions).applied))
        notes = tuple(
            f"{fault.where} is not applied here: expected {fault.expected}, got {fault.got}."
            for fault in fit.faults
            if fault.where in elsewhere
        )
        written.append(Written(model, fit.applied, baseline, edited, notes))
    return written


def editor_data(written: Written, condition: Condition, text: str) -> dict[str, Any]:
    """Return what can be appended to the text, and what comes next.

    Args:
        written: by the open model.
        condition: of the page.
        text: the text that the model continues.
    """
    template = written.model.template
    now, given = written.edited, written.edited.given
    right = _ids(template, now, now.truth_do or now.truth)
    there_is_more = given < template.length
    return {
        "text": text,
        "tokens": [
            {"text": token, "shown": template.visible(index), "name": _NAMES.get(token, token)}
            for index, token in enumerate(template.vocabulary)
        ],
        "prompt": template.prompt(condition.state),
        "right": text + template.vocabulary[right[given]] if right is not None and there_is_more else None,
        "written": text + template.vocabulary[now.tokens[given]] if there_is_more else None,
        "model": written.model.name,
        "count": given,
        "most": template.length,
        "about": _about(template, given),
        "condition": tag(condition),
    }


def completion_data(written: Sequence[Written], condition: Condition) -> dict[str, Any]:
    """Return how the models continue: both lines of the first model, the edited line of the others."""
    template, now = written[0].model.template, written[0].edited
    masks = [each.positions.mask(template) for one in written for each in one.applied]
    lines = [_line(written[0], written[0].baseline, edited=False)] if written[0].applied else []
    lines += [_line(one, one.edited, edited=bool(one.applied)) for one in written]
    rules = [None if not now.truth else _ids(template, now, truth) for truth in (now.truth, now.truth_do)]
    return {
        "slots": [
            {
                "name": slot.name or "",
                "given": index < now.given,
                "acted_on": any(mask[index] for mask in masks),
            }
            for index, slot in enumerate(template.slots)
        ],
        "lines": lines,
        "truth": rules[0],
        "truth_do": rules[1],
        "set": ", ".join(f"{name}={value}" for name, value in now.set_by_hand.items()),
        "given": now.given,
        "tokens": list(template.vocabulary),
        "shown": [template.visible(token) for token in range(len(template.vocabulary))],
        "edited": bool(masks),
        "never_seen": _never_seen(written[0].model, now),
        "text": template.decode(now.tokens[: now.given]),
        "condition": tag(condition),
    }


def _never_seen(model: Model, now: Completion) -> list[str]:
    """Return what occurs in the text's state but in no seen state, in sentences."""
    state = _state_of(now.tokens.tolist(), model) if now.truth else None
    return [] if state is None else list(never_seen(model.world, model.dataset.held_out, state))


def _line(one: Written, now: Completion, *, edited: bool) -> dict[str, Any]:
    return {
        "model": one.model.name,
        "edited": edited,
        "tokens": now.tokens.astype(np.int32),
        "before": one.baseline.tokens.astype(np.int32) if edited else None,
        "chances": now.chances.astype(np.float32),
        "judged": now.judged,
        "as_written": None if now.truth_as_written is None else now.truth_as_written.astype(np.int32),
    }


def _ids(template: Template, now: Completion, completion: str | None) -> list[int] | None:
    """Return the token ids of the prompt with a completion."""
    if completion is None:
        return None
    prompt = template.decode(now.tokens[: template.prompt_length])
    return template.encode(prompt + completion)


def _state_of(given: Sequence[int], model: Model) -> State | None:
    """Return the state whose prompt begins a text; None if there is none."""
    vocabulary = model.template.vocabulary
    prompt = "".join(vocabulary[token] for token in given[: model.template.prompt_length])
    try:
        return model.world.parse_state(prompt)
    except RequestError:
        return None


def _tidy(typed: str) -> str:
    """Return a text as the models read it, without spaces that they do not know."""
    text = typed.replace("\r\n", "\n").replace("⏎", "\n")
    text = re.sub(r" *([^0-9 ]) *", r"\1", text).strip(" ")
    return text.replace("-", " - ")


def _about(template: Template, given: int) -> str:
    """Return how long a text is, and what comes next."""
    words = f"{count_of(given, 'token')} of {template.length}"
    if given == template.length:
        return f"{words}; the text is complete"
    following = template.slots[given].name
    return words + (f"; next is {following}" if following else "")
