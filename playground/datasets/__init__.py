"""Datasets: hold-outs, the form of a sample, JSON lines, tokenizer."""

from playground.datasets.dataset import Dataset, DatasetSpec, Sizes, draw_dataset, generate, load_dataset
from playground.datasets.holdout import SHIPPED_HOLD_OUT, parse_hold_out, random_hold_out, states_like
from playground.datasets.template import Slot, Template
from playground.datasets.tokenizer import make_tokenizer

__all__ = [
    "SHIPPED_HOLD_OUT",
    "Dataset",
    "DatasetSpec",
    "Sizes",
    "Slot",
    "Template",
    "draw_dataset",
    "generate",
    "load_dataset",
    "make_tokenizer",
    "parse_hold_out",
    "random_hold_out",
    "states_like",
]
