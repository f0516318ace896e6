"""Datasets: hold-outs and what guessing gets right of them, the form of a sample, JSON lines, tokenizer."""

from playground.datasets.dataset import Dataset, DatasetSpec, Sizes, draw_dataset, generate, load_dataset
from playground.datasets.guessing import Guess, Guesses, guess
from playground.datasets.hardest import hardest_hold_out
from playground.datasets.holdout import (
    SHIPPED_HOLD_OUT,
    Undetermined,
    parse_hold_out,
    random_hold_out,
    states_like,
    undetermined,
)
from playground.datasets.hypotheses import Hypotheses, OutputHypotheses, find_hypotheses
from playground.datasets.template import Slot, Template
from playground.datasets.tokenizer import make_tokenizer

__all__ = [
    "SHIPPED_HOLD_OUT",
    "Dataset",
    "DatasetSpec",
    "Guess",
    "Guesses",
    "Hypotheses",
    "OutputHypotheses",
    "Sizes",
    "Slot",
    "Template",
    "Undetermined",
    "draw_dataset",
    "find_hypotheses",
    "generate",
    "guess",
    "hardest_hold_out",
    "load_dataset",
    "make_tokenizer",
    "parse_hold_out",
    "random_hold_out",
    "states_like",
    "undetermined",
]
