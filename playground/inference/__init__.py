"""Inference: exact greedy decoding and boards, under interventions."""

from playground.inference.board import Accuracy, Board, make_board
from playground.inference.decoding import Run, decode, write
from playground.inference.model import ANOTHER_LESSON, Model, load_model, load_models, open_model, same_lesson

__all__ = [
    "ANOTHER_LESSON",
    "Accuracy",
    "Board",
    "Model",
    "Run",
    "decode",
    "load_model",
    "load_models",
    "make_board",
    "open_model",
    "same_lesson",
    "write",
]
