"""The program `the-experiment`: options in, one call of the library, exit status out.

0: done. 1: the work failed or was interrupted. 2: the request was wrong. 141: the reader closed standard
output early; programs that SIGPIPE ends have this status.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from loguru import logger

from playground import logs
from playground.cli.commands.atlas import atlas
from playground.cli.commands.boards import board, test
from playground.cli.commands.complete_export import complete, export
from playground.cli.commands.conditions import app as conditions
from playground.cli.commands.generate import generate
from playground.cli.commands.guess import guess
from playground.cli.commands.mechanism import mechanism
from playground.cli.commands.models.runs import discard, seal
from playground.cli.commands.models.train import train
from playground.cli.commands.serve import ui
from playground.cli.commands.world import world
from playground.cli.interruption import Interrupted, raise_when_asked
from playground.cli.options import Json, Omit
from playground.cli.output import streams
from playground.errors import Fault, RequestError, StorageError, WorkError
from playground.places import fault_of, is_refusal

FAILED, WRONG_REQUEST, OUTPUT_GONE = 1, 2, 141

app = typer.Typer(
    help="Train small models on a world of boolean rules, take them apart, see on every state what breaks.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def program(
    context: typer.Context,
    generate_flag: Annotated[bool, typer.Option("--generate", help="The same as: generate.")] = False,
    train_flag: Annotated[bool, typer.Option("--train", help="The same as: train gpt2.")] = False,
    train_rnn_flag: Annotated[bool, typer.Option("--train_rnn", help="The same as: train rnn.")] = False,
    train_cnn_flag: Annotated[bool, typer.Option("--train_cnn", help="The same as: train cnn.")] = False,
    train_mann_flag: Annotated[bool, typer.Option("--train_mann", help="The same as: train mann.")] = False,
    test_flag: Annotated[
        str | None, typer.Option("--test", metavar="STATE", help="The same as: test STATE.")
    ] = None,
    ui_flag: Annotated[bool, typer.Option("--testui", help="The same as: ui.")] = False,
    omit: Omit = None,
    as_json: Json = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show debugging messages.")] = False,
) -> None:
    """Run the flags of old in the order generate, train, train_rnn, train_cnn, train_mann, test, testui; or a command."""
    logs.configure(verbose=verbose, once=True)
    trainings = {
        "--train": ("gpt2", train_flag),
        "--train_rnn": ("rnn", train_rnn_flag),
        "--train_cnn": ("cnn", train_cnn_flag),
        "--train_mann": ("mann", train_mann_flag),
    }
    flags = {
        "--generate": generate_flag,
        **{flag: on for flag, (_, on) in trainings.items()},
        "--test": test_flag is not None,
        "--testui": ui_flag,
    }
    given = [flag for flag, on in flags.items() if on]
    _check_flags(context, given, omit=omit, as_json=as_json)
    if generate_flag:
        generate(omit=omit)
    for architecture, on in trainings.values():
        if on:
            # These flags always replace an existing run; a message says where it is kept.
            train(architecture, may_replace=True)
    if test_flag is not None:
        test(test_flag, as_json=as_json)
    if ui_flag:
        ui()
    if not given and context.invoked_subcommand is None:
        print(context.get_help())


def _check_flags(context: typer.Context, given: list[str], *, omit: str | None, as_json: bool) -> None:
    stray = given if context.invoked_subcommand else []
    if omit is not None and "--generate" not in given:
        stray = [*stray, "--omit"]
    if as_json and "--test" not in given:
        stray = [*stray, "--json"]
    if stray:
        raise RequestError.of(
            message="put options after the command",
            expected="a command with its own options, or one of the flags that --help names",
            got=" ".join(stray)
            + (f" before {context.invoked_subcommand}" if context.invoked_subcommand else ""),
            hint="See the-experiment --help.",
        )


COMMANDS = (generate, guess, world, train, discard, seal, test, board, complete, export, atlas, mechanism, ui)
for command in COMMANDS:
    app.command()(command)
app.add_typer(conditions, name="conditions")


def main() -> None:
    """Run the program and exit with its status; no traceback is ever shown."""
    raise_when_asked()
    streams.take_streams()
    logs.configure(once=True)  # Also for --help, which ends before anything else does this.
    try:
        status = _run()
        sys.stdout.flush()
    except streams.OutputError as error:
        streams.discard(1)
        status = _say_unprinted(error)
    sys.exit(status)


def _run() -> int:  # noqa: PLR0911  One for each way to end.
    """Run the program and return its exit status."""
    try:
        app()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FAILED if end.code else 0
    except Interrupted:
        logger.warning("Interrupted: what was there before is as it was.")
        return FAILED
    except RequestError as error:
        for fault in error.faults:
            logger.error("{}", fault)
        return FAILED if isinstance(error, StorageError) else WRONG_REQUEST
    except WorkError as error:
        for cause in error.causes:
            logger.error("{}", cause)
        return FAILED
    except OSError as error:
        logger.error("{}", fault_of(error))
        logger.opt(exception=True).debug("its traceback")
        return WRONG_REQUEST if is_refusal(error) else FAILED
    except streams.OutputError:
        raise
    except Exception as error:  # noqa: BLE001  The last resort: an unforeseen error goes to the log file in full.
        logger.opt(exception=True).error(
            "The work failed: {}: {}.{}", type(error).__name__, error, logs.where_details_are()
        )
        return FAILED
    return 0


def _say_unprinted(error: streams.OutputError) -> int:
    """Log why an answer could not be printed, unless the reader closed the pipe; return the exit status."""
    if error.is_gone:
        return OUTPUT_GONE
    if error.is_closed:
        fault = Fault(
            message="standard output is closed",
            expected="that it is open",
            got="a closed one",
            hint="Leave out >&-, or send it to a file: > answer.txt.",
        )
    else:
        fault = Fault(
            message="the answer cannot be printed",
            expected="that standard output takes it",
            got=error.error.strerror or str(error),
            hint="Make room where it is sent, or send it elsewhere.",
        )
    logger.error("{}", fault)
    return WRONG_REQUEST if error.is_closed else FAILED


if __name__ == "__main__":
    main()
