"""The template's tokens as a tokenizer of transformers, to be saved beside a checkpoint.

A model has an embedding for each token of its world and no other, so the two tokens that transformers wants besides
have ids of these. *Padding* is a comma: an attention mask hides it, and no text begins with one, so that it is told
from the text to its right. *Unknown* is a line break, one for each character: our own library refuses such texts, but
transformers has no way to.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from playground.datasets.template import COMMA, LINE_BREAK, Template
from playground.files import read_json, write_json

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

PADDING, UNKNOWN = COMMA, LINE_BREAK


def make_tokenizer(template: Template) -> PreTrainedTokenizerFast:
    """Return a tokenizer with the template's vocabulary and ids.

    It adds no tokens of its own, and decoding what was encoded gives the same text back.
    """
    # Imported here: generating data needs none of it, and it takes seconds.
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    # The longest first: 10 is one token, not 1 and 0. Two numbers side by side, which only a model writes
    # that has not learnt better, are two tokens all the same. What is no token falls into its characters.
    longest_first = sorted(template.vocabulary, key=len, reverse=True)
    units = Regex("|".join([*(re.escape(token) for token in longest_first), r"[\s\S]"]))
    tokenizer = Tokenizer(models.WordLevel(template.ids, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(units, behavior="isolated")
    tokenizer.decoder = decoders.Fuse()
    # Not special, or pipelines would leave commas and line breaks out of what a model wrote.
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in (PADDING, UNKNOWN)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        clean_up_tokenization_spaces=False,
        model_max_length=template.length,
        pad_token=PADDING,
        unk_token=UNKNOWN,
        padding_side="left",
    )


def save_tokenizer(template: Template, folder: Path) -> None:
    """Write the tokenizer's files into a folder."""
    make_tokenizer(template).save_pretrained(folder)
    path = folder / "tokenizer_config.json"
    # Without this transformers reads the added tokens a second time, and then takes them for special.
    write_json(path, read_json(path) | {"added_tokens_decoder": {}})
