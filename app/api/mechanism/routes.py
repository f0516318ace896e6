"""The routes of page Mechanism. A parameter `which` chooses the open model or the one beside it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import HTMLResponse, StreamingResponse

from api.answers import binary, stream
from api.mechanism import findings, panels, sides, verdicts
from api.mechanism.sides import Side, SidesDependency, Which
from playground.analysis import METHODS, Method
from playground.errors import RequestError, quote
from playground.inference import mechanism_as_command, mechanism_as_python

router = APIRouter(prefix="/mechanism")


def _side_of(found: SidesDependency, which: Which = "model") -> Side:
    """Return the model that a request is about."""
    return found.chosen(which)


def _method_of(method: Annotated[str, Query(description="its name")]) -> Method:
    """Return the method that a request is about.

    Raises:
        RequestError: if there is none of that name.
    """
    if method in METHODS:
        return METHODS[method]
    raise RequestError.of(
        where="method",
        message="unknown method",
        expected=f"one of {', '.join(METHODS)}",
        got=quote(method),
        hint="mechanism/methods lists them.",
    )


SideDependency = Annotated[Side, Depends(_side_of)]
MethodDependency = Annotated[Method, Depends(_method_of)]


@router.get("/rivals")
def get_rivals(found: SidesDependency) -> dict[str, list[str]]:
    """Return what the open model can be compared with: other runs of its name, and steps of their training."""
    return {"rivals": sides.rivals(found.first.run)}


@router.get("/methods")
def get_methods(found: SidesDependency) -> dict[str, Any]:
    """Return the models that are shown, why the second one is not, and all methods with what can be chosen of them."""
    return panels.methods_data(found)


@router.get("/verdict", response_class=StreamingResponse)
def get_verdict(side: SideDependency) -> StreamingResponse:
    """Return the verdict on a model: progress, what follows from its routes, more progress, then all."""
    return stream(verdicts.verdict_parts(side))


@router.get("/panel", response_class=StreamingResponse)
def get_panel(side: SideDependency, method: MethodDependency) -> StreamingResponse:
    """Return the blocks of a method as far as it is measured; one that takes seconds is measured first."""
    return stream(panels.panel_parts(side, method))


@router.get("/cases", response_class=Response)
def get_cases(
    side: SideDependency, method: MethodDependency, block: int, row: int, column: int | None = None
) -> Response:
    """Return the cases behind a cell of a heatmap or, without a column, behind a row of a table."""
    return binary(panels.cases_data(side, method, block, row, column))


@router.post("/measure")
def post_measure(side: SideDependency, method: MethodDependency) -> dict[str, str]:
    """Begin or go on measuring; the answer names the task, which says how far it is and can be stopped."""
    lack = method.unavailable_reason(side.model.network)
    if lack:
        raise RequestError.of(
            where="method",
            message=f"{method.title} cannot be measured here",
            expected="a model that has what it measures",
            got=f"{side.title}: {lack}",
            hint="mechanism/methods says what each model lacks.",
        )
    return {"task": findings.start(side.model, side.applied, method).name}


@router.get("/report", response_class=HTMLResponse)
def get_report(found: SidesDependency) -> HTMLResponse:
    """Return everything measured so far as one HTML page that opens offline."""
    shown, _ = found.find()
    name = verdicts.report_name(shown)
    return HTMLResponse(
        verdicts.report(shown), headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@router.get("/code")
def get_code(found: SidesDependency) -> dict[str, Any]:
    """Return the verdict on each model as a Python script and as a command."""
    shown, _ = found.find()
    return {
        "code": [
            {
                "title": "/".join(side.run),
                "python": mechanism_as_python(*side.run, side.applied),
                "command": mechanism_as_command(*side.run, side.applied),
            }
            for side in shown
        ]
    }
