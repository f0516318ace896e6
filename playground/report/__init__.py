"""The report: all findings about a model, as one self-contained page."""

from playground.report.document import Section, make_report
from playground.report.exhibits import exhibit_of, figure_of, graph_pictures
from playground.report.verdict import route_summary_bars, routes_diagram

__all__ = [
    "Section",
    "exhibit_of",
    "figure_of",
    "graph_pictures",
    "make_report",
    "route_summary_bars",
    "routes_diagram",
]
