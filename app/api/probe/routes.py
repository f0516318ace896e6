"""What page Probe and the sidebar ask."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from api import boards
from api.answers import binary, stream
from api.asked import activations
from api.asked.query import Asked, AskedDependency, ConditionQuery, open_model
from api.models import opening
from api.models.frames import frame_data
from api.probe import (
    activation_data,
    atlases,
    drawings,
    figures,
    measured,
    rankings,
    weight_data,
)
from playground.analysis import By
from playground.errors import RequestError
from playground.inference import FORMATS
from playground.models import Site

router = APIRouter()


@router.get("/models")
def get_models() -> dict[str, Any]:
    """Return the trained models, and why some cannot be opened."""
    return opening.runs_data()


@router.get("/condition", response_class=Response)
def get_condition(
    query: Annotated[ConditionQuery, Query()], known: str = "", *, rivals: bool = False
) -> Response:
    """Return the parameters of an address as they can be followed, what is wrong with the others, and the model's frame.

    Args:
        query: the parameters.
        known: NAME/RUN of a model whose frame the client has: it is not sent again.
        rivals: whether the page shows all models that can be compared: an intervention may be one of theirs.
    """
    found = opening.read_address(query.as_query(), rivals=rivals)
    name, run = found["query"]["name"], found["query"]["model"]
    frame = None if known == f"{name}/{run}" else frame_data(open_model(name, run))
    return binary(found | {"frame": frame})


@router.get("/frame", response_class=Response)
def get_frame(asked: AskedDependency) -> Response:
    """Return what does not depend on the condition: the model's world, texts and parts."""
    return binary(frame_data(asked.model))


@router.get("/board", response_class=StreamingResponse)
def get_board(asked: AskedDependency) -> StreamingResponse:
    """Return what the model writes in every state under the condition; a large world comes in parts."""
    return stream(boards.board_parts(asked))


@router.get("/picture", response_class=Response)
def get_picture(asked: AskedDependency) -> Response:
    """Return the attention patterns of all heads in the chosen state or, for models without heads, all activations."""
    view = asked.view
    if asked.model.network.pattern_hooks:
        return binary(drawings.mosaic_data(view))
    return binary(drawings.maps_data(view, figures.seen_from(view)))


@router.get("/figure")
def get_figure(asked: AskedDependency) -> dict[str, Any]:
    """Return one part of the model, drawn large, as a figure of plotly."""
    return figures.large_figure(asked.view)


@router.get("/ranking", response_class=StreamingResponse)
def get_ranking(asked: AskedDependency, *, measure: bool = False) -> StreamingResponse:
    """Return the model's elements, ranked by what ablating each alone changes; progress comes first."""
    return stream(rankings.ranking_parts(asked, measure=measure))


@router.get("/fixes", response_class=StreamingResponse)
def get_fixes(asked: AskedDependency) -> StreamingResponse:
    """Return for each active edit how many wrong states removing it alone fixes; progress comes first."""
    return stream(rankings.fixes_parts(asked))


@router.get("/edits")
def get_edits(asked: AskedDependency, add: str, *, rivals: bool = False) -> dict[str, Any]:
    """Return which of the typed interventions can be added to the edits, and what is wrong with the rest.

    Args:
        asked: the model, and its edits.
        add: interventions joined by ';'.
        rivals: whether the page shows all models that can be compared: an intervention may be one of theirs.
    """
    return opening.read_edits(asked, add, rivals=rivals)


@router.get("/code")
def get_code(asked: AskedDependency) -> dict[str, Any]:
    """Return the board under the active edits as a Python script and as a command."""
    return opening.code_data(asked)


@router.get("/activation", response_class=Response)
def get_activation(asked: AskedDependency) -> Response:
    """Return an activation in the chosen state, its top units, and the chosen unit in all states."""
    view = asked.view
    part = activations.chosen(asked.model, asked.condition.activation)
    values = measured.measure(view, part)
    return binary(
        {
            "picture": activation_data.activations_data(view, values),
            "strongest": activation_data.strongest_data(view, values),
        }
    )


@router.get("/activation/file", response_class=Response)
def get_activation_file(
    asked: AskedDependency, ending: str, *, all_states: bool = True, edited: bool = True
) -> Response:
    """Return an activation as a file of numbers with named axes."""
    if ending not in FORMATS:
        raise RequestError.of(
            where="ending",
            message="unknown format",
            expected=f"one of {', '.join(FORMATS)}",
            got=ending,
            hint="The ending of the file's name says its format.",
        )
    part = activations.chosen(asked.model, asked.condition.activation)
    state = None if all_states else asked.condition.state
    applied = asked.model.fit(asked.condition.interventions).applied if edited else ()
    where = "all" if state is None else "".join(map(str, state))
    name = f"{asked.model.name}-{part.site}-{where}-{'edited' if applied else 'unedited'}{ending}"
    return Response(
        measured.export(asked.model, part, applied, state, ending),
        media_type="application/octet-stream",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.get("/weight", response_class=Response)
def get_weight(asked: AskedDependency) -> Response:
    """Return a weight in full, unedited and edited, and thumbnails of all weights of its layer."""
    view = asked.view
    layer = weight_data.chosen_weight(view).layer
    return binary(
        {"matrix": weight_data.matrix_data(view), "thumbnails": weight_data.thumbnails_data(view, layer)}
    )


@router.get("/atlas", response_class=Response)
def get_atlas(asked: AskedDependency) -> Response:
    """Return the flip atlas of a weight as far as it is measured."""
    return binary(atlases.atlas_answer(asked.model, _weight(asked)))


@router.post("/atlas")
def post_atlas(asked: AskedDependency, by: Annotated[list[By], Query()]) -> dict[str, str]:
    """Begin to measure the flip atlas of a weight, as a task."""
    return {"task": atlases.start(asked.model, _weight(asked), by)}


def _weight(asked: Asked) -> Site:
    return weight_data.chosen_weight(asked.view)
