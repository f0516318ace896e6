# %% [markdown]
# # Surgery
#
# A small GPT-2 has learnt to write the next state of a world of five boolean variables. What does it use on the
# way? Every question is answered on all states of the world, and nothing that is done here changes the model.
# Run it cell by cell, or whole: `python docs/examples/surgery.py`, in any folder.

# %% A model, and what it can do
from playground.inference import (
    Board,
    as_command,
    board,
    compare_conditions,
    complete,
    load_model,
    measure_activation,
)
from playground.interventions import NamedCondition
from playground.worlds import state_text

model = load_model("shipped", "gpt2")
world, template = model.world, model.template
clean = board(model)
print(world.text)
print(f"unedited: {clean.correct.sum()} of {len(world.states)} states are written right")
for held_out in (False, True):
    wrong = [
        state_text(world.states[i]) for i in (~clean.correct & (clean.held_out == held_out)).nonzero()[0]
    ]
    print(f"wrong among the {'held-out' if held_out else 'seen'} states: {' '.join(wrong) or 'none'}")

# %% Flip a weight: the largest of each of some matrices, and of these the one that matters most
matrices = [
    site
    for site in model.network.weights
    if site.head is None and site.part in ("W_E", "mlp.W_in", "mlp.W_out")
]
flips = {}
for matrix in matrices:
    weight = model.network.weights[matrix]
    row, column = divmod(int(weight.abs().argmax()), weight.shape[1])
    flips[f"flip:{matrix.at(row, column)}"] = board(model, f"flip:{matrix.at(row, column)}")


def moved(edited: Board) -> float:
    """Return the mean absolute change of the margins, in logits."""
    return float(abs(edited.margin - clean.margin).mean())


flip = min(flips, key=lambda text: (flips[text].correct.sum(), -moved(flips[text])))
breaking = [text for text, edited in flips.items() if (edited.written != clean.written).any()]
print(f"of {len(flips)} single flips {len(breaking)} change an answer; most does {flip}:")
print(f"  {flips[flip].correct.sum()} states right, margins move by {moved(flips[flip]):.2f}")

# %% Silence a head in the middle of inference: from the writing of an output on, it adds nothing
output = "newB"
silenced = {
    f"zero:{head}@>{output}..": board(model, f"zero:{head}@>{output}..") for head in model.network.elements
}
silence = min(silenced, key=lambda text: (silenced[text].correct.sum(), -moved(silenced[text])))
breaking = [text for text, edited in silenced.items() if (edited.written != clean.written).any()]
print(f"of {len(silenced)} heads {len(breaking)} change an answer; most does {silence}:")
for name, share in silenced[silence].accuracy_by_answer.items():
    print(f"  {name}: {share.all:.0%} right, unedited {clean.accuracy_by_answer[name].all:.0%}")

# %% Patch the residual stream where newB is written, from a state in which it is the other value
state, other = (next(s for s in world.states if world.evaluate(s)[output] == value) for value in (1, 0))
for part in ("embed", *(f"L{layer}.resid" for layer in range(len(model.network.pattern_hooks)))):
    patch = f"patch:{part}@>{output}<{state_text(other)}"
    written = model.run(state, patch).tokens[0, template.positions[output]]
    print(f"{patch}: in {state_text(state)} it writes {output} = {template.visible(int(written))}")

# %% Force newB to the other value. Does newD follow what was written, or the input that newB comes from?
follower = "newD"
forced = board(model, f"force:{output}=!")
column = world.answers.index(follower)
telling = forced.truth[:, column] != forced.truth_do[:, column]
follows = forced.written[telling, column] == forced.truth_do[telling, column]
print(
    f"in {telling.sum()} states the written {output} decides {follower}; it follows in {follows.sum()} of them"
)
print(
    f"right by the rules with {output} set by hand: {forced.accuracy_do.all:.0%}, by the rules {forced.accuracy.all:.0%}"
)

# %% Free text: a wrong beginning, and how it goes on
prompt = template.prompt(state)
right = template.completion(state)
first = right.index("\n") + 1
begun = prompt + right[:first] + ("0" if right[first] == "1" else "1")
continued = complete(model, begun)
rest = template.decode(continued.tokens[continued.given :])
print(f"{begun!r} goes on with {rest!r}; the world says {right!r} in all")
print(f"the least sure token has a probability of {continued.probability[continued.given :].min():.3f}")

# %% What was computed, with named axes
activation = measure_activation(model, "L2.resid", silence, state)
print(f"{activation.site}: {dict(zip(activation.axes, activation.values.shape, strict=True))}")

# %% All of it side by side, and as a command
conditions = [
    NamedCondition("a weight flipped", (flip,)),
    NamedCondition("a head silenced", (silence,)),
    NamedCondition("a stream patched", (patch,)),
    NamedCondition(f"{output} forced", (f"force:{output}=!",)),
]
for each in compare_conditions(model, conditions):
    label = each.condition.name if each.condition else "unedited"
    if each.board is not None:
        print(
            f"{label:>18}: {each.board.accuracy.all:.0%} right; {as_command('shipped', 'gpt2', each.board.interventions)}"
        )
