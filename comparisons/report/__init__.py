"""The pages, made from report.json alone."""

from comparisons.report.pages import draw

__all__ = ["draw"]
