"""Training and evaluation."""

from __future__ import annotations

from shared.durable.interrupts import Block
from shared.errors import ArgumentError
from shared.nn.module import Module
from shared.spec import in_short
from shared.usage.late import put_back


class evaluating(Block):
    """Evaluation mode within the block; afterwards each module is as it was."""

    def __init__(self, model: Module) -> None:
        if not isinstance(model, Module):
            raise ArgumentError(f"evaluating: takes a Module, not {in_short(model)}")
        self.model = model
        self.before: list[tuple[Module, bool]] = []

    def on(self) -> Module:
        self.before = [(module, module.training) for module in self.model.modules()]
        return self.model.eval()

    def off(self, late: bool = False) -> None:
        for module, training in self.before:
            put_back(module, "training", training)
        self.before = []

    def again(self) -> evaluating:
        return evaluating(self.model)
