"""Law: every mistake in the tables gives an error that names the call, the values, the user's
own line and the way out."""

from __future__ import annotations

from typing import Any

import pytest

import static
from shared.errors import DiptychError
from tests.mistakes import DYNAMIC, STATIC, Mistake


@pytest.mark.parametrize("mistake", DYNAMIC, ids=lambda m: m.name)
def test_dynamic(mistake: Mistake) -> None:
    check(mistake)


@pytest.mark.parametrize("mistake", STATIC, ids=lambda m: m.name)
def test_static(mistake: Mistake) -> None:
    with static.Graph().as_default():
        check(mistake)


def check(mistake: Mistake) -> None:
    with pytest.raises(mistake.kind) as caught:
        mistake.do()
    error: Any = caught.value
    assert isinstance(error, DiptychError)
    text = str(error)
    for words in mistake.words:
        assert words in text
    assert "(your line: mistakes.py:" in text
