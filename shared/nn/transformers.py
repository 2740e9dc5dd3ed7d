"""The Transformer: Vaswani et al. 2017. Encoder, decoder, and their layers, under PyTorch's names.

Sequences are (T, N, d_model), (N, T, d_model) with `batch_first`, or (T, d_model) for one alone. Masks are
those of `nn.MultiheadAttention`: `..._key_padding_mask` (N, T) bools that are True for places that nobody
may look at; `..._mask` (L, S) bools that are True where looking is not allowed, or floats that are added to
the scores; `..._is_causal`, for which no mask is needed: no place looks at a later one.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np

from shared import ops
from shared.errors import SettingError
from shared.nn.attentive import MultiheadAttention
from shared.nn.container import ModuleList
from shared.nn.initial import generator, xavier_uniform_
from shared.nn.module import Module
from shared.nn.regular import Dropout, LayerNorm
from shared.nn.simple import Linear
from shared.spec import whole
from shared.state import Generator

Activation = str | Callable[[Any], Any]

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {"relu": ops.relu, "gelu": ops.gelu}


class _Layer(Module):
    """What a layer of the encoder and one of the decoder share.

    d_model          the size of each place of a sequence
    nhead            how many heads attention has
    dim_feedforward  the size between the two dense layers
    dropout          acts on attention's weights, between the dense layers, and on what is added
    activation       "relu", "gelu" or a function, between the dense layers
    norm_first       normalise before attention and dense layers, not behind (Xiong et al. 2020)
    """

    attentions: tuple[str, ...]
    self_attn: MultiheadAttention

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
    ) -> None:
        if isinstance(activation, str):
            if activation not in ACTIVATIONS:
                raise SettingError(
                    f"{type(self).__name__}: activation must be 'relu', 'gelu' or a function, "
                    f"not {activation!r}"
                )
            activation = ACTIVATIONS[activation]
        for name in self.attentions:
            setattr(self, name, MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first))
        self.linear1 = Linear(d_model, dim_feedforward, bias)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias)
        parts = range(1, len(self.attentions) + 2)
        for number in parts:
            setattr(self, f"norm{number}", LayerNorm(d_model, layer_norm_eps, bias=bias))
        for number in parts:
            setattr(self, f"dropout{number}", Dropout(dropout))
        self.d_model, self.activation, self.norm_first = d_model, activation, norm_first

    def settings(self) -> str:
        return "norm_first=True" * self.norm_first

    def _add(self, number: int, x: Any, part: Callable[[Any], Any]) -> Any:
        """x and what a part makes of it, normalised by the norm of that number before or behind."""
        norm, dropout = getattr(self, f"norm{number}"), getattr(self, f"dropout{number}")
        if self.norm_first:
            return x + dropout(part(norm(x)))
        return norm(x + dropout(part(x)))

    def _dense(self, x: Any) -> Any:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


class TransformerEncoderLayer(_Layer):
    """Self-attention and two dense layers, each added to what goes in."""

    attentions = ("self_attn",)

    def forward(
        self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False
    ) -> Any:
        def attend(x: Any) -> Any:
            return self.self_attn(x, x, x, src_key_padding_mask, False, src_mask, is_causal=is_causal)[0]

        return self._add(2, self._add(1, src, attend), self._dense)


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to an encoder's `memory`, and two dense layers, each added to what goes
    in."""

    attentions = ("self_attn", "multihead_attn")
    multihead_attn: MultiheadAttention

    def forward(
        self, tgt: Any, memory: Any, tgt_mask: Any = None, memory_mask: Any = None,
        tgt_key_padding_mask: Any = None, memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False, memory_is_causal: bool = False,
    ) -> Any:  # fmt: skip
        def attend(x: Any) -> Any:
            return self.self_attn(x, x, x, tgt_key_padding_mask, False, tgt_mask, is_causal=tgt_is_causal)[0]

        def look(x: Any) -> Any:
            masks = memory_key_padding_mask, False, memory_mask
            return self.multihead_attn(x, memory, memory, *masks, is_causal=memory_is_causal)[0]

        return self._add(3, self._add(2, self._add(1, tgt, attend), look), self._dense)


