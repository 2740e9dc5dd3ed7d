"""Text by characters: the source of Python's standard library."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from shared.data.library import modules
from shared.errors import RangeError, SettingError
from shared.usage.door import methods

UNKNOWN = "\ufffd"
CHARACTERS = "\n" + "".join(map(chr, range(32, 127))) + UNKNOWN
"""The line break, what ASCII prints, and one for all others: 97, whatever the text."""


class Vocabulary:
    """Characters and their codes, which are their places in `characters`."""

    def __init__(self, characters: str = CHARACTERS) -> None:
        if len(set(characters)) != len(characters) or UNKNOWN not in characters:
            raise SettingError(f"Vocabulary: characters must differ, and {UNKNOWN!r} be among them")
        self.characters = characters
        self._codes = {character: code for code, character in enumerate(characters)}
        self._table = np.full(128, self._codes[UNKNOWN], np.int64)
        for character, code in self._codes.items():
            if ord(character) < 128:
                self._table[ord(character)] = code

    def __len__(self) -> int:
        return len(self.characters)

    def encode(self, text: str) -> Any:
        """The codes of a text, int64 (len(text),). Characters that it lacks get UNKNOWN's code."""
        points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        codes = self._table[np.minimum(points, 127)]
        for place in np.flatnonzero(points > 126):  # rare
            codes[place] = self._codes.get(text[place], self._codes[UNKNOWN])
        return codes

    def decode(self, codes: Any) -> str:
        """The text of some codes."""
        codes = np.asarray(codes).reshape(-1)
        if codes.size and not (0 <= codes.min() and codes.max() < len(self)):
            raise RangeError(f"decode: codes must lie from 0 to {len(self) - 1}")
        return "".join(self.characters[code] for code in codes)


methods(Vocabulary)


class Text(NamedTuple):
    """Characters to train on and characters held back, by their codes: int64 (N,)."""

    train: Any
    test: Any
    vocabulary: Vocabulary


def load_library_text(characters: int = 1_000_000, held_out: float = 0.1) -> Text:
    """Source text of Python's own standard library, file after file.

    characters  how many to take; the files come in a shuffled order that is always the same
    held_out    the share of them, from the end, that makes the test text
    Tabs become spaces, form feeds go. Which text it is depends on the version of Python.
    """
    if characters < 2 or not 0 < held_out < 1:
        raise SettingError(
            "load_library_text: characters must be 2 or more and held_out between 0 and 1, not "
            f"{characters!r} and {held_out!r}"
        )
    parts, size = [], 0
    for _, source in modules():
        parts.append(source.expandtabs(4).replace("\f", ""))
        size += len(parts[-1])
        if size >= characters:
            break
    vocabulary = Vocabulary()
    codes = vocabulary.encode("".join(parts)[:characters])
    cut = len(codes) - max(1, int(len(codes) * held_out))
    return Text(codes[:cut], codes[cut:], vocabulary)
