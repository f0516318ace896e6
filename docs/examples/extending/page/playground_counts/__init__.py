"""A page that says in how many states each answer is right, seen and held out, under the edits of the sidebar."""

from pathlib import Path

from ui.pages import Page

COUNTS = Page("counts", "Counts", "tag", Path(__file__).with_name("page.py"))
