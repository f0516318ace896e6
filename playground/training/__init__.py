"""Training: recipe, loop, runs."""

from playground.training.loop import Step, train
from playground.training.recipe import Recipe
from playground.training.run import Evaluation, Progress, Validation, train_gpt2

__all__ = ["Evaluation", "Progress", "Recipe", "Step", "Validation", "train", "train_gpt2"]
