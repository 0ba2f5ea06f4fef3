"""The progress of making a dataset on a terminal: one line per stage, with its time."""

from __future__ import annotations

import shutil
import time
from typing import TextIO

EVERY_S = 10.0  # least time between two lines of a file


class StageProgress:
    """The printer of stages: call it with the name of each stage as it begins.

    Call ``end`` after the last stage. A terminal shows the current stage and how far it is; a file
    gets one line when a stage has ended, and within a long stage one in ten seconds at most.

    Args:
        stream: Where to print.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._live = stream, stream.isatty()
        self._stage, self._since, self._told = "", 0.0, 0.0
        self._compiled = False

    def __call__(self, stage: str) -> None:
        """Begin a stage, which ends the one before.

        Args:
            stage: The name of the stage.
        """
        self.end()
        self._stage, self._compiled = stage, False
        self._since = self._told = time.monotonic()
        if self._live:
            self._show(stage)

    def tell(self, text: str) -> None:
        """Tell how far the current stage is.

        Args:
            text: One line.
        """
        now = time.monotonic()
        if self._live:
            self._show(f"{self._stage}: {text}")
        elif now - self._told >= EVERY_S:
            self._told = now
            self._write(f"{self._stage}: {text}\n")

    def tell_compiling(self, function: str) -> None:
        """Tell that the current stage waits for code to be compiled.

        Args:
            function: The name of what is compiled.
        """
        self._compiled = True
        self.tell(f"compiling {function}")

    def end(self) -> None:
        """End the current stage: print its time."""
        if self._stage:
            compiled = ", compiling included" if self._compiled else ""
            took = f"{self._stage}: {time.monotonic() - self._since:.1f} s{compiled}"
            self._write(f"\r\x1b[K{took}\n" if self._live else f"{took}\n")
            self._stage = ""

    def end_line(self) -> None:
        """Let what others print begin on a line of its own: remove the live one."""
        if self._stage and self._live:
            self._write("\r\x1b[K")

    def _show(self, text: str) -> None:
        """Show a live line, no wider than the terminal."""
        room = shutil.get_terminal_size().columns - 1
        line = f"{text} ..."
        self._write(f"\r\x1b[K{line if len(line) <= room else f'{line[: room - 3].rstrip()}...'}")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
