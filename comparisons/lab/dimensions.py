"""The dimensions of the design: what one asks of an engine before choosing it, in the order of the
first page's table. Every experiment belongs to one."""

from __future__ import annotations

from typing import NamedTuple


class Dimension(NamedTuple):
    """One row group of the table: its name in the code, its title and the reader's question."""

    name: str
    title: str
    question: str


_ALL = (
    Dimension("writing", "Writing a model", "How much must one write, and know?"),
    Dimension("construction", "Building the graph", "What happens when a line of the program runs?"),
    Dimension("control_flow", "Control flow", "How does one write a choice, a loop, a tree?"),
    Dimension("debugging", "Debugging", "When is a mistake found, and how does one look inside?"),
    Dimension("state", "State", "Who holds the values that change, and when do they?"),
    Dimension("gradients", "Higher-order gradients", "What does the derivative of a derivative cost?"),
    Dimension("stability", "Numerical stability", "Are the numbers right at the edges?"),
    Dimension("start", "The first result", "How long until something comes out?"),
    Dimension("speed", "Speed", "How long does it take once it runs?"),
    Dimension("optimisation", "Optimisation", "What does it gain to see the whole program first?"),
    Dimension("memory", "Memory", "How much is held, and when?"),
    Dimension("foresight", "Foresight", "What is known before anything has run?"),
    Dimension("concurrency", "Threads and parallel work", "What runs beside what?"),
    Dimension("deployment", "Deployment", "How does a trained model leave the program that made it?"),
    Dimension("book", "The five stages of the book", "What does each stage look like on either engine?"),
)
DIMENSIONS: dict[str, Dimension] = {dimension.name: dimension for dimension in _ALL}
