"""The baselines' equations written out, one row and one token at a time, in double precision.

Nothing of the code under test is used but the names of its weights. `edit` is called with the name of
every value that can be changed, the token's position and the value, and returns the one to go on with.
`others` has for some positions the weights that are in force while the token there is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

Edit = Callable[[str, int, np.ndarray], np.ndarray]
Weights = Mapping[str, np.ndarray]


def unchanged(name: str, position: int, value: np.ndarray) -> np.ndarray:
    return value


def sigmoid(x):
    return np.exp(-np.logaddexp(0, -x))


def softplus(x):
    return np.logaddexp(0, x)


def softmax(x):
    exponentials = np.exp(x - x.max())
    return exponentials / exponentials.sum()


class Reference:
    """A model with the weights of another, reading one text."""

    def __init__(self, weights: Weights, edit: Edit, others: Mapping[int, Weights]) -> None:
        self.weights, self.others = weights, others
        self.layers = len({name.split(".")[1] for name in weights if name.startswith("layers.")})
        self.edit, self.position = edit, 0

    @property
    def w(self) -> Weights:
        """The weights in force at the token that is read."""
        return self.others.get(self.position, self.weights)

    def read(self, token: int) -> np.ndarray:
        logits = self.step(self.edit("embed", self.position, self.w["embed.weight"][token]))
        self.position += 1
        return logits

    def unembed(self, x: np.ndarray) -> np.ndarray:
        return self.w["unembed.weight"] @ x + self.w["unembed.bias"]

    def lstm(self, layer: int, x: np.ndarray, h: np.ndarray, c: np.ndarray):
        """Hochreiter and Schmidhuber 1997, Gers et al. 2000; weights as in torch.nn.LSTMCell."""
        w, size, at = self.w, len(h), f"layers.{layer}"

        def gate(number):
            rows = slice(number * size, (number + 1) * size)
            return (
                w[f"{at}.weight_ih"][rows] @ x
                + w[f"{at}.bias_ih"][rows]
                + w[f"{at}.weight_hh"][rows] @ h
                + w[f"{at}.bias_hh"][rows]
            )

        i = self.edit(f"L{layer}.i", self.position, sigmoid(gate(0)))
        f = self.edit(f"L{layer}.f", self.position, sigmoid(gate(1)))
        g = self.edit(f"L{layer}.g", self.position, np.tanh(gate(2)))
        o = self.edit(f"L{layer}.o", self.position, sigmoid(gate(3)))
        c = self.edit(f"L{layer}.c", self.position, f * c + i * g)
        return self.edit(f"L{layer}.h", self.position, o * np.tanh(c)), c


class RnnReference(Reference):
    def __init__(self, *arguments) -> None:
        super().__init__(*arguments)
        width = self.w["embed.weight"].shape[1]
        self.states = [(np.zeros(width), np.zeros(width)) for _ in range(self.layers)]

    def step(self, x):
        for layer in range(self.layers):
            self.states[layer] = self.lstm(layer, x, *self.states[layer])
            x = self.states[layer][0]
        return self.unembed(x)


class CnnReference(Reference):
    def __init__(self, *arguments) -> None:
        super().__init__(*arguments)
        self.inputs = [[] for _ in range(self.layers)]

    def step(self, x):
        for layer in range(self.layers):
            self.inputs[layer].append(x)
            weight = self.w[f"layers.{layer}.conv.weight"]  # out x in x kernel, as in torch.nn.Conv1d
            y = self.w[f"layers.{layer}.conv.bias"].copy()
            for tap in range(3):
                source = self.position - (2 - tap) * 2**layer
                if source >= 0:
                    y += weight[:, :, tap] @ self.inputs[layer][source]
            x = x + self.edit(f"L{layer}.conv", self.position, np.maximum(y, 0))
            x = self.edit(f"L{layer}.resid", self.position, x)
        return self.unembed(x)


class MannReference(Reference):
    """Equations (2) to (9) of Graves, Wayne and Danihelka 2014, with sums over slots as loops."""

    def __init__(self, *arguments) -> None:
        super().__init__(*arguments)
        width = self.w["embed.weight"].shape[1]
        slots, components = len(self.w["read_head.first_weights"]), len(self.w["first_read"])
        self.states = [(np.zeros(width), np.zeros(width)) for _ in range(self.layers)]
        self.memory = np.full((slots, components), 1e-6)
        self.looked = {head: softmax(self.w[f"{head}_head.first_weights"]) for head in ("read", "write")}
        self.read_vector = self.w["first_read"]

    def address(self, head: str, h: np.ndarray):
        out = self.w[f"{head}_head.linear.weight"] @ h + self.w[f"{head}_head.linear.bias"]
        size, slots = self.memory.shape[1], len(self.memory)

        def part(name: str, value: np.ndarray) -> np.ndarray:
            return self.edit(f"{head}_head.{name}", self.position, value)

        key = part("key", np.tanh(out[:size]))
        b, g = part("strength", softplus(out[[size]])), part("gate", sigmoid(out[[size + 1]]))
        s = part("shift", softmax(out[size + 2 : size + 5]))
        y = part("sharpening", 1 + softplus(out[[size + 5]]))
        similarity = np.array(
            [key @ row / max(np.linalg.norm(key) * np.linalg.norm(row), 1e-8) for row in self.memory]
        )  # (6); an empty slot resembles nothing
        content = softmax(b * similarity)  # (5)
        gated = g * content + (1 - g) * self.looked[head]  # (7)
        shifted = np.zeros(slots)
        for i in range(slots):
            for by in (-1, 0, 1):
                shifted[i] += gated[(i - by) % slots] * s[by + 1]  # (8), with i - j = by
        # Of which the power is taken has a smallest value; the power itself is taken as a logarithm.
        logarithms = y * np.log(np.maximum(shifted, np.finfo(np.float32).tiny ** 0.5))
        sharpened = softmax(logarithms)  # (9)
        self.looked[head] = self.edit(f"{head}_weights", self.position, sharpened)
        return self.looked[head], out[size + 6 :]

    def step(self, x):
        h = np.concatenate([x, self.read_vector])
        for layer in range(self.layers):
            self.states[layer] = self.lstm(layer, h, *self.states[layer])
            h = self.states[layer][0]
        weights, extra = self.address("write", h)
        erase = self.edit("erase", self.position, sigmoid(extra[: len(extra) // 2]))
        add = self.edit("add", self.position, np.tanh(extra[len(extra) // 2 :]))
        written = np.empty_like(self.memory)
        for i, row in enumerate(self.memory):
            written[i] = row * (1 - weights[i] * erase)  # (3)
            written[i] = written[i] + weights[i] * add  # (4)
        self.memory = self.edit("memory", self.position, written)
        weights, _ = self.address("read", h)
        vector = sum(weights[i] * row for i, row in enumerate(self.memory))  # (2)
        self.read_vector = self.edit("read", self.position, vector)
        return self.unembed(np.concatenate([h, self.read_vector]))


REFERENCES = {"rnn": RnnReference, "cnn": CnnReference, "mann": MannReference}


def as_arrays(parameters: Mapping) -> dict[str, np.ndarray]:
    """Return a torch module's parameters in double precision."""
    return {name: parameter.detach().cpu().double().numpy() for name, parameter in parameters.items()}


def write(
    architecture: str,
    weights: Weights,
    prompt: list[int],
    length: int,
    edit: Edit = unchanged,
    others: Mapping[int, Weights] | None = None,
    forced: Mapping[int, Callable[[np.ndarray], int]] | None = None,
) -> tuple[list[int], np.ndarray]:
    """Go on with a prompt, token by token; return the text and the logits at every token.

    `forced` says for some positions which token is written there, from the scores.
    """
    reference = REFERENCES[architecture](weights, edit, others or {})
    text, logits = list(prompt), []
    for position in range(length):
        if position == len(text):
            pick = (forced or {}).get(position, np.argmax)
            text.append(int(pick(logits[-1])))
        logits.append(reference.read(text[position]))
    return text, np.array(logits)
