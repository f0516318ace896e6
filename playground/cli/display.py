"""Boards and answers on the terminal. Colour never says anything alone: wrong tokens carry a cross."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from playground.worlds import state_text

if TYPE_CHECKING:
    from playground.inference import Accuracy, Board
    from playground.models import Cost

RIGHT, WRONG, HELD_OUT = "green", "bold red", "magenta"
HELD_OUT_MARK = "held out"


def show_answer(console: Console, boards: list[Board], state: int) -> None:
    """Print what the world and each model say in one state."""
    first = boards[0]
    template = first.template
    title = Text(state_text(first.dataset.world.states[state]), style="bold")
    if first.held_out[state]:
        title.append(f"  {HELD_OUT_MARK} of training", style=HELD_OUT)
    console.print(title)
    table = Table(box=None, padding=(0, 1, 0, 0), show_header=False)
    names = [template.slots[index].name or "" for index in range(template.prompt_length, template.length)]
    table.add_row("", *names, style="dim")
    truth = [template.visible(i) for i in template.truth[state, template.prompt_length :]]
    table.add_row("the rules", *truth)
    for board in boards:
        written = [template.visible(i) for i in board.tokens[state, template.prompt_length :]]
        cells = [_token(token, right) for token, right in zip(written, truth, strict=True)]
        verdict = Text("right", RIGHT) if board.correct[state] else Text("wrong", WRONG)
        table.add_row(board.model, *cells, verdict)
        sure = board.token_probability[state, template.prompt_length :]
        shares = [f"{p:.0%}" if name else "" for p, name in zip(sure, names, strict=True)]
        table.add_row("", *shares, style="dim")
    console.print(table)


def show_board(console: Console, board: Board) -> None:
    """Print every state with what the model wrote, and the shares of right answers."""
    interventions = "; ".join(map(str, board.interventions)) or "unedited"
    table = Table(title=f"{board.model}, {interventions}", title_justify="left", box=None)
    table.add_column("state")
    table.add_column("")
    for name in board.dataset.world.answers:
        table.add_column(name, justify="right")
    table.add_column("")
    template = board.template
    for index, state in enumerate(board.dataset.world.states):
        cells = [
            _token(template.visible(written), template.visible(truth))
            for written, truth in zip(board.written[index], board.truth[index], strict=True)
        ]
        mark = Text(HELD_OUT_MARK, HELD_OUT) if board.held_out[index] else Text("")
        verdict = Text("right", RIGHT) if board.correct[index] else Text("wrong", WRONG)
        table.add_row(state_text(state), mark, *cells, verdict)
    console.print(table)


def show_scores(console: Console, boards: list[tuple[Board, Cost]]) -> None:
    """Print the shares of right answers of models, seen and held-out states apart, and what each model cost."""
    table = Table(title="right answers, and what they cost", title_justify="left", box=None)
    table.add_column("model")
    table.add_column("states")
    for name in (*boards[0][0].dataset.world.answers, "whole"):
        table.add_column(name, justify="right")
    for board, _ in boards:
        for label in ("seen", "held_out"):
            shares = [board.accuracy_by_answer.get(name) for name in board.dataset.world.answers]
            by_answer = [_share(share, label) if share else "forced" for share in shares]
            mark = label.replace("_", " ")
            table.add_row(board.model, mark, *by_answer, _share(board.accuracy, label))
    console.print(table)
    for board, cost in boards:
        parameters, seconds, samples, operations = cost.words()
        spent = f"{parameters} parameters, {seconds} s, {samples} samples, {operations}"
        console.print(Text(f" {board.model}: {spent}", style="dim"))


def _share(accuracy: Accuracy, group: str) -> str:
    share = accuracy.seen if group == "seen" else accuracy.held_out
    return "none" if share is None else f"{share:.0%}"


def _token(written: str, truth: str) -> Text:
    if written == truth:
        return Text(written, RIGHT)
    return Text(f"{written}✗", WRONG)
