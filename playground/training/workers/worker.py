"""The worker process: it receives jobs through a connection and sends reports back.

When the process at the other end dies, this one saves the state of its training and ends, too.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from queue import SimpleQueue

_SECONDS_TO_KEEP = 10.0


def main(connection: Connection, nice: int) -> None:
    """Do jobs until the other end of the connection is gone."""
    asked_to_end = threading.Event()
    jobs: SimpleQueue = SimpleQueue()

    def end(number: int, frame: object) -> None:
        asked_to_end.set()
        jobs.put(None)

    def listen() -> None:
        with suppress(EOFError, OSError):
            while True:
                jobs.put(connection.recv_bytes())
        asked_to_end.set()
        jobs.put(None)
        # A step that hangs must not keep the process alive.
        timer = threading.Timer(_SECONDS_TO_KEEP, os._exit, [1])
        timer.daemon = True
        timer.start()

    os.nice(nice)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, end)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
    threading.Thread(target=listen, daemon=True).start()

    # Imported only now that this process can be ended.
    from loguru import logger

    from playground.training.workers.reports import report_on

    logger.remove()  # This process sends reports instead of logging.
    while (sent := jobs.get()) is not None and not asked_to_end.is_set():
        # Unpickled here, not in the thread that receives it: two threads must not import transformers at once.
        job = pickle.loads(sent)  # noqa: S301  From the process that started this one.
        for report in report_on(job, asked_to_end.is_set):
            # The state is saved even if nobody listens any more.
            with suppress(OSError):
                connection.send(report)


if __name__ == "__main__":
    main(Connection(int(sys.argv[1])), int(sys.argv[2]))
