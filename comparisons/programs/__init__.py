"""Ten imperative programs, after the ten of Terra's paper (Kim et al. 2021, arXiv:2201.09210): what Python
does in them can't be read off one run of it.

A program is one file. Its docstring says in a line what it is, and below that what a tracer does not follow
in it; `make(seed)` gives a step of training, which takes no arguments, and the modules and optimisers that it
changes. The step is not decorated: who calls `make` does that, or does not.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from comparisons.programs import (
    actor_critic,
    augmentation,
    cache,
    dcgan,
    detector,
    early_stop,
    gan,
    maml,
    resnet,
    tree_lstm,
)


@dataclass(frozen=True)
class Program:
    """One of them.

    name    what it is called; `does`, what it is, in a line; `beyond`, what a tracer does not follow in it
    code    its file, without the docstring
    make    gives its step, and what that changes, by a seed
    """

    name: str
    does: str
    beyond: str
    code: str
    make: Callable[[int], tuple[Callable[[], Any], list[Any]]]


def _program(name: str, module: Any) -> Program:
    does, _, beyond = inspect.cleandoc(module.__doc__).partition("\n\n")
    code = inspect.getsource(module).removeprefix(f'"""{module.__doc__}"""').strip() + "\n"
    return Program(name, does, beyond.replace("\n", " "), code, module.make)


PROGRAMS: dict[str, Program] = {
    name: _program(name, module)
    for name, module in (
        ("ResNet", resnet), ("Detector", detector), ("GAN", gan), ("DCGAN", dcgan),
        ("Early stop", early_stop), ("Tree-LSTM", tree_lstm), ("Cache", cache),
        ("Actor-critic", actor_critic), ("MAML", maml), ("Augmentation", augmentation),
    )
}  # fmt: skip
