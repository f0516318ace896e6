"""The process of one training: it reads the job from standard input and tells of it through a pipe."""

from __future__ import annotations

import pickle
import sys
from multiprocessing.connection import Connection

from playground.training.jobs import work

if __name__ == "__main__":
    # From the process that started this one, which made it a moment ago.
    work(pickle.load(sys.stdin.buffer), Connection(int(sys.argv[1]), readable=False))  # noqa: S301
