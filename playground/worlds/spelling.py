"""Operators in other notations, and invisible characters, so that messages can say what to write instead."""

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
"""Symbol -> the operator of the rules language that it stands for."""

_LONGEST_FIRST = sorted(SYMBOLS, key=len, reverse=True)
_CONSTANTS = {"true": 1, "⊤": 1, "false": 0, "⊥": 0}


def symbol_at(text: str, column: int) -> str | None:
    """Return the longest operator symbol at a column of a line (from 1); it may begin before that column.

    Full-width characters count as their plain forms.
    """
    for symbol in _LONGEST_FIRST:
        for begin in range(max(0, column - len(symbol)), column):
            if unicodedata.normalize("NFKC", text[begin : begin + len(symbol)]) == symbol:
                return symbol
    return None


def operator_word(word: str) -> str | None:
    """Return the operator that a word misspells (`and`, `Not`, full-width letters); None if it is spelled correctly."""
    plain = unicodedata.normalize("NFKC", word).upper()
    return plain if plain in WORDS and word not in WORDS else None


def constant(word: str) -> int | None:
    """Return the value of a word for true or false; `T` and `F` are ordinary names."""
    return _CONSTANTS.get(word.lower())


def word_before(text: str, column: int) -> str:
    """Return the word before a column of a line, ignoring spaces between; empty if there is none."""
    found = re.search(r"(\w+)\s*$", text[: column - 1])
    return found[1] if found else ""


def describe_character(character: str) -> str:
    """Return a readable description of a character, with its number and name if it is not plain ASCII."""
    if character.isascii() and character.isprintable():
        return repr(character)
    name = unicodedata.name(character, "")
    shown = f"{character!r}, " if character.isprintable() and not character.isspace() else ""
    return f"{shown}U+{ord(character):04X}" + (f" {name}" if name else "")


def replace_blank(character: str) -> str:
    """Return a hint for a character that looks like a space or is invisible."""
    shown = describe_character(character)
    if character.isspace():
        return f"Replace {shown} with a plain space."
    return f"Remove the invisible character {shown}."


def plain_form(text: str) -> str:
    """Return the plain form of a full-width or similar character; empty if it has none."""
    plain = unicodedata.normalize("NFKC", text)
    return plain if plain != text and plain.isascii() else ""


def is_blank(character: str) -> bool:
    """Return whether a character is a special space or invisible; plain spaces and tabs are not."""
    return character not in " \t" and (
        character.isspace() or unicodedata.category(character) in {"Cc", "Cf", "Cn", "Co", "Cs"}
    )
