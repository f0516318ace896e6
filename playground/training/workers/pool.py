"""Trainings in separate processes: as many at once as there are cores for; the rest are queued."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path

from playground.training.job import Job
from playground.training.workers.reports import Failure, Report, what_is_kept

_SECONDS_TO_END = 20.0


@dataclass
class _Worker:
    """A worker process and its current job."""

    process: subprocess.Popen
    connection: Connection
    threads: int
    job: Job | None = None
    ending: bool = False


class WorkerPool:
    """A queue of jobs and the processes that do them. A job's results do not depend on what runs beside it.

    Jobs may be added and stopped from any thread while one thread listens. However this process ends, the
    worker processes save the state of their trainings and end, too.

    Args:
        cores: threads that may run at once; by default as many as the machine lets this process use.
        nice: niceness of the worker processes, from 0 to 19; at 19, everything else comes first.
    """

    def __init__(self, cores: int | None = None, nice: int = 0) -> None:
        self._cores = cores or len(os.sched_getaffinity(0))
        self._nice = nice
        self._lock = threading.Lock()
        self._waiting: list[Job] = []
        self._workers: list[_Worker] = []
        self._said: list[Report] = []
        self._closed = False
        self._hearing, self._waking = multiprocessing.Pipe(duplex=False)

    def add(self, *jobs: Job) -> None:
        """Queue jobs; each begins, in this order, as soon as the threads of its recipe are free."""
        with self._lock:
            self._waiting += jobs
        self._waking.send(None)

    def stop(self, job: Job) -> None:
        """Stop a job: a running one saves its state and can be resumed; a queued one is removed."""
        with self._lock:
            if job in self._waiting:
                self._waiting.remove(job)
                self._said.append(Report(job, stopped=True, done=True))
            for worker in self._workers:
                if worker.job == job:
                    worker.ending = True
                    worker.process.terminate()
        self._waking.send(None)

    def listen(self, *, forever: bool = False) -> Iterator[Report]:
        """Yield the reports of the jobs; end when no job is left, unless `forever`.

        When the caller stops listening, all trainings save their state and end.
        """
        try:
            while not self._closed:
                yield from self._begin()
                with self._lock:
                    busy = {each.connection: each for each in self._workers if each.job}
                    left = bool(self._waiting or busy or self._said)
                if not left and not forever:
                    return
                for ready in wait([self._hearing, *busy]):
                    assert isinstance(ready, Connection), "only connections are waited for"
                    if ready is self._hearing:
                        ready.recv()
                    else:
                        yield self._receive(busy[ready])
        finally:
            self.close()

    def close(self) -> None:
        """Stop all trainings; they save their state."""
        with self._lock:
            self._closed = True
            workers, self._workers = self._workers, []
            self._waiting.clear()
            for worker in workers:
                worker.ending = True
        for worker in workers:
            worker.process.terminate()
            _hang_up(worker.connection)
        # Connections close when the thread that listens to them lets them go: closed here as well, another file
        # could have the number of a closed one, and be closed in its place.
        for worker in workers:
            _wait_for(worker.process)

    def _begin(self) -> list[Report]:
        """Start jobs while there are free cores, and return the reports on that."""
        with self._lock:
            said, self._said = self._said, []
            while self._waiting and not self._closed:
                threads = min(self._waiting[0].recipe.threads, self._cores)
                if threads > self._cores - sum(each.threads for each in self._workers if each.job):
                    break
                job = self._waiting.pop(0)
                self._workers = [each for each in self._workers if each.job or each.process.poll() is None]
                worker = next((each for each in self._workers if not each.job), None)
                if worker is None:
                    try:
                        worker = _Worker(*_start(self._nice), threads)
                    except OSError as error:
                        failure = Failure(f"no process could be started for it ({error})")
                        said.append(Report(job, failure=failure, done=True))
                        continue
                    self._workers.append(worker)
                worker.job, worker.threads = job, threads
                with suppress(OSError):  # If it has ended, `_receive` notices.
                    worker.connection.send(job)
                said.append(Report(job))
        return said

    def _receive(self, worker: _Worker) -> Report:
        job = worker.job
        assert job is not None, "only processes that work are listened to"
        try:
            report: Report = replace(worker.connection.recv(), job=job)
            ended = report.stopped
        except (EOFError, OSError, ValueError, TypeError):
            # It ended without a last report, perhaps in the middle of one.
            _wait_for(worker.process)
            report, ended = Report(job, failure=_death_of(worker.process, job), done=True), True
            if worker.ending:  # It had not yet begun.
                report = Report(job, stopped=True, done=True)
        if report.stopped and not worker.ending:
            said = f"another program asked its process to end{what_is_kept(job)}"
            report = Report(job, failure=Failure(said), done=True)
        if report.done:
            with self._lock:
                ended = ended or worker.ending
                worker.job = None
                if ended and worker in self._workers:
                    self._workers.remove(worker)
            if ended:
                _wait_for(worker.process)
                worker.connection.close()
        return report


def _death_of(process: subprocess.Popen, job: Job) -> Failure:
    """Return, in words, how a process without a last report ended."""
    status = process.returncode
    said = f"its process ended with status {status}"
    if status < 0:
        said = f"its process was killed by {signal.Signals(-status).name}"
    if status == -signal.SIGKILL:
        said += ", as the system does when memory runs out"
    return Failure(said + what_is_kept(job))


def run_jobs(jobs: Sequence[Job], cores: int | None = None) -> Iterator[Report]:
    """Run trainings side by side and yield their reports, see `WorkerPool`."""
    pool = WorkerPool(cores)
    pool.add(*jobs)
    return pool.listen()


def _start(nice: int) -> tuple[subprocess.Popen, Connection]:
    mine, theirs = multiprocessing.Pipe()
    # A separate program: a forked process would inherit torch's thread state without working threads, and
    # one of multiprocessing's would first run the main script of this process.
    command = [
        sys.executable,
        "-P",
        "-m",
        "playground.training.workers.worker",
        str(theirs.fileno()),
        str(nice),
    ]
    library = str(Path(__file__).parents[3])
    paths = [library, *filter(None, [os.environ.get("PYTHONPATH")])]
    # Ctrl-C reaches all processes of a terminal, even one that is still importing. The signal stays blocked
    # there until the process ignores it, which leaves the decision to this process.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        process = subprocess.Popen(  # noqa: S603  It runs this library's own module.
            command,
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    theirs.close()  # So that the connection ends with the process.
    return process, mine


def _hang_up(connection: Connection) -> None:
    """Shut down both directions, so that neither end waits for the other to read."""
    with suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as end:
        end.shutdown(socket.SHUT_RDWR)


def _wait_for(process: subprocess.Popen) -> None:
    """Wait for a process that is about to end; kill it after some seconds."""
    try:
        process.wait(_SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
