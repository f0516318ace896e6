"""Boards and answers on the terminal. Colour is never the only sign: whatever is not right has a mark, see `MARKS`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from playground.cli.output.tables import make_table, print_table
from playground.datasets import JUDGEMENTS, LEGEND, MARKS, NOT_JUDGED, Judgement, never_seen
from playground.worlds import state_text

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Int, UInt8

    from playground.datasets import Guesses, Mark, Template
    from playground.inference import Accuracy, Board, Compared, Completion
    from playground.interventions import Intervention
    from playground.models import Cost

RIGHT, WRONG, HELD_OUT = "green", "bold red", "magenta"
STYLES = {
    Judgement.RIGHT: RIGHT,
    Judgement.AS_WRITTEN: "yellow",
    Judgement.BY_RULES: RIGHT,
    Judgement.WRONG: WRONG,
    Judgement.FORCED: "cyan",
    Judgement.GIVEN: "",
    Judgement.GIVEN_OTHERWISE: "cyan",
}
HELD_OUT_MARK = "held out"
AS_WRITTEN_ROW = "as written"

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
        cells = _marked(console, template, board.tokens[state], board.judged[state])[template.prompt_length :]
        table.add_row(board.model, *cells, *_verdicts(board, state))
        sure = board.token_probability[state, template.prompt_length :]
        shares = [f"{p:.0%}" if name else "" for p, name in zip(sure, names, strict=True)]
        table.add_row("", *shares, style="dim")
        if board.truth_do is not None:
            done = dict(zip(board.dataset.world.answers, board.truth_do[state], strict=True))
            table.add_row(
                _set_by_hand(board), *(template.visible(done[name]) if name else "" for name in names)
            )
        if (board.truth_as_written[state] != board.truth[state]).any():
            follows = dict(zip(board.dataset.world.answers, board.truth_as_written[state], strict=True))
            cells = [_or_dash(template, follows[name]) if name else "" for name in names]
            table.add_row(AS_WRITTEN_ROW, *cells)
    print_table(console, table)
    show_legend(console)
    show_never_seen(
        console,
        never_seen(first.dataset.world, first.dataset.held_out, first.dataset.world.states[state]),
    )


def show_board(console: Console, board: Board) -> None:
    """Print every state with what the model wrote, and the shares of right answers."""
    interventions = "; ".join(map(str, board.interventions)) or "unedited"
    table = make_table(f"{board.model}, {interventions}", ["state", ""], board.dataset.world.answers)
    table.add_column("by the rules" if board.forced else "")
    if board.forced:
        table.add_column(_set_by_hand(board))
    answers = board.template.answer_positions
    for index, state in enumerate(board.dataset.world.states):
        cells = _marked(console, board.template, board.written[index], board.judged[index, answers])
        mark = Text(HELD_OUT_MARK, HELD_OUT) if board.held_out[index] else Text("")
        table.add_row(state_text(state), mark, *cells, *_verdicts(board, index))
    print_table(console, table)


def show_cautions(console: Console, interventions: Iterable[Intervention]) -> None:
    """Print, for every kind of intervention, what it does and when its results mislead."""
    for kind in dict.fromkeys(map(type, interventions)):
        console.print(Text(f" {kind.kind}: {kind.effect}. {kind.caution}", style="dim"))


def show_scores(console: Console, boards: list[tuple[Board, Cost]]) -> None:
    """Print models' shares of right answers, separately for seen and held-out states, and what each model cost."""
    answers = boards[0][0].dataset.world.answers
    table = make_table("right answers, and what they cost", ["model", "states"], [*answers, "whole"])
    for board, _ in boards:
        names = board.dataset.world.answers
        for label in ("seen", "held_out"):
            for by, whole, by_answer in _truths(board):
                cells = [_share(by_answer[name], label) if name in by_answer else "forced" for name in names]
                table.add_row(board.model, label.replace("_", " ") + by, *cells, _share(whole, label))
    for guesses in {board.dataset: board.guesses for board, _ in boards}.values():
        _add_guesses(table, guesses)
    print_table(console, table)
    show_never_seen(console, dict.fromkeys(each for board, _ in boards for each in board.never_seen))
    for board, cost in boards:
        parameters, seconds, samples, operations = cost.words()
        spent = f"{parameters} parameters, {seconds} s, {samples} samples, {operations}"
        console.print(Text(f" {board.model}: {spent}", style="dim"))


def _truths(board: Board) -> list[tuple[str, Accuracy, dict[str, Accuracy]]]:
    """Return the shares by the rules, with forced outputs set by hand, and as written if that makes a difference."""
    truths = [("", board.accuracy, board.accuracy_by_answer)]
    if board.accuracy_do and board.accuracy_by_answer_do:
        truths.append((f", {_set_by_hand(board)}", board.accuracy_do, board.accuracy_by_answer_do))
    if board.accuracy_by_answer_as_written != board.accuracy_by_answer:
        truths.append((f", {AS_WRITTEN_ROW}", board.accuracy_as_written, board.accuracy_by_answer_as_written))
    return truths


