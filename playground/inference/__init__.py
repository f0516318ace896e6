"""Inference: exact greedy decoding and boards, under interventions."""

from playground.inference.activations import Activation, measure_activation, token_names
from playground.inference.baseline_cache import blocks_of
from playground.inference.board import Accuracy, Board, Tally, make_board, not_learnt
from playground.inference.codegen import as_command, as_python, mechanism_as_command, mechanism_as_python
from playground.inference.completion import Completion, complete
from playground.inference.decoding import Run, decode, make_plan, write
from playground.inference.export import FORMATS, check_file, write_activation
from playground.inference.loading import ANOTHER_TASK, load_model, load_models, open_model, same_task
from playground.inference.model import Compared, Model, board, compare_conditions
from playground.inference.partial_board import PartialBoard

__all__ = [
    "ANOTHER_TASK",
    "FORMATS",
    "Accuracy",
    "Activation",
    "Board",
    "Compared",
    "Completion",
    "Model",
    "PartialBoard",
    "Run",
    "Tally",
    "as_command",
    "as_python",
    "blocks_of",
    "board",
    "check_file",
    "compare_conditions",
    "complete",
    "decode",
    "load_model",
    "load_models",
    "make_board",
    "make_plan",
    "measure_activation",
    "mechanism_as_command",
    "mechanism_as_python",
    "not_learnt",
    "open_model",
    "same_task",
    "token_names",
    "write",
    "write_activation",
]
