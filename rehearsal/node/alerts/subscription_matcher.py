"""Matches new patients with all subscriptions, and lets subscribers wait for alerts."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path

from rehearsal.errors import InputError
from rehearsal.files import make_private, make_private_folder, write_durably
from rehearsal.node.access import consent
from rehearsal.node.access.audit_log import AuditFailed
from rehearsal.node.access.authorizer import Authorizer
from rehearsal.node.access.rights import Rights
from rehearsal.node.access.visas import Caller
from rehearsal.node.alerts.alert_store import Alert, AlertStore, Subscription
from rehearsal.node.alerts.patient_import import FOLDER, REFUSED, TAKEN, NewPatient, read_patient
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.web.problem import Problem

log = logging.getLogger(__name__)

LOOK_S = 0.25  # seconds between two looks into the folder
LOOK_AGAIN_S = 1.0  # seconds between two looks for alerts of other processes
TOKEN_BYTES = 16


class SubscriptionMatcher:
    """Processes the new patients of one node.

    Args:
        node_data: The node's data.
        authorizer: The node's access decisions.
        store: Subscriptions and alerts.
        folder: The node's folder. None processes no files.
        clock: Returns the time, in seconds since 1970.
    """

    def __init__(
        self,
        node_data: NodeData,
        authorizer: Authorizer,
        store: AlertStore,
        folder: Path | None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._node_data, self._authorizer, self.store = node_data, authorizer, store
        self._inbox = None if folder is None else folder / FOLDER
        self._clock = clock
        self._new_alerts = asyncio.Event()

    async def run(self) -> None:
        """Look for new patients as long as the node serves."""
        while True:
            self.process_folder()
            await asyncio.sleep(LOOK_S)

    def process_folder(self) -> None:
        """Process all patients waiting in the folder. An error in one file does not stop others."""
        if self._inbox is None or not self._inbox.is_dir():
            return
        with _locked(self._inbox) as is_mine:
            if is_mine:
                self._process_files(self._inbox)

    def _process_files(self, inbox: Path) -> None:
        for path in sorted(inbox.glob("[!.]*.json")):
            try:
                self.process(read_patient(path))
                _move(path, TAKEN)
            except InputError as error:
                log.error("%s", error)
                make_private_folder(inbox / REFUSED)
                write_durably(inbox / REFUSED / f"{path.name}.reason", f"{error}\n".encode())
                _move(path, REFUSED)
            except AuditFailed as failure:  # no alert without a line in the audit log
                log.error("The audit log cannot be written: %s", failure)
                return

    def process(self, patient: NewPatient) -> list[Alert]:
        """Match a new patient with all subscriptions.

        Decisions are logged before an alert is stored.

        Args:
            patient: The patient.

        Returns:
            The new alerts.

        Raises:
            AuditFailed: The audit log cannot be written.
        """
        alerts = []
        for one in self.store.subscriptions.values():
            if not one.profile.may_match(patient):
                continue
            rights, withheld = self._rights_of(one)
            among = None if rights is None else rights.permitted
            if not one.profile.matches(patient, self._node_data, among):
                continue
            if rights is not None:
                withheld = self._withheld_by_consent(patient, rights)
            self._log(one, withheld)
            if withheld is None:
                alerts.append(Alert(one.id, self._clock(), secrets.token_hex(TOKEN_BYTES)))
        new = self.store.raise_alerts(patient.person, alerts)
        if new:
            self._new_alerts.set()
            self._new_alerts = asyncio.Event()
        return new

    def _rights_of(self, one: Subscription) -> tuple[Rights | None, str | None]:
        """Return what a subscriber may see now, or None and why alerts are withheld."""
        if one.caller.expires <= self._clock():
            return None, "the subscriber's visas expired"
        try:
            rights = self._authorizer.current_rights(one.caller, consent.read_purpose(one.purpose))
        except Problem:
            return None, "issuer or role no longer accepted"
        if not may_subscribe(rights, self._node_data):
            return None, "no access to records any longer"
        return rights, None

    def _withheld_by_consent(self, patient: NewPatient, rights: Rights) -> str | None:
        """Return why a patient's consent forbids an alert; None when it permits one."""
        if patient.withdrawn or patient.person in self._authorizer.withdrawn:
            return "consent: withdrawn"
        if patient.uses is None:
            without = self._authorizer.access.without_consent
            return "consent: none on record" if without == "exclude" else None
        if not consent.permits(patient.uses, rights.purpose):
            return "consent: not for this purpose"
        return None

    def _log(self, one: Subscription, withheld: str | None) -> None:
        """Log who is alerted by which rule, never about whom."""
        if self._authorizer.audit is not None:
            self._authorizer.audit.append(
                {
                    "method": "ALERT",
                    "route": "/alerts",
                    "subscription": one.id,
                    "issuer": one.caller.issuer,
                    "subject": one.caller.subject,
                    "purpose": one.purpose,
                    "rule": "alerted" if withheld is None else f"withheld: {withheld}",
                }
            )

    def pending(self, caller: Caller) -> list[Alert]:
        """Return a subscriber's alerts that were not acknowledged and may leave now.

        People who withdrew since, and subscriptions for which the subscriber no longer has the
        rights, are left out.

        Args:
            caller: The subscriber, with the visas shown now.

        Returns:
            The alerts, oldest first.
        """
        withdrawn = self._authorizer.withdrawn
        allowed = lru_cache(partial(self._may_receive, caller))
        waiting = self.store.pending(caller.issuer, caller.subject)
        subscriptions = self.store.subscriptions
        return [
            alert
            for alert, person in waiting
            if person not in withdrawn and allowed(subscriptions[alert.subscription])
        ]

    def _may_receive(self, caller: Caller, one: Subscription) -> bool:
        try:
            rights = self._authorizer.current_rights(caller, consent.read_purpose(one.purpose))
        except Problem:
            return False
        return may_subscribe(rights, self._node_data)

    async def wait_for_alert(self, caller: Caller, wait_s: float) -> None:
        """Wait until a subscriber has an alert that may leave.

        Args:
            caller: The subscriber.
            wait_s: Longest wait, seconds.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + wait_s
        while not self.pending(caller):
            left = until - loop.time()
            if left <= 0:
                break
            try:
                await asyncio.wait_for(self._new_alerts.wait(), min(left, LOOK_AGAIN_S))
            except TimeoutError:
                continue  # another process of this folder may have raised one


def may_subscribe(rights: Rights, node_data: NodeData) -> bool:
    """Tell whether a caller may subscribe. An alert is about one person, so it requires records.

    Args:
        rights: What the caller may see.
        node_data: The node's data.
    """
    return rights.finest.get(node_data.settings.people_dataset) == "record"


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Lock a folder against other processes. Tell whether no other one has locked it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        is_mine = True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            is_mine = False
        yield is_mine
    finally:
        os.close(descriptor)


def _move(path: Path, name: str) -> None:
    make_private_folder(path.parent / name)
    make_private(path)  # others than our command may have put it there
    path.replace(path.parent / name / path.name)
