"""Boards and answers on the terminal. Colour never says anything alone.

A wrong token carries a cross. Under `force` there are two truths, and three marks: a star on what was
forced, a cross on what is wrong by the rules, a dagger on what is wrong by the rules with it set by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from playground.cli.tables import print_table
from playground.worlds import state_text

if TYPE_CHECKING:
    from playground.datasets import Guesses, Template
    from playground.inference import Accuracy, Board, Compared, Continuation
    from playground.models import Cost

RIGHT, WRONG, HELD_OUT, FORCED = "green", "bold red", "magenta", "cyan"
HELD_OUT_MARK, FORCED_MARK, WRONG_MARK, WRONG_DO_MARK = "held out", "*", "✗", "†"

GIVEN_MARK = "│"


def show_answer(console: Console, boards: Sequence[Board], state: int) -> None:
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
        for answer, position in enumerate(template.answer_positions - template.prompt_length):
            cells[position] = _answer(board, state, answer)
        table.add_row(board.model, *cells, *_verdicts(board, state))
        sure = board.token_probability[state, template.prompt_length :]
        shares = [f"{p:.0%}" if name else "" for p, name in zip(sure, names, strict=True)]
        table.add_row("", *shares, style="dim")
        if board.truth_do is not None:
            done = dict(zip(board.dataset.world.answers, board.truth_do[state], strict=True))
            table.add_row(
                _set_by_hand(board), *(template.visible(done[name]) if name else "" for name in names)
            )
    print_table(console, table)
    _explain(console, boards)


def show_board(console: Console, board: Board) -> None:
    """Print every state with what the model wrote, and the shares of right answers."""
    interventions = "; ".join(map(str, board.interventions)) or "unedited"
    table = Table(title=f"{board.model}, {interventions}", title_justify="left", box=None)
    table.add_column("state")
    table.add_column("")
    for name in board.dataset.world.answers:
        table.add_column(name, justify="right")
    table.add_column("by the rules" if board.forced else "")
    if board.forced:
        table.add_column(_set_by_hand(board))
    for index, state in enumerate(board.dataset.world.states):
        cells = [_answer(board, index, answer) for answer in range(len(board.dataset.world.answers))]
        mark = Text(HELD_OUT_MARK, HELD_OUT) if board.held_out[index] else Text("")
        table.add_row(state_text(state), mark, *cells, *_verdicts(board, index))
    print_table(console, table)
    _explain(console, [board])


def show_scores(console: Console, boards: list[tuple[Board, Cost]]) -> None:
    """Print the shares of right answers of models, seen and held-out states apart, and what each model cost."""
    table = Table(title="right answers, and what they cost", title_justify="left", box=None)
    table.add_column("model")
    table.add_column("states")
    for name in (*boards[0][0].dataset.world.answers, "whole"):
        table.add_column(name, justify="right")
    for board, _ in boards:
        names = board.dataset.world.answers
        for label in ("seen", "held_out"):
            truths = [("", board.accuracy, board.accuracy_by_answer)]
            if board.accuracy_do and board.accuracy_by_answer_do:
                truths.append((f", {_set_by_hand(board)}", board.accuracy_do, board.accuracy_by_answer_do))
            for by, whole, by_answer in truths:
                cells = [_share(by_answer[name], label) if name in by_answer else "forced" for name in names]
                table.add_row(board.model, label.replace("_", " ") + by, *cells, _share(whole, label))
    for guesses in {board.dataset: board.guesses for board, _ in boards}.values():
        _add_guesses(table, guesses)
    print_table(console, table)
    for board, cost in boards:
        parameters, seconds, samples, operations = cost.words()
        spent = f"{parameters} parameters, {seconds} s, {samples} samples, {operations}"
        console.print(Text(f" {board.model}: {spent}", style="dim"))


def _add_guesses(table: Table, guesses: Guesses) -> None:
    """Add what guessing gives: of each answer, and of all of them, the best that any predictor has."""
    if guesses.best is None:
        return
    shares = [f"{each.by_answer[name] or 0:.0%}" for name, each in guesses.best_by_answer.items()]
    table.add_row("guessing", "held out", *shares, f"{guesses.best.whole or 0:.0%}", style="dim")


def show_conditions(console: Console, compared: Sequence[Compared], model: str) -> None:
    """Print what a model gets right under several conditions: whole completions, then each answer on all states."""
    table = Table(title=f"right answers of {model}", title_justify="left", box=None)
    table.add_column("condition")
    for heading in ("whole", "seen", "held out"):
        table.add_column(heading, justify="right")
    assert compared[0].board is not None, "the first is unedited"
    names = compared[0].board.dataset.world.answers
    for name in names:
        table.add_column(name, justify="right")
    for each in compared:
        label = each.condition.name if each.condition else "unedited"
        board = each.board
        if board is None:
            table.add_row(Text(label), "does not fit", *("–" for _ in (1, 2, *names)))
            continue
        label += ", in part" if each.left_out else ""
        truths = [("", board.accuracy, board.accuracy_by_answer)]
        if board.accuracy_do and board.accuracy_by_answer_do:
            truths.append((f", {_set_by_hand(board)}", board.accuracy_do, board.accuracy_by_answer_do))
        for by, whole, by_answer in truths:
            cells = [f"{by_answer[name].all:.0%}" if name in by_answer else "forced" for name in names]
            shares = (f"{whole.all:.0%}", _share(whole, "seen"), _share(whole, "held_out"))
            table.add_row(Text(label + by), *shares, *cells)
    print_table(console, table, prose=["condition"])
    if words := compared[0].board.guesses.words():
        console.print(Text(f" whole answers of held-out states, {words}", style="dim"))


def show_continuations(console: Console, continued: Sequence[Continuation], template: Template) -> None:
    """Print how models go on with a text: token by token, with what each would have given for it."""
    table = Table(box=None, padding=(0, 1, 0, 0), show_header=False)
    given = continued[0].given

    def row(label: str, cells: Sequence[str | Text], style: str = "") -> None:
        table.add_row(label, *cells[:given], Text(GIVEN_MARK, "dim"), *cells[given:], style=style)

    row("", [slot.name or "" for slot in template.slots], "dim")
    for each in continued:
        tokens = [template.visible(index) for index in each.tokens]
        row(each.model, [Text(token, "" if index < given else "bold") for index, token in enumerate(tokens)])
        row("", [f"{p:.0%}" if index else "" for index, p in enumerate(each.probability)], "dim")
    if continued[0].truth is not None:
        right = [template.visible(index) for index in template.encode(continued[0].truth)]
        row("the rules", [""] * template.prompt_length + right)
    print_table(console, table)
    explanation = (
        f"Before the {GIVEN_MARK}: what was given. Below each token: how probable it was to the model."
    )
    console.print(Text(explanation, "dim"))


def _answer(board: Board, state: int, answer: int) -> Text:
    """Return what a board has for an answer, with its marks."""
    template, written = board.template, board.written[state, answer]
    token = template.visible(written)
    if board.dataset.world.answers[answer] in board.forced:
        return Text(token + FORCED_MARK, FORCED)
    wrong = written != board.truth[state, answer]
    wrong_do = board.truth_do is not None and written != board.truth_do[state, answer]
    marks = (WRONG_MARK if wrong else "") + (WRONG_DO_MARK if wrong_do else "")
    return Text(token + marks, WRONG if marks else RIGHT)


def _verdicts(board: Board, state: int) -> list[Text]:
    """Return whether a state is right: by the rules and, under `force`, with what was forced set by hand."""
    correct = [board.correct] if board.correct_do is None else [board.correct, board.correct_do]
    return [Text("right", RIGHT) if each[state] else Text("wrong", WRONG) for each in correct]


def _set_by_hand(board: Board) -> str:
    return f"with {', '.join(board.forced)} set"


def _explain(console: Console, boards: Sequence[Board]) -> None:
    """Say what the marks mean that only boards under `force` have."""
    forced = sorted({name for board in boards for name in board.forced})
    if forced:
        names = ", ".join(forced)
        text = f"{FORCED_MARK} forced; {WRONG_MARK} wrong by the rules; {WRONG_DO_MARK} wrong by the rules with {names} set by hand"
        console.print(Text(text, "dim"))


def _share(accuracy: Accuracy, group: str) -> str:
    share = accuracy.seen if group == "seen" else accuracy.held_out
    return "none" if share is None else f"{share:.0%}"


def _token(written: str, truth: str) -> Text:
    if written == truth:
        return Text(written, RIGHT)
    return Text(written + WRONG_MARK, WRONG)
