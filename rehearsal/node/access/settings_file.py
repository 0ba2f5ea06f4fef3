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
        self._keys = self._watch_keys(current)
        self._is_refused = False  # what the file says now

    def look(self, take_up: Callable[[AccessedNode], None], at_once: bool = False) -> None:
        """Read the settings if they changed, and let the node take them up.

        Settings that cannot be used are logged.

        Args:
            take_up: Uses settings from now on. Raises InputError and keeps those of before.
            at_once: Whether to read the file even if it seems unchanged.
        """
        is_other, has_other_keys = self._watch.has_settled(), self._keys.has_settled()
        if not (is_other or has_other_keys or at_once):
            return
        try:
            found = self._usable_settings()
            if found == self._current and not (has_other_keys or at_once or self._is_refused):
                return
            self._keys = self._watch_keys(found)  # also of settings that broken keys refuse
            take_up(found)
        except InputError as error:
            self._is_refused = True
            log.error("%s; the access settings of before stay in force", error)
        else:
            self._note_taken_up(found)

    def _note_taken_up(self, found: AccessedNode) -> None:
        again = "in force again" if found == self._current and self._is_refused else "taken up"
        log.info("%s: the access settings are %s", self._path, again)
        self._current, self._is_refused = found, False

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

    def _watch_keys(self, settings: AccessedNode) -> FileWatch:
        """Watch the files of keys that settings name."""
        names = (one.jwks_file for one in settings.access.issuers)
        return FileWatch(*(self._path.parent / name for name in names if name is not None))
