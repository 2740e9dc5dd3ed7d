"""What holds for every test of define-by-run."""

from __future__ import annotations

import pytest

from dynamic.account import Account


@pytest.fixture(autouse=True)
def time_is_no_object(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decorated calls are compiled when they come again, however long that takes on this machine."""
    monkeypatch.setattr(Account, "at_once", True)
