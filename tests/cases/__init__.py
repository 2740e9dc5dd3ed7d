"""The cases under which the laws try each op: one module for each family of ops."""

from __future__ import annotations

import importlib
import pkgutil

from tests.cases.case import Case


def all_cases() -> list[Case]:
    """Every case of every module in this package that has a list `CASES`."""
    found: list[Case] = []
    for module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
        found.extend(getattr(importlib.import_module(f"{__name__}.{module}"), "CASES", ()))
    return found
