"""Where a job's words go."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rehearsal.ending import end_with_run
from rehearsal.model import InputError


@contextmanager
def logged_to(path: Path | str) -> Iterator[None]:
    """Send everything written to stdout and stderr, C libraries included, to a file.

    The job ends when its run does (``rehearsal.ending``). An InputError becomes its one line in
    the log and exit status 1, without a traceback.
    """
    end_with_run()
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    with open(path, "w", buffering=1) as log:  # noqa: PTH123 - the descriptor is what matters
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        try:
            yield
        except InputError as error:
            print(error, file=sys.stderr)
            raise SystemExit(1) from None
