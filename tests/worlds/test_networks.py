"""Boolean networks: held against boolean.py, the parser of CoLoMoTo's tools, and against attractors that were published."""

from __future__ import annotations

import re
from itertools import product
from random import Random

import numpy as np
import pytest
from boolean import BooleanAlgebra
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playground.errors import RequestError
from playground.files import project_root
from playground.worlds import World, decode_rules, load_world, network_of_world, parse_world, rules_of_network
from tests.worlds.test_fuzz import right_rules


def of(networks: int) -> settings:
    return settings(
        max_examples=networks, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
    )


GALLERY = sorted((project_root() / "data" / "worlds").glob("*.rules"))

TOGGLE = "targets, factors\nlow, !high\nhigh, !low & signal\nsignal, signal\n"
REPRESSILATOR = "targets,factors\r\n\r\n# Three genes, each of which represses the next.\r\nlacI, !cI\r\ntetR, !lacI\r\ncI, !tetR\r\n"
CELL_CYCLE = """# Rules of the mammalian cell cycle: Fauré, Naldi, Chaouiya and Thieffry, Bioinformatics 22 (2006) e124.
Targets, Factors
CycD, CycD
Rb, (!CycA & !CycB & !CycD & !CycE) | (p27 & !CycB & !CycD)
E2F, (!Rb & !CycA & !CycB) | (p27 & !Rb & !CycB)
CycE, E2F & !Rb
CycA, (E2F & !Rb & !Cdc20 & !(Cdh1 & UbcH10)) | (CycA & !Rb & !Cdc20 & !(Cdh1 & UbcH10))
p27, (!CycD & !CycE & !CycA & !CycB) | (p27 & !(CycE & CycA) & !CycB & !CycD)
Cdc20, CycB
Cdh1, (!CycA & !CycB) | Cdc20 | (p27 & !CycB)
UbcH10, !Cdh1 | (Cdh1 & UbcH10 & (Cdc20 | CycA | CycB))
CycB, !Cdc20 & !Cdh1
"""


def factors_of(network: str) -> dict[str, object]:
    """Return each node's factor as boolean.py reads it."""
    algebra = BooleanAlgebra()
    lines = [line.split("#")[0].strip() for line in network.splitlines()]
    pairs = [line.split(",", 1) for line in lines if line and not line.lower().startswith("targets")]
    return {name.strip(): algebra.parse(factor, simplify=False) for name, factor in pairs}


def step(factors: dict, nodes: dict[str, int]) -> dict[str, int]:
    """Return the next values of all nodes."""
    return {name: int(value_of(factor, nodes)) for name, factor in factors.items()}


def value_of(factor, nodes: dict[str, int]) -> bool:
    """Return the value of what boolean.py has read; its own evaluation cannot do constants within an expression."""
    parts = [value_of(each, nodes) for each in factor.args]
    match type(factor).__name__:
        case "AND":
            return all(parts)
        case "OR":
            return any(parts)
        case "NOT":
            return not parts[0]
        case "Symbol":
            return bool(nodes[factor.obj])
    return {"_TRUE": True, "_FALSE": False}[type(factor).__name__]


def check_import(network: str) -> World:
    world, factors = parse_world(rules_of_network(network)), factors_of(network)
    assert world.outputs == tuple(f"new{name}" for name in factors)
    assert world.inputs[: len(factors)] == tuple(factors)
    assert all(set(world.dependencies[output]) <= set(world.inputs) for output in world.outputs)
    for state in world.states:
        after = step(factors, dict(zip(world.inputs, state, strict=True)))
        assert world.evaluate(state) == {f"new{name}": value for name, value in after.items()}
    return world


def check_export(world: World) -> None:
    factors = factors_of(network_of_world(world))
    assert set(world.inputs) <= set(factors)
    more = set(factors) - set(world.inputs)
    assert all(not more & {str(each) for each in factor.symbols} for factor in factors.values())
    for state, row in zip(world.states, world.truth_table, strict=True):
        now = dict(zip(world.inputs, state, strict=True))
        values = dict(zip(world.answers, row.tolist(), strict=True))
        after = step(factors, now)
        for node in factors:
            expected = values.get(f"new{node}", now[node]) if node in now else values[node]
            assert after[node] == expected


@pytest.mark.parametrize("network", [TOGGLE, REPRESSILATOR])
def test_a_step_of_a_network_is_an_answer_of_its_world(network):
    check_import(network)


def test_the_cell_cycle_has_the_attractors_that_were_published():
    """One state, and a cycle of seven, each reached from half of the states (Fauré et al. 2006, synchronous)."""
    world = check_import(CELL_CYCLE)
    assert len(world.inputs) == 10
    index = world.truth_table @ (1 << np.arange(9, -1, -1))
    basins: dict[frozenset, int] = {}
    for start in range(1024):
        reached = start
        for _ in range(1024):
            reached = index[reached]
        cycle, at = set(), reached
        while at not in cycle:
            cycle.add(int(at))
            at = int(index[at])
        basins[frozenset(cycle)] = basins.get(frozenset(cycle), 0) + 1
    assert sorted((len(cycle), count) for cycle, count in basins.items()) == [(1, 512), (7, 512)]
    [rest] = next(cycle for cycle in basins if len(cycle) == 1)
    on = {name for name, bit in zip(world.inputs, world.states[rest], strict=True) if bit}
    assert on == {"Rb", "p27", "Cdh1"}


