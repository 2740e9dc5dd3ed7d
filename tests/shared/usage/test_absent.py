"""A name of PyTorch's that is not here says what to write; other errors stay what they are."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import dynamic
import static
from shared import nn, optim
from shared.usage import absent


def kinds():
    x = dynamic.tensor([1.0, 2.0])
    tensors = (x, static.constant(x.numpy()), nn.Parameter(np.ones(2, "float32")))
    return [
        *((tensor, absent.TENSOR) for tensor in tensors),
        (nn.Linear(2, 2), absent.MODULE), (optim.SGD([nn.Parameter(np.ones(2))], lr=0.1), absent.OPTIMIZER),
    ]  # fmt: skip


@pytest.mark.parametrize("place", range(5))
def test_a_name_that_is_not_here_says_what_to_write(place):
    of, rows = kinds()[place]
    for name, cure in rows.items():
        if not hasattr(type(of), name):  # dynamic Tensors have hooks of their own, for one
            with pytest.raises(AttributeError) as caught:
                getattr(of, name)
            assert str(caught.value) == f"{type(of).__name__}.{name}: {cure}"
            assert "write" in cure or "leave the line out" in cure or "decorate" in cure


def test_every_row_is_of_a_name_that_something_lacks():
    lacking = [(type(of), rows) for of, rows in kinds()]
    for rows in (absent.TENSOR, absent.MODULE, absent.OPTIMIZER):
        for name in rows:
            assert any(mine is rows and not hasattr(kind, name) for kind, mine in lacking), name


@pytest.mark.parametrize("place", range(5))
def test_names_that_nobody_knows_fail_as_always(place):
    of, _ = kinds()[place]
    assert not hasattr(of, "no_such_thing")
    said = f"^'{type(of).__name__}' object has no attribute 'no_such_thing'"
    with pytest.raises(AttributeError, match=said):
        of.no_such_thing  # noqa: B018


def test_what_a_property_raises_is_not_hidden():
    class Net(nn.Module):
        @property
        def width(self):
            return self.missing_part.shape

    with pytest.raises(AttributeError, match="'Net' object has no attribute 'missing_part'"):
        Net().width  # noqa: B018


def test_copies_and_pickles_ask_for_nothing():
    net = nn.Linear(2, 3)
    for other in (copy.copy(net), copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        np.testing.assert_array_equal(other.weight.numpy(), net.weight.numpy())
    x = dynamic.tensor([1.0])
    assert copy.deepcopy(x).item() == 1.0


@pytest.mark.parametrize(
    ("space", "name"),
    [(nn, "LazyConv2d"), (nn, "DataParallel"), (nn, "Linaer"), (nn.utils, "rnn"), (nn.utils, "no_such")],
)
def test_a_module_says_what_is_not_in_it(space, name):
    with pytest.raises(AttributeError, match=rf"^nn(\.utils)?\.{name}: "):
        getattr(space, name)


def test_a_slip_in_a_name_is_told_with_the_name_that_was_meant():
    with pytest.raises(AttributeError, match=r"^nn\.Linaer: .* is it Linear"):
        nn.Linaer  # noqa: B018
