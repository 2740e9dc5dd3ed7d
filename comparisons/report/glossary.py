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
    ("higher-order gradient", "The gradient of something that is itself made of gradients."),
    ("placeholder", "In static, an input without a value: each run that needs it is fed one."),
    ("variable", "In static, a node that holds a value from one run to the next; a session has the values."),
    ("session", "What runs a static graph, and holds the values of its variables between runs."),
    ("fetch, feed", "What a run is asked for, and the arrays that it is given."),
    ("scan", "An op that goes over a column of values with a function: one node, where a loop is many."),
    ("trace", "To run a Python function once, on stand-ins, so as to write down the graph of what it does."),
    (
        "kernel, arena",
        "The compiled function that does an op's arithmetic; and static's memory for values, laid out "
        "beforehand.",
    ),
    ("pass", "A rewriting of static's program before it runs."),
    (
        "dynamic.function",
        "A decorator: Python runs in every call; a path is what it has been seen to do, whose ops run as "
        "compiled programs, an event one op of it or one look at a value.",
    ),
    (
        "static.function",
        "A decorator: Python runs once, to be traced into a graph, and calls run that.",
    ),
    ("rank", "One of several processes that train one model together."),
    ("compile", "To turn the part of a graph that a run needs into a program, once, before it first runs."),
    ("exact, fast", "Static's levels: every bit as dynamic has it; or arithmetic rearranged for speed."),
    ("fusion", "Several ops run as one kernel, so that values between them need not be written to memory."),
    ("cold, warm", "In a fresh process, imports done and nothing run yet; and in one that has run before."),
    ("break-even", "The step from which on a longer start has been made up for by shorter steps."),
    (
        "memory",
        "All that a side holds since before its model was made, whatever it is kept for; the examples apart.",
    ),
)
