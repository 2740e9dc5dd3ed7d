"""Which Tensors show one memory: those that ops made as views of one another, and `detach()`.

`x += y` of what the tape remembers makes a new Tensor, which leaves x's array as it is: where another Tensor
shows that array, PyTorch would change what it shows. So they are known, as long as they are alive: all that
share a memory have one list of weak references, their `kin`, in common. A Tensor that nobody made a view of
has none, and costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import ref

from dynamic.versions import same_memory

FEW = 16
"""So many are not looked through for those that are gone."""


def note(x: Any, made: Sequence[Any]) -> None:
    """What was made may show the memory of x."""
    kin = kin_of(x)
    if kin is None:
        kin = x.kin = [ref(x)]
    elif len(kin) >= FEW and not len(kin) & (len(kin) - 1):
        kin[:] = [one for one in kin if one() is not None]
    for y in made:
        kin.append(ref(y))
        y.kin = kin


def kin_of(x: Any) -> list[Any] | None:
    """The list that x has in common with others; None if it shares with nobody."""
    try:
        return object.__getattribute__(x, "kin")
    except AttributeError:
        return None


def is_shown(x: Any) -> bool:
    """Whether another Tensor that is alive shows the memory of x."""
    for one in kin_of(x) or ():
        other = one()
        if other is not None and other is not x and same_memory(other.array, x.array):
            return True
    return False
