"""Every error that Diptych raises on purpose, as one tree.

Each class also derives from the Python class that one expects in its place (a `ShapeError`
is a `ValueError`), and each message names the call, the values, the way out and, by itself,
the line of the user's own file from which the call came.
"""

from __future__ import annotations

from numpy.linalg import LinAlgError

from shared.source import Line, user_line


class DiptychError(Exception):
    """Root of the tree. `message` is the text alone, `line` the user's own line or None."""

    def __init__(self, message: str, line: Line | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line if line is not None else user_line()

    def __str__(self) -> str:
        where = f"  (your line: {self.line})" if self.line is not None else ""
        return self.message + where


class ShapeError(DiptychError, ValueError):
    """Shapes that do not fit together."""


class DTypeError(DiptychError, TypeError):
    """A dtype that the call can not take."""


class ArgumentError(DiptychError, TypeError):
    """A call with more arguments than it takes, or fewer, or with what it can do nothing with."""


class DivisionError(DiptychError, ZeroDivisionError):
    """Integers that were to be divided by 0."""


class TooLargeError(DiptychError, MemoryError):
    """An array that is larger than the memory."""


class AssignmentError(DiptychError, TypeError):
    """Something was put in a place that is for things of another kind."""


class SettingError(DiptychError, ValueError):
    """A setting (axis, stride, probability, ...) outside what the call allows."""


class AxisError(SettingError, IndexError):
    """An axis that is not there: NumPy's AxisError is both, too."""


class MatrixError(DiptychError, LinAlgError):
    """A matrix that has no inverse, no such factors, or none that were found."""


class RangeError(DiptychError, IndexError):
    """An index or label outside the range that the shapes allow."""


class OutOfRangeError(DiptychError, IndexError):
    """There is no further element (TensorFlow 1's OutOfRangeError)."""


class EngineError(DiptychError, TypeError):
    """Values of two engines in one call, or no engine to do the work."""


class GradientError(DiptychError, RuntimeError):
    """A derivative that was asked for and does not exist, or no longer can be had."""


class NoGradientError(GradientError, ValueError):
    """A training step in which no parameter has a gradient (TensorFlow 1's ValueError)."""


class NotFiniteError(DiptychError, ArithmeticError):
    """NaN or infinity came out of an op into which none went."""


class CheckFailedError(DiptychError, AssertionError):
    """What an Assert in a graph asserted does not hold."""


class FinalizedError(DiptychError, RuntimeError):
    """A graph that was finalised was to be changed."""


class UnknownSizeError(DiptychError, TypeError):
    """A size that is known only at run was used where a plain integer is needed."""


class SymbolicValueError(DiptychError, TypeError):
    """A value was asked of a tensor that has none until a session runs it."""


class GraphError(DiptychError, ValueError):
    """Tensors of different graphs in one call, or a name that a graph does not know."""


class UnknownNameError(GraphError, KeyError):
    """A name that nothing in a graph has."""


class FeedError(DiptychError, ValueError):
    """A fed value whose shape does not fit its placeholder."""


class FeedTypeError(DiptychError, TypeError):
    """A feed key that can not be fed, or a fed value of the wrong kind."""


class FetchError(DiptychError, TypeError):
    """Something was fetched that is neither a tensor nor an operation of the graph."""


class MissingFeedError(DiptychError, ValueError):
    """A run needs a placeholder that was not fed (TensorFlow 1's InvalidArgumentError)."""


class UninitializedError(DiptychError, RuntimeError):
    """A run reads a variable that holds no value yet (TensorFlow 1's FailedPreconditionError)."""


class SessionError(DiptychError, RuntimeError):
    """A session that can not run: closed, empty, or none at hand."""


class MemoryLimitError(SessionError, MemoryError):
    """A run can not be made to hold as little as it may."""


class NoSessionError(SessionError, ValueError):
    """A value was asked for where no session is open (TensorFlow 1's ValueError)."""


class ExportError(DiptychError, ValueError):
    """A graph that the format to be written has no words for."""


class OnnxError(DiptychError, ValueError):
    """A model from an ONNX file that is damaged, was not honestly made, or uses what has no words here."""


class DataError(DiptychError, OSError, ValueError):
    """A file of data that is broken, cut off or not the right one, or that could not be had."""

    __str__ = DiptychError.__str__


class DiskError(DiptychError, OSError):
    """A file that the disk refuses to write, or to give. `errno` and `filename` are those of the OSError."""

    __str__ = DiptychError.__str__


class MissingFileError(DiskError, FileNotFoundError):
    """A file to be read, or a folder to be written to, that is not there."""

    __str__ = DiptychError.__str__


class DeniedError(DiskError, PermissionError):
    """A file or folder that may not be read, or not be written to."""

    __str__ = DiptychError.__str__


class ArchiveError(DiptychError, ValueError):
    """A graph that no archive can hold, or an archive that is damaged, or was not honestly made."""


class StateError(DiptychError, KeyError):
    """A checkpoint whose names or shapes do not fit the model."""

    __str__ = DiptychError.__str__


class CollectiveError(DiptychError, RuntimeError):
    """Ranks that do not make the same calls in the same order, or that can not talk to each other."""


class CollectiveTimeoutError(CollectiveError, TimeoutError):
    """A rank that others wait for has not come within the time limit."""

    __str__ = DiptychError.__str__


class LostRankError(CollectiveError, ConnectionError):
    """A rank has ended, or was killed, while others need it."""

    __str__ = DiptychError.__str__


class NoTransportError(CollectiveError, ImportError):
    """What carries messages between ranks is not installed."""

    __str__ = DiptychError.__str__
