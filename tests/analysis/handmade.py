"""A CNN whose weights were written by hand: where it computes what is known channel by channel.

The world is `mid = X AND Y`, `last = mid OR Z`, a text `X,Y,Z`, line break, `mid,last`, line break. With layers'
distances of 1, 2 and 4, at the line break before mid (token 5) X stands five tokens back, Y three and Z one:

    layer 0   BEFORE  is the digit one token back                         (at token 1: X, at 3: Y, at 5: Z, at 7: mid)
    layer 1   BOTH    is X AND Y, at a line break: BEFORE two tokens back (Y) and four back (X)
              EITHER  is mid + Z, at a comma: BEFORE here (mid) and two tokens back (Z)

What is written follows from BOTH at a line break, and from EITHER at a comma.
"""

from __future__ import annotations

from pathlib import Path

import torch

from playground.datasets import DatasetSpec
from playground.files import write_json
from playground.inference import Model, open_model
from playground.models import ARCHITECTURES, Size, save_model
from playground.worlds import parse_world

RULES = "inputs: X, Y, Z\nmid = X AND Y\nlast = mid OR Z\n"
ONE, COMMA, BREAK, DIGIT, BEFORE, BOTH, EITHER, SEPARATE, END = range(9)
"""Channels: what a token is, what the layers compute, and which separator follows a digit."""


def make_by_hand(folder: Path) -> Model:
    """Return the model; it writes every state rightly."""
    spec = DatasetSpec(world=parse_world(RULES), held_out=())
    template, kind, size = spec.template, ARCHITECTURES["cnn"], Size(width=9, layers=3)
    model, ids = kind.make(template, size, 0), template.ids
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        for text, channels in (("1", (ONE, DIGIT)), ("0", (DIGIT,)), (",", (COMMA,)), ("\n", (BREAK,))):
            model.embed.weight[ids[text], list(channels)] = 1
        first, second, _ = (layer.conv for layer in model.layers)
        here, back, far = 2, 1, 0
        first.weight[BEFORE, ONE, back] = 1
        # Behind a digit: a comma if a line break stood before it, a line break if a comma did.
        for channel, separator in ((SEPARATE, BREAK), (END, COMMA)):
            first.weight[channel, DIGIT, here] = first.weight[channel, separator, back] = 1
            first.bias[channel] = -1
        second.weight[BOTH, BEFORE, back] = second.weight[BOTH, BEFORE, far] = 1
        second.weight[BOTH, BREAK, here], second.bias[BOTH] = 1, -2
        second.weight[EITHER, BEFORE, here] = second.weight[EITHER, BEFORE, back] = 1
        second.weight[EITHER, COMMA, here], second.bias[EITHER] = 2, -2
        unembed = model.unembed.weight
        unembed[ids["1"], BOTH] = unembed[ids["1"], EITHER] = 10
        unembed[ids["0"], BREAK] = unembed[ids["0"], COMMA] = 5
        unembed[ids[","], SEPARATE] = unembed[ids["\n"], END] = 20
    folder.mkdir(parents=True, exist_ok=True)
    save_model(model, kind, template, size, folder)
    write_json(folder / "run.json", {"architecture": "cnn", "dataset": spec.to_json()})
    return open_model(folder, "cpu")
