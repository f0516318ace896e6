"""`conditions`: sets of interventions saved by name, in `conditions.json` of the working directory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from loguru import logger
from rich.console import Console

from playground.cli.options import Device, Json, Name, On, OneModel
from playground.cli.output.documents import not_applied, print_json, say_not_applied
from playground.cli.requests import one_model, open_models
from playground.errors import RequestError, count_of
from playground.limits import check_number, texts_in
from playground.startup import many_imports

if TYPE_CHECKING:
    from playground.inference import Compared
    from playground.interventions import NamedCondition

Called = Annotated[str, typer.Argument(metavar="NAME", help="The name of a condition.")]
CalledAll = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME]...", help="Names of conditions; all unless said.")
]
Replace = Annotated[bool, typer.Option("--replace", help="Replace those of the same name.")]

app = typer.Typer(
    help="Keep sets of interventions by name, and compare what they break.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def list_all(as_json: Json = False) -> None:
    """Show all conditions."""
    found = _find(None)
    if as_json:
        print_json([_document(each) for each in found])
        return
    for each in found:
        print(f"{each.name}: {'; '.join(each.interventions)}" + (f"  ({each.note})" if each.note else ""))
    if not found:
        logger.info("No condition has been saved here yet.")


@app.command()
def save(
    name: Called,
    on: On = None,
    note: Annotated[str, typer.Option(help="What it is for.")] = "",
    replace: Replace = False,
) -> None:
    """Keep interventions under a name."""
    check_number(on or ())
    with many_imports():
        from playground.interventions import CONDITIONS, NamedCondition, save_condition

    condition = NamedCondition(name, tuple(on or ()), note)
    save_condition(condition, replace_old=replace)
    logger.info(
        "{} now has {!r}: {}", CONDITIONS, condition.name, count_of(len(condition.values), "intervention")
    )


@app.command()
def show(name: Called, as_json: Json = False) -> None:
    """Show one condition."""
    [condition] = _find([name])
    if as_json:
        print_json(_document(condition))
        return
    if condition.note:
        print(condition.note)
    print("\n".join(condition.interventions))


@app.command()
def rename(name: Called, new: Annotated[str, typer.Argument(metavar="NEW", help="Its new name.")]) -> None:
    """Give a condition another name."""
    with many_imports():
        from playground.interventions import rename_condition

    rename_condition(name, new)


@app.command()
def delete(name: Called) -> None:
    """Take a condition out of the file."""
    with many_imports():
        from playground.interventions import delete_condition

    delete_condition(name)


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="A file as `conditions export` prints it.")],
    replace: Replace = False,
) -> None:
    """Add all conditions of a file, or none of them."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise RequestError.of(
            message="the file of conditions cannot be read",
            expected="a readable file",
            got=str(error),
            hint="Look at its name.",
        ) from error
    for texts in texts_in(content).values():
        check_number(texts)
    with many_imports():
        from playground.interventions import import_conditions

    names = import_conditions(content, where=str(file), replace_old=replace)
    logger.info("{}: {}", count_of(len(names), "condition"), ", ".join(names))


@app.command()
def export(names: CalledAll = None) -> None:
    """Print conditions as the content of a file that can be shared."""
    found = _find(names)
    from playground.interventions import export_conditions

    print_json(json.loads(export_conditions(found)))


@app.command()
def compare(
    names: CalledAll = None,
    model: OneModel = "gpt2",
    name: Name = "default",
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Show what conditions do to a model, side by side with what it writes unedited."""
    one_model(model)
    found = _find(names)
    [loaded] = open_models(name, model, device)
    from playground.inference import compare_conditions

    compared = compare_conditions(loaded, found)
    if as_json:
        rows = [_row(each) | not_applied(each.left_out) for each in compared]
        print_json(
            {
                "model": loaded.name,
                "world": loaded.world.text,
                "conditions": rows,
                "never_seen": list(loaded.baseline.never_seen),
            }
        )
        return
    from playground.cli.output.display import show_conditions

    show_conditions(Console(), compared, loaded.name)
    for each in compared:
        say_not_applied(loaded.name, each.left_out)


def _find(names: list[str] | None) -> list[NamedCondition]:
    """Return the conditions of these names, or all."""
    with many_imports():
        from playground.interventions import find_conditions, load_conditions

    return find_conditions(names) if names else list(load_conditions().values())


def _document(condition: NamedCondition) -> dict[str, Any]:
    return {"name": condition.name} | condition.to_json()


def _row(compared: Compared) -> dict[str, Any]:
    """Return a condition's entry in the JSON document; None stands for what could not be measured."""
    condition, board = compared.condition, compared.board
    document = board.to_json() if board else {}
    row = {
        "name": condition.name if condition else None,
        "interventions": list(condition.interventions) if condition else [],
        "accuracy": document.get("accuracy"),
        "accuracy_as_written": document.get("accuracy_as_written"),
    }
    return row | ({"accuracy_do": document["accuracy_do"]} if "accuracy_do" in document else {})
