"""The settings of a node as a file that may change while the node serves.

Only the section ``access:`` is taken up. Half of a file that somebody is writing must not be read
as a whole one with fewer vetoes, so a change counts once the file is the same at two looks.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from rehearsal.errors import InputError, shown
from rehearsal.node.access.file_watch import FileWatch
from rehearsal.node.access.settings import AccessedNode

log = logging.getLogger(__name__)


class SettingsFile:
    """Reads changed settings.

    Args:
        path: The file, ``node.yaml`` in the node's folder.
        current: The settings that the node serves with.
        read: Reads the file. Raises InputError.
    """

    def __init__(self, path: Path, current: AccessedNode, read: Callable[[], AccessedNode]) -> None:
        self._path, self._read = path, read
        self._current: Any = current
        self._watch = FileWatch(path)
        self._watch.expect_change()  # the file was read before this watch was made
        self._keys = self._watch_keys()

    def look(self, at_once: bool = False) -> AccessedNode | None:
        """Read the settings if they changed.

        Args:
            at_once: Whether to read the file even if it seems unchanged.

        Returns:
            The new settings, or None. Settings that cannot be used are logged.
        """
        is_other, has_other_keys = self._watch.has_settled(), self._keys.has_settled()
        if not (is_other or has_other_keys or at_once):
            return None
        try:
            found = self._usable_settings()
        except InputError as error:
            self.refuse(error)
            return None
        if found == self._current and not (has_other_keys or at_once):
            return None
        self._current = found
        self._keys = self._watch_keys()
        log.info("%s: the access settings are taken up", self._path)
        return found

    def refuse(self, error: InputError) -> None:
        """Log that settings cannot be used.

        Args:
            error: What is wrong with them.
        """
        log.error("%s; the access settings of before stay in force", error)

    def _usable_settings(self) -> Any:
        """Return the present settings with the new section ``access:``. Raises InputError."""
        found: Any = self._read()
        state = self._current.access.state
        if found.access.state != state:
            expected = f"{shown(state)}, as when the node was started (restart it to change this)"
            raise InputError(self._path, "access.state", expected, shown(found.access.state))
        taken_up = replace(self._current, access=found.access)
        if found != taken_up:
            log.warning("%s: to change settings outside access, restart the node", self._path)
        return taken_up

    def _watch_keys(self) -> FileWatch:
        """Watch the files of keys that the settings name."""
        names = (one.jwks_file for one in self._current.access.issuers)
        return FileWatch(*(self._path.parent / name for name in names if name is not None))
