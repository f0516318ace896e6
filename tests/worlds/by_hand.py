"""What a causal model says of one pair of texts, by `World.do` alone."""

from __future__ import annotations

from collections.abc import Sequence

from playground.worlds import CausalVariable, World


def by_hand(
    world: World,
    variable: CausalVariable,
    answer: str,
    pair: Sequence[int],
    written: Sequence[Sequence[int]],
) -> int:
    """Return what an answer of the base's text would be if a variable had its value of the source's.

    Args:
        world: whose rules are meant.
        variable: the one that is another.
        answer: the one that is asked for.
        pair: which states base and source are.
        written: the outputs as they stand in each.
    """
    base, source = (world.states[index] for index in pair)
    of_base, of_source = (dict(zip(world.outputs, map(int, outputs), strict=True)) for outputs in written)
    match variable.kind:
        case "input":
            value = source[world.inputs.index(variable.name)]
            return world.do(**{variable.name: value}).evaluate(base)[answer]
        case "recomputed":
            value = world.evaluate(source)[variable.output]
            return world.do(**{variable.output: value}).evaluate(base)[answer]
        case "written":
            if answer == variable.output:
                return of_source[answer]
            read = {**of_base, variable.output: of_source[variable.output]}
            read.pop(answer, None)
            return world.do(**read).evaluate(base)[answer]
        case "partial sum":
            (count,) = [each for each in world.counts if each.name == answer]
            in_base = of_base | dict(zip(world.inputs, base, strict=True))
            in_source = of_source | dict(zip(world.inputs, source, strict=True))
            return sum((in_source if name in variable.terms else in_base)[name] for name in count.variables)
