"""How each method measures, and what misleads in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """What is said of a method beside its title and its question.

    Args:
        how: how it was measured.
        misleads: what must not be read from it.
    """

    how: str
    misleads: str


WORDS: Mapping[str, Words] = {
    "routes": Words(
        "A text with every combination of inputs and outputs is put before the model, and the next token that it writes for "
        "each answer is held against what every way to compute it says.",
        "Most of these texts contradict themselves, and training had none of those: they tell how the model computes, not how "
        "often that matters. Influence says that a variable counts, not whether it does so by the route that the rules mean.",
    ),
    "tokens": Words(
        "In every pair of states the embedding of one token is replaced by that of the other state, everything behind it is "
        "computed anew, and the answer is held against a causal model in which that variable alone is the other. Only pairs "
        "count in which that is another answer.",
        "One token alone is exchanged: a model that goes by two of them together follows neither. That an answer does not follow a "
        "token does not say that it would not follow the same value elsewhere.",
    ),
    "attention": Words(
        "The weights with which each head looks at every token from the position that writes the answer, on the text that the model "
        "itself writes, as the mean over states.",
        "Where a head looks is not what it does: what it carries from there may be small, or be ignored later. "
        "The held-out states are few, so that single states weigh much in their mean.",
    ),
    "lens": Words(
        "The residual stream behind each part is put in the place of the last one, and the model itself reads it: what it "
        "would write if nothing more were added.",
        "Early layers need not be in the form that the end reads: that an answer is not on top there does not say that it is not "
        "known there.",
    ),
    "attribution": Words(
        "The difference of the two tokens' logits is taken apart into what each component adds to it; with the scale of the last "
        "normalisation held, these add up exactly.",
        "Only the direct way to the logits counts: a part on which later parts build may add nothing itself, and one that "
        "adds much may merely answer to another.",
    ),
    "patching": Words(
        "In every pair of states that differ in one input the value of one part at one token is taken from the other state. "
        "Recovered is the share of the way from the one answer's score to the other's: 0 nothing, 1 all of it.",
        "A part that is passed through recovers as much as one that computes. Where two parts can each do it alone, "
        "neither may show; a negative number drives the answer away from the other state's.",
    ),
    "interchange": Words(
        "In every pair of states the value of one part at one token is taken from the other state, and the answer is held "
        "against what a causal model says if one of its variables alone has its value of that state. Only pairs count in which "
        "that is another answer than the base's own.",
        "The best of many parts is a little too good by chance where few pairs count. A variable that is spread over several parts "
        "is found in none of them alone; and one that is found somewhere need not be used from there.",
    ),
    "emergence": Words(
        "Route, exchange of tokens and accuracy are measured at every snapshot of the training that was kept.",
        "Between snapshots nothing is known. One run shows how it came about with one seed, not how it does in general.",
    ),
    "free": Words(
        "For the best part and token of every variable the exchange is made once more, and the model goes on with what it writes "
        "itself; what should follow is what the world says with the variable set by hand.",
        "An answer may be right here because it reads another one that followed. The part was chosen as the best on the same pairs.",
    ),
    "formulas": Words(
        "For each part the simplest formula over the inputs is sought that explains its values in all states, at every answer.",
        "With many formulas to choose from some fit by chance, see the share that chance explains. A part that computes a formula "
        "need not be used for it.",
    ),
    "circuits": Words(
        "With every subset of the heads kept and all others at their mean over the states, it is counted in which states the "
        "answers stay right, with the true text before each token. The smallest sets are decoded as well.",
        "Means of all states lie off the distribution, and the MLPs stay as they are: what a circuit keeps says what these heads "
        "suffice for, not that the model uses them so. Decoded, a model reads what it wrote itself, and a set may do better or "
        "worse.",
    ),
    "edges": Words(
        "What each edge of the residual stream would do is estimated by gradients on the way from one state to another; then "
        "circuits of the strongest edges are tried with all other edges really ablated.",
        "An estimate by gradients is no proof: trust the trials. Both go by the mean over pairs, and another way may be taken in "
        "single states.",
    ),
}
"""By the name of the method."""
