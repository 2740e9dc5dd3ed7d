"""Why an engine comes off better in a dimension, said only where the rows of a run say that it does."""

from __future__ import annotations

REASONS: dict[str, dict[str, str]] = {
    "writing": {
        "dynamic": "There is one language, Python, and no second stage that has to be told what the first "
        "one was.",
        "static": "What is described once needs no telling again: its loop holds nothing but the run.",
    },
    "construction": {
        "dynamic": "A line that has been passed has been done, so the program does what it seems to do.",
        "static": "A line is a part of a plan, so what is not needed is not done, and what was written stays "
        "to be looked at.",
    },
    "control_flow": {
        "dynamic": "Python's own `if`, `for` and recursion see the values, so a model may take the shape of "
        "its data.",
        "static": "A choice or a loop that is a node is compiled with all the rest, and no line of the "
        "script runs at each turn.",
    },
    "debugging": {
        "dynamic": "An error is raised while its line runs, with the line's values at hand.",
        "static": "Names, and shapes that are known, are checked before anything has been computed, and a "
        "graph can be asked about itself.",
    },
    "state": {
        "dynamic": "A value changes when the line that changes it runs, and there is one copy of it.",
        "static": "Every value that changes is named, in one place, and a run changes all of them together "
        "or none.",
    },
    "gradients": {
        "dynamic": "A second derivative is the first one's line again, on a record of what was just done.",
        "static": "Derivatives of every order are nodes of one graph, in which what they share is computed "
        "once.",
    },
    "stability": {
        "dynamic": "It computes the formula as it was written, and each value on the way can be looked at.",
        "static": "It sees the whole formula before it runs, and can put in its place one that floating "
        "point does not lose.",
    },
    "start": {
        "dynamic": "Nothing has to stand before the first line of arithmetic: no description of the whole, "
        "and no program made of it.",
        "static": "To describe and compile takes less time here than what dynamic does before its first "
        "result.",
    },
    "speed": {
        "dynamic": "Its way from a Python line to the kernel is shorter than what a run of a session costs.",
        "static": "What dynamic decides anew in each step it has decided once, and what it need not compute "
        "it leaves out.",
    },
    "optimisation": {
        "dynamic": "What passes over a whole program gain here is less than what they cost.",
        "static": "Only what stands as a whole can be pruned, merged, fused and moved out of loops before "
        "it runs.",
    },
    "memory": {
        "dynamic": "It holds what the next gradient needs and lets go as it walks back, and has no second "
        "copy of the parameters.",
        "static": "It knows when a value is read for the last time, and gives its place to the next one.",
    },
    "foresight": {
        "dynamic": "What is asked before a run can be had from a run on one example, which costs next to "
        "nothing.",
        "static": "Shapes, costs and mistakes can be read from the graph, before the machine is touched.",
    },
    "concurrency": {
        "dynamic": "A thread runs its own lines and holds its own record, so there is little to agree on.",
        "static": "A run is a call without Python's state in it, which threads can make next to each other.",
    },
    "deployment": {
        "dynamic": "The model's own code is what runs, so there is nothing to export.",
        "static": "The graph can leave the program that made it, and run where that code is not.",
    },
}
