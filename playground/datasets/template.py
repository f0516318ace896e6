r"""The template of samples: text, tokens, and positions by name.

The sample of the default world's state 0,1,1,1,0 is `0,1,1,1,0\n1,0,0,0\n3 - 1\n`: the prompt is the
state, the completion is the rest. Every number is one token, and so are `,`, the line break and ` - `.
So all samples of a world share one template, with the same slots at the same positions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int

from playground.errors import RequestError, quote
from playground.worlds import State, World, state_text

COMMA, LINE_BREAK, DASH = ",", "\n", " - "


@dataclass(frozen=True)
class Slot:
    """One position of the template.

    Args:
        name: the input or answer at this position, or None for a separator.
        separator: the text at this position, or None for a value.
    """

    name: str | None
    separator: str | None


@dataclass(frozen=True)
class Template:
    """The template that all samples of one world share.

    Args:
        world: gives the names, their order and the values.
    """

    world: World

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """The slot at each position."""
        lines = [(self.world.inputs, COMMA), (self.world.outputs, COMMA)]
        if self.world.counts:
            lines.append((tuple(count.name for count in self.world.counts), DASH))
        slots = []
        for names, separator in lines:
            for name in names:
                slots += [Slot(name, None), Slot(None, separator)]
            slots[-1] = Slot(None, LINE_BREAK)
        return tuple(slots)

    @cached_property
    def vocabulary(self) -> tuple[str, ...]:
        """The text of every token, by token id: the numbers from 0 up, then the separators."""
        highest = max([1, *(len(count.variables) for count in self.world.counts)])
        dash = (DASH,) if len(self.world.counts) > 1 else ()
        return (*(str(number) for number in range(highest + 1)), COMMA, LINE_BREAK, *dash)

    @cached_property
    def ids(self) -> dict[str, int]:
        """Token text -> token id."""
        return {token: index for index, token in enumerate(self.vocabulary)}

    @property
    def length(self) -> int:
        """The number of tokens of a sample."""
        return len(self.slots)

    @property
    def prompt_length(self) -> int:
        """The number of tokens of the prompt; the completion begins at this position, with a line break."""
        return 2 * len(self.world.inputs) - 1

    @cached_property
    def positions(self) -> dict[str, int]:
        """Name of an input or answer -> the position of its token."""
        return {slot.name: index for index, slot in enumerate(self.slots) if slot.name}

    @cached_property
    def answer_positions(self) -> Int[np.ndarray, " answer"]:
        """The positions of the world's answers, in the world's order."""
        return np.array([self.positions[name] for name in self.world.answers])

    def prompt(self, state: State) -> str:
        """Return the prompt for `state`."""
        return state_text(state)

    def completion(self, state: State) -> str:
        """Return the correct completion for `state`, including the line breaks."""
        values = self.world.evaluate(state)
        completion = self.slots[self.prompt_length :]
        return "".join(slot.separator or str(values[slot.name or ""]) for slot in completion)

    @cached_property
    def truth(self) -> Int[np.ndarray, "state token"]:
        """The token ids of every state's whole sample, states in the world's order."""
        table = np.empty((len(self.world.states), self.length), dtype=np.int64)
        values = np.concatenate([np.array(self.world.states), self.world.truth_table], axis=1)
        column = {name: index for index, name in enumerate(self.world.inputs + self.world.answers)}
        for index, slot in enumerate(self.slots):
            table[:, index] = values[:, column[slot.name]] if slot.name else self.ids[slot.separator or ""]
        return table

    def encode(self, text: str) -> list[int]:
        """Return the token ids of `text`.

        Raises:
            RequestError: if part of it is not a token of this world.
        """
        ids, rest = [], text
        longest_first = sorted(self.vocabulary, key=len, reverse=True)
        while rest:
            token = next((token for token in longest_first if rest.startswith(token)), None)
            if token is None:
                raise RequestError.of(
                    message="unknown token in the text",
                    expected=", ".join(quote(token) for token in self.vocabulary),
                    got=f"{quote(rest)} in {quote(text)}",
                    hint="Remove other characters and spaces.",
                )
            ids.append(self.ids[token])
            rest = rest[len(token) :]
        return ids

    def decode(self, ids: Int[np.ndarray, " token"]) -> str:
        """Return the text of token ids."""
        return "".join(self.vocabulary[index] for index in ids)

    def visible(self, token: int | np.integer) -> str:
        """Return the text of a token for display: a line break as an arrow, a dash without spaces."""
        return self.vocabulary[token].strip() or "⏎"
