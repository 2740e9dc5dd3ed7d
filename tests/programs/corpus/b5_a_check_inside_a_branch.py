"""B5: a check inside a branch."""

from tests.programs.effects import effects


def program(E, x):
    w = E.variable(2.0, "w")
    put = E.group(E.put(w, x))

    def yes():
        with E.control_dependencies([put]):
            return E.identity(x * 2.0)

    return {"t": E.cond(x > 0.0, yes, lambda: E.identity(x))}, []


effects(program, [["t"]], [1.0], chain=True)
