"""Small language models as data, from which each peer builds its own: what the `gpt` workloads train."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Gpt:
    """Tokens of `vocabulary` to logits of the next ones: token and learnt position embeddings, `blocks` of
    causal attention in `heads` and of two linear layers with gelu between, normalisation first, and a head
    without bias (Radford et al. 2019)."""

    vocabulary: int
    length: int
    width: int
    heads: int
    blocks: int

    def weights(self, draw: np.random.Generator) -> dict[str, Any]:
        """Uniform within 1 / sqrt(fan in), embeddings of a deviation of 0.02; biases and norms as they
        start. The names are those that PyTorch's own encoder layers have."""

        def embedding(rows: int) -> Any:
            return draw.standard_normal((rows, self.width), np.float32) * np.float32(0.02)

        def linear(name: str, rows: int, columns: int) -> dict[str, Any]:
            drawn = draw.uniform(-(columns**-0.5), columns**-0.5, (rows, columns)).astype(np.float32)
            return {f"{name}weight": drawn, f"{name}bias": np.zeros(rows, np.float32)}

        def norm(name: str) -> dict[str, Any]:
            ones, zeros = np.ones(self.width, np.float32), np.zeros(self.width, np.float32)
            return {f"{name}.weight": ones, f"{name}.bias": zeros}

        width = self.width
        found = {"tokens.weight": embedding(self.vocabulary), "positions.weight": embedding(self.length)}
        for k in range(self.blocks):
            block = f"blocks.{k}."
            found |= linear(f"{block}self_attn.in_proj_", 3 * width, width)
            found |= linear(f"{block}self_attn.out_proj.", width, width)
            found |= linear(f"{block}linear1.", 4 * width, width)
            found |= linear(f"{block}linear2.", width, 4 * width)
            found |= norm(f"{block}norm1") | norm(f"{block}norm2")
        found |= norm("norm")
        found["head.weight"] = linear("", self.vocabulary, width)["weight"]
        return found
