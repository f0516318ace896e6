"""Every setting of a GPT-2's `config.json` is followed as transformers does, or changes nothing, or is refused by name."""

from __future__ import annotations

import json
import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest
import torch
from transformer_lens.model_bridge.sources import _bridge_builder
from transformers import GPT2Config, GPT2LMHeadModel

from playground.datasets import DatasetSpec
from playground.errors import RequestError
from playground.files import write_json
from playground.models import ARCHITECTURES, Network, Site, load_checkpoint
from playground.models.gpt2.config import ACTIVATIONS, Gpt2Document, Only
from playground.models.gpt2.trainer import Gpt2Ensemble

DOCS = Path(__file__).parents[2] / "docs" / "models.md"
OF_OLDER_VERSIONS = {"torch_dtype", "n_ctx", "task_specific_params"}
"""Keys that transformers reads, or once wrote, and that are no fields of its class any more."""

SETTINGS = {field.alias or name: field for name, field in Gpt2Document.model_fields.items()}
SMALL = {"n_embd": 12, "n_layer": 2, "n_head": 3}
HONOURED = {
    "model_type": [{"model_type": "gpt2"}],
    "vocab_size": [{}],
    "n_positions": [{}],
    "n_embd": [{"n_embd": 6}, {"n_embd": 48}],
    "n_layer": [{"n_layer": 1}, {"n_layer": 4}],
    "n_head": [{"n_head": 1}, {"n_head": 12}],
    "n_inner": [{"n_inner": 1}, {"n_inner": 7}, {"n_inner": 100}],
    "activation_function": [{"activation_function": each} for each in ACTIVATIONS],
    "layer_norm_epsilon": [{"layer_norm_epsilon": each} for each in (1e-12, 1e-3, 0.3, 1)],
    "tie_word_embeddings": [{"tie_word_embeddings": True}, {"tie_word_embeddings": False}],
}
IGNORED = {
    "attn_pdrop": [0.0, 0.9],
    "embd_pdrop": [0, 0.9],
    "resid_pdrop": [0.0, 0.9],
    "initializer_range": [0.5],
    "bos_token_id": [None, 0, 50256],
    "eos_token_id": [None, 0, [0, 1]],
    "pad_token_id": [0],
    "use_cache": [False],
    "summary_type": ["mean"],
    "summary_use_proj": [False],
    "summary_activation": ["tanh"],
    "summary_proj_to_labels": [False],
    "summary_first_dropout": [0.7],
    "output_hidden_states": [True, None],
    "output_attentions": [True],
    "return_dict": [True, None],
    "chunk_size_feed_forward": [1],
    "id2label": [{"0": "a", "1": "b", "2": "c"}],
    "label2id": [{"a": 0}],
    "problem_type": ["regression"],
    "transformers_version": ["4.0.0"],
    "_name_or_path": ["elsewhere"],
    "n_ctx": [3],
    "task_specific_params": [{"text-generation": {"do_sample": True}}],
}
REFUSED = {
    "scale_attn_weights": [False],
    "scale_attn_by_inverse_layer_idx": [True],
    "reorder_and_upcast_attn": [True],
    "add_cross_attention": [True],
    "is_encoder_decoder": [True],
    "architectures": [["GPT2DoubleHeadsModel"], ["GPT2LMHeadModel", "x"], [], -1],
    "dtype": ["float16", "bfloat16", "float64", "int8", [], 4],
    "torch_dtype": ["float16", "bfloat16"],
}


@pytest.fixture
def foreign(second_spec, tmp_path):
    """Return what makes a checkpoint with settings as transformers writes it, and its reference."""

    def make(**settings) -> tuple[Path, GPT2LMHeadModel]:
        template = second_spec.template
        document = SMALL | {"vocab_size": len(template.vocabulary), "n_positions": template.length} | settings
        with torch.random.fork_rng():
            torch.manual_seed(1)
            model = GPT2LMHeadModel(GPT2Config.from_dict(document)).eval()
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.add_(0.4 * torch.randn(parameter.shape))
        model.save_pretrained(tmp_path / "gpt2")
        write_json(tmp_path / "gpt2" / "run.json", {"architecture": "gpt2", "dataset": second_spec.to_json()})
        return tmp_path / "gpt2", model

    return make


def edit(folder: Path, **settings) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


def load(folder: Path) -> Network:
    return load_checkpoint(folder, torch.device("cpu")).network


def texts_of(spec: DatasetSpec) -> torch.Tensor:
    return torch.from_numpy(spec.template.truth)


