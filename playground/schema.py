"""JSON documents checked by pydantic schemas; pydantic's errors become faults that name the field.

Nothing is converted: "4" is not a number and 1 is not true.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema, ErrorDetails, core_schema

from playground.errors import Fault, RequestError, shortened
from playground.json_text import path_text

_MOST_FAULTS = 10
_IN_WORDS = {
    "missing": "a value",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "a text",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "finite_number": "a finite number",
}


class Document(BaseModel):
    """The fields read from a JSON object, which may have other keys."""

    model_config = ConfigDict(
        strict=True, frozen=True, extra="ignore", allow_inf_nan=False, protected_namespaces=()
    )


class ClosedDocument(Document):
    """A JSON object that may have no other keys."""

    model_config = ConfigDict(extra="forbid")


Kind = TypeVar("Kind", bound=Document)


@dataclass(frozen=True)
class Expected:
    """Metadata of a field: what is expected there.

    Args:
        words: the text after "expected" in the fault.
    """

    words: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the field's schema, which reports these words for any error."""
        return core_schema.custom_error_schema(
            handler(source), custom_error_type="expected", custom_error_message=self.words
        )


def read_document(
    kind: type[Kind], document: object, where: str, hint: str, within: tuple[str, ...] = ()
) -> Kind:
    """Return a document, checked.

    Args:
        kind: the schema.
        document: as read by `json`.
        where: the file that contains it.
        hint: what to do next if it is wrong.
        within: the keys under which it is found there.

    Raises:
        RequestError: with the fields that are wrong, at most ten.
    """
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        faults = [_fault(each, kind, where, hint, within) for each in error.errors(include_url=False)]
        raise RequestError(*faults[:_MOST_FAULTS]) from error


def in_json(value: object) -> str:
    """Return a value as JSON, shortened in the middle if it is long."""
    return shortened(json.dumps(value, default=str))


def _fault(
    error: ErrorDetails, kind: type[Document], where: str, hint: str, within: tuple[str, ...]
) -> Fault:
    path, got = path_text((*within, *error["loc"])), in_json(error["input"])
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(error["loc"][-1]), kind.model_fields, 1)
        return Fault(
            where=where,
            message=f"unknown setting {path}",
            expected="only known settings",
            got=got,
            hint=f"Did you mean {near[0]}? Otherwise remove it." if near else "Remove it.",
        )
    return Fault(
        where=where,
        message=path or "the document",
        expected=error["msg"] if error["type"] == "expected" else _IN_WORDS.get(error["type"], error["msg"]),
        got="nothing" if error["type"] == "missing" else got,
        hint=hint,
    )
