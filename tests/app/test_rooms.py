"""What import-linter cannot see of the app's folders."""

from __future__ import annotations

import ast

import pytest

from tests.app.browser import APP

SESSION = {"session_state", "query_params"}
ADDRESS = {"ui/client.py", "routes.py"}
"""They read the address: of a page that is a script of Streamlit, and of a request."""
FILES = {path.relative_to(APP).as_posix(): path for path in sorted(APP.rglob("*.py"))}


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


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_kept_in_the_session(name: str):
    """What a person explores lives in the browser."""
    allowed = {"query_params"} if name in ADDRESS else set()
    assert SESSION & names_in(ast.parse(FILES[name].read_text(encoding="utf-8"))) <= allowed


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
