"""How raw arrays are summed, squared and widened so that digits are kept: what ops' computes lean on.

`summing` adds in blocks over any axes, `scaling` keeps squares within the range of their dtype, and `half`
has half precision computed in single.
"""
