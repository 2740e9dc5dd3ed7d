"""The error functions' approximations, for NumPy (`shared.ops.gaussian`) and for kernels alike."""

from __future__ import annotations

NEAR = 0.84375
"""Up to here erf(x) = x + x P(x^2) / Q(x^2), from here on erfc(x) = exp(-x^2) P(x) / Q(x). So that
neither part of erf is a difference of near equals, errors stay within a unit in the last place."""
FARTHEST = 40.0
"""Beyond, exp(-x^2 / 2) is 0 in every precision; and exp(-x^2) long before."""

# Coefficients from the highest power down. In double precision the near ones are Sun's (fdlibm,
# s_erf.c, 1993), in single precision a minimax fit of erf to 50 places (Lawson's weighted least squares),
# off by 6e-9 at most. The far ones are relative minimax fits of exp(x^2) erfc(x), found in the same way, as
# far out as erfc is not 0: off by 4.1e-17 and 2.3e-8 of it. All their coefficients are positive.
DOUBLE = (
    (
        (-2.37630166566501626084e-05, -5.77027029648944159157e-03, -2.84817495755985104766e-02,
         -3.25042107247001499370e-01, 1.28379167095512558561e-01),
        (-3.96022827877536812320e-06, 1.32494738004321644526e-04, 5.08130628187576562776e-03,
         6.50222499887672944485e-02, 3.97917223959155352819e-01, 1.0),
    ),
    (
        (0.000505168431718380686653, 0.00701909172011290635508, 0.0497562777167550388058,
         0.225492766415200246685, 0.703761731544277927299, 1.53839940555516574234,
         2.29970526041922097315, 2.16403893438422548861, 1.00000001019171618161),
        (0.000895387732153345428795, 0.012441016149436665213, 0.0886383998944753037544,
         0.40589603094708817182, 1.29103283194768499071, 2.92035955802043046848,
         4.6568327994179475658, 5.01480076993613130238, 3.29241821585438144363, 1.0),
    ),
)  # fmt: skip
SINGLE = (
    ((-0.0006342888332, 0.005055616813, -0.02680510047, 0.1128277551, -0.376125764, 0.1283791608), ()),
    ((0.147023670656626378, 0.591549540295223596, 1.14971917512924618, 0.999313854593571328),
     (0.260597784306315065, 1.04831463810256457, 2.17077500481182709, 2.27362673586782973, 1.0)),
)  # fmt: skip
