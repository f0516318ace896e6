"""The API: one function a route. Answers are JSON or, where they hold many numbers, documents of safetensors.

`answers.py` describes the documents. What is asked about is in the query, in the form of a page's address; what changes
anything is POST. A query too long for an address may be sent as the body instead, see `long_questions.py`.
`access.py` checks Host and Origin of every request.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from loguru import logger

from api import tasks
from api.answers import faults_document, no_answer
from api.compare import routes as compare
from api.long_questions import LongQuestions
from api.mechanism import routes as mechanism
from api.models import predictors
from api.named_sets import routes as named_sets
from api.probe import routes as probe
from api.text import routes as text
from api.training import routes as training
from api.world import routes as world
from playground.errors import Fault, RequestError
from playground.plots import make_template

api = FastAPI(title="the-experiment", docs_url=None, redoc_url=None, summary="What the app's pages ask.")
api.add_middleware(LongQuestions)


@api.exception_handler(RequestError)
def _say_faults(request: Request, error: RequestError) -> JSONResponse:
    return JSONResponse(faults_document(error.faults), 422)


@api.exception_handler(RequestValidationError)
def _say_invalid(request: Request, error: RequestValidationError) -> JSONResponse:
    faults = [
        Fault(
            where=".".join(map(str, each["loc"])),
            message="invalid parameter",
            expected=str(each["msg"]),
            got=repr(each.get("input")),
            hint="openapi.json lists the parameters.",
        )
        for each in error.errors()
    ]
    return JSONResponse(faults_document(faults), 422)


@api.exception_handler(Exception)
def _say_failure(request: Request, error: Exception) -> JSONResponse:
    logger.opt(exception=error).error("{} failed: {}", request.url.path, error)
    return JSONResponse(faults_document([no_answer(error)]), 500)


@api.get("/alive")
def get_alive() -> dict[str, bool]:
    """Say that the server is there, and has imported the library: before, the app answers this itself."""
    return {"alive": True, "ready": True}


@api.get("/templates")
def get_templates() -> dict[str, Any]:
    """Return how figures of plotly look: on light pages, then on dark ones."""
    return {"templates": [make_template(dark=dark).to_plotly_json() for dark in (False, True)]}


for each in (probe, mechanism, compare, text, named_sets, world, predictors, training, tasks):
    api.include_router(each.router)
