"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

Omit = Annotated[
    str | None, typer.Option("--omit", "-o", metavar="'S;S'", help="States to hold out, joined by ';'.")
]
OmitRandom = Annotated[
    int | None, typer.Option("--omit-random", metavar="K", help="Hold out K states drawn at random.")
]
OmitHardest = Annotated[
    int | None,
    typer.Option("--omit-hardest", metavar="K", help="Hold out K states that simple predictors get wrong."),
]
OmitSeed = Annotated[str, typer.Option("--seed", metavar="N", help="Of --omit-random.")]
WorldAsked = Annotated[
    str | None,
    typer.Option(
        "--world",
        metavar="WORLD",
        help="A file of rules, a Boolean network (.bnet), or the name of a world that comes along; unless said, default.",
    ),
]
Name = Annotated[str, typer.Option(help="Name of data and models: data/NAME, models/NAME.")]
On = Annotated[
    list[str] | None, typer.Option("--on", metavar="INTERVENTION", help="Such as zero:L1H2@>newB.. (repeat)")
]
Conditions = Annotated[
    list[str] | None,
    typer.Option("--condition", metavar="NAME", help="One that was saved; before those of --on (repeat)."),
]
ModelName = Annotated[str, typer.Option("--model", help="One architecture, or all.")]
OneModel = Annotated[str, typer.Option("--model", help="One architecture.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
ReplaceShipped = Annotated[
    bool, typer.Option("--replace-shipped", help="Allow --name shipped, which comes with the project.")
]
