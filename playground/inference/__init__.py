"""Inference: exact greedy decoding and boards, under interventions."""

from playground.inference.board import Accuracy, Board, Tally, make_board, not_learnt
from playground.inference.decoding import Run, decode, write
from playground.inference.model import (
    ANOTHER_LESSON,
    Model,
    board,
    load_model,
    load_models,
    open_model,
    same_lesson,
)

__all__ = [
    "ANOTHER_LESSON",
    "Accuracy",
    "Board",
    "Model",
    "Run",
    "Tally",
    "board",
    "decode",
    "load_model",
    "load_models",
    "make_board",
    "not_learnt",
    "open_model",
    "same_lesson",
    "write",
]
