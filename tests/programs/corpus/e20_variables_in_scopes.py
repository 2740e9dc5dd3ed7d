"""E20: variables in scopes."""

from tests.programs.effects import effects


def program(E, x):
    with E.variable_scope("enc"):
        a = E.variable(1.0, "w")
    with E.variable_scope("dec"):
        b = E.variable(2.0, "w")
    with E.name_scope("s"), E.name_scope("t/"):
        c = E.identity(x, name="y")
    with E.variable_scope("enc") as scope:
        pass
    with E.variable_scope(scope):
        d = E.variable(3.0, "q")
    return {"x": c}, [a, b, c, d]


effects(program, [["x"]], [1.0], chain=True)
