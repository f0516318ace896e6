"""What import-linter cannot see of the app's folders."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.app.browser import APP

SESSION = {"session_state", "query_params"}
FILES = [path for path in sorted(APP.rglob("*.py")) if not path.is_relative_to(APP / "state")]


def names_in(tree: ast.AST) -> set[str]:
    """Return all names that a module uses: of values, of attributes, of what is imported."""
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name():
                found.add(node.id)
            case ast.Attribute():
                found.add(node.attr)
            case ast.alias():
                found.update(node.name.split("."))
            case ast.Constant(value=str(text)) if text in SESSION:
                found.add(text)
    return found


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(APP)) for path in FILES])
def test_only_state_touches_the_session(path: Path):
    assert not SESSION & names_in(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "code",
    [
        "st.session_state.run = 1",
        "import streamlit as st\nst.query_params.clear()",
        "from streamlit import session_state as memory",
        "getattr(st, 'session_state')",
    ],
)
def test_every_way_to_the_session_is_seen(code):
    assert SESSION & names_in(ast.parse(code))


def test_streamlit_finds_no_pages_of_its_own():
    """Beside a folder of that name Streamlit runs its own navigation instead of the app's script."""
    assert not (APP / "pages").exists()
