"""Worlds: rules text -> World, truth table, do-interventions, ground truth."""

from playground.worlds.causal import (
    CausalVariable,
    Formulation,
    causal_variables,
    depends,
    formulations,
    solve,
    values_of,
)
from playground.worlds.rules import load_world, parse_world
from playground.worlds.world import Count, Rule, State, World, state_text

__all__ = [
    "CausalVariable",
    "Count",
    "Formulation",
    "Rule",
    "State",
    "World",
    "causal_variables",
    "depends",
    "formulations",
    "load_world",
    "parse_world",
    "solve",
    "state_text",
    "values_of",
]