def _add_guesses(table: Table, guesses: Guesses) -> None:
    """Add the best share of any simple predictor, for each answer and for whole answers."""
    if guesses.best is None:
        return
    shares = [f"{each.by_answer[name] or 0:.0%}" for name, each in guesses.best_by_answer.items()]
    table.add_row("simple predictors", "held out", *shares, f"{guesses.best.whole or 0:.0%}", style="dim")


def show_conditions(console: Console, compared: Sequence[Compared], model: str) -> None:
    """Print what a model gets right under several conditions: whole completions, then each answer on all states."""
    assert compared[0].board is not None, "the first is unedited"
    names = compared[0].board.dataset.world.answers
    headings = ["whole", "seen", "held out", *names]
    table = make_table(f"right answers of {model}", ["condition"], headings)
    for each in compared:
        label = each.condition.name if each.condition else "unedited"
        board = each.board
        if board is None:
            table.add_row(Text(label), "does not fit", *("–" for _ in (1, 2, *names)))
            continue
        label += ", in part" if each.left_out else ""
        for by, whole, by_answer in _truths(board):
            cells = [f"{by_answer[name].all:.0%}" if name in by_answer else "forced" for name in names]
            shares = (f"{whole.all:.0%}", _share(whole, "seen"), _share(whole, "held_out"))
            table.add_row(Text(label + by), *shares, *cells)
    print_table(console, table, prose=["condition"])
    if words := compared[0].board.guesses.words():
        console.print(Text(f" whole answers of held-out states, {words}", style="dim"))
    show_never_seen(console, compared[0].board.never_seen)


def show_completions(console: Console, continued: Sequence[Completion], template: Template) -> None:
    """Print how models continue a text, token by token, with the probability that each gave to it."""
    table = Table(box=None, padding=(0, 1, 0, 0), show_header=False)
    given = continued[0].given

    def row(label: str, cells: Sequence[str | Text], style: str = "") -> None:
        table.add_row(label, *cells[:given], Text(GIVEN_MARK, "dim"), *cells[given:], style=style)

    row("", [slot.name or "" for slot in template.slots], "dim")
    for each in continued:
        row(each.model, _marked(console, template, each.tokens, each.judged))
        row("", [f"{p:.0%}" if index else "" for index, p in enumerate(each.probability)], "dim")
        follows = each.truth_as_written
        if follows is not None and each.truth is not None:
            known = {template.positions[name] for name in template.world.answers}
            right = template.encode(template.decode(each.tokens[: template.prompt_length]) + each.truth)
            if any(follows[index] != right[index] for index in known):
                cells = [
                    _or_dash(template, token) if index in known else "" for index, token in enumerate(follows)
                ]
                row(AS_WRITTEN_ROW, cells)
    if continued[0].truth is not None:
        right = [template.visible(index) for index in template.encode(continued[0].truth)]
        row("the rules", [""] * template.prompt_length + right)
    print_table(console, table)
    explanation = (
        f"Before the {GIVEN_MARK}: what was given. Below each token: how probable it was to the model."
    )
    console.print(Text(explanation, "dim"))
    if continued[0].judged is not None:
        show_legend(console)


def show_legend(console: Console) -> None:
    """Say what the marks mean."""
    said = LEGEND
    for mark in MARKS.values():
        said = said.replace(mark.symbol, _written(console, mark)) if mark.symbol else said
    console.print(Text(said, "dim"))


def show_never_seen(console: Console, sentences: Iterable[str]) -> None:
    """Print what occurs in no seen state."""
    for sentence in sentences:
        console.print(Text(sentence, HELD_OUT))


def _marked(
    console: Console,
    template: Template,
    tokens: Int[np.ndarray, " token"],
    judged: UInt8[np.ndarray, " token"] | None,
) -> list[Text]:
    """Return tokens with their marks; without any if the rules say nothing about them."""
    if judged is None:
        return [Text(template.visible(token)) for token in tokens]
    judgements = [JUDGEMENTS[place] for place in judged]
    return [
        Text(template.visible(token) + _written(console, MARKS[judgement]), STYLES[judgement])
        for token, judgement in zip(tokens, judgements, strict=True)
    ]


def _or_dash(template: Template, token: int | np.integer) -> str:
    """Return the token that would be right as written; a dash where that is undetermined."""
    return "–" if token == NOT_JUDGED else template.visible(token)


def _written(console: Console, mark: Mark) -> str:
    """Return a mark in characters that the console can show."""
    try:
        mark.symbol.encode(console.encoding)
    except (UnicodeEncodeError, LookupError):
        return mark.plain
    return mark.symbol


def _verdicts(board: Board, state: int) -> list[Text]:
    """Return whether a state is right: by the rules and, under `force`, with the forced outputs set by hand."""
    correct = [board.correct] if board.correct_do is None else [board.correct, board.correct_do]
    return [Text("right", RIGHT) if each[state] else Text("wrong", WRONG) for each in correct]


def _set_by_hand(board: Board) -> str:
    return f"with {', '.join(board.forced)} set"


def _share(accuracy: Accuracy, group: str) -> str:
    share = accuracy.seen if group == "seen" else accuracy.held_out
    return "none" if share is None else f"{share:.0%}"
