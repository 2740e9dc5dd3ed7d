"""The Array API standard, held against its own test suite, and what computes by the standard alone."""
