"""Machine code from LLVM's language, as functions that Python calls with arrays.

llvmlite is imported at the first kernel. A kernel is a builtin
function for Python (METH_FASTCALL): a call costs a tenth of what a ufunc's does. No address stands
in its code, so that it can be kept on disk: what it needs of Python and NumPy comes by a table.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from shared.kernels import store, support
from shared.kernels.scalars import LLVM_TYPES

TARGET: dict[str, Any] = {"opt": 3, "reloc": "static", "codemodel": "large"}
"""Addresses as whole numbers in the code: constants may lie anywhere, and there is no table of
offsets, which LLVM's loader sets wrongly from the second object on."""

_FASTCALL = 0x0080


@dataclass
class Costs:
    """What kernels have cost this process: how many were compiled, and read from disk; seconds."""

    compiled: int = 0
    read: int = 0
    seconds: float = 0.0

    def since(self, before: Costs) -> str:
        """What was spent between two looks, in words."""
        compiled, read = self.compiled - before.compiled, self.read - before.read
        return (
            f"{compiled} compiled, {read} read from disk, in {1000 * (self.seconds - before.seconds):.0f} ms"
        )


class _Method(ctypes.Structure):
    """PyMethodDef."""

    _fields_ = (
        ("name", ctypes.c_char_p), ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int), ("doc", ctypes.c_char_p),
    )  # fmt: skip


COSTS = Costs()
_lock = threading.RLock()
if hasattr(os, "register_at_fork"):  # in a child nobody would open what another thread had locked
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)
_methods: dict[Hashable, _Method] = {}  # never taken out: Python keeps pointers to them


def function(
    key: Hashable, source: Callable[[str], str], numbers: Sequence[float] = (), vectors: bool = False
) -> Callable[..., Any]:
    """The compiled function for a key, made from `source(name)` if it is not known yet.

    Source of the same key must be the same. The function is called with positional arguments alone.
    numbers: what it finds behind its table. They are no part of the code: the next function of
    the same key may be given others. vectors: whether the source is written in vectors already.
    """
    method = _methods.get(key)
    if method is None:
        with _lock:
            method = _methods.get(key)
            if method is None:
                method = _methods[key] = _made(key, source, vectors)
    return _builtin(method, _with(numbers) if numbers else _table())


def _digest(text: str) -> str:
    import hashlib  # by the first kernel: it is slow to load

    return hashlib.sha256(text.encode()).hexdigest()


def _made(key: Hashable, source: Callable[[str], str], vectors: bool) -> _Method:
    start = time.perf_counter()
    _table()  # what all kernels need is compiled while nobody else compiles
    name = "kernel_" + _digest(repr(key))[:20]
    (address,) = _loaded(source(name), [name], vectors)
    method = _Method(name.encode(), address, _FASTCALL, None)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(method))  # builtins read it as the interpreter ends
    COSTS.seconds += time.perf_counter() - start
    return method


class Routine:
    """Code that is called as C does, with its arguments in an array of 64-bit words, which have names.
    Python's lock is let go of meanwhile, and nothing is looked at: the arguments have to be right."""

    def __init__(self, address: int, words: Sequence[str]) -> None:
        self.call = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address)
        self.words = words
        self.places = {word: place for place, word in enumerate(words)}

    def arguments(self, values: dict[str, int]) -> Any:
        """The arguments with these values, and zeros."""
        return np.array([values.get(word, 0) for word in self.words], np.int64)

    def changed(self, arguments: Any, values: dict[str, int]) -> Any:
        """The same arguments with some others."""
        found = arguments.copy()
        for word, value in values.items():
            found[self.places[word]] = value
        return found

    def __call__(self, arguments: Any) -> None:
        self.call(address(arguments))

    def each(self, calls: Sequence[Any]) -> None:
        """Once for each array of arguments."""
        for arguments in calls:
            self(arguments)


def routine(
    key: Hashable, words: Sequence[str], source: Callable[[str], str], vectors: bool = True
) -> Routine:
    """The routine for a key, made from `source(name)`. Whoever calls it keeps it. vectors: whether the
    source is written in vectors already."""
    name = "plain_" + _digest(repr(key))[:20]
    with _lock:
        start = time.perf_counter()
        (address,) = _loaded(source(name), [name], vectors)
        COSTS.seconds += time.perf_counter() - start
    return Routine(address, words)


def address(array: Any) -> int:
    """Where an array's elements begin: from where kernels read it too, for NumPy's own word takes longer."""
    return ctypes.c_size_t.from_address(id(array) + support.DATA).value


@cache
def vector_bytes() -> int:
    """How many bytes the processor computes with at once: 64, 32 or 16."""
    features = _compiler().features
    return 64 if features.get("avx512f") else 32 if features.get("avx") else 16


def _loaded(text: str, names: Sequence[str], vectors: bool = False) -> list[int]:
    """The addresses of what the text defines under these names; `vectors`: see `compile`."""
    compiler = _compiler()
    key = _digest(f"{compiler.identity}{' vectors' * vectors}\n{text}")
    code = store.read(key, compiler.identity)
    if code is not None:
        COSTS.read += 1
        return compiler.load(code, names)
    code = compiler.compile(text, vectors)
    COSTS.compiled += 1
    addresses = compiler.load(code, names)
    store.write(key, compiler.identity, code)
    return addresses


