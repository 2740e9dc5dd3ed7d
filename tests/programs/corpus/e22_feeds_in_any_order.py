"""E22: feeds in any order."""

from tests.programs.sessions import orders

orders(3)