@pytest.mark.parametrize("path", GALLERY, ids=lambda path: path.stem)
def test_every_world_of_the_gallery_is_a_network(path):
    world = load_world(path)
    if len(world.inputs) <= 6:
        check_export(world)
    text = network_of_world(world)
    assert all(f"Without {world.counts[0].name}" in text for _ in world.counts[:1])
    assert "targets, factors" in text.splitlines()[:2]


def expression(drawn: Random, names: list[str], depth: int) -> str:
    kind = drawn.randint(0, 5) if depth else 0
    if kind <= 1:
        return drawn.choice([*names, "0", "1"])
    if kind == 2:
        return f"{drawn.choice(['!', '! ', '!!'])}({expression(drawn, names, depth - 1)})"
    sign = drawn.choice(["&", " & ", "|", " | "])
    parts = [expression(drawn, names, depth - 1) for _ in range(drawn.randint(2, 4))]
    return f"({sign.join(parts)})" if drawn.random() < 1 / 2 else sign.join(parts)


def drawn_network(seed: int) -> str:
    drawn = Random(seed)
    names = drawn.sample(["A", "B", "p53", "Mdm2_cyt", "x", "newt", "T", "F"], drawn.randint(2, 5))
    lines = [drawn.choice(["targets, factors", "Targets,Factors", "TARGETS , FACTORS", "# no header"])]
    for name in names:
        lines += [f"{name}{drawn.choice([', ', ',', ' ,'])}{expression(drawn, names, 4)}"]
        lines += drawn.choice([[], [""], ["# so"]])
    return drawn.choice(["\n", "\r\n"]).join(lines)


@given(st.integers(0, 2**32))
@of(120)
def test_any_network_means_what_boolean_py_computes(seed):
    world = check_import(drawn_network(seed))
    check_export(world)
    again = parse_world(rules_of_network(network_of_world(world)))
    assert (again.inputs, again.outputs) == (world.inputs, world.outputs)
    assert (again.truth_table == world.truth_table).all()
    assert network_of_world(again) == network_of_world(world)


@given(st.integers(0, 2**32))
@of(60)
def test_any_world_is_exported_as_it_computes(seed):
    world = parse_world(right_rules(seed))
    if len(world.inputs) <= 6:
        check_export(world)


@pytest.mark.parametrize(
    "rules",
    [
        "\n".join(["o0 = A XOR B", *(f"o{i} = o{i - 1} XOR (o{i - 1} NAND C) XOR o{i - 1}" for i in range(1, 10))]),
        "\n".join(["o0 = A XOR B", *(f"o{i} = {'NOT ' * 97}o{i - 1}" for i in range(1, 10))]),
        "inputs: A, B, C\n" + "\n".join(f"o{i} = A{' AND B XOR C' * 48}" for i in range(5)),
        "inputs: A, B, C\nx = A XOR A\ny = 1\nz = NOT 0 AND B",
    ],
)  # fmt: skip
def test_factors_stay_short_whatever_rules_grow_to(rules):
    world = parse_world(rules)
    assert len(network_of_world(world)) < 20_000
    check_export(world)


def test_a_network_may_have_long_factors():
    """Two hundred terms in a row are nested no deeper than rules may be."""
    names = [f"n{index}" for index in range(10)]
    terms = [
        " & ".join(name if bit else f"!{name}" for name, bit in zip(names, bits, strict=True))
        for bits in list(product((0, 1), repeat=10))[::8]
    ]
    network = "\n".join([f"{name}, {name}" for name in names[1:]] + [f"n0, {' | '.join(terms)}"])
    world = parse_world(rules_of_network(network))
    assert world.truth_table[:, -1].sum() == len(terms) == 128


def test_a_node_that_is_only_read_is_an_input_that_nothing_changes():
    world = parse_world(rules_of_network("A, B & C\nB, A"))
    assert (world.inputs, world.outputs) == (("A", "B", "C"), ("newA", "newB"))
    assert "C, C" in network_of_world(world).splitlines()


def test_comments_of_a_file_describe_its_world():
    assert rules_of_network("targets, factors\n# A toggle.\nA, !B\nB, !A").startswith(
        "# A toggle.\ninputs: A, B\n"
    )


