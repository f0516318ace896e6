"""Training: recipe, loop, runs that can go on, several runs at once."""

from playground.training.evaluation import Evaluation, Validation
from playground.training.job import Job, Progress, Step
from playground.training.jobs import Pool, run_jobs
from playground.training.lesson import check_same
from playground.training.loop import Loop, reproducible
from playground.training.planning import Planned, Wishes, plan_training
from playground.training.recipe import RECIPES, Recipe
from playground.training.replacing import Replacement, check_replaced, discard, replaced_by
from playground.training.reports import Failure, Report, report_on
from playground.training.run import train_model
from playground.training.trainings import Course, Trainings
from playground.training.unfinished import Unfinished, unfinished_runs

__all__ = [
    "RECIPES",
    "Course",
    "Evaluation",
    "Failure",
    "Job",
    "Loop",
    "Planned",
    "Pool",
    "Progress",
    "Recipe",
    "Replacement",
    "Report",
    "Step",
    "Trainings",
    "Unfinished",
    "Validation",
    "Wishes",
    "check_replaced",
    "check_same",
    "discard",
    "plan_training",
    "replaced_by",
    "report_on",
    "reproducible",
    "run_jobs",
    "train_model",
    "unfinished_runs",
]
