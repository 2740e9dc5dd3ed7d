"""A process that kills another one, in whatever line that is."""

import os
import signal
import struct
import time


class Killer:
    """A process that kills this one, so many seconds after it was asked to: from outside, in any line."""

    def __init__(self):
        reading, self.pipe = os.pipe()
        if os.fork() == 0:
            os.close(self.pipe)
            told = os.read(reading, 8)  # nothing, where this process has ended
            if told:
                time.sleep(*struct.unpack("d", told))
                os.kill(os.getppid(), signal.SIGKILL)
            os._exit(0)
        os.close(reading)

    def within(self, seconds):
        os.write(self.pipe, struct.pack("d", seconds))