class _Compiler:
    """LLVM for the processor that runs this."""

    def __init__(self) -> None:
        import llvmlite
        import llvmlite.binding as llvm

        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        self.features = llvm.get_host_cpu_features()
        cpu, features = llvm.get_host_cpu_name(), self.features.flatten()
        self.llvm = llvm
        self.machine = llvm.Target.from_default_triple().create_target_machine(
            cpu=cpu, features=features, jit=True, **TARGET
        )
        self.identity = f"{llvmlite.__version__} {llvm.llvm_version_info} {cpu} {features} {TARGET}"
        self.engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), self.machine)

    def compile(self, text: str, vectors: bool = False) -> bytes:
        """Optimised object code. Loops become vectors, unless the text has its `vectors` already: then it
        takes a third of the time. No floating-point rule is relaxed."""
        llvm = self.llvm
        module = llvm.parse_assembly(text)
        module.triple, module.data_layout = self.machine.triple, str(self.machine.target_data)
        options = llvm.create_pipeline_tuning_options(speed_level=1 if vectors else 3)
        options.loop_vectorization = options.slp_vectorization = not vectors
        options.loop_unrolling = not vectors
        passes = llvm.create_pass_builder(self.machine, options)
        passes.getModulePassManager().run(module, passes)
        return bytes(self.machine.emit_object(module))

    def load(self, code: bytes, names: Sequence[str]) -> list[int]:
        """Make object code ready to run; the addresses of names in it, each of which is there."""
        self.engine.add_object_file(self.llvm.object_file.ObjectFileRef.from_data(code))
        self.engine.finalize_object()
        found = [self.engine.get_function_address(name) for name in names]
        if not all(found):
            raise RuntimeError(f"LLVM has made code without {names[found.index(0)]!r}, which is not called")
        return found


def _compiler() -> _Compiler:
    with _lock:  # two threads that come at once would make two, and LLVM mixes up what they compile
        return _only_compiler()


_only_compiler = cache(_Compiler)


def loaded() -> bool:
    """Whether LLVM is there already."""
    return _only_compiler.cache_info().currsize > 0


# --- functions for Python ------------------------------------------------------------------


@cache
def _table() -> Any:
    """The addresses that kernels look up, as an array: it is what Python hands a kernel as `self`."""
    api, names = ctypes.pythonapi, ("fits", "plain", "enter", "leave")
    addresses = _loaded(support.SOURCE, [f"diptych_{name}" for name in names])
    found: dict[str, Any] = {
        "type": id(np.ndarray),
        "answer": ctypes.cast(api.PyBool_FromLong, ctypes.c_void_p).value,
        "release": ctypes.cast(api.PyEval_SaveThread, ctypes.c_void_p).value,
        "acquire": ctypes.cast(api.PyEval_RestoreThread, ctypes.c_void_p).value,
        **dict(zip(names, addresses, strict=True)),
        **{dtype.name: id(dtype) for dtype in LLVM_TYPES},
    }
    return np.array([found[entry] for entry in support.ENTRIES], np.uintp)


def _with(numbers: Sequence[float]) -> Any:
    """The table with these behind it."""
    return np.concatenate([_table(), np.array(numbers, np.float64).view(np.uintp)])


def _builtin(method: _Method, table: Any) -> Callable[..., Any]:
    new = ctypes.pythonapi.PyCFunction_NewEx
    new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p]
    return new(ctypes.addressof(method), table, None)


@cache
def available() -> str:
    """Why there can be no kernels here; "" if there can."""
    if os.environ.get("DIPTYCH_KERNELS") == "0":
        return "DIPTYCH_KERNELS=0 asks for none"
    if (
        sys.implementation.name != "cpython"
        or ctypes.sizeof(ctypes.c_void_p) != 8
        or sys.byteorder != "little"
    ):
        return "they are for CPython on 64-bit little-endian processors"
    try:
        _compiler()
    except Exception as error:
        return f"LLVM can not be used: {error}"
    return "" if _fields_hold() else "this NumPy keeps an array's fields elsewhere"


def _fields_hold() -> bool:
    """Whether an array's fields are where kernels read them."""
    array = np.arange(6, dtype=np.float32).reshape(2, 3)

    def read(ctype: Any, offset: int) -> Any:
        return ctype.from_address(id(array) + offset).value

    sizes = read(ctypes.c_void_p, support.SIZES)
    return (
        read(ctypes.c_void_p, support.HEAD - 8) == id(np.ndarray)
        and read(ctypes.c_void_p, support.DATA) == array.__array_interface__["data"][0]
        and read(ctypes.c_int, support.NDIM) == 2
        and [ctypes.c_ssize_t.from_address(sizes + 8 * i).value for i in range(2)] == [2, 3]
        and read(ctypes.c_void_p, support.DTYPE) == id(array.dtype)
        and read(ctypes.c_int, support.FLAGS) & support.WRITABLE == support.WRITABLE
    )
