"""What page World asks: about a text of rules, and about files of rules."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from api.answers import faults_document
from api.world import rules_address, rules_files, world_data
from playground.errors import RequestError
from playground.files import default_rules
from playground.worlds import network_of_world, parse_world, read_rules
from playground.worlds.files import LARGEST

router = APIRouter(prefix="/world")


@router.get("")
def get_world(rules: str) -> dict[str, Any]:
    """Return the faults of rules or their world, and the files of rules that there are.

    Args:
        rules: the text.
    """
    return world_data.check(rules) | rules_files.files_data(rules)


@router.get("/linked")
def get_linked(rules: str | None = None, rulesz: str | None = None) -> dict[str, str]:
    """Return the rules that an address names; if it names none, those of the default world.

    Args:
        rules: the text.
        rulesz: the text, compressed with zlib, in base64url.
    """
    given = {rules_address.PLAIN: rules, rules_address.COMPRESSED: rulesz}
    text = rules_address.read({name: value for name, value in given.items() if value is not None})
    return {"text": read_rules(default_rules()) if text is None else text}


@router.get("/file")
def get_file(name: str) -> dict[str, str]:
    """Return the rules in a file, and the name under which they will be saved.

    Args:
        name: of the file, as `get_world` lists it.
    """
    return rules_files.open_file(name)


@router.get("/network")
def get_network(rules: str) -> dict[str, str]:
    """Return the world of rules as a Boolean network in the format of BoolNet."""
    return {"text": network_of_world(parse_world(rules))}


async def _content_of(request: Request) -> bytes:
    """Return the body of a request; of a file that is too large, as much as shows that."""
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > LARGEST:
            break
    return content


@router.post("/upload")
def post_upload(name: str, content: Annotated[bytes, Depends(_content_of)]) -> dict[str, str]:
    """Return the rules in a file, which is the body of the request, and the name under which they will be saved.

    Nothing is saved.

    Args:
        name: of the file; its ending says whether it is a Boolean network.
        content: of the file.
    """
    return rules_files.read_upload(content, name)


@router.post("/save", response_model=None)
def post_save(name: str, rules: str, *, replace: bool = False) -> dict[str, Any] | JSONResponse:
    """Save rules in the working directory; return the file and its name, or 409 if the name has other rules.

    Args:
        name: the name to save them under.
        rules: the text.
        replace: whether other rules under that name may be replaced.
    """
    try:
        path = rules_files.save(name, rules, replace=replace)
    except RequestError as error:
        if not replace and rules_files.is_taken(name, rules):
            return JSONResponse(faults_document(error.faults), 409)
        raise
    return {"path": str(path), "name": path.stem}


@router.post("/duplicate")
def post_duplicate(name: str, rules: str) -> dict[str, str]:
    """Save rules under an unused name; return the file and its name.

    Args:
        name: of the rules that are copied; may be empty.
        rules: the text.
    """
    path = rules_files.duplicate(name, rules)
    return {"path": str(path), "name": path.stem}
