"""The order of the rooms, as data: a module may import what stands in its own room or in one above it
in this list, wherever in the file the import is. `docs/architecture.md` draws it.

A room is a folder, or one file that is a room by itself.
"""

ROOMS: dict[str, tuple[str, ...]] = {
    "shared": (
        "source", "errors", "usage", "durable", "device", "sizes", "dims", "spec", "casting", "rules",
        "dispatch", "arrays", "settings", "op", "pullback", "slices", "trace", "nest", "touched", "numerics",
        "kernels", "ranks", "ops",
        "numpy_calls", "methods", "operators", "inplace", "state", "reverse", "watch",
        "picture", "nn", "models", "onnx",
        "optim", "data",
    ),
    "dynamic": (
        "modes", "versions", "sharing", "node", "inplace", "values", "gradient_hooks", "tensors",
        "operands", "instrument", "tape", "endpoints",
        "averaging", "backward", "functional", "create", "recompute",
        "look", "engine", "account", "pending", "matching", "paths", "tree", "freed", "views", "met", "redo",
        "scout", "recording", "calls", "bridge", "making", "words", "kept", "aliases", "array_making",
        "array_api",
    ),
    "static": (
        "graph", "differentiate", "control", "compile", "run", "look", "archive", "onnx", "events", "words",
        "aliases", "engine", "bridge",
    ),
    "comparisons": (
        "machine", "statistics", "training", "tasks", "programs", "measuring", "lab", "pitfalls", "bench",
        "ranks", "experiments", "stepper", "book", "report", "running", "command_line", "__main__",
    ),
}  # fmt: skip

EXCEPTIONS: dict[tuple[str, str], str] = {
    ("static.graph.nodes", "static.graph.graph"): "for type checkers: a node says whose it is",
    ("static.graph.graph", "static.graph.variables"): "for type checkers: a graph lists its variables",
    ("shared.dispatch", "static.bridge.paths"): "by name, when a compiler is first asked for",
}
"""Import edges, at most eight, that may close a circle, each with its reason."""
