"""The pages: the built-in ones, one folder each, and those that other packages declare as entry points."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from playground.plugins import Registry

_FOLDER = Path(__file__).parents[1] / "app_pages"


@dataclass(frozen=True)
class Page:
    """A page of the app.

    Args:
        name: its path in an address.
        title: its name in the navigation.
        icon: its Material symbol, such as `grid_on`.
        script: a script of Streamlit.
        by_client: whether the script only gives the client its place, and uses nothing of the library.
    """

    name: str
    title: str
    icon: str
    script: Path
    by_client: bool = False


def _page(name: str, title: str, icon: str) -> Page:
    return Page(name, title, icon, _FOLDER / name / "page.py", by_client=True)


BUILT_IN = (
    _page("start", "Start", "home"),
    _page("probe", "Probe", "biotech"),
    _page("mechanism", "Mechanism", "schema"),
    _page("compare", "Compare", "compare"),
    _page("text", "Free text", "edit_note"),
    _page("world", "World", "account_tree"),
    _page("train", "Train", "model_training"),
)


def _check(found: object) -> Page:
    """Return the page that an entry point names.

    Raises:
        ValueError: if it is not a page, or cannot be opened.
    """
    if not isinstance(found, Page):
        raise ValueError(f"expected a Page, got {found!r:.80}")  # noqa: TRY004  As Registry wants it.
    if not re.fullmatch("[a-z][a-z0-9_]*", found.name):
        raise ValueError(f"expected a name of lower-case letters, digits and _, got {found.name!r}")
    if not found.script.is_file():
        raise ValueError(f"there is no script {found.script}")
    return found


PAGES: Registry[Page] = Registry(
    "the_experiment.pages", BUILT_IN, noun="page", name_of=lambda page: page.name, check=_check
)
"""All pages by name, in the order of the navigation."""

FIRST = "probe"
"""The page at the address of the app itself."""
