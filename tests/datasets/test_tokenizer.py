"""The tokenizer that is saved: same ids as the template's, and what pipelines in batches and TransformerLens need."""

from __future__ import annotations

import random

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, pipeline

from playground.inference import Model, open_model
from tests.models.test_integrity import SHIPPED


@pytest.fixture(scope="module", params=["random", "shipped"])
def model(request, random_model) -> Model:
    return random_model if request.param == "random" else open_model(SHIPPED / "gpt2", "cpu")


@pytest.fixture
def tokenizer(model):
    return AutoTokenizer.from_pretrained(model.checkpoint.folder)


def texts_of(model: Model) -> list[str]:
    return [model.template.decode(row) for row in model.baseline_run.tokens.numpy()]


def half_written(model: Model, count: int = 12) -> list[str]:
    """Return beginnings of texts, of different lengths."""
    draw, found = random.Random(1), []
    for row in draw.sample(range(len(model.world.states)), min(count, len(model.world.states))):
        length = draw.randrange(1, model.template.length - 3)
        found.append(model.template.decode(model.baseline_run.tokens[row, :length].numpy()))
    return found


def test_ids_of_texts_are_the_templates(model, tokenizer):
    for text in (*texts_of(model), *half_written(model)):
        ids = tokenizer(text)["input_ids"]
        assert ids == model.template.encode(text)
        assert tokenizer.decode(ids) == tokenizer.decode(ids, skip_special_tokens=True) == text
    assert len(tokenizer) == len(model.template.vocabulary)


def test_no_id_is_beyond_the_vocabulary_whatever_the_text(model, tokenizer):
    assert tokenizer.pad_token_id < len(tokenizer)
    assert tokenizer.unk_token_id < len(tokenizer)
    draw = random.Random(2)
    letters = [*map(chr, range(32, 127)), "\n", "é", "✗", "\u2028", "<pad>", "<unk>", "<|endoftext|>", "10"]
    for _ in range(300):
        text = "".join(draw.choices(letters, k=draw.randrange(1, 30)))
        assert max(tokenizer(text)["input_ids"]) < len(tokenizer)
    assert tokenizer("a").input_ids == [tokenizer.unk_token_id]
    assert tokenizer("ab").input_ids == [tokenizer.unk_token_id] * 2


@pytest.mark.slow
def test_pipelines_write_the_same_in_batches(model):
    """Prompts are of one length, half-written texts are not: these are padded on the left."""
    generate = pipeline("text-generation", model=str(model.checkpoint.folder))
    prompts = [model.template.prompt(state) for state in model.world.states]
    together = [each[0]["generated_text"] for each in generate(prompts, batch_size=5)]
    assert together == texts_of(model)
    texts = half_written(model)
    alone = [generate(text, max_new_tokens=3)[0]["generated_text"] for text in texts]
    for size in (2, 5):
        answers = generate(texts, batch_size=size, max_new_tokens=3)
        assert [each[0]["generated_text"] for each in answers] == alone
    for text, longer in zip(texts, alone, strict=True):
        run = model.complete(text)
        assert longer == model.template.decode(run.tokens[0, : len(model.encode(text)) + 3].numpy())


def test_generate_takes_texts_that_were_padded(model, tokenizer):
    reference = AutoModelForCausalLM.from_pretrained(model.checkpoint.folder)
    assert reference.generation_config.pad_token_id is None, "else a text's own commas would be hidden"
    texts = half_written(model)
    asked = tokenizer(texts, padding=True, return_tensors="pt")
    written = reference.generate(**asked, max_new_tokens=3)
    for text, row, mask in zip(texts, written, asked["attention_mask"], strict=True):
        run = model.complete(text)
        assert torch.equal(row[int((mask == 0).sum()) :], run.tokens[0, : len(model.encode(text)) + 3])


@pytest.mark.slow
@pytest.mark.parametrize("passed", [False, True])
def test_transformer_lens_boots_from_the_folder(model, tokenizer, passed, monkeypatch):
    from transformer_lens.model_bridge import TransformerBridge

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    bridge = TransformerBridge.boot_transformers(
        str(model.checkpoint.folder), **({"tokenizer": tokenizer} if passed else {})
    )
    with torch.no_grad():
        logits = bridge(texts_of(model))
        torch.testing.assert_close(logits, model.baseline_run.logits.clone(), atol=1e-4, rtol=1e-4)
        # Padded on the left, to which positions and attention have to be told.
        texts = half_written(model)
        last = bridge(texts)[:, -1]
        for text, scores in zip(texts, last, strict=True):
            expected = model.complete(text).logits[0, len(model.encode(text)) - 1]
            torch.testing.assert_close(scores, expected.clone(), atol=1e-4, rtol=1e-4)
        prompt = model.template.prompt(model.world.states[3])
        new = model.template.length - model.template.prompt_length
        written = bridge.generate(
            prompt, max_new_tokens=new, do_sample=False, stop_at_eos=False, verbose=False
        )
        assert written == texts_of(model)[3]
