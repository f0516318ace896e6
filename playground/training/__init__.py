"""Training: recipe, loop, runs, several runs at once."""

from playground.training.jobs import Failure, Job, Report, run_jobs
from playground.training.loop import Step, train
from playground.training.recipe import RECIPES, Recipe
from playground.training.run import Evaluation, Progress, Validation, train_model

__all__ = [
    "RECIPES",
    "Evaluation",
    "Failure",
    "Job",
    "Progress",
    "Recipe",
    "Report",
    "Step",
    "Validation",
    "run_jobs",
    "train",
    "train_model",
]
