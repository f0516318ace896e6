"""Plotly's figures on the pages."""

from __future__ import annotations

from typing import Any

FIGURE_FORMATS = ("png", "svg")


def figure_files(name: str, form: str) -> dict[str, Any]:
    """Return plotly's options for downloading a figure: the file's name and format, PNG or SVG."""
    camera = {"format": form, "filename": name, "scale": 2}
    return {"displaylogo": False, "displayModeBar": True, "toImageButtonOptions": camera}
