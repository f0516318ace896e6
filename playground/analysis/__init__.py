"""Analysis: questions about a model that are answered on all states."""

from playground.analysis.answers import chained_answers
from playground.analysis.atlas import Atlas, check_atlas, flip_atlas
from playground.analysis.attention import Attention, Difference, Spread, measure_attention
from playground.analysis.attribution import Attribution, measure_attribution
from playground.analysis.effects import Effect, margin_change, measure_effect, measure_elements, rank
from playground.analysis.lens import Lens, measure_lens
from playground.analysis.weights import By, Summary, axes_of, matrices_of, summarise

__all__ = [
    "Atlas",
    "Attention",
    "Attribution",
    "By",
    "Difference",
    "Effect",
    "Lens",
    "Spread",
    "Summary",
    "axes_of",
    "chained_answers",
    "check_atlas",
    "flip_atlas",
    "margin_change",
    "matrices_of",
    "measure_attention",
    "measure_attribution",
    "measure_effect",
    "measure_elements",
    "measure_lens",
    "rank",
    "summarise",
]
