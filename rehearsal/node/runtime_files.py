"""Files that a node writes into its folder while serving, and copies of folders without them."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from rehearsal.errors import InputError, cause
from rehearsal.files import make_private, write_text
from rehearsal.node.access.audit_segments import FILE_NAME as AUDIT_FILE
from rehearsal.node.access.audit_segments import SEGMENTS
from rehearsal.node.access.settings import SETTINGS_FILE
from rehearsal.node.access.withdrawals import FILE_NAME as WITHDRAWALS
from rehearsal.node.alerts.alert_store import FILE_NAME as ALERTS_FILE
from rehearsal.node.alerts.patient_import import FOLDER as ARRIVALS
from rehearsal.node.privacy.ledger import LEDGER_FILE
from rehearsal.node.privacy.secret_key import KEY_FILE
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.yaml_files import load_yaml

log = logging.getLogger(__name__)

# prefixes of file names: SQLite and the audit log write more files beside their own
WRITTEN = (AUDIT_FILE, SEGMENTS, LEDGER_FILE, KEY_FILE, ALERTS_FILE, ARRIVALS)


def state_of(folder: Path) -> Iterator[Path]:
    """Find the files that a node wrote while it served.

    Args:
        folder: The node's folder.

    Yields:
        Their paths.
    """
    for path in sorted(folder.iterdir()):
        if path.name.startswith(WRITTEN):
            yield path


def make_state_private(folder: Path) -> None:
    """Take the rights of others to everything that a node wrote away.

    The secret key is left as it is: one that others could read is refused instead of mended.

    Args:
        folder: The node's folder, or the folder of its state.

    Raises:
        InputError: The rights cannot be changed.
    """
    for path in (*state_of(folder), folder / WITHDRAWALS):
        if path.name == KEY_FILE or not path.exists():
            continue
        inside = sorted(path.rglob("*")) if path.is_dir() else []
        try:
            mended = [one for one in (path, *inside) if make_private(one)]
        except OSError as error:
            expected = "a file that only its owner may read (chmod go= )"
            raise InputError(path, "permissions", expected, f"an error ({cause(error)})") from None
        if mended:
            log.warning("%s: others could read it; now only its owner may", path)


def kept_elsewhere(folder: Path) -> Path | None:
    """Return the folder of a node's state when it is not the node's folder.

    Args:
        folder: The node's folder.

    Returns:
        The folder, or None.
    """
    settings = folder / SETTINGS_FILE
    if not settings.is_file():
        return None
    place = NodeSettings.read(folder).access.state_folder(folder)
    return None if place == folder else place


def served_copy(folder: Path, copy: Path, own: Collection[str] = ()) -> Path:
    """Copy a node's folder without its state, by links to its files.

    Serving the copy changes neither ``folder`` nor the folder named by ``access.state`` in its
    node.yaml. The copy has its own state, but nobody is in its answers who withdrew.

    Args:
        folder: The node's folder.
        copy: The new folder.
        own: Names of files to copy instead of linking.

    Returns:
        The new folder.
    """
    copy.mkdir(parents=True)
    state = set(state_of(folder))
    kept = kept_elsewhere(folder)
    if kept is not None and (kept / WITHDRAWALS).exists():
        (copy / WITHDRAWALS).symlink_to((kept / WITHDRAWALS).resolve())
    if kept is not None:
        state |= {kept, folder / SETTINGS_FILE, folder / WITHDRAWALS}
        settings = load_yaml(folder / SETTINGS_FILE)
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
    """Copy the folders of several nodes temporarily, as :func:`served_copy` does.

    Args:
        folders: Node folders by country code.
        beside: Parent of the temporary folder. Every machine of a run must see it.

    Yields:
        The copies by country code, which are removed at the end.
    """
    beside.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=beside) as place:
        yield {code: served_copy(path, Path(place) / code) for code, path in folders.items()}
