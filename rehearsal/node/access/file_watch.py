"""Notices that files changed, by their inode, size and times."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

_State = tuple[int, int, int, int] | None


class FileWatch:
    """Looks at files whenever it is asked.

    Args:
        paths: The files, which may be missing.
    """

    def __init__(self, *paths: Path) -> None:
        self._paths = paths
        self._taken = self._last = _states(paths)

    def expect_change(self) -> None:
        """Let the next looks tell a change, for files that were read before this watch was made."""
        self._taken = []

    def has_changed(self) -> bool:
        """Tell whether a file is another one than at the last change told.

        For files that are always replaced as a whole.
        """
        self._last = _states(self._paths)
        changed, self._taken = self._last != self._taken, self._last
        return changed

    def has_settled(self) -> bool:
        """Tell whether a file changed, and has not changed any more since the last look.

        For files that may be written in place: half of a file is not read.
        """
        now = _states(self._paths)
        settled = now == self._last != self._taken
        self._last = now
        if settled:
            self._taken = now
        return settled


def _states(paths: Iterable[Path]) -> list[_State]:
    return [_state(path) for path in paths]


def _state(path: Path) -> _State:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
