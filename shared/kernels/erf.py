"""The error function's approximations, for NumPy (`shared.ops.erf`) and for kernels alike."""

from __future__ import annotations

NEAR = 0.84375
"""Up to here erf(x) = x + x P(x^2) / Q(x^2), from here on 1 - exp(-x^2) P(x) / Q(x). So that
neither part is a difference of near equals, errors stay within a unit in the last place."""

# Coefficients from the highest power down. In double precision the near ones are Sun's (fdlibm,
# s_erf.c, 1993), the far ones Cody's (Rational Chebyshev approximations for the error function,
# Mathematics of Computation 23, 1969). In single precision both are minimax fits of their own
# (Lawson's weighted least squares on erf to 50 places), off by 6e-9 at most.
DOUBLE = (
    (
        (-2.37630166566501626084e-05, -5.77027029648944159157e-03, -2.84817495755985104766e-02,
         -3.25042107247001499370e-01, 1.28379167095512558561e-01),
        (-3.96022827877536812320e-06, 1.32494738004321644526e-04, 5.08130628187576562776e-03,
         6.50222499887672944485e-02, 3.97917223959155352819e-01, 1.0),
    ),
    (
        (2.15311535474403846343e-08, 5.64188496988670089180e-01, 8.88314979438837594118,
         6.61191906371416294775e01, 2.98635138197400131132e02, 8.81952221241769090411e02,
         1.71204761263407058314e03, 2.05107837782607146532e03, 1.23033935479799725272e03),
        (1.0, 1.57449261107098347253e01, 1.17693950891312499305e02, 5.37181101862009857509e02,
         1.62138957456669018874e03, 3.29079923573345962678e03, 4.36261909014324715820e03,
         3.43936767414372163696e03, 1.23033935480374942043e03),
    ),
)  # fmt: skip
SINGLE = (
    ((-0.0006342888332, 0.005055616813, -0.02680510047, 0.1128277551, -0.376125764, 0.1283791608), ()),
    ((0.231354577, 0.7401088478, 1.000591804), (0.408494228, 1.33095553, 1.872643253, 1.0)),
)  # fmt: skip
