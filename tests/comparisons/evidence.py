"""What takes long to find out, once for all processes of a test run."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER: list[Path] = []
"""Where it is kept, once a run has begun."""


def kept(name: str, make: Callable[[], Any]) -> Any:
    """What `make()` gave, as JSON; whichever process asks first makes it."""
    path = FOLDER[0] / f"{name}.json"
    if not path.exists():
        half = path.with_suffix(f".{os.getpid()}")
        half.write_text(json.dumps(make()), encoding="utf-8")
        half.replace(path)
    return json.loads(path.read_text(encoding="utf-8"))
