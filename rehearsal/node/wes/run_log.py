"""The log of a run, for the node's operator: what the algorithm wrote, and why the run ended."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from rehearsal.files import make_private_folder

log = logging.getLogger(__name__)

# the last line of a traceback, such as "KeyError: 'age'"
_PYTHON_ERROR = re.compile(r"^(?:\w+\.)*\w*(?:Error|Exception|Interrupt|Exit|Warning)\b.*", re.M)
LONGEST = 500  # characters of an error that is repeated


class RunLog:
    """The file ``RUN.log`` of one run.

    Args:
        run: The run's id.
        folder: Folder of the logs. None: nothing is kept.
    """

    def __init__(self, run: str, folder: Path | None) -> None:
        self._run = run
        self._path = None if folder is None else folder / f"{run}.log"
        self._notes: list[str] = []
        self._written = b""

    def keep(self, written: bytes) -> None:
        """Keep what the algorithm wrote.

        Args:
            written: The end of its standard output and error.
        """
        self._written = written
        self._write(written)

    def note(self, line: str) -> None:
        """Note what was declared and what was found. It must have no values of people.

        Args:
            line: The line.
        """
        self._notes.append(line)

    def close(self, sentence: str) -> None:
        """Write why the run failed: last in the file, and as a line of the node's own log.

        Args:
            sentence: What the caller reads.
        """
        errors = _PYTHON_ERROR.findall(self._written.decode(errors="replace"))
        last = [f"The last Python error: {errors[-1][:LONGEST]}"] if errors else []
        lines = "".join(f"{line}\n" for line in (*last, *self._notes, sentence))
        end = b"" if self._written.endswith(b"\n") or not self._written else b"\n"
        self._write(self._written + end + lines.encode())
        told = "; ".join((*self._notes, sentence))
        where = "" if self._path is None else f" ({self._path})"
        log.warning("run %s: %s%s", self._run, told, where)

    def _write(self, content: bytes) -> None:
        if self._path is not None:
            make_private_folder(self._path.parent)
            self._path.write_bytes(content)
            self._path.chmod(0o600)
