"""Run other systems into the pitfalls.

    python -m comparisons.pitfalls jax.jit                    what comes of each there, as JSON
    python -m comparisons.pitfalls --record jax.jit=PYTHON    the same in that Python, kept for the report
"""

from __future__ import annotations

import json
import sys

from comparisons.pitfalls import peers


def main(words: list[str]) -> None:
    """Do what the words ask for."""
    if words and words[0] == "--record":
        kept = peers.recorded() if peers.RECORDED.exists() else {}
        for word in words[1:]:
            name, _, python = word.partition("=")
            kept[name] = peers.ask(name, python or sys.executable)
        peers.keep(kept)
    else:
        (name,) = words
        print(json.dumps(peers.run_all(name)))


if __name__ == "__main__":
    main(sys.argv[1:])
