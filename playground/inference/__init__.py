"""Inference: exact greedy decoding and boards, under interventions."""

from playground.inference.board import Accuracy, Board, make_board
from playground.inference.decoding import Run, decode
from playground.inference.model import Model, load_model, open_model

__all__ = [
    "Accuracy",
    "Board",
    "Model",
    "Run",
    "decode",
    "load_model",
    "make_board",
    "open_model",
]
