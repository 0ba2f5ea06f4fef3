"""What a node writes into its folder while it serves, and how to serve a folder without a trace."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from rehearsal.node.access.audit_log import FILE_NAME as AUDIT_FILE
from rehearsal.node.alerts.alert_store import FILE_NAME as ALERTS_FILE
from rehearsal.node.alerts.patient_import import FOLDER as ARRIVALS
from rehearsal.node.privacy.budget import BUDGET_FILE, TERM_BUDGET_FILE
from rehearsal.node.privacy.secret_key import KEY_FILE

# beginnings of names: SQLite and the audit log put more files beside their own
WRITTEN = (AUDIT_FILE, BUDGET_FILE, TERM_BUDGET_FILE, KEY_FILE, ALERTS_FILE, ARRIVALS)


def state_of(folder: Path) -> Iterator[Path]:
    """What a node wrote there while it served."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(WRITTEN):
            yield path


def served_copy(folder: Path, copy: Path, own: Collection[str] = ()) -> Path:
    """The folder again at ``copy``, without state: links to its files, but copies of those whose
    names are in ``own``. What is served there leaves no trace in ``folder``."""
    copy.mkdir(parents=True)
    state = set(state_of(folder))
    for path in folder.iterdir():
        if path.name in own:
            shutil.copyfile(path, copy / path.name)
        elif path not in state:
            (copy / path.name).symlink_to(path.resolve())
    return copy


@contextmanager
def served_copies(folders: Mapping[str, Path], beside: Path) -> Iterator[dict[str, Path]]:
    """Copies of nodes' folders by country, as ``served_copy`` makes them, below a folder that goes
    in the end. ``beside``: where that is, a path that every machine of a run can see.
    """
    beside.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=beside) as place:
        yield {code: served_copy(path, Path(place) / code) for code, path in folders.items()}
