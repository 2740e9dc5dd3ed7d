"""The command line: `python -m comparisons`, and the installed command `diptych`."""

from __future__ import annotations

from comparisons.machine import threads

threads.settle()  # before anything below imports NumPy

from comparisons.command_line.commands import main  # noqa: E402

if __name__ == "__main__":
    main()
