"""Training: recipe, loop, runs that can be resumed, several runs at once."""

from playground.training.evaluation import Evaluation, Validation
from playground.training.job import Job, Progress, Step
from playground.training.loop import Loop, reproducible
from playground.training.planning import TrainingOverrides, longest_first, plan_training, train_command
from playground.training.recipe import Recipe, default_recipe
from playground.training.replacing import Replacement, check_replaced, discard, replaced_by
from playground.training.resume import ResumeState, unfinished_runs
from playground.training.run import train_model
from playground.training.training_run import check_same
from playground.training.workers.manager import TrainingManager, TrainingProgress
from playground.training.workers.pool import WorkerPool, run_jobs
from playground.training.workers.reports import Failure, Report, report_on

__all__ = [
    "Evaluation",
    "Failure",
    "Job",
    "Loop",
    "Progress",
    "Recipe",
    "Replacement",
    "Report",
    "ResumeState",
    "Step",
    "TrainingManager",
    "TrainingOverrides",
    "TrainingProgress",
    "Validation",
    "WorkerPool",
    "check_replaced",
    "check_same",
    "default_recipe",
    "discard",
    "longest_first",
    "plan_training",
    "replaced_by",
    "report_on",
    "reproducible",
    "run_jobs",
    "train_command",
    "train_model",
    "unfinished_runs",
]
