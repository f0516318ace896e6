"""The template's tokens as a transformers tokenizer, saved with each checkpoint.

A model has embeddings only for the tokens of its world, so the two extra tokens that transformers needs reuse
existing ids. *Padding* is a comma: an attention mask hides it, and no text begins with a comma, so padding can be
told from the text to its right. *Unknown* is a line break, one per unknown character: our library refuses such texts, but
transformers cannot.
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

    It adds no tokens, and decoding an encoded text gives the same text back.
    """
    # Imported here because it takes seconds, and generating data does not need it.
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    # The longest first: 10 is one token, not 1 and 0. Two adjacent numbers, which only an untrained model
    # writes, are still two tokens. Text that is not a token is split into characters.
    longest_first = sorted(template.vocabulary, key=len, reverse=True)
    units = Regex("|".join([*(re.escape(token) for token in longest_first), r"[\s\S]"]))
    tokenizer = Tokenizer(models.WordLevel(template.ids, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(units, behavior="isolated")
    tokenizer.decoder = decoders.Fuse()
    # Not special: otherwise pipelines would drop commas and line breaks from the output of a model.
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
    """Write the tokenizer's files to a folder."""
    make_tokenizer(template).save_pretrained(folder)
    path = folder / "tokenizer_config.json"
    # Without this, transformers reads the added tokens a second time and treats them as special.
    write_json(path, read_json(path) | {"added_tokens_decoder": {}})
