"""E19: updates from four threads."""

from tests.programs.sessions import slow, threads

threads(lambda v, x: v.assign(slow(v) + x), lambda n: n * 1.0, many=4, level="fast")
