#!/bin/sh
# Graphviz draws the label "<lambda>" as "lambda".
#
# One would guess: a box with <lambda> in it, which is how Python names such a function; or an escape on the
#     way.
# What happens: a label in angle brackets is HTML to the graphviz package and to Graphviz: the brackets are
#     gone, and a label such as "<a & b>" is a syntax error. graphviz.nohtml keeps it as text.
# Who is hurt: whoever draws call graphs, types or generic names.
# Bears on: shared/picture/dot.py, whose labels are quoted:
#     tests/shared/picture/test_hostile.py::test_pictures_are_whole.
# Guessed before the run (guesses.md, 57; suspected): reflex "<lambda> in a box", wrong; manual "<lambda> in
#     a box", wrong; build "<lambda> in a box", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet graphviz==0.21 pygraphviz==2.0.4
venv/bin/python - <<'END'
import graphviz
import pygraphviz

print("graphviz", graphviz.__version__, " pygraphviz", pygraphviz.__version__)


def drawn(label):
    dot = graphviz.Digraph()
    dot.node("a", label=label)
    svg = pygraphviz.AGraph(dot.source).draw(format="svg", prog="dot").decode()
    return svg.partition("<text")[2].partition(">")[2].partition("</text>")[0]


plain, kept = drawn("<lambda>"), drawn(graphviz.nohtml("<lambda>"))
print("drawn:", plain, " with nohtml:", kept)
still = plain == "lambda" and kept == "&lt;lambda&gt;"

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
