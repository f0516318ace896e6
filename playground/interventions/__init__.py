"""Interventions: frozen values that say what is changed, where and at which tokens; their text form."""

from playground.interventions.positions import EVERYWHERE, Anchor, Span
from playground.interventions.text import MOST, format_all, parse, parse_all, parse_positions
from playground.interventions.values import KINDS, Fit, Intervention, Mean, Zero, check, fit

__all__ = [
    "EVERYWHERE",
    "KINDS",
    "MOST",
    "Anchor",
    "Fit",
    "Intervention",
    "Mean",
    "Span",
    "Zero",
    "check",
    "fit",
    "format_all",
    "parse",
    "parse_all",
    "parse_positions",
]
