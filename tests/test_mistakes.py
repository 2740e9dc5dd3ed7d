"""Law: every mistake in the tables gives an error that names the call, the values, the user's
own line and the way out."""

from __future__ import annotations

import traceback
from types import TracebackType
from typing import Any

import pytest

import static
from shared.errors import DiptychError
from tests import mistakes, mistakes_static
from tests.mistakes import DYNAMIC, Mistake
from tests.mistakes_static import STATIC

USERS = {mistakes.__file__, mistakes_static.__file__}


@pytest.mark.parametrize("mistake", DYNAMIC, ids=lambda m: m.name)
def test_dynamic(mistake: Mistake) -> None:
    check(mistake)


@pytest.mark.parametrize("mistake", STATIC, ids=lambda m: m.name)
def test_static(mistake: Mistake) -> None:
    with static.Graph().as_default():
        check(mistake)


def test_no_mistake_is_in_a_table_twice() -> None:
    for table in (DYNAMIC, STATIC):
        assert len({mistake.name for mistake in table}) == len(table)


def check(mistake: Mistake) -> None:
    with pytest.raises(mistake.kind) as caught:
        mistake.do()
    error: Any = caught.value
    assert isinstance(error, DiptychError)
    text = str(error)
    for words in mistake.words:
        assert words in text
    assert error.line is not None and error.line.file in USERS
    assert text.endswith(f"(your line: {error.line})")
    if mistake.line:
        assert mistake.line in error.line.code
    else:
        assert error.line.number == innermost_line(caught.tb)


def innermost_line(trace: TracebackType) -> int | None:
    """The last line of the tables that was running when the error was raised."""
    frames = [frame for frame in traceback.extract_tb(trace) if frame.filename in USERS]
    return frames[-1].lineno
