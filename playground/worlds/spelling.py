"""Spellings of operators elsewhere, and invisible characters: so that a message can say what to write."""

from __future__ import annotations

import re
import unicodedata

from playground.boolean.expressions import OPERATORS

WORDS = (*OPERATORS, "NOT")
_SYMBOLS: dict[str, str] = {
    "AND": "& && ∧ ⋀ · ⋅ × * /\\",
    "OR": "| || ∨ ⋁ + \\/",
    "NOT": "! ~ ¬ ∼ ˜",
    "XOR": "^ ⊕ ⊻ != ≠ <>",
    "XNOR": "== = <-> <=> ↔ ⇔ ≡ ⊙ ⊙",
    "IMPLIES": "-> --> => → ⇒ ⊃",
    "NAND": "↑ ⊼",
    "NOR": "↓ ⊽",
}
SYMBOLS: dict[str, str] = {symbol: word for word, symbols in _SYMBOLS.items() for symbol in symbols.split()}
"""Symbol -> the operator of the language of rules that it stands for."""

_LONGEST_FIRST = sorted(SYMBOLS, key=len, reverse=True)
_CONSTANTS = {"true": 1, "⊤": 1, "false": 0, "⊥": 0}


def symbol_at(text: str, column: int) -> str | None:
    """Return the operator's symbol that stands at a column of a line, from 1, the longest; it may have begun before.

    Full-width characters count as what they are the wide form of.
    """
    for symbol in _LONGEST_FIRST:
        for begin in range(max(0, column - len(symbol)), column):
            if unicodedata.normalize("NFKC", text[begin : begin + len(symbol)]) == symbol:
                return symbol
    return None


def operator_word(word: str) -> str | None:
    """Return the operator that a word in other letters is: `and`, `Not`, full-width letters; None for one as it should be."""
    plain = unicodedata.normalize("NFKC", word).upper()
    return plain if plain in WORDS and word not in WORDS else None


def constant(word: str) -> int | None:
    """Return the value of a word for true or false; `T` and `F` are names like others."""
    return _CONSTANTS.get(word.lower())


def word_before(text: str, column: int) -> str:
    """Return the word that ends before a column of a line, spaces between them left out; empty if there is none."""
    found = re.search(r"(\w+)\s*$", text[: column - 1])
    return found[1] if found else ""


def describe_character(character: str) -> str:
    """Return a character for a person: by number and name as well where it is not plain ASCII."""
    if character.isascii() and character.isprintable():
        return repr(character)
    name = unicodedata.name(character, "")
    shown = f"{character!r}, " if character.isprintable() and not character.isspace() else ""
    return f"{shown}U+{ord(character):04X}" + (f" {name}" if name else "")


def replace_blank(character: str) -> str:
    """Return what to do about a character that looks like a space, or cannot be seen at all."""
    shown = describe_character(character)
    if character.isspace():
        return f"{shown} is no plain space: write a space instead."
    return f"{shown} cannot be seen: take it out."


def plain_form(text: str) -> str:
    """Return what a full-width character, or the like, is another form of; nothing if it is no such character."""
    plain = unicodedata.normalize("NFKC", text)
    return plain if plain != text and plain.isascii() else ""


def is_blank(character: str) -> bool:
    """Return whether a character is a kind of space, or cannot be seen at all; plain spaces and tabs are no news."""
    return character not in " \t" and (
        character.isspace() or unicodedata.category(character) in {"Cc", "Cf", "Cn", "Co", "Cs"}
    )