def scores_by_every_path(network: Network, tokens: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return a model's scores as each part of the program computes them that does so in a way of its own."""
    scores = {"bridge": network.forward(tokens).logits, "trace": network.trace(tokens).logits}
    cache = network.make_cache()
    scores["cache"] = torch.cat(
        [network.forward(piece, cache=cache).logits for piece in tokens.split(3, dim=1)], 1
    )
    weight = Site(0, part="mlp.W_in")
    (scores["sweep"],) = network.sweep(tokens, weight, network.weights[weight][None])
    return scores


def accepted(name: str) -> tuple:
    """Return the only values that are accepted of a refused setting; none of another."""
    return next((each.values for each in SETTINGS[name].metadata if isinstance(each, Only)), ())


def test_every_field_of_the_installed_class_is_known():
    config = GPT2Config(vocab_size=9, bos_token_id=None, eos_token_id=None)
    written = json.loads(config.to_json_string(use_diff=False)).keys() | config.to_dict().keys()
    own = {each.name for each in fields(GPT2Config)}
    assert SETTINGS.keys() == own | written | OF_OLDER_VERSIONS


def test_what_is_left_out_has_transformers_values():
    usual = {each.name: each.default for each in fields(GPT2Config) if each.default is not MISSING}
    document = Gpt2Document(model_type="gpt2")
    for name in usual.keys() & Gpt2Document.model_fields.keys():
        assert getattr(document, name) == usual[name], name


def test_every_setting_has_its_test():
    assert len(HONOURED) + len(IGNORED) + len(REFUSED) == len(SETTINGS)
    assert HONOURED.keys() | IGNORED.keys() | REFUSED.keys() == SETTINGS.keys()
    assert {name for name in SETTINGS if accepted(name)} == REFUSED.keys()


def test_the_documents_table_is_that_of_the_code():
    rows = re.findall(r"^\| (honoured|no effect|refused) \| (.+?) \|", DOCS.read_text(), re.MULTILINE)
    told = {name: said for said, cell in rows for name in re.findall(r"`(\w+)", cell)}
    treatments = {"honoured": HONOURED, "no effect": IGNORED, "refused": REFUSED}
    assert told == {name: word for word, tried in treatments.items() for name in tried}
    for name in REFUSED:
        values = " or ".join(json.dumps(value) for value in accepted(name))
        assert f"`{name}` ({values})" in DOCS.read_text()


@pytest.mark.parametrize("settings", [each for tried in HONOURED.values() for each in tried], ids=str)
def test_what_is_honoured_is_computed_by_every_path_as_by_transformers(foreign, second_spec, settings):
    folder, reference = foreign(**settings)
    tokens = texts_of(second_spec)
    with torch.no_grad():
        expected = reference(tokens).logits
    network = load(folder)
    for path, scores in scores_by_every_path(network, tokens).items():
        torch.testing.assert_close(
            scores, expected, rtol=1e-4, atol=1e-4, msg=lambda text, path=path: f"{path}: {text}"
        )


@pytest.mark.parametrize("settings", [each for tried in HONOURED.values() for each in tried], ids=str)
def test_the_trainer_computes_it_as_transformers_does_or_refuses_it_by_name(foreign, second_spec, settings):
    _, reference = foreign(**settings)
    tokens = texts_of(second_spec)
    other = {
        name
        for name, usual in (("activation_function", "gelu_new"), ("tie_word_embeddings", True))
        if settings.get(name, usual) != usual
    }
    if other:
        with pytest.raises(RequestError) as error:
            Gpt2Ensemble([reference], 0.0, torch.Generator())
        assert {fault.message for fault in error.value.faults} == other
        return
    ensemble = Gpt2Ensemble([reference], 0.0, torch.Generator())
    loss = reference(tokens, labels=tokens).loss
    loss.backward()
    torch.testing.assert_close(
        ensemble.logits(tokens[None])[0], reference(tokens).logits, rtol=1e-4, atol=1e-4
    )
    torch.testing.assert_close(ensemble.learn(tokens[None])[0], loss.detach(), rtol=1e-4, atol=1e-5)
    slopes = torch.cat([each.grad.flatten() for each in reference.parameters()])
    torch.testing.assert_close(ensemble.gradients[0], slopes, rtol=1e-3, atol=1e-5)


def test_every_honoured_setting_matters(foreign, second_spec):
    """Else what is held above would hold of a program that looks at none of them."""
    folder, _ = foreign()
    tokens = texts_of(second_spec)
    usual = load(folder).forward(tokens).logits
    for settings in ({"n_head": 1}, {"activation_function": "relu"}, {"layer_norm_epsilon": 0.3}):
        edit(folder, **settings)
        assert (load(folder).forward(tokens).logits - usual).abs().max() > 0.01
        folder, _ = foreign()


@pytest.mark.parametrize("name", IGNORED)
def test_what_has_no_effect_has_none_in_transformers_either(foreign, second_spec, name):
    folder, reference = foreign()
    tokens = texts_of(second_spec)
    with torch.no_grad():
        expected = reference(tokens).logits
    document = json.loads((folder / "config.json").read_text())
    for value in IGNORED[name]:
        edit(folder, **{name: value})
        torch.testing.assert_close(load(folder).forward(tokens).logits, expected, rtol=1e-4, atol=1e-4)
        options = {"attn_implementation": "eager"} if name == "output_attentions" else {}
        config = GPT2Config.from_dict({**document, name: value, **options})
        other = GPT2LMHeadModel(config).eval()
        other.load_state_dict(reference.state_dict())
        with torch.no_grad():
            torch.testing.assert_close(other(tokens)[0], expected, rtol=1e-5, atol=1e-5)


def test_a_model_that_is_to_return_tuples_is_opened(foreign, second_spec):
    folder, reference = foreign()
    edit(folder, return_dict=False)
    tokens = texts_of(second_spec)
    torch.testing.assert_close(
        load(folder).forward(tokens).logits, reference(tokens).logits, rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_followed_is_refused_by_name(foreign, name):
    folder, _ = foreign()
    for value in accepted(name):
        edit(folder, **{name: value})
        load(folder)
    for value in REFUSED[name]:
        edit(folder, **{name: value})
        with pytest.raises(RequestError) as error:
            load(folder)
        assert [fault.message for fault in error.value.faults] == [name]
        assert "docs/models.md" in str(error.value)


UNKNOWN = {
    "layer_norm_eps": 0.1,
    "hidden_size": 12,
    "num_attention_heads": 3,
    "per_layer_config": {"0": {"n_head": 1}},
    "attn_implementation": "eager",
    "n_new": 1,
    "": 1,
}
PASSED_ON = sorted(set(_bridge_builder._HF_PASSTHROUGH_ATTRS) - SETTINGS.keys())


def test_a_key_that_is_unknown_is_refused_by_name(foreign):
    """Also each that TransformerLens would read from there."""
    folder, _ = foreign()
    known = (folder / "config.json").read_text()
    for name in [*UNKNOWN, *PASSED_ON]:
        edit(folder, **{name: UNKNOWN.get(name, 1)})
        with pytest.raises(RequestError, match=re.escape(f"unknown setting {name}:")):
            load(folder)
        (folder / "config.json").write_text(known)


def test_the_nearest_known_key_is_named_and_all_faults_at_once(foreign):
    folder, _ = foreign()
    edit(folder, layer_norm_eps=0.1, n_heads=3, scale_attn_weights=False)
    with pytest.raises(RequestError) as error:
        load(folder)
    said = str(error.value)
    assert all(part in said for part in ("Did you mean layer_norm_epsilon?", "Did you mean n_head?"))
    assert "scale_attn_weights: expected true, got false" in said


ABSURD = {
    "layer_norm_epsilon": [0, -1e-5, 1e300, "1e-5", None, True, 2],
    "n_head": [0, -1, 3.0, "3", True, None, 10**9],
    "n_embd": [0, 12.0, 10**9],
    "n_layer": [0, -2, 10**6, 10**18],
    "n_inner": [0, -1, 10**6, 10**18, 2.5],
    "activation_function": ["boom", "", None, "gelu_python", "xielu", 3],
    "tie_word_embeddings": [1, "true", None],
    "scale_attn_weights": [1, None],
    "attn_pdrop": [-1, 2, "x"],
    "pad_token_id": [2**40, -5, "x"],
    "eos_token_id": [[None], {}, 1.5],
    "return_dict": [0, "no"],
    "id2label": [[1], {"0": 1}],
}


@pytest.mark.parametrize("name", ABSURD)
def test_a_value_that_means_nothing_is_refused_by_name(foreign, name):
    folder, _ = foreign()
    for value in ABSURD[name]:
        edit(folder, **{name: value})
        with pytest.raises(RequestError) as error:
            load(folder)
        assert name in [fault.message for fault in error.value.faults], value


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_that_transformers_would_compute_with_in_their_own_precision_are_refused(foreign, kind):
    folder, reference = foreign()
    reference.to(kind).save_pretrained(folder)
    edit(folder, dtype=None)
    with pytest.raises(RequestError, match='dtype: expected "float32"'):
        load(folder)
    edit(folder, dtype="float32")
    load(folder)


def test_a_model_in_memory_is_held_to_the_same(second_spec):
    template = second_spec.template
    for settings in (
        {"scale_attn_weights": False},
        {"layer_norm_eps": 0.1},
        {"activation_function": "gelu_fast"},
    ):
        config = GPT2Config(
            vocab_size=len(template.vocabulary), n_positions=template.length, **SMALL, **settings
        )
        with pytest.raises(RequestError, match=next(iter(settings))):
            ARCHITECTURES["gpt2"].network(GPT2LMHeadModel(config), template)
