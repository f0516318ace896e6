"""Datasets: hold-outs, simple predictors, the template of samples, judgements, JSON lines, tokenizer."""

from playground.datasets.dataset import Dataset, DatasetSpec, Sizes, draw_dataset, generate, load_dataset
from playground.datasets.default_holdout import default_hold_out, determining_hold_out, explain_undetermined
from playground.datasets.holdout import (
    SHIPPED_HOLD_OUT,
    never_seen,
    parse_hold_out,
    random_hold_out,
    states_in,
    states_like,
    undetermined,
)
from playground.datasets.holdout_search import hardest_hold_out
from playground.datasets.judgement import (
    JUDGEMENTS,
    LEGEND,
    MARKS,
    NOT_JUDGED,
    Judgement,
    Mark,
    judge,
    truth_as_written,
)
from playground.datasets.predictors.consistent_formulas import ConsistentFormulas, find_consistent_formulas
from playground.datasets.predictors.scores import Guess, Guesses, guess
from playground.datasets.template import Template
from playground.datasets.tokenizer import make_tokenizer, save_tokenizer

__all__ = [
    "JUDGEMENTS",
    "LEGEND",
    "MARKS",
    "NOT_JUDGED",
    "SHIPPED_HOLD_OUT",
    "ConsistentFormulas",
    "Dataset",
    "DatasetSpec",
    "Guess",
    "Guesses",
    "Judgement",
    "Mark",
    "Sizes",
    "Template",
    "default_hold_out",
    "determining_hold_out",
    "draw_dataset",
    "explain_undetermined",
    "find_consistent_formulas",
    "generate",
    "guess",
    "hardest_hold_out",
    "judge",
    "load_dataset",
    "make_tokenizer",
    "never_seen",
    "parse_hold_out",
    "random_hold_out",
    "save_tokenizer",
    "states_in",
    "states_like",
    "truth_as_written",
    "undetermined",
]
