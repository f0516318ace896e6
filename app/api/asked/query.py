"""What a request is about: the condition in its query, which is that of a page's address."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from fastapi import Depends, Query
from pydantic import BaseModel, Field

from api.asked.address import read_query
from api.asked.condition import Condition
from api.asked.views import View, build_view
from api.models import library
from playground.errors import RequestError
from playground.inference import Model
from playground.models import check_step, find_run, split_step

_DESCRIBED = {
    "name": "name of the model, as in models/NAME/RUN",
    "model": "its run, such as gpt2, perhaps at a training step: gpt2:400",
    "state": "the chosen state, such as 0,1,1,1,0",
    "on": "the interventions, joined by ';'",
    "off": "which of them are switched off, counted from 0 and joined by ','",
    "kind": "the kind of intervention that a click on a part makes",
    "amount": "its amount",
    "weights": "the kind of intervention that a click on a weight makes",
    "noise": "its amount",
    "seed": "the seed of what a click makes",
    "from": "the state whose values a click uses",
    "minus": "the state whose values a click subtracts",
    "at": "the tokens at which what a click makes acts, such as @>newB..",
    "large": "the part that is drawn large",
    "token": "the token whose receptive field is drawn, or at which units are compared",
    "weight": "the weight that is shown in full",
    "activation": "the activation that is shown, perhaps with the index of a unit",
    "versus": "the state with which the activation is compared",
    "units": "how units are sorted",
    "grouped": "the answer by whose truth states are grouped",
    "view": "what a page shows: activations or weights (Probe), sets (Compare)",
    "step": "the token before which the playback pauses",
    "sort": "the column by which tables of states are sorted",
    "margins": "1 if the board shows margins",
    "text": "the text that models continue",
    "beside": "the run that a model is compared with",
    "open": "the methods whose panels are open",
    "answer": "the answer that these are about",
    "options": "their options, such as variable=input:A;spread=largest",
    "cell": "the part and the token whose cases are listed",
}


class ConditionQuery(BaseModel):
    """The parameters of a page's address. Parameters that a question does not need may be left out."""

    name: str = Field("", description=_DESCRIBED["name"])
    model: str = Field("", description=_DESCRIBED["model"])
    state: str | None = Field(None, description=_DESCRIBED["state"])
    on: list[str] | None = Field(None, description=_DESCRIBED["on"])
    off: str | None = Field(None, description=_DESCRIBED["off"])
    kind: str | None = Field(None, description=_DESCRIBED["kind"])
    amount: str | None = Field(None, description=_DESCRIBED["amount"])
    weights: str | None = Field(None, description=_DESCRIBED["weights"])
    noise: str | None = Field(None, description=_DESCRIBED["noise"])
    seed: str | None = Field(None, description=_DESCRIBED["seed"])
    source: str | None = Field(None, alias="from", description=_DESCRIBED["from"])
    minus: str | None = Field(None, description=_DESCRIBED["minus"])
    at: str | None = Field(None, description=_DESCRIBED["at"])
    large: str | None = Field(None, description=_DESCRIBED["large"])
    token: str | None = Field(None, description=_DESCRIBED["token"])
    weight: str | None = Field(None, description=_DESCRIBED["weight"])
    activation: str | None = Field(None, description=_DESCRIBED["activation"])
    versus: str | None = Field(None, description=_DESCRIBED["versus"])
    units: str | None = Field(None, description=_DESCRIBED["units"])
    grouped: str | None = Field(None, description=_DESCRIBED["grouped"])
    view: str | None = Field(None, description=_DESCRIBED["view"])
    step: str | None = Field(None, description=_DESCRIBED["step"])
    sort: str | None = Field(None, description=_DESCRIBED["sort"])
    margins: str | None = Field(None, description=_DESCRIBED["margins"])
    text: str | None = Field(None, description=_DESCRIBED["text"])
    beside: str | None = Field(None, description=_DESCRIBED["beside"])
    opened: str | None = Field(None, alias="open", description=_DESCRIBED["open"])
    answer: str | None = Field(None, description=_DESCRIBED["answer"])
    options: str | None = Field(None, description=_DESCRIBED["options"])
    cell: str | None = Field(None, description=_DESCRIBED["cell"])

    def as_query(self) -> dict[str, str]:
        """Return the parameters that were given, as in an address."""
        given = self.model_dump(by_alias=True, exclude_none=True)
        return given | ({"on": ";".join(self.on)} if self.on else {})


@dataclass(frozen=True)
class Asked:
    """The model and the condition that a request is about.

    Args:
        run: name and run of the model.
        model: the model, loaded.
        condition: of the page.
    """

    run: tuple[str, str]
    model: Model
    condition: Condition

    @cached_property
    def view(self) -> View:
        """What the model writes under the condition."""
        return build_view(self.model, self.condition)


def open_model(name: str, run: str) -> Model:
    """Return the model of a run, perhaps at a training step.

    Raises:
        RequestError: if there is none, or its files are damaged.
    """
    base, step = split_step(run)
    folder = find_run(name, base)
    check_step(folder, step)
    return library.open_run(folder, step)


def asked(query: Annotated[ConditionQuery, Query()]) -> Asked:
    """Return what a request is about.

    Raises:
        RequestError: listing everything in the query that means nothing for this model.
    """
    model = open_model(query.name, query.model)
    # Answers say themselves which interventions the model cannot carry out: another model that is shown may.
    condition, faults = read_query(query.as_query(), model, ())
    if faults:
        raise RequestError(*faults)
    return Asked((query.name, query.model), model, condition)


AskedDependency = Annotated[Asked, Depends(asked)]
