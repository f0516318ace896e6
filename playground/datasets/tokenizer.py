"""The template's tokens as a tokenizer of transformers, to be saved beside a checkpoint."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playground.datasets.template import Template

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


def make_tokenizer(template: Template) -> PreTrainedTokenizerFast:
    """Return a tokenizer with the template's vocabulary and ids.

    It adds no tokens of its own, and decoding what was encoded gives the same text back.
    """
    # Imported here: generating data needs none of it, and it takes seconds.
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    # The longest first: 10 is one token, not 1 and 0. Two numbers side by side, which only a model writes
    # that has not learnt better, are two tokens all the same.
    longest_first = sorted(template.vocabulary, key=len, reverse=True)
    units = Regex("|".join(re.escape(token) for token in longest_first))
    tokenizer = Tokenizer(models.WordLevel(template.ids))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(units, behavior="isolated")
    tokenizer.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        clean_up_tokenization_spaces=False,
        model_max_length=template.length,
    )
