"""E21: half of an integer."""

from tests.programs.effects import effects


def program(E, x):
    i = E.variable(3, "i")
    return {"j": E.add(i, 0.5)}, []


effects(program, [["j"]], [1.0], chain=True)
