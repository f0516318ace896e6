"""Worlds: parsing of rules, truth tables, do-interventions, ground truth."""

from playground.worlds.causal import (
    CausalVariable,
    Derivation,
    as_written,
    causal_variables,
    depends,
    derivations,
    solve,
    values_of,
)
from playground.worlds.export import network_of_world
from playground.worlds.files import (
    decode_rules,
    describe_rules,
    find_rules,
    list_worlds,
    path_of_rules,
    read_rules,
    save_rules,
)
from playground.worlds.networks import rules_of_network
from playground.worlds.rules import load_world, parse_world
from playground.worlds.structure import Balance, Structure, structure_of
from playground.worlds.world import State, World, state_text

__all__ = [
    "Balance",
    "CausalVariable",
    "Derivation",
    "State",
    "Structure",
    "World",
    "as_written",
    "causal_variables",
    "decode_rules",
    "depends",
    "derivations",
    "describe_rules",
    "find_rules",
    "list_worlds",
    "load_world",
    "network_of_world",
    "parse_world",
    "path_of_rules",
    "read_rules",
    "rules_of_network",
    "save_rules",
    "solve",
    "state_text",
    "structure_of",
    "values_of",
]
