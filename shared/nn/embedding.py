"""Tables that are looked up by number: Embedding, EmbeddingBag."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from shared import ops
from shared.errors import SettingError, ShapeError
from shared.nn.initial import Initialiser, constant, normal, parameter
from shared.nn.module import Module
from shared.spec import str_shape


class _Table(Module):
    """What Embedding and EmbeddingBag share: weight (num_embeddings, embedding_dim), float32, standard
    normal. The row at `padding_idx` starts as zeros and gets no gradient.

    max_norm  rows that are looked up and whose `norm_type`-norm is larger are scaled down to it before:
              in the weight itself, as PyTorch does
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        initialiser: Initialiser | None = None,
    ) -> None:
        name = type(self).__name__
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise SettingError(
                f"{name}: padding_idx {padding_idx} is no row of {num_embeddings}; use one from "
                f"{-num_embeddings} to {num_embeddings - 1}, or None"
            )
        if max_norm is not None and not max_norm > 0:
            raise SettingError(f"{name}: max_norm must be above 0, not {max_norm!r}")
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.max_norm, self.norm_type = max_norm, norm_type
        self.weight = parameter((num_embeddings, embedding_dim), initialiser or normal())
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx] = 0

    @classmethod
    def from_pretrained(cls, embeddings: Any, freeze: bool = True, **settings: Any) -> Self:
        """One that starts from a table (rows, size): a copy of it, which is trained only with
        `freeze=False`. `settings` are the layer's other ones."""
        table = np.array(embeddings.numpy() if hasattr(embeddings, "numpy") else embeddings)
        if table.ndim != 2:
            raise ShapeError(
                f"from_pretrained: a table has 2 axes, rows and their size, not {str_shape(table.shape)}"
            )
        rows, size = table.shape
        layer = cls(rows, size, **settings, initialiser=constant(0.0))
        layer.weight.hold(table)
        layer.weight.requires_grad = not freeze
        return layer

    def settings(self) -> str:
        given = {name: getattr(self, name) for name in ("padding_idx", "max_norm")}
        shown = [f", {name}={value}" for name, value in given.items() if value is not None]
        return f"{self.num_embeddings}, {self.embedding_dim}" + "".join(shown)

    def _shorten(self, ids: Any) -> None:
        """Scale the rows that are looked up down to max_norm."""
        if self.max_norm is None:
            return
        places = ops.reshape(ids, -1)
        count = ops.scatter_sum(ops.ones_like(places), places, 0, self.num_embeddings)
        norm = ops.norm(self.weight, self.norm_type, axis=1, keepdims=True)
        long = ops.logical_and(ops.expand_dims(ops.greater(count, 0), 1), ops.greater(norm, self.max_norm))
        scale = ops.where(long, self.max_norm / (norm + 1e-7), 1.0)
        self.weight.assign(ops.mul(self.weight, ops.cast(scale, self.weight.dtype)))


class Embedding(_Table):
    """Rows of a table picked by index: integers (...) to (..., embedding_dim)."""

    def forward(self, index: Any) -> Any:
        self._shorten(index)
        return ops.embedding(index, self.weight, self.padding_idx)


class EmbeddingBag(_Table):
    """Rows of a table picked by index and summed up by bags: see `ops.embedding_bag`.

    `layer(ids, offsets=None, per_sample_weights=None)`: ids (bags, each), or (count,) with `offsets` (bags,),
    where each bag begins; gives (bags, embedding_dim).
    mode                "mean", "sum" or "max" over the rows of a bag; an empty bag gives zeros
    include_last_offset offsets has one entry more, the end of the last bag
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        mode: str = "mean",
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        initialiser: Initialiser | None = None,
    ) -> None:
        super().__init__(num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, initialiser)
        self.mode, self.include_last_offset = mode, include_last_offset

    def settings(self) -> str:
        return f"{super().settings()}, mode={self.mode!r}"

    def forward(self, ids: Any, offsets: Any = None, per_sample_weights: Any = None) -> Any:
        self._shorten(ids)
        return ops.embedding_bag(
            ids, self.weight, offsets, self.mode, per_sample_weights, self.include_last_offset,
            self.padding_idx,
        )  # fmt: skip


for _kind in (Embedding, EmbeddingBag):
    _kind.__doc__ = f"{_kind.__doc__}\n{(_Table.__doc__ or '').partition('share:')[2]}"
