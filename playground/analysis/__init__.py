"""Analysis: questions about a model, each answered on all states."""

from playground.analysis.ablation.atlas import Atlas, flip_atlas
from playground.analysis.ablation.effects import Effect, ablations, margin_change, measure_effect, rank
from playground.analysis.ablation.weights import By, Summary, axes_of, matrices_of, summarise
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
from playground.analysis.circuits.circuits import measure_circuits
from playground.analysis.documents import mechanism_document
from playground.analysis.duration import estimate_seconds, in_words
from playground.analysis.edges.path_blocks import path_blocks
from playground.analysis.edges.paths import Path, measure_path
from playground.analysis.interchange.interchange import Interchange, measure_interchange
from playground.analysis.interchange.subspaces.blocks import subspace_blocks
from playground.analysis.interchange.subspaces.subspace import Subspace, measure_subspace
from playground.analysis.mechanism import Claim, Mechanism, RouteSummary, make_verdict, sentence
from playground.analysis.registry import METHODS, VERDICT_METHODS, measure_mechanism, method_called, store_of
from playground.analysis.residual.attention import measure_attention
from playground.analysis.residual.attribution import measure_attribution
from playground.analysis.residual.lens import measure_lens
from playground.analysis.routes.route import Routes, measure_routes
from playground.analysis.routes.route_blocks import routes_graph
from playground.analysis.routes.verdict import WAYS

__all__ = [
    "METHODS",
    "NOT_MEASURED",
    "VERDICT_METHODS",
    "WAYS",
    "Atlas",
    "Bar",
    "Bars",
    "Block",
    "By",
    "Cell",
    "Claim",
    "Column",
    "Curve",
    "Effect",
    "Graph",
    "Heatmap",
    "Interchange",
    "Line",
    "Mechanism",
    "Method",
    "Option",
    "Path",
    "RouteSummary",
    "Routes",
    "Row",
    "Selection",
    "Sentence",
    "Share",
    "Step",
    "Store",
    "Subspace",
    "Summary",
    "Table",
    "View",
    "ablations",
    "at_once",
    "axes_of",
    "block_document",
    "cell_text",
    "default_answer",
    "estimate_seconds",
    "flip_atlas",
    "in_words",
    "make_verdict",
    "margin_change",
    "matrices_of",
    "measure_attention",
    "measure_attribution",
    "measure_circuits",
    "measure_effect",
    "measure_interchange",
    "measure_lens",
    "measure_mechanism",
    "measure_path",
    "measure_routes",
    "measure_subspace",
    "mechanism_document",
    "method_called",
    "path_blocks",
    "rank",
    "routes_graph",
    "sentence",
    "store_of",
    "subspace_blocks",
    "summarise",
    "to_document",
]
