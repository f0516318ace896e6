"""`config.json` of a GPT-2: each of transformers' settings is honoured, has no effect here, or is refused.

Only honoured settings reach a model: TransformerLens would read keys from its configuration that GPT-2 itself does
not know. docs/models.md has the table; the tests compare it with this file, and this
file with every field of the installed `GPT2Config`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema
from transformers import GPT2Config
from typing_extensions import override

from playground.models.interface.architecture import DEEPEST, WIDEST, ConfigDocument, Size
from playground.schema import Document, Expected, in_json, read_document

ACTIVATIONS = ("gelu_new", "gelu", "relu", "silu", "tanh")
"""The activation functions that transformers documents for GPT-2."""

_HINT = "docs/models.md says which settings of a GPT-2 are supported."
_WIDEST_MLP = 4 * WIDEST
_LARGEST_TOKEN = 2**31 - 1


@dataclass(frozen=True)
class Only:
    """Metadata of a setting that is refused unless it has one of these values.

    Args:
        values: the accepted ones, as Python objects.
    """

    values: tuple[Any, ...]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the field's schema, which accepts no other value."""
        checked = core_schema.no_info_after_validator_function(self._check, handler(source))
        return core_schema.custom_error_schema(
            checked,
            custom_error_type="expected",
            custom_error_message=" or ".join(in_json(value) for value in self.values),
        )

    def _check(self, value: object) -> object:
        if value not in self.values:
            raise ValueError
        return value


_Share = Annotated[float, Field(ge=0, le=1), Expected("a share from 0 to 1")]
_PerhapsText = Annotated[str | None, Expected("a text or null")]
_PerhapsFlag = Annotated[bool | None, Expected("true, false or null")]
_Count = Annotated[int, Field(ge=1), Expected("a whole number above 0")]
_Width = Annotated[int, Field(ge=1, le=WIDEST), Expected(f"a whole number from 1 to {WIDEST:,}")]
_Layers = Annotated[int, Field(ge=1, le=DEEPEST), Expected(f"a whole number from 1 to {DEEPEST:,}")]
_Neurons = Annotated[int, Field(ge=1, le=_WIDEST_MLP)]
_Token = Annotated[int, Field(ge=0, le=_LARGEST_TOKEN)]
_PerhapsToken = Annotated[_Token | None, Expected("a token's number or null")]
_Yes = Annotated[bool, Only((True,))]
_No = Annotated[bool, Only((False,))]
_DType = Annotated[str | None, Only(("float32", None))]


