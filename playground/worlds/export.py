"""A world as a Boolean network, in the `.bnet` form: `&`, `|` and `!` alone, each factor of the nodes as they are.

Every input is a node. An output `newX` of an input X is the factor of X; an input without one stays as it is (`X, X`).
Another output is one more node, under its own name, which no node reads. What a rule says of outputs above it is put in
place of these. Counts are no nodes: they are left out.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from playground.boolean.composition import essential, joined
from playground.boolean.expressions import Constant, Expression, Gate, Not, Variable, substitute
from playground.worlds.networks import HEADER, NEXT
from playground.worlds.world import World

MOST_LITERALS = 200
"""Of a factor that rules are rewritten to; a larger one is written anew from its truth table."""


def network_of_world(world: World) -> str:
    """Return the text of a `.bnet` file; read again, it gives the same next value of every node in every state.

    Others read all of them; `rules_of_network` refuses more than ten nodes, names that leave no room for `new` before
    them, and a node `newQ` beside a node `Q`.

    Args:
        world: not one in which something is set by hand.
    """
    assert not world.forced, "what is set by hand is no rule"
    plain: dict[str, Expression] = {}
    literals: dict[str, int] = dict.fromkeys(world.inputs, 1)
    for rule in world.rules:
        literals[rule.name] = _literals(rule.expression, literals)
        # Parts are shared, so this takes no more room than the rules do; double negations cancel, so it is nested no
        # deeper than Python can walk.
        plain[rule.name] = substitute(rule.expression, plain, _not)
    factors = {
        name: _write(_plain(plain[name])) if literals[name] <= MOST_LITERALS else _from_table(world, name)
        for name in world.outputs
    }
    nodes = {name: factors.pop(f"{NEXT}{name}", name) for name in world.inputs}
    lines = [f"{name}, {factor}" for name, factor in (nodes | factors).items()]
    counts = ", ".join(count.name for count in world.counts)
    note = [f"# Without {counts}: a network has no counts."] if counts else []
    return "\n".join([*note, HEADER, *lines, ""])


def _literals(expression: Expression, of: dict[str, int]) -> int:
    """Return how many names stand in an expression when outputs and operators are rewritten, at most."""
    match expression:
        case Constant():
            return 1
        case Variable(name):
            return of[name]
        case Not(operand):
            return _literals(operand, of)
        case Gate(operator, left, right):
            both = _literals(left, of) + _literals(right, of)
            return min(10**9, 2 * both if operator in ("XOR", "XNOR") else both)


def _plain(expression: Expression) -> Expression:
    """Return the same with AND, OR and NOT alone."""
    match expression:
        case Not(operand):
            return _not(_plain(operand))
        case Gate(operator, left, right):
            return _gate(operator, _plain(left), _plain(right))
        case _:
            return expression


def _gate(operator: str, left: Expression, right: Expression) -> Expression:
    match operator:
        case "NAND":
            return _not(Gate("AND", left, right))
        case "NOR":
            return _not(Gate("OR", left, right))
        case "IMPLIES":
            return Gate("OR", _not(left), right)
        case "XOR":
            return Gate("OR", Gate("AND", left, _not(right)), Gate("AND", _not(left), right))
        case "XNOR":
            return Gate("OR", Gate("AND", left, right), Gate("AND", _not(left), _not(right)))
        case _:
            return Gate(operator, left, right)


def _not(expression: Expression) -> Expression:
    return expression.operand if isinstance(expression, Not) else Not(expression)


def _write(expression: Expression, around: str = "") -> str:
    """Return an expression as BoolNet reads it; `around` is the operator that it is an operand of, if any."""
    match expression:
        case Not(operand):
            return f"!{_write(operand, 'NOT')}"
        case Gate(operator, left, right):
            sign = {"AND": "&", "OR": "|"}[operator]
            text = f"{_write(left, operator)} {sign} {_write(right, operator)}"
            return text if around in ("", operator) else f"({text})"
        case _:
            return str(expression)


def _from_table(world: World, output: str) -> str:
    """Return a factor by its cofactors (Shannon 1938): for each input that counts, what holds where it is 1, and where 0."""
    column = world.truth_table[:, world.answers.index(output)].astype(bool)
    table, names = essential(column, world.inputs)

    @cache
    def factor(values: bytes, depth: int) -> Expression:
        bits = np.frombuffer(values, dtype=bool)
        if bits.all() or not bits.any():
            return Constant(int(bits[0]))
        zero, one = (half.tobytes() for half in np.split(bits, 2))
        low, high, name = factor(zero, depth + 1), factor(one, depth + 1), Variable(names[depth])
        if zero == one:
            return low
        return joined("OR", joined("AND", Not(name), low), joined("AND", name, high))

    return _write(factor(table.tobytes(), 0))
