"""The pages, made from report.json alone."""

from comparisons.report.page import draw

__all__ = ["draw"]
