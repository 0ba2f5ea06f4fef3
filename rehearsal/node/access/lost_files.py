"""Tells when files are missing that a node needs to keep its promise of privacy."""

from __future__ import annotations

import logging
from pathlib import Path

from rehearsal.errors import mismatch
from rehearsal.node.access.audit_segments import FILE_NAME as AUDIT_FILE
from rehearsal.node.access.settings import SETTINGS_FILE, AccessSettings
from rehearsal.node.privacy.ledger import LEDGER_FILE
from rehearsal.node.privacy.public_facts import PUBLIC_FACTS_FILE
from rehearsal.node.privacy.secret_key import KEY_FILE

log = logging.getLogger(__name__)


def warn_of_lost_files(settings: AccessSettings, folder: Path | None, state: Path | None) -> None:
    """Log a warning for each missing file. Called before the node makes files of its own.

    Without a ledger, what earlier answers told is not counted any more. Without public facts, the
    node works, but nearly every answer must be paid. Neither is noticed otherwise.

    Args:
        settings: The access settings. Without protected tiers, neither file is needed.
        folder: The node's folder, or None.
        state: The folder of what the node writes while serving, or None.
    """
    if not settings.protected_tiers():
        return
    if state is not None and _has_served(state) and not (state / LEDGER_FILE).exists():
        expected = "the ledger of the answers that were given before"
        _warn(state / LEDGER_FILE, expected, "the privacy budget starts anew")
    if folder is not None and (folder / SETTINGS_FILE).exists():
        facts = folder / PUBLIC_FACTS_FILE
        if not facts.exists():
            expected = "the public facts of the node"
            _warn(facts, expected, "only the rounded number of its people is public")


def _has_served(state: Path) -> bool:
    """Tell whether a node has given answers: it has a key, or its audit log has lines."""
    audit = state / AUDIT_FILE
    return (state / KEY_FILE).exists() or (audit.exists() and audit.stat().st_size > 0)


def _warn(place: Path, expected: str, consequence: str) -> None:
    log.warning("WARNING: %s", mismatch(str(place), expected, f"no such file: {consequence}"))
