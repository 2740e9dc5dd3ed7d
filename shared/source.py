"""Where in the user's own code a call came from."""

from __future__ import annotations

import contextlib
import linecache
import os
import sys
from functools import cache
from types import FrameType
from typing import NamedTuple

_HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_OURS = tuple(os.path.join(_HOME, package) + os.sep for package in ("shared", "dynamic", "static"))
_WITH = contextlib.contextmanager.__code__.co_filename
"""Frames of Python's own between a `with` and what is done at its end: the user's line is further out."""
GENERATED = "<diptych"
"""How the file names of generated programs begin; their frames are ours, not the user's."""


class Line(NamedTuple):
    """One line of a source file."""

    file: str
    number: int

    @property
    def code(self) -> str:
        """The text of the line, stripped; empty where the source is not at hand."""
        return linecache.getline(self.file, self.number).strip()

    def __str__(self) -> str:
        return f"{os.path.basename(self.file)}:{self.number}  {self.code}".rstrip()


@cache
def _is_ours(file: str) -> bool:
    return file == _WITH or file.startswith(GENERATED) or os.path.abspath(file).startswith(_OURS)


def user_line() -> Line | None:
    """The innermost line on the stack that is not Diptych's own engine code, or None."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if not _is_ours(frame.f_code.co_filename):
            return Line(frame.f_code.co_filename, frame.f_lineno)
        frame = frame.f_back
    return None
