"""A world of several blocks: its board in parts, in any order, is the board token by token."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from playground.datasets import DatasetSpec
from playground.inference import Model, open_model
from playground.inference.baseline_cache import BLOCK, blocks_of
from playground.interventions import parse_site
from playground.models import Edit
from playground.worlds import parse_world
from tests.conftest import random_checkpoint

RULES = """inputs: P, Q, R, S, T, U, V, W
one = P XOR W
two = one NAND Q
three = two IFF V
sum(P+Q+R+S+T+U+V+W) - sum2(one+two+three)
""".replace("IFF", "XNOR")
TEXTS = ["", "zero:{part}", "mean:{part}", "patch:embed@two<1,0,1,0,1,1,0,0", "force:two=!"]
PARTS = {"gpt2": "L1H2", "rnn": "L0.h", "cnn": "L2", "mann": "memory"}


@pytest.fixture(scope="module", params=PARTS)
def model(request, tmp_path_factory) -> Model:
    """Return each architecture with random weights, of a world of two blocks."""
    world = parse_world(RULES)
    spec = DatasetSpec(world=world, held_out=(world.states[3], world.states[-1]))
    folder = tmp_path_factory.mktemp("large") / request.param
    return open_model(random_checkpoint(spec, folder, architecture=request.param), "cpu")


def test_blocks_are_all_states_once():
    for states in (4, BLOCK, 2 * BLOCK, 1024):
        rows = [row for block in blocks_of(states) for row in range(states)[block]]
        assert rows == list(range(states))
    assert len(blocks_of(BLOCK)) == 1
    assert len(blocks_of(1024)) == 1024 // BLOCK


@pytest.mark.slow
def test_every_text_is_the_one_that_is_written_token_by_token(model):
    """A mean is taken of what one pass over all states at once records."""
    template, network = model.template, model.network
    assert len(blocks_of(len(model.world.states))) > 1
    clean = _token_by_token(model, ())
    assert np.array_equal(model.baseline.tokens, clean.numpy())
    place = network.hook_locations(parse_site(PARTS[network.architecture]))[0]
    mean = network.forward(clean, record=[place.hook]).recorded[place.hook].mean(0)
    everywhere = tuple(range(template.length))
    units = (slice(None), slice(None), *place.index)

    def change(value, at):
        changed = value.clone()
        changed[units] = mean[list(at)][units[1:]]
        return changed

    edited = _token_by_token(model, (Edit(place.hook, everywhere, change),))
    board = model.board(f"mean:{PARTS[network.architecture]}")
    assert np.array_equal(board.tokens, edited.numpy())
    assert not torch.equal(edited, clean)


def _token_by_token(model: Model, edits) -> torch.Tensor:
    template = model.template
    tokens = torch.from_numpy(template.truth[:, : template.prompt_length])
    while tokens.shape[1] < template.length:
        scores = model.network.forward(tokens, edits).logits[:, -1:]
        tokens = torch.cat([tokens, scores.argmax(-1)], dim=1)
    return tokens


@pytest.mark.slow
@pytest.mark.parametrize("text", TEXTS)
def test_in_whatever_order_the_blocks_are_found_the_board_is_the_same(model, text):
    text = text.format(part=PARTS[model.network.architecture])
    whole = model.board(text)
    growing = model.partial_board(text)
    assert not growing.known.any()
    last = len(model.world.states) - 1
    seen = []
    for block in growing.compute_blocks([last]):
        seen.append(block)
        so_far, known = growing.snapshot, growing.known
        assert known[block].all()
        assert np.array_equal(so_far.tokens[known], whole.tokens[known])
        assert np.array_equal(so_far.margin[known], whole.margin[known])
        assert np.array_equal(so_far.token_probability[known], whole.token_probability[known])
        assert (so_far.tokens[~known] == -1).all()
        assert np.isnan(so_far.margin[~known]).all()
        right = (whole.correct & known)[~whole.held_out].sum()
        assert growing.tally["seen"] == (right, (known & ~whole.held_out).sum())
    assert seen == list(reversed(growing.blocks))
    assert growing.complete
    assert growing.tally == whole.tally
    assert growing.board.to_json() == whole.to_json()


def test_one_state_alone_is_its_row_of_the_board(model):
    text = f"mean:{PARTS[model.network.architecture]}"
    board, row = model.board(text), len(model.world.states) - 2
    for guess in (None, board.tokens[row], model.template.truth[0] * 0):
        run = model.run(model.world.states[row], text, guess=guess)
        assert np.array_equal(run.tokens[0].numpy(), board.tokens[row])
        assert set(run.recorded) == set(model.network.shown_hooks)


def test_what_passes_in_one_state_and_on_average_is_that_of_all_states(model):
    hook = model.network.hook_locations(parse_site(PARTS[model.network.architecture]))[0].hook
    values = model.network.forward(model.baseline_run.tokens, record=[hook]).recorded[hook]
    assert (model.values(hook) - values).abs().max() < 1e-4
    for block in reversed(blocks_of(len(model.world.states))):
        model.texts.average(block)
    assert model.texts.averaged
    assert (model.values(hook, "mean") - values.mean(0)).abs().max() < 1e-4
    assert (model.values(hook, model.world.states[200]) - values[200]).abs().max() < 1e-4


def test_several_of_the_same_model_find_the_same_board_side_by_side(model):
    other = open_model(model.checkpoint.folder, "cpu").network
    for text in (
        f"mean:{PARTS[model.network.architecture]}",
        f"noise:{next(iter(model.network.weights))}~0.5#2",
    ):
        growing = model.partial_board(text, [other])
        first = next(growing.compute_blocks())
        assert growing.known[first].all()  # Nobody waits for the rest; whoever asks next gets it.
        assert growing.board.to_json() == model.board(text).to_json()


def test_two_threads_find_one_board_together(model):
    text = f"zero:{PARTS[model.network.architecture]}"
    growing, found = model.partial_board(text), []

    def work(first: int) -> None:
        found.extend(growing.compute_blocks([first]))

    threads = [threading.Thread(target=work, args=(first,)) for first in (0, len(model.world.states) - 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {block.start for block in found} == {block.start for block in growing.blocks}
    assert growing.board.to_json() == model.board(text).to_json()
