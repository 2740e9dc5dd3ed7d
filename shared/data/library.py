"""The source files of the running Python's standard library: a corpus that needs no download."""

from __future__ import annotations

import os
import sysconfig
import tokenize
from collections.abc import Iterator
from pathlib import Path

from shared.data.order import shuffled
from shared.errors import DataError

_NOT_PROSE = {"encodings", "pydoc_data"}  # tables
_NOT_LIBRARY = {"__pycache__", "dist-packages", "site-packages"}
_NOT_WANTED = {"idle_test", "idlelib", "lib2to3", "test", "tests", "turtledemo"}
_LEFT_OUT = _NOT_PROSE | _NOT_LIBRARY | _NOT_WANTED


def modules() -> Iterator[tuple[str, str]]:
    """(name, source) of each module, in a shuffled order that is always the same.

    Tests, tools and tables are left out, and files that do not decode. Which modules there are
    depends on the version of Python. DataError where the library's source is not installed.
    """
    root = Path(sysconfig.get_paths()["stdlib"])
    found: dict[tuple[str, ...], Path] = {}
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in _LEFT_OUT]
        for path in (Path(folder, name) for name in files if name.endswith(".py")):
            found[path.relative_to(root).parts] = path
    names = sorted(found)
    if not names:
        raise DataError(
            f"the standard library's source is not installed in {root}; use a Python that has it, such as "
            "one from python.org or your system's full package"
        )
    for place in shuffled(len(names), 0):
        parts = names[place]
        try:
            with tokenize.open(found[parts]) as file:
                source = file.read()
        except (OSError, SyntaxError, UnicodeDecodeError):
            continue
        yield ".".join(parts).removesuffix(".py").removesuffix(".__init__"), source
