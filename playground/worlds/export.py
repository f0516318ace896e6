"""A world as a Boolean network in `.bnet` form: each factor uses only `&`, `|`, `!` and the nodes' current values.

Every input is a node. An output `newX` of an input X is the factor of X; an input without one stays as it is (`X, X`).
Any other output is an additional node under its own name, which no node reads. Outputs in a rule are replaced by
their formulas over the inputs. Counts are left out.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from playground.boolean.composition import essential, joined
from playground.boolean.expressions import Constant, Expression, Gate, Not, Variable, substitute
from playground.worlds.networks import HEADER, NEXT
from playground.worlds.world import World

MOST_LITERALS = 200
"""Literals of a factor that is rewritten from rules; a larger factor is written from its truth table instead."""


def network_of_world(world: World) -> str:
    """Return the text of a `.bnet` file; reading it back gives the same next values in every state.

    Other programs read all of these files. `rules_of_network` refuses more than ten nodes, names too long to be
    prefixed with `new`, and a node `newQ` beside a node `Q`.

    Args:
        world: a world without forced values.
    """
    assert not world.forced, "forced values are not rules"
    plain: dict[str, Expression] = {}
    literals: dict[str, int] = dict.fromkeys(world.inputs, 1)
    for rule in world.rules:
        literals[rule.name] = _literals(rule.expression, literals)
        # Parts are shared, so this takes no more memory than the rules. Double negations cancel, so the nesting
        # stays within Python's recursion limit.
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
    """Return an upper bound on the names in an expression once outputs and operators are rewritten."""
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
    """Return the expression rewritten with AND, OR and NOT only."""
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
    """Return an expression as BoolNet reads it; `around` is the enclosing operator, if any."""
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
    """Return a factor as its Shannon expansion (1938) over the inputs that it depends on."""
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
