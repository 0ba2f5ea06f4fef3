"""Record that people of a node withdrew their consent, for the node's operator."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from rehearsal.errors import InputError, shown
from rehearsal.node.access.withdrawals import FILE_NAME as WITHDRAWALS
from rehearsal.node.access.withdrawals import add_withdrawals, read_withdrawals
from rehearsal.node.alerts.alert_store import FILE_NAME as ALERTS
from rehearsal.node.alerts.patient_import import FOLDER as ARRIVALS
from rehearsal.node.alerts.patient_import import TAKEN
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.stores.people_store import PeopleStore


def withdraw_consent(folder: Path, people: Sequence[str]) -> list[str]:
    """Record withdrawals of consent. Serving processes take them up by themselves.

    Args:
        folder: The node's folder.
        people: Identifiers of people of the node, or of patients who were added to it.

    Returns:
        Those who had not withdrawn before.

    Raises:
        InputError: The folder is not a node's, or it does not have one of the people. Then nobody's
            withdrawal is recorded.
    """
    state = NodeSettings.read(folder).access.state_folder(folder)
    known = read_withdrawals(state / WITHDRAWALS)
    with closing(PeopleStore.open(folder / "people.sqlite")) as store:
        for person in people:
            if person in known or store.position(person) is not None:
                continue
            if not _has_arrived(folder, state, person):
                raise InputError(folder, "PERSON", "people of this node", shown(person))
    return add_withdrawals(state, people)


def _has_arrived(folder: Path, state: Path, person: str) -> bool:
    """Tell whether a person was added to the node as a patient."""
    inbox = folder / ARRIVALS
    name = f"{person}.json"
    if Path(name).name == name and any((at / name).is_file() for at in (inbox, inbox / TAKEN)):
        return True
    path = state / ALERTS
    if not path.is_file():
        return False
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as alerts:
        sql = "SELECT 1 FROM alerts WHERE person = ?"
        return alerts.execute(sql, (person,)).fetchone() is not None
