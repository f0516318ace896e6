"""Worlds: rules text -> World, truth table, do-interventions, ground truth."""

from playground.worlds.rules import load_world, parse_world
from playground.worlds.world import Count, Rule, State, World, state_text

__all__ = ["Count", "Rule", "State", "World", "load_world", "parse_world", "state_text"]
