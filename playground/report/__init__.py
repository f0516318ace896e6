"""The report: what was found out about a model, as one page that needs no network."""

from playground.report.chapters import Chapter, chapter_of
from playground.report.document import Section, make_report
from playground.report.exhibits import Drawing, Exhibit, Picture, Table
from playground.report.routes import influences, route_summary_bars, routes_diagram

__all__ = [
    "Chapter",
    "Drawing",
    "Exhibit",
    "Picture",
    "Section",
    "Table",
    "chapter_of",
    "influences",
    "make_report",
    "route_summary_bars",
    "routes_diagram",
]
