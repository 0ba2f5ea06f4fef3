"""What a person sees while a dataset is made: a line a stage, with the time that it took."""

from __future__ import annotations

import time
from typing import TextIO


class StageProgress:
    """Call it with the name of each stage that begins, and ``end`` after the last.

    On a terminal the stage that runs stands there with three dots until it has ended; elsewhere a
    line comes when it has.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._live = stream, stream.isatty()
        self._stage, self._since = "", 0.0

    def __call__(self, stage: str) -> None:
        self.end()
        self._stage, self._since = stage, time.monotonic()
        if self._live:
            self._write(f"{stage} ...")

    def end(self) -> None:
        if self._stage:
            took = f"{self._stage}: {time.monotonic() - self._since:.1f} s"
            self._write(f"\r\x1b[K{took}\n" if self._live else f"{took}\n")
            self._stage = ""

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