def test_a_file_is_told_by_its_name():
    assert decode_rules(b"\xef\xbb\xbftargets, factors\r\nA, B\r\nB, !A\r\n", "x.BNET") == (
        "inputs: A, B\nnewA = B\nnewB = NOT A\n"
    )
    with pytest.raises(RequestError, match=r"x.bnet, line 1, column 6"):
        decode_rules(b"A, B and A\nB, A", "x.bnet")


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ("", "2 to 10 nodes, got 0 nodes"),
        ("A, A", "2 to 10 nodes, got 1 node"),
        ("\n".join(f"N{i}, N0" for i in range(11)), "double with each): expected 2 to 10 nodes, got 11 nodes, that is 2^11 = 2,048"),
        ("\n".join(f"N{i}, N0" for i in range(300)), "got 300 nodes"),
        ("A, B and C\nB, A", "line 1, column 6: .*got 'and'. For AND write &."),
        ("A, B AND A\nB, A", "For AND write &."),
        ("A, B && A\nB, A", "For AND write &."),
        ("A, B || A\nB, A", "For OR write |."),
        ("A, B ∨ A\nB, A", "For OR write |."),
        ("A, not B\nB, A", "For NOT write !."),
        ("A, NOT B\nB, A", "For NOT write !."),
        ("A, ~B\nB, A", "For NOT write !."),
        ("A, ¬B\nB, A", "For NOT write !."),
        ("A, B ^ A\nB, A", "XOR is not available. Write it with &, | and !"),
        ("A, B XOR A\nB, A", "XOR is not available"),
        ("A, end & B\nB, A", "Rename it in the whole file, for example to 'nend'"),
        ("A, B -> A\nB, A", "IMPLIES is not available"),
        ("A, true\nB, A", "expected 0 or 1, got 'true'. Write 1."),
        ("A, FALSE | B\nB, A", "Write 0."),
        ("A, maj(B, A)\nB, A", "Functions such as maj(...) are not supported"),
        ("A, B[-1]\nB, A", "look back one step only"),
        ("targets, factors, probabilities\nA, B, 1\nB, A, 1", "A network with probabilities has no unique next state"),
        ("A, B\nA, 1\nB, A", "'A' again, defined at line 1, column 1"),
        ("IL-2, B\nB, IL-2", "for example to 'IL_2'"),
        ("_x, B\nB, _x", "for example to 'x'"),
        ("2x, B\nB, 2x", "for example to 'n2x'"),
        ("end, B\nB, end", "for example to 'nend'"),
        ("NAND, B\nB, NAND", "for example to 'nNAND'"),
        ("é, B\nB, é", "the name 'é'"),
        (f"{'a' * 38}, B\nB, A", "at most 37 characters"),
        ("A, newA\nnewA, A", "The next value of A is also named newA"),
        ("A, B\u00a0& A\nB, A", "Replace U+00A0 NO-BREAK SPACE with a plain space"),
        ("A, B\u200b & A\nB, A", "Remove the invisible character U+200B ZERO WIDTH SPACE"),
        ("A", "the end of the line"),
        ("A, \nB, A", "line 1, column 3"),
        ("A, (B\nB, A", "the end of the line"),
        ("A, B)\nB, A", "got ')'"),
        ("A, B\nB, A, A", "got ','"),
        ("A, 0 1\nB, 10", "got '1'"),
        ("A, " + "(" * 9_000 + "B" + ")" * 9_000 + "\nB, A", None),
        ("A, " + "!" * 9_000 + "B\nB, A", "at most 100 levels"),
        ("A, B\nB, A # € is text\n", None),
    ],
)  # fmt: skip
def test_what_is_no_network_is_explained(network, said):
    if said is None:
        parse_world(rules_of_network(network))
        return
    with pytest.raises(RequestError) as caught:
        rules_of_network(network)
    assert re.search(re.escape(said).replace(r"\.\*", ".*"), str(caught.value))


@pytest.mark.parametrize(
    ("network", "advised"),
    [
        ("X, Ca2+ & !Ca2-\nY, X", ["Ca2", "Ca2_2"]),
        ("NF-kB, NF_kB\nNF_kB, NF-kB", ["NF_kB_2"]),
        ("α, β\nβ, α & γ", ["n", "n_2", "n_3"]),
        ("x.1, x.1 & x-1 & x_1 & x_1_2", ["x_1_3", "x_1_4"]),
    ],
)
def test_a_name_that_is_advised_is_no_other_node_s(network, advised):
    """Whoever follows all of it has as many nodes as before."""
    with pytest.raises(RequestError) as caught:
        rules_of_network(network)
    assert re.findall(r"whole file, for example to '(\w+)'", str(caught.value)) == advised
    for fault, name in zip(caught.value.faults, advised, strict=True):
        network = network.replace(fault.got.removeprefix("the name ").strip("'"), name)
    assert len(parse_world(rules_of_network(network)).inputs) == len(set(re.findall(r"\w+", network)))


BNET = [
    "A",
    "B",
    "C9",
    "targets",
    "factors",
    "true",
    "new",
    "\n",
    "\r\n",
    " ",
    ", ",
    "and",
    "\u00a0",
    "é",
    "#",
    *"&|!(),01^~",
]


@given(st.lists(st.sampled_from(BNET), max_size=30), st.text(max_size=20))
@of(800)
def test_any_text_is_a_network_or_is_explained(words, more):
    try:
        parse_world(rules_of_network("".join(words) + more))
    except RequestError as error:
        faults = error.faults
    else:
        return
    assert 0 < len(faults) <= 20
    assert all(len(str(fault).splitlines()) == 1 and str(fault).isprintable() for fault in faults)