class Gpt2Document(ConfigDocument):
    """The settings of a GPT-2, with transformers' defaults."""

    # Honoured: scores depend on them exactly as in transformers.
    model_type: Annotated[Literal["gpt2"], Expected('"gpt2"')]
    vocab_size: _Count = 50257
    n_positions: _Count = 1024
    n_embd: _Width = 768
    n_layer: _Layers = 12
    n_head: _Width = 12
    n_inner: Annotated[
        _Neurons | None, Expected(f"a whole number from 1 to {_WIDEST_MLP:,}, or null for four times n_embd")
    ] = None
    activation_function: Annotated[
        Literal["gelu_new", "gelu", "relu", "silu", "tanh"], Expected(f"one of {', '.join(ACTIVATIONS)}")
    ] = "gelu_new"
    layer_norm_epsilon: Annotated[float, Field(gt=0, le=1), Expected("a number above 0, at most 1")] = 1e-5
    tie_word_embeddings: bool = True

    # Refused, unless they have their default values.
    scale_attn_weights: _Yes = True
    scale_attn_by_inverse_layer_idx: _No = False
    reorder_and_upcast_attn: _No = False
    add_cross_attention: _No = False
    is_encoder_decoder: _No = False
    architectures: Annotated[list[str] | None, Only((["GPT2LMHeadModel"], None))] = None
    dtype: _DType = None
    torch_dtype: _DType = None

    # Without effect on any score, here or in transformers.
    attn_pdrop: _Share = 0.1
    embd_pdrop: _Share = 0.1
    resid_pdrop: _Share = 0.1
    initializer_range: Annotated[float, Field(ge=0), Expected("a number, 0 or above")] = 0.02
    bos_token_id: _PerhapsToken = 50256
    eos_token_id: Annotated[
        _Token | list[_Token] | None, Expected("a token's number, a list of such, or null")
    ] = 50256
    pad_token_id: _PerhapsToken = None
    use_cache: bool = True
    summary_type: str = "cls_index"
    summary_use_proj: bool = True
    summary_activation: _PerhapsText = None
    summary_proj_to_labels: bool = True
    summary_first_dropout: _Share = 0.1
    output_hidden_states: _PerhapsFlag = False
    output_attentions: _PerhapsFlag = False
    return_dict: _PerhapsFlag = True
    chunk_size_feed_forward: Annotated[int, Field(ge=0), Expected("a whole number, 0 or above")] = 0
    id2label: Annotated[dict[str, str] | None, Expected("names of labels, or null")] = None
    label2id: Annotated[dict[str, int] | None, Expected("numbers of labels, or null")] = None
    problem_type: _PerhapsText = None
    transformers_version: _PerhapsText = None
    name_or_path: Annotated[_PerhapsText, Field(alias="_name_or_path")] = None
    n_ctx: Annotated[int | None, Expected("a whole number or null")] = None
    task_specific_params: Annotated[dict[str, Any] | None, Expected("an object or null")] = None

    @override
    def size(self) -> Size:
        return Size(width=self.n_embd, layers=self.n_layer, heads=self.n_head)

    @override
    def sizes(self) -> dict[str, int]:
        return {
            "vocab_size": self.vocab_size,
            "n_positions": self.n_positions,
            "n_embd": self.n_embd,
            "n_layer": self.n_layer,
            "n_inner": self.neurons,
        }

    @property
    def neurons(self) -> int:
        """Neurons of each MLP."""
        return self.n_inner or 4 * self.n_embd

    @property
    @override
    def computes_as_stored(self) -> bool:
        return self.dtype is None and self.torch_dtype is None

    def to_config(self) -> GPT2Config:
        """Return transformers' configuration with only the honoured settings."""
        return GPT2Config(
            vocab_size=self.vocab_size,
            n_positions=self.n_positions,
            n_embd=self.n_embd,
            n_layer=self.n_layer,
            n_head=self.n_head,
            n_inner=self.n_inner,
            activation_function=self.activation_function,
            layer_norm_epsilon=self.layer_norm_epsilon,
            tie_word_embeddings=self.tie_word_embeddings,
            bos_token_id=None,
            eos_token_id=None,
        )


class LearnableDocument(Document):
    """The settings with which a GPT-2 can be trained: `Gpt2Ensemble` has a backward pass only for these."""

    activation_function: Annotated[str, Only(("gelu_new",))]
    tie_word_embeddings: Annotated[bool, Only((True,))]


def read_gpt2_config(document: object, where: str) -> Gpt2Document:
    """Return the settings of a GPT-2.

    Args:
        document: content of a `config.json`.
        where: the file's name in error messages.

    Raises:
        RequestError: listing every setting that is unknown, refused or has an impossible value.
    """
    return read_document(Gpt2Document, document, where, _HINT)


def check_config(config: GPT2Config, *, to_learn: bool = False) -> None:
    """Check that models with this configuration compute the same here as in transformers.

    Args:
        config: of the model.
        to_learn: whether the model will also be trained; fewer settings are honoured then.

    Raises:
        RequestError: listing every setting that is not honoured.
    """
    where = "the configuration of this GPT-2"
    document = read_gpt2_config(json.loads(config.to_json_string(use_diff=False)), where)
    if to_learn:
        read_document(
            LearnableDocument, document.model_dump(), where, "Such a model can be probed, not trained."
        )
