"""About how long a method will take, told before it begins: the tokens that it reads, by how fast this model reads here."""

from __future__ import annotations

import time

import torch

from playground.analysis.base.method import Name
from playground.analysis.circuits.circuits import MOST_HEADS, ORDERS
from playground.analysis.edges.edges import BACK, SIZES, STEPS
from playground.analysis.interchange.exchange import choose_pairs
from playground.analysis.interchange.interchange import positions_of
from playground.analysis.routes.route import MOST_TEXTS
from playground.inference import Model
from playground.models import snapshots_of

_TEXTS = 64


def estimate_seconds(method: Name, model: Model) -> float | None:
    """Return about how many seconds a method will take; None of one whose time is not known before.

    It is right within a factor of two or three: what is alike and computed once is not known before.

    Args:
        method: its name.
        model: that is asked; it stays as it is.
    """
    tokens = _tokens_read(method, model)
    return None if tokens is None else tokens * _seconds_a_token(model)


def _tokens_read(method: Name, model: Model) -> float | None:
    world, template, network = model.world, model.template, model.network
    states, length = len(world.states), template.length
    variables = len(world.inputs) + len(world.outputs)
    read = None
    match method:
        case "routes":
            read = min(2**variables, MOST_TEXTS) * length
        case "tokens":
            pairs, *_ = choose_pairs(world.states)
            read = len(pairs) * variables * length / 2
        case "emergence":
            each = (_tokens_read(method, model) or 0 for method in ("routes", "tokens"))
            read = len(snapshots_of(model.checkpoint.folder)) * sum(each)
        case "patching" | "interchange" | "free":
            pairs, *_ = choose_pairs(world.states, neighbours_only=method == "patching")
            exchanges = len(network.interchange_sites) * len(positions_of(template, None))
            # What stands before the token is the same in both, as what lies below the part.
            read = len(pairs) * exchanges * length / 2
        case "circuits" if network.pattern_hooks:
            heads, layers = len(network.elements), len(network.pattern_hooks)
            subsets = 2**heads if heads <= MOST_HEADS else ORDERS * (heads - 1)
            # Subsets that are alike below go on from there: most compute the last layer alone.
            read = subsets * states * (length - template.prompt_length) / layers
        case "edges" if network.pattern_hooks:
            # About half of the pairs of states that differ in one input have another answer.
            differing = states * len(world.inputs) / 2
            read = len(world.answers) * differing * length * (BACK * STEPS + len(SIZES) + 1)
    return read


def _seconds_a_token(model: Model) -> float:
    """Return how long the model takes to read a token of a text, in seconds."""
    texts = torch.from_numpy(model.template.truth[:_TEXTS]).to(model.network.device)
    passed = []
    # The first time is longer, and so are some of the others where much else is done.
    for _ in range(5):
        began = time.perf_counter()
        model.network.forward(texts)
        passed.append(time.perf_counter() - began)
    return min(passed) / texts.numel()


def in_words(seconds: float) -> str:
    """Return a time as people say it, such as `about 5 minutes`."""
    for unit, name in ((3600, "hour"), (60, "minute")):
        if seconds >= 1.5 * unit:
            return f"about {seconds / unit:.0f} {name}s"
    return f"about {seconds:.0f} seconds"
