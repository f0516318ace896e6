"""A board that is computed block by block, so that the first rows need not wait for the last."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import fields, replace

import numpy as np
from jaxtyping import Bool

from playground.datasets import DatasetSpec
from playground.inference.baseline_cache import BLOCK, blocks_of
from playground.inference.board import Board, Rows, Tally, measure_rows
from playground.inference.decoding import Run
from playground.interventions import Intervention


class PartialBoard:
    """The board of a model under some interventions, as far as it is computed.

    Blocks may be computed in any order and by any thread; the results are the same, bit for bit. A world of
    `BLOCK` states or fewer is one block.

    Args:
        write: runs the model in the states of a block.
        dataset: what the model was trained on.
        model: the name of the model's run.
        interventions: under which it runs.
        workers: how many blocks `write` can run at the same time.
    """

    def __init__(
        self,
        write: Callable[[slice], Run],
        dataset: DatasetSpec,
        model: str,
        interventions: tuple[Intervention, ...],
        workers: int = 1,
    ) -> None:
        self._write, self._workers = write, workers
        self._dataset = dataset
        self.blocks = blocks_of(len(dataset.world.states))
        self._found: set[int] = set()
        shape = dataset.template.truth.shape
        self._growing = Board(
            dataset=dataset,
            model=model,
            interventions=interventions,
            tokens=np.full(shape, -1),
            token_probability=np.full(shape, np.nan, np.float32),
            margin=np.full((shape[0], len(dataset.world.answers)), np.nan, np.float32),
        )
        self._whole: Board | None = None
        self._lock = threading.Lock()
        self._locks = {block.start: threading.Lock() for block in self.blocks}

    @property
    def complete(self) -> bool:
        """Whether all states are known."""
        return len(self._found) == len(self.blocks)

    @property
    def known(self) -> Bool[np.ndarray, " state"]:
        """Which states are known."""
        known = np.zeros(len(self._dataset.world.states), dtype=bool)
        for first in tuple(self._found):
            known[first : first + BLOCK] = True
        return known

    def block_of(self, state: int) -> slice:
        """Return the block of a state, by its index."""
        return self.blocks[state // BLOCK]

    def find(self, block: slice) -> None:
        """Run the model in the states of one of `blocks`, unless they are known.

        Raises:
            RequestError: if what it computes leaves the range of its numbers.
        """
        with self._locks[block.start]:
            if block.start in self._found:
                return
            found = measure_rows(self._write(block), self._dataset.template, block)
            with self._lock:
                for name, value in vars(found).items():
                    getattr(self._growing, name)[block] = value
                self._found.add(block.start)

    def compute_blocks(self, first: Sequence[int] = ()) -> Iterator[slice]:
        """Compute the missing blocks, and yield each when it is done.

        Args:
            first: indices of states whose blocks come first, in this order.

        Raises:
            RequestError: as `find` does.
        """
        begin = [self.block_of(state).start for state in first]
        starts = dict.fromkeys([*begin, *(block.start for block in self.blocks)])
        missing = [self.block_of(start) for start in starts if start not in self._found]
        if self._workers == 1 or len(missing) <= 1:
            for block in missing:
                self.find(block)
                yield block
            return
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="blocks")
        try:
            asked = {pool.submit(self.find, block): block for block in missing}
            for done in as_completed(asked):
                done.result()
                yield asked[done]
        finally:
            # A caller that stops early need not wait for the blocks in progress.
            pool.shutdown(wait=False, cancel_futures=True)

    @property
    def snapshot(self) -> Board:
        """The known rows as a board; in the other rows, tokens are -1 and the rest is NaN.

        Its values over all states, such as its accuracy, mean nothing until it is complete.
        """
        with self._lock:
            if self._whole is not None:
                return self._whole
            copies = {each.name: getattr(self._growing, each.name).copy() for each in fields(Rows)}
            board = replace(self._growing, **copies)
            if self.complete:
                self._whole = board
            return board

    @property
    def board(self) -> Board:
        """The whole board; missing blocks are computed.

        Raises:
            RequestError: as `find` does.
        """
        for _ in self.compute_blocks():
            pass
        return self.snapshot

    @property
    def tally(self) -> Tally:
        """For "seen" and "held_out" states: how many known ones are right, and how many are known."""
        board = self.snapshot
        return self._count(board, board.correct)

    @property
    def tally_do(self) -> Tally | None:
        """The same by the rules with the forced outputs set by hand; None if none is forced."""
        board = self.snapshot
        return None if board.correct_do is None else self._count(board, board.correct_do)

    def _count(self, board: Board, right: Bool[np.ndarray, " state"]) -> Tally:
        known = board.tokens[:, 0] >= 0
        groups = {"seen": known & ~board.held_out, "held_out": known & board.held_out}
        return {name: (int(right[group].sum()), int(group.sum())) for name, group in groups.items()}
