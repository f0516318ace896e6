"""RNN, CNN and MANN against PyTorch's own modules and the papers' equations."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file
from torch.nn.functional import pad, relu
from transformers import AutoTokenizer

from playground.datasets import DatasetSpec, Template
from playground.errors import RequestError
from playground.inference import open_model
from playground.models import ARCHITECTURES, Size, save_model
from playground.models.cnn import receptive_field
from playground.worlds import parse_world
from tests.conftest import BASELINES, SMALL, random_checkpoint
from tests.models.references import as_arrays, write

TOLERANCE = 1e-5


def make(architecture: str, template: Template, *, seed: int = 0):
    return ARCHITECTURES[architecture].make(template, SMALL[architecture], seed)


def texts(template: Template, rows: int = 12) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(len(template.vocabulary), (rows, template.length), generator=generator)


def test_rnn_is_torch_lstm(spec):
    model, tokens = make("rnn", spec.template).double(), texts(spec.template)
    reference = torch.nn.LSTM(24, 24, num_layers=2, batch_first=True).double()
    own = model.state_dict()
    reference.load_state_dict(
        {name: own[f"layers.{name[-1]}.{name[:-3]}"] for name in reference.state_dict()}
    )
    hidden, _ = reference(own["embed.weight"][tokens])
    expected = hidden @ own["unembed.weight"].T + own["unembed.bias"]
    assert (model(tokens) - expected).abs().max() < 1e-12


def test_cnn_is_torch_conv1d_with_left_padding(spec):
    model, tokens = make("cnn", spec.template).double(), texts(spec.template)
    own = model.state_dict()
    x = own["embed.weight"][tokens].mT
    for layer in range(4):
        reference = torch.nn.Conv1d(24, 24, 3, dilation=2**layer).double()
        reference.load_state_dict({name: own[f"layers.{layer}.conv.{name}"] for name in ("weight", "bias")})
        x = x + relu(reference(pad(x, (2 * 2**layer, 0))))
    expected = x.mT @ own["unembed.weight"].T + own["unembed.bias"]
    assert (model(tokens) - expected).abs().max() < 1e-12


@pytest.mark.parametrize("architecture", BASELINES)
def test_logits_are_those_of_the_equations_written_out(spec, architecture):
    model, tokens = make(architecture, spec.template).double(), texts(spec.template, rows=4)
    logits = model(tokens)
    for row, text in enumerate(tokens.tolist()):
        _, expected = write(architecture, as_arrays(dict(model.named_parameters())), text, len(text))
        assert abs(logits[row].detach().numpy() - expected).max() < 1e-10


def test_what_the_hook_points_of_the_lstm_carry(spec):
    """At every token c' = f * c + i * g and h' = o * tanh(c'), and the layer above reads h'."""
    model, tokens = make("rnn", spec.template), texts(spec.template)
    _, cache = model.run_with_cache(tokens)
    for layer in range(2):
        c = torch.zeros(len(tokens), 24)
        for token in range(spec.template.length):
            i, f, g, o, after, h = (cache[f"layers.{layer}.hook_{part}.{token}"] for part in "ifgoch")
            assert torch.allclose(after, f * c + i * g, atol=1e-6)
            assert torch.allclose(h, o * after.tanh(), atol=1e-6)
            c = after
    expected = torch.stack([cache[f"layers.1.hook_h.{t}"] for t in range(spec.template.length)], 1)
    assert torch.allclose(model.unembed(expected), model(tokens), atol=1e-6)


def test_what_the_hook_points_of_the_memory_carry(spec):
    model, tokens = make("mann", spec.template), texts(spec.template)
    _, cache = model.run_with_cache(tokens)
    before = torch.full_like(cache["hook_memory.0"], 1e-6)
    for token in range(spec.template.length):
        w, e, a = (cache[f"{name}.{token}"] for name in ("write_head.hook_weights", "hook_erase", "hook_add"))
        assert torch.allclose(cache[f"hook_memory_before.{token}"], before, atol=1e-6)
        before = before * (1 - w[:, :, None] * e[:, None]) + w[:, :, None] * a[:, None]
        assert torch.allclose(cache[f"hook_memory.{token}"], before, atol=1e-6)
        r = cache[f"read_head.hook_weights.{token}"]
        assert torch.allclose(r.sum(-1), torch.ones(len(r)))
        read = torch.einsum("rs,rsc->rc", r, before)
        assert torch.allclose(cache[f"hook_read.{token}"], read, atol=1e-6)
    for head in ("read_head", "write_head"):
        for name in ("key", "strength", "gate", "shift", "sharpening"):
            assert f"{head}.hook_{name}.0" in cache


@pytest.mark.parametrize("architecture", BASELINES)
def test_no_token_sees_a_later_one(spec, architecture):
    model, tokens = make(architecture, spec.template), texts(spec.template)
    logits = model(tokens)
    for position in range(1, spec.template.length):
        changed = tokens.clone()
        changed[:, position] = (changed[:, position] + 1) % len(spec.template.vocabulary)
        after = model(changed)
        assert torch.equal(after[:, :position], logits[:, :position])
        assert (after[:, position] - logits[:, position]).abs().max() > TOLERANCE


@pytest.mark.parametrize("architecture", BASELINES)
def test_the_last_token_sees_the_first(spec, architecture):
    """A baseline that is blind to its inputs proves nothing: the first token moves the last logits."""
    model, tokens = make(architecture, spec.template).double(), texts(spec.template)
    changed = tokens.clone()
    changed[:, 0] = (changed[:, 0] + 1) % len(spec.template.vocabulary)
    assert (model(changed)[:, -1] - model(tokens)[:, -1]).abs().max() > 0


@pytest.mark.parametrize("position", [0, 9, -2])
def test_the_receptive_field_is_where_gradients_come_from(spec, position):
    model, template = make("cnn", spec.template).double(), spec.template
    network = ARCHITECTURES["cnn"].network(model, template)
    position %= template.length
    kept = {}
    for drawn in network.maps:

        def keep(value, hook, name=drawn.hook):
            value.retain_grad()
            kept[name] = value

        model.add_hook(drawn.hook, keep)
    model(texts(template))[:, position].sum().backward()
    model.reset_hooks()
    for drawn in network.maps:
        gradient = kept[drawn.hook].grad.abs().sum((0, 2))
        assert tuple(gradient.nonzero()[:, 0].tolist()) == network.receptive_field(drawn, position)


@pytest.mark.parametrize("architecture", BASELINES)
def test_gradients_reach_every_parameter(spec, architecture):
    model, tokens = make(architecture, spec.template), texts(spec.template)
    model(tokens)[:, :-1].logsumexp(-1).sum().backward()
    blind = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert blind == []
    assert all(p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("architecture", BASELINES)
def test_save_and_load_are_exact(spec, architecture, tmp_path):
    kind, model = ARCHITECTURES[architecture], make(architecture, spec.template, seed=4)
    folder = tmp_path / architecture
    folder.mkdir()
    save_model(model, kind, spec.template, SMALL[architecture], folder)
    saved = load_file(folder / "model.safetensors")
    assert saved.keys() == model.state_dict().keys()
    (folder / "run.json").write_text(json.dumps({"architecture": architecture, "dataset": spec.to_json()}))
    loaded = open_model(folder, "cpu")
    for name, weight in loaded.network.parameters().items():
        assert torch.equal(weight, model.state_dict()[name])
    tokens = texts(spec.template)
    assert torch.equal(loaded.network.forward(tokens).logits, model(tokens))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    state = spec.world.states[3]
    assert (
        tokenizer(spec.template.prompt(state))["input_ids"]
        == spec.template.truth[3, : spec.template.prompt_length].tolist()
    )


@pytest.mark.parametrize("architecture", BASELINES)
def test_the_same_seed_makes_the_same_model(spec, architecture):
    one, same, other = (make(architecture, spec.template, seed=seed) for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), same.parameters(), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_the_default_cnn_sees_the_whole_text_of_every_world(world):
    template = Template(world)
    size = ARCHITECTURES["cnn"].default_size(template)
    assert receptive_field(size.layers) >= template.length > receptive_field(size.layers - 1)


def test_an_rnn_of_seven_times_the_size_of_gpt2_can_be_built(default_world):
    template = Template(default_world)

    def count(model) -> int:
        return sum(parameter.numel() for parameter in model.parameters())

    gpt2 = ARCHITECTURES["gpt2"]
    small = count(gpt2.make(template, gpt2.default_size(template), 0))
    large = count(ARCHITECTURES["rnn"].make(template, Size(width=592, layers=2), 0))
    assert 6.9 < large / small < 7.5


@pytest.mark.parametrize(
    ("architecture", "size", "said"),
    [
        ("rnn", Size(width=0, layers=2), "invalid width: expected a whole number from 1 to 4,096, got 0"),
        ("rnn", Size(width=-3, layers=0), "invalid layers"),
        ("mann", Size(width=10**9, layers=1), "1 to 4,096"),
        (
            "cnn",
            Size(width=16, layers=2),
            "at least 4 layers, which see 31 tokens, and at most 12, got 2, which see 7 of 22",
        ),
        ("cnn", Size(width=16, layers=24), "at most 12, got 24"),
        ("rnn", Size(width=4096, layers=64), "at most 50,000,000 parameters, got 8,592,105,481"),
        ("gpt2", Size(width=4096, layers=64, heads=4), "at most 50,000,000 parameters"),
        ("gpt2", Size(width=16, layers=2), "the number of heads is missing: expected a number, got none"),
        ("rnn", Size(width=16, layers=2, heads=4), "none: RNN has no attention heads"),
        ("gpt2", Size(width=130, layers=2, heads=4), "--width 128 or 132"),
        ("gpt2", Size(width=3, layers=2, heads=4), "--width 4,"),
    ],
)
def test_sizes_that_cannot_be_built(default_world, architecture, size, said):
    with pytest.raises(RequestError) as caught:
        ARCHITECTURES[architecture].check(size, Template(default_world))
    assert said in str(caught.value)


@pytest.fixture(params=BASELINES)
def folder(request, spec, tmp_path):
    return random_checkpoint(spec, tmp_path / request.param, architecture=request.param)


def edit_json(path, **values) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_a_checkpoint_given_as_another_architecture(folder):
    other = "rnn" if folder.name != "rnn" else "cnn"
    wrong = folder.with_name(other)
    shutil.copytree(folder, wrong)
    with pytest.raises(RequestError, match=f"model_type '{other}', got '{folder.name}'"):
        open_model(wrong)
    edit_json(wrong / "config.json", model_type=other)
    with pytest.raises(RequestError, match=f"architecture '{other}', got '{folder.name}'"):
        open_model(wrong)
    edit_json(wrong / "run.json", architecture=other)
    with pytest.raises(
        RequestError, match=r"tensors that config|unknown setting|has it, got|receptive field"
    ):
        open_model(wrong)


def test_gpt2_given_as_a_baseline(random_folder, tmp_path):
    shutil.copytree(random_folder, tmp_path / "mann")
    with pytest.raises(RequestError, match="model_type 'mann', got 'gpt2'"):
        open_model(tmp_path / "mann")


@pytest.mark.parametrize("wrong", [{"width": 0}, {"width": "x"}, {"layers": None}, {"width": 10**9}])
def test_configurations_that_cannot_be_built(folder, wrong):
    edit_json(folder / "config.json", **wrong)
    with pytest.raises(
        RequestError, match=rf"config\.json: {next(iter(wrong))}: expected a whole number from 1 to"
    ):
        open_model(folder)


@pytest.mark.parametrize("name", ["layers", "width", "vocab_size", "n_positions", "model_type"])
def test_configurations_that_lack_something(folder, name):
    document = json.loads((folder / "config.json").read_text())
    del document[name]
    (folder / "config.json").write_text(json.dumps(document))
    with pytest.raises(
        RequestError, match=f"{name}: expected a value, got nothing|model_type '{folder.name}'"
    ):
        open_model(folder)


@pytest.mark.parametrize("name", ["slots", "hidden_size", "num_layers", "dropout", ""])
def test_configurations_with_more_than_is_known(folder, name):
    if folder.name == "mann" and name == "slots":
        name = "slot"
    edit_json(folder / "config.json", **{name: 16})
    with pytest.raises(RequestError, match=f"unknown setting {name}: expected only known settings"):
        open_model(folder)


def test_weights_of_another_width(folder):
    edit_json(folder / "config.json", width=32)
    with pytest.raises(RequestError, match=r"width: expected 24, as model\.safetensors has it, got 32"):
        open_model(folder)


def test_another_world(folder):
    other = DatasetSpec(world=parse_world("a = A AND B\nb = C OR D\nc = a XOR b\nn(A+B+C+D+a+b)"))
    edit_json(folder / "run.json", dataset=other.to_json())
    with pytest.raises(RequestError, match="another world"):
        open_model(folder)
