"""The dimensions of the design: what one asks of an engine before choosing it, in the order of the
first page's table. Every experiment belongs to one.

Which row decides a dimension is settled here, before anything has run: it is the first one of the page
that is named, and it is one that either side could win. Where there is none, or where it is not resolved,
the answer is "either".

Deployment is decided by where a kept model still answers: beside its code, without it, beside a newer one.
That is what leaving a program means, and either side could win it by what it puts into its file. How soon a
fresh process answers is a matter of the first result.
"""

from __future__ import annotations

from typing import NamedTuple


class Dimension(NamedTuple):
    """One group of rows of the table: its name in the code, its title, the reader's question, and the task
    or experiment whose first row decides it ("" if none does)."""

    name: str
    title: str
    question: str
    decider: str = ""


_ALL = (
    Dimension("writing", "Writing a model", "How much must one write, and know?", "concepts"),
    Dimension("construction", "Building the graph", "What happens when a line of the program runs?"),
    Dimension("control_flow", "Control flow", "How does one write a choice, a loop, a tree?",
              "python_if_tree"),
    Dimension("debugging", "Debugging", "When is a mistake found, and how does one look inside?",
              "time_to_culprit"),
    Dimension("state", "State", "Who holds the values that change, and when do they?", "train_eval"),
    Dimension("gradients", "Higher-order gradients", "What does the derivative of a derivative cost?",
              "higher_order"),
    Dimension("stability", "Numerical stability", "Are the numbers right at the edges?", "stability"),
    Dimension("start", "The first result", "How long until something comes out?", "cnn_digits"),
    Dimension("speed", "Speed", "How long does it take once it runs?", "cnn_digits"),
    Dimension("optimisation", "Optimisation", "What does it gain to see the whole program first?",
              "ablation"),
    Dimension("memory", "Memory", "How much is held, and when?", "cnn_digits"),
    Dimension("foresight", "Foresight", "What is known before anything has run?", "introspection"),
    Dimension("concurrency", "Parallel work", "What runs beside what?", "parallel"),
    Dimension("deployment", "Deployment", "How does a trained model leave the program that made it?",
              "deployment"),
    Dimension("book", "The five stages of the book", "What does each stage look like on either engine?"),
    Dimension("bridge", "Both at once", "Can one write line by line and run a graph, and what does it cost? "
              "(Where a row names two ways, `/` parts the left column from the right.)"),
)  # fmt: skip
DIMENSIONS: dict[str, Dimension] = {dimension.name: dimension for dimension in _ALL}
