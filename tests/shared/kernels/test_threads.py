"""Work that kernels share among threads, when it is interrupted, forked, or outlives the main thread."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from shared.kernels import machine, threads
from tests import HOME

CONVOLVE = """
import numpy as np, shared.ops
from shared.op import TABLE
def convolve():
    x, w = np.ones((16, 8, 16, 16), "f"), np.ones((16, 8, 3, 3), "f")
    TABLE["conv2d"].compute(x, w, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1)
    print("done", flush=True)
"""
compiles = pytest.mark.skipif(bool(machine.available()), reason=f"no kernels here: {machine.available()}")
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform knows no fork")


@pytest.fixture(autouse=True)
def two_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "count", lambda: 2)


def printed(program: str) -> str:
    """What a program with two threads prints."""
    return subprocess.run(
        [sys.executable, "-c", CONVOLVE + program], env=os.environ | {"OMP_NUM_THREADS": "2"}, cwd=HOME,
        check=True, capture_output=True, text=True, timeout=60,
    ).stdout  # fmt: skip


@pytest.mark.parametrize("when", ["at work", "waiting"])
@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="this platform sends no signals to threads")
def test_an_interrupt_is_raised_when_no_part_is_at_work_any_more(when: str) -> None:
    """What the others write to is let go of then."""
    done, main = [], threading.get_ident()

    def work(part: int) -> None:
        if part == 0 and when == "at work":
            signal.raise_signal(signal.SIGINT)
        if part == 1:
            time.sleep(0.1)
            if when == "waiting":
                signal.pthread_kill(main, signal.SIGINT)
            time.sleep(0.2)
            done.append(part)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
    try:
        with pytest.raises(KeyboardInterrupt):
            threads.run(work, [0, 1])
    finally:
        signal.signal(signal.SIGINT, before)
    assert done == [1]


def test_an_error_of_any_part_is_raised() -> None:
    for wrong in (0, 1):
        with pytest.raises(ZeroDivisionError):
            threads.run(lambda part, wrong=wrong: 1 / (part != wrong), [0, 1])


@compiles
def test_a_thread_that_outlives_the_main_one_does_all_parts_itself() -> None:
    assert printed("""
import threading, time
def later():
    threading.main_thread().join()
    convolve()
threading.Thread(target=later).start()
""") == "done\n"


@compiles
@forks
def test_a_child_may_compile_though_another_thread_did_when_it_was_forked() -> None:
    assert printed("""
import faulthandler, os, threading, time
from shared.kernels import machine
locked = threading.Event()
def compile():
    with machine._lock:
        locked.set()
        time.sleep(0.3)
threading.Thread(target=compile).start()
locked.wait()
child = os.fork()
if child == 0:
    faulthandler.dump_traceback_later(20, exit=True)
    convolve()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
""") == "done\n"
