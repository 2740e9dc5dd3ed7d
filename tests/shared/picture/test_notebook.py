"""In a notebook things show themselves: what they print, or the picture that `draw` makes of them."""

from __future__ import annotations

import xml.etree.ElementTree

import numpy as np

import dynamic
import static
from shared import nn, ops, optim


def test_a_graph_shows_its_picture() -> None:
    with static.Graph().as_default() as graph:
        ops.tanh(static.placeholder("float32", (2, 3), name="images"))
    shown = graph._repr_html_()
    root = xml.etree.ElementTree.fromstring(shown.replace("xlink:href", "href"))
    assert root.tag == "figure" and "images" in shown and "tanh" in shown
    assert static.Graph()._repr_html_().startswith("<pre>")


def test_tensors_summaries_and_optimisers_show_their_text() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    opt = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    x = dynamic.tensor(np.ones((2, 3), "float32"))
    assert (x < 2)._repr_html_().startswith("<pre>tensor(") and "&lt;" not in x._repr_html_()
    assert nn.summary(model, x)._repr_html_().startswith("<pre>")
    head, group = str(opt).split("\n")
    assert head == "SGD, 0 steps made"
    assert group.startswith("  4 Parameters of 26 numbers: lr=0.1, momentum=0.9, dampening=0.0, ")
    assert opt._repr_html_() == f"<pre>{opt}</pre>"
