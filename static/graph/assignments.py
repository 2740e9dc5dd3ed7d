"""Assignments: which value of a variable a read sees.

The rule for state, in one sentence: a run executes, in program order, the nodes that its
fetches need, and a read of a variable sees the last assignment before it among those.

An update, which a module makes of its own State while it is called (running statistics, the state
of a dropout layer's generator), counts as being among them, for reads, when the run needs any node
of that call; if that was inside a loop or branch, when the run needs that. Any other assignment
inside a loop or branch is part of every run of it. Whether an update is also stored is another
matter: only where it is fetched, by itself or as part of a train operation, does it outlive the run.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from static.graph.graph import Call, Node


def reaching(
    read: Node, assigns: Iterable[Node], stored: set[Node], calls: set[Call], needed: Container[Node]
) -> Node | None:
    """The assignment that reaches a read: the last one before it, in program order, among those that are
    stored in this run and the updates that it sees; None where the read sees what the session holds.

    assigns  the assignments to the variable, in program order
    calls, needed  the calls of modules, and the nodes, that are part of the run
    """
    last = None
    for node in assigns:
        if node.order < read.order and (node in stored or is_update(node, calls, needed)):
            last = node
    return last


def is_update(node: Node, calls: set[Call], needed: Container[Node]) -> bool:
    """Whether an assignment was made during one of these calls of modules, or is an update that was
    made inside one of the loops and branches among the nodes that are needed."""
    if node.settings["owner"] is not None:
        return node.settings["update"] and node.settings["owner"] in needed
    innermost = next(node.call.modules(), None) if node.call is not None else None
    return innermost is not None and innermost in calls
