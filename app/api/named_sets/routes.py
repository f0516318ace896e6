"""The named sets of edits in the working directory: listed, compared, saved, renamed, deleted, taken from a file."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request
from fastapi.responses import StreamingResponse

from api.answers import stream
from api.asked.query import AskedDependency
from api.named_sets import measured, sets
from playground.interventions import NamedCondition, split_interventions
from playground.interventions.named.sets import LARGEST_FILE

router = APIRouter(prefix="/named_sets")

Text = Annotated[str, Body()]
Flag = Annotated[bool, Body()]


async def _content(request: Request) -> bytes:
    """Return the body of a request; of one that is larger than any file may be, enough to say so."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > LARGEST_FILE:
            break
    return bytes(content)


@router.get("")
def get_sets() -> dict[str, Any]:
    """Return all named sets, and the file's content."""
    return sets.list_sets()


@router.get("/measured", response_class=StreamingResponse)
def get_measured(asked: AskedDependency, version: str = "") -> StreamingResponse:
    """Return what the model gets right unedited, under the edits, and under every named set.

    Args:
        asked: the model, and the edits.
        version: of the list of sets; another one makes it another question.
    """
    return stream(measured.table_parts(asked))


@router.post("")
def post_set(name: Text, on: Text, note: Text = "", *, replace: Flag = False) -> dict[str, Any]:
    """Save interventions, joined by ';', under a name; a name that is taken is only replaced if that is allowed."""
    new = NamedCondition(name.strip(), tuple(split_interventions(on)), note.strip())
    return sets.save(new, replace=replace)


@router.post("/rename")
def post_rename(name: Text, to: Text) -> dict[str, Any]:
    """Give a set another name."""
    return sets.rename(name, to.strip())


@router.post("/delete")
def post_delete(name: Annotated[str, Body(embed=True)]) -> dict[str, Any]:
    """Delete a set; the answer holds it, so that it can be put back."""
    return sets.delete(name)


@router.post("/import")
def post_import(
    content: Annotated[bytes, Depends(_content)], where: str, *, replace: bool = False
) -> dict[str, Any]:
    """Add the sets of a file, which is the body; names that are taken are only replaced if that is allowed.

    Args:
        content: of the file.
        where: what it is called in messages.
        replace: whether its sets may replace others of the same names.
    """
    return sets.add_file(content, where, replace=replace)
