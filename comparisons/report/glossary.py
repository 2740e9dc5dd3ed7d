"""The words that the pages use, for who has met neither design before."""

from __future__ import annotations

GLOSSARY = (
    ("bit for bit", "The same floating-point numbers down to the last bit, not merely close."),
    ("define-by-run", "The computation is whatever the program does; the graph is recorded on the way."),
    ("define-and-run", "The graph is described first, as data; running it is a second, separate act."),
    (
        "lines of code",
        "Lines that somebody had to write: no imports, comments or blank ones, nor the `def` of a script.",
    ),
    ("op, node", "An op is a kind of computation, such as a product; a node is one use of it in a graph."),
    (
        "graph",
        "Nodes and the values that flow from one to the next. A loop of static's own is one node, with a "
        "graph inside.",
    ),
    ("tape", "Dynamic's record of the ops behind a value, which backward() walks from its end."),
    ("gradient", "How a result changes with each number that it was computed from."),
    ("higher-order gradient", "The gradient of something that is itself made of gradients."),
    ("placeholder", "In static, an input without a value: each run that needs it is fed one."),
    ("variable", "In static, a node that holds a value from one run to the next; a session has the values."),
    ("session", "What runs a static graph, and holds the values of its variables between runs."),
    ("fetch, feed", "What a run is asked for, and the arrays that it is given."),
    ("control dependency", "In static, an order that is asked for: this node not before that one."),
    ("cond, while_loop, scan", "Nodes that choose, repeat, or step through a sequence, with graphs inside."),
    ("trace", "To run a Python function once, on stand-ins, so as to write down the graph of what it does."),
    ("compile", "To turn the part of a graph that a run needs into a program, once, before it first runs."),
    ("exact, fast", "Static's levels: every bit as dynamic has it; or arithmetic rearranged for speed."),
    ("pass", "One way in which static's optimiser rewrites a program; each can be left out."),
    ("pruning", "To leave out what no fetch needs."),
    ("common subexpression", "What is computed twice from the same inputs, and once will do."),
    ("fusion", "Several ops run as one kernel, so that values between them need not be written to memory."),
    ("kernel", "The function on raw arrays that does an op's arithmetic, NumPy's or one compiled by LLVM."),
    ("cold, warm", "In a fresh process, where nothing is loaded yet; and in one that has run before."),
    ("break-even", "The step from which on a longer start has been made up for by shorter steps."),
    ("n", "How many samples there are: rounds, runs or processes, each of which may have many steps."),
    (
        "memory",
        "All that a side holds since before its model was made, whatever it is kept for; the examples apart.",
    ),
    ("peak", "The most memory that is held at any moment of a step, once steps repeat."),
    ("median", "The middle one of the measured values: half lie below, half above."),
    ("quartiles", "A quarter of the measured values lies below the lower, a quarter above the upper."),
    (
        "spread",
        "What lies between the quartiles; where those of two sides overlap, nobody is said to be ahead.",
    ),
    ("interval", "From where to where a factor may lie, by the bootstrap, all factors of a report together."),
    ("not resolved", "The samples do not tell which side is ahead. It does not say that they are equal."),
    ("padding, mask", "Sequences filled up to one length, and the marks of what is not filling."),
    ("train and evaluation mode", "Whether layers such as dropout behave as in training, or as in use."),
    ("checkpoint", "The values of a model in a file, without the code that made them."),
    ("archive", "A static graph in a file with its values, which runs without the model's code."),
    ("ONNX", "A file format for graphs that other systems' runtimes read."),
    ("NaN", "\"Not a number\": what 0/0 gives, and what nearly everything computed from it becomes."),
)
