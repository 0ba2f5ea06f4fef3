"""Keys of the analyses of a run: each node's identity and the coordinator's, new in each run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rehearsal.files import write_json
from rehearsal.masked_sums.signing_keys import make_signing_key, public_text
from rehearsal.node.settings.analysis_keys import IDENTITY_FILE

KEYS_FILE = "analysis_keys.json"  # in a node's folder: the public keys that it accepts


def make_analysis_keys(coordinator: Path, folders: Iterable[Path]) -> None:
    """Make all keys, and have every node accept every other one and the coordinator.

    Args:
        coordinator: The file of the coordinator's private key.
        folders: The nodes' folders, named by the codes of their countries.
    """
    nodes = list(folders)
    partners = {
        folder.name: public_text(make_signing_key(folder / IDENTITY_FILE)) for folder in nodes
    }
    accepted = {
        "partners": partners,
        "coordinators": [public_text(make_signing_key(coordinator))],
    }
    for folder in nodes:
        write_json(folder / KEYS_FILE, accepted)
