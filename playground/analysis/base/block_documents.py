"""Blocks as JSON, each with its type; fields computed on demand are left out."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from playground.analysis.base.presentation import Block, Heatmap, Row, Selection, Table
from playground.analysis.base.store import to_document

_COMPUTED = {"selects", "cases"}


def block_document(block: Block) -> dict[str, Any]:
    """Return a block as a JSON document: its type, then its fields; NaN as null."""
    document: dict[str, Any] = {"type": type(block).__name__.lower()}
    for field in fields(block):
        value = getattr(block, field.name)
        if isinstance(block, Heatmap) and field.name in _COMPUTED:
            continue
        if isinstance(block, Table) and field.name == "rows":
            document["rows"] = [_row(row) for row in block.rows]
        else:
            document[field.name] = to_document(value)
    return document


def _row(row: Row) -> dict[str, Any]:
    return {
        "cells": to_document(row.cells),
        "as_expected": row.as_expected,
        "selects": None if row.selects is None else _selection(row.selects),
    }


def _selection(selection: Selection) -> dict[str, Any]:
    chosen = {name: getattr(selection, name) for name in ("part", "token", "answer", "step")}
    return {name: value for name, value in chosen.items() if value is not None} | dict(selection.options)
