"""Analysis: questions about a model that are answered on all states."""

from playground.analysis.ablation.atlas import Atlas, check_atlas, flip_atlas
from playground.analysis.ablation.effects import (
    Effect,
    ablations,
    margin_change,
    measure_effect,
    measure_elements,
    rank,
)
from playground.analysis.ablation.weights import By, Summary, axes_of, matrices_of, summarise
from playground.analysis.base.answers import chained_answers
from playground.analysis.base.block_documents import block_document
from playground.analysis.base.method import NOT_MEASURED, Method, Step, at_once
from playground.analysis.base.presentation import (
    Bar,
    Bars,
    Block,
    Cell,
    Column,
    Curve,
    Graph,
    Heatmap,
    Line,
    Option,
    Row,
    Selection,
    Sentence,
    Table,
    cell_text,
)
from playground.analysis.base.share import Share
from playground.analysis.base.store import Store, to_document
from playground.analysis.base.view import View, default_answer
from playground.analysis.circuits.circuits import Circuits, measure_circuits
from playground.analysis.circuits.shapley import Shapley, Shares, measure_shapley
from playground.analysis.circuits.smallest import JUDGED, Smallest, find_smallest
from playground.analysis.documents import mechanism_document
from playground.analysis.duration import estimate_seconds, in_words
from playground.analysis.edges.edges import Edges, measure_edges
from playground.analysis.edges.path_blocks import path_blocks
from playground.analysis.edges.paths import Path, measure_path
from playground.analysis.edges.trials import Trial
from playground.analysis.emergence import Emergence, measure_emergence
from playground.analysis.interchange.alignment import Alignment, Outcomes, align, expect, outcomes
from playground.analysis.interchange.free import FreeRunningInterchange, decode_exchange, measure_free
from playground.analysis.interchange.interchange import Interchange, measure_interchange
from playground.analysis.interchange.subspaces.blocks import subspace_blocks
from playground.analysis.interchange.subspaces.subspace import Subspace, measure_subspace
from playground.analysis.mechanism import (
    Claim,
    Mechanism,
    RouteSummary,
    make_verdict,
    sentence,
    summarize_route,
)
from playground.analysis.neurons.formulas import Formulas, measure_formulas
from playground.analysis.neurons.tables import Explained, explain_tables
from playground.analysis.registry import (
    METHODS,
    VERDICT_METHODS,
    measure_mechanism,
    method_called,
    store_of,
)
from playground.analysis.residual.attention import Attention, Difference, Spread, measure_attention
from playground.analysis.residual.attribution import Attribution, measure_attribution
from playground.analysis.residual.lens import Lens, measure_lens
from playground.analysis.routes.route import Route, Routes, measure_routes
from playground.analysis.routes.route_blocks import routes_graph
from playground.analysis.routes.verdict import MOSTLY, PLAIN, WAYS, RouteCounts, whole_percentages

__all__ = [
    "JUDGED",
    "METHODS",
    "MOSTLY",
    "NOT_MEASURED",
    "PLAIN",
    "VERDICT_METHODS",
    "WAYS",
    "Alignment",
    "Atlas",
    "Attention",
    "Attribution",
    "Bar",
    "Bars",
    "Block",
    "By",
    "Cell",
    "Circuits",
    "Claim",
    "Column",
    "Curve",
    "Difference",
    "Edges",
    "Effect",
    "Emergence",
    "Explained",
    "Formulas",
    "FreeRunningInterchange",
    "Graph",
    "Heatmap",
    "Interchange",
    "Lens",
    "Line",
    "Mechanism",
    "Method",
    "Option",
    "Outcomes",
    "Path",
    "Route",
    "RouteCounts",
    "RouteSummary",
    "Routes",
    "Row",
    "Selection",
    "Sentence",
    "Shapley",
    "Share",
    "Shares",
    "Smallest",
    "Spread",
    "Step",
    "Store",
    "Subspace",
    "Summary",
    "Table",
    "Trial",
    "View",
    "ablations",
    "align",
    "at_once",
    "axes_of",
    "block_document",
    "cell_text",
    "chained_answers",
    "check_atlas",
    "decode_exchange",
    "default_answer",
    "estimate_seconds",
    "expect",
    "explain_tables",
    "find_smallest",
    "flip_atlas",
    "in_words",
    "make_verdict",
    "margin_change",
    "matrices_of",
    "measure_attention",
    "measure_attribution",
    "measure_circuits",
    "measure_edges",
    "measure_effect",
    "measure_elements",
    "measure_emergence",
    "measure_formulas",
    "measure_free",
    "measure_interchange",
    "measure_lens",
    "measure_mechanism",
    "measure_path",
    "measure_routes",
    "measure_shapley",
    "measure_subspace",
    "mechanism_document",
    "method_called",
    "outcomes",
    "path_blocks",
    "rank",
    "routes_graph",
    "sentence",
    "store_of",
    "subspace_blocks",
    "summarise",
    "summarize_route",
    "to_document",
    "whole_percentages",
]