for _kind in (TransformerEncoderLayer, TransformerDecoderLayer):
    _kind.__doc__ = f"{_kind.__doc__}\n{(_Layer.__doc__ or '').partition('share.')[2]}"


LAYERS = 2**10
"""How many there may be on top of each other: each is a copy."""


def _copies(call: str, layer: Module, count: int) -> ModuleList:
    """As many layers like this one, which start from its values; each draws random numbers of its own."""
    if whole(call, "num_layers", count) > LAYERS:
        raise SettingError(f"{call}: num_layers must be at most {LAYERS}, not {count}; is it the width?")
    copies = [deepcopy(layer) for _ in range(count)]
    for copy in copies:
        for _, state in copy.named_states():
            state.name, state.grad = "", None
            if isinstance(state, Generator):
                state.hold(generator().data)
    return ModuleList(copies)


class TransformerEncoder(Module):
    """`num_layers` copies of a TransformerEncoderLayer, one after the other, and `norm` behind the last.

    The copies start from the same values, as PyTorch's do.
    """

    def __init__(self, encoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        self.layers = _copies("TransformerEncoder", encoder_layer, num_layers)
        self.norm = norm

    def forward(
        self, src: Any, mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False
    ) -> Any:
        for layer in self.layers:
            src = layer(src, mask, src_key_padding_mask, is_causal)
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(Module):
    """`num_layers` copies of a TransformerDecoderLayer, one after the other, and `norm` behind the last.

    The copies start from the same values, as PyTorch's do.
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        self.layers = _copies("TransformerDecoder", decoder_layer, num_layers)
        self.norm = norm

    def forward(
        self, tgt: Any, memory: Any, tgt_mask: Any = None, memory_mask: Any = None,
        tgt_key_padding_mask: Any = None, memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False, memory_is_causal: bool = False,
    ) -> Any:  # fmt: skip
        masks = tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask
        for layer in self.layers:
            tgt = layer(tgt, memory, *masks, tgt_is_causal, memory_is_causal)
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """Encoder and decoder: `model(src, tgt)` gives a sequence like tgt, whose places have looked at src.

    custom_encoder, custom_decoder  take the places of the stacks that would be made
    Weights of two axes start xavier uniform; the other settings are those of the layers.
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = "relu",
        custom_encoder: Module | None = None,
        custom_decoder: Module | None = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
    ) -> None:
        settings: Any = (dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias)
        self.encoder: Any = custom_encoder
        self.decoder: Any = custom_decoder
        if custom_encoder is None:
            layer: Module = TransformerEncoderLayer(d_model, nhead, *settings)
            norm = LayerNorm(d_model, layer_norm_eps, bias=bias)
            self.encoder = TransformerEncoder(layer, num_encoder_layers, norm)
        if custom_decoder is None:
            layer = TransformerDecoderLayer(d_model, nhead, *settings)
            norm = LayerNorm(d_model, layer_norm_eps, bias=bias)
            self.decoder = TransformerDecoder(layer, num_decoder_layers, norm)
        for parameter in self.parameters():
            if len(parameter.shape) > 1:
                xavier_uniform_(parameter)
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first

    def forward(
        self, src: Any, tgt: Any, src_mask: Any = None, tgt_mask: Any = None, memory_mask: Any = None,
        src_key_padding_mask: Any = None, tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None, src_is_causal: bool = False, tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Any:  # fmt: skip
        memory = self.encoder(src, src_mask, src_key_padding_mask, src_is_causal)
        masks = tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask
        return self.decoder(tgt, memory, *masks, tgt_is_causal, memory_is_causal)

    @staticmethod
    def generate_square_subsequent_mask(size: int) -> Any:
        """(size, size) float32 to add to scores: -inf where a place would look at a later one. `is_causal`
        does without."""
        return np.triu(np.full((size, size), -np.inf, np.float32), 1)
