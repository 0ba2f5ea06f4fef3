"""What a node writes into its folder while it serves, and how to serve a folder without a trace."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from rehearsal.files import write_text
from rehearsal.node.access.audit_log import FILE_NAME as AUDIT_FILE
from rehearsal.node.alerts.alert_store import FILE_NAME as ALERTS_FILE
from rehearsal.node.alerts.patient_import import FOLDER as ARRIVALS
from rehearsal.node.privacy.budget import BUDGET_FILE, TERM_BUDGET_FILE
from rehearsal.node.privacy.secret_key import KEY_FILE
from rehearsal.node.settings.node_settings import FILE_NAME as SETTINGS_FILE
from rehearsal.node.settings.node_settings import NodeSettings

# beginnings of names: SQLite and the audit log put more files beside their own
WRITTEN = (AUDIT_FILE, BUDGET_FILE, TERM_BUDGET_FILE, KEY_FILE, ALERTS_FILE, ARRIVALS)


def state_of(folder: Path) -> Iterator[Path]:
    """What a node wrote there while it served."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(WRITTEN):
            yield path


def kept_elsewhere(folder: Path) -> Path | None:
    """Where a node keeps its state when that is not its folder itself."""
    settings = folder / SETTINGS_FILE
    if not settings.is_file():
        return None
    place = NodeSettings.read(folder).access.state_folder(folder)
    return None if place == folder else place


def served_copy(folder: Path, copy: Path, own: Collection[str] = ()) -> Path:
    """The folder again at ``copy``, without state: links to its files, but copies of those whose
    names are in ``own``. What is served there leaves no trace in ``folder``, nor where its
    node.yaml says that state is kept (``access.state``): the copy keeps its own."""
    copy.mkdir(parents=True)
    state = set(state_of(folder))
    kept = kept_elsewhere(folder)
    if kept is not None:
        state |= {kept, folder / SETTINGS_FILE}
        settings = yaml.safe_load((folder / SETTINGS_FILE).read_text(encoding="utf-8"))
        settings["access"]["state"] = None
        write_text(copy / SETTINGS_FILE, yaml.safe_dump(settings, sort_keys=False))
    for path in folder.iterdir():
        if path in state:
            continue
        if path.name in own:
            shutil.copyfile(path, copy / path.name)
        else:
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
