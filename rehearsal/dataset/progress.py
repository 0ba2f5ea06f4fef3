"""The progress of making a dataset on a terminal: one line per stage, with its time."""

from __future__ import annotations

import time
from typing import TextIO


class StageProgress:
    """The printer of stages: call it with the name of each stage as it begins.

    Call ``end`` after the last stage. A terminal shows the current stage with three dots; a file
    gets one line when a stage has ended.

    Args:
        stream: Where to print.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._live = stream, stream.isatty()
        self._stage, self._since = "", 0.0

    def __call__(self, stage: str) -> None:
        """Begin a stage, which ends the one before.

        Args:
            stage: The name of the stage.
        """
        self.end()
        self._stage, self._since = stage, time.monotonic()
        if self._live:
            self._write(f"{stage} ...")

    def end(self) -> None:
        """End the current stage: print its time."""
        if self._stage:
            took = f"{self._stage}: {time.monotonic() - self._since:.1f} s"
            self._write(f"\r\x1b[K{took}\n" if self._live else f"{took}\n")
            self._stage = ""

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
