"""Who arrives is held against every standing query, and subscribers wait for what comes of it."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from rehearsal.files import written_aside
from rehearsal.model import InputError
from rehearsal.node.access import consent
from rehearsal.node.access.audit_log import AuditFailed
from rehearsal.node.access.authorizer import Gate
from rehearsal.node.access.rights import Rights
from rehearsal.node.alerts.patient_import import FOLDER, REFUSED, TAKEN, Arrival, read_arrival
from rehearsal.node.alerts.store import Alert, AlertStore, Subscription
from rehearsal.node.beacon.datasets import Holdings
from rehearsal.web.problem import Problem

log = logging.getLogger(__name__)

LOOK_S = 0.25  # how often the folder is looked at
TOKEN_BYTES = 16


class Watch:
    """Takes arrivals of one node. ``folder``: the node's, None for one without arrivals."""

    def __init__(
        self,
        holdings: Holdings,
        gate: Gate,
        store: AlertStore,
        folder: Path | None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._holdings, self._gate, self.store = holdings, gate, store
        self._arrivals = None if folder is None else folder / FOLDER
        self._clock = clock
        self._raised = asyncio.Event()

    async def keep(self) -> None:
        """Look for arrivals for as long as the node serves."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_S)

    def look(self) -> None:
        """Take everybody who waits in the folder. A fault with one file stops no other."""
        if self._arrivals is None or not self._arrivals.is_dir():
            return
        for path in sorted(self._arrivals.glob("[!.]*.json")):
            try:
                self.take(read_arrival(path))
                _moved(path, TAKEN)
            except InputError as error:
                log.error("%s", error)
                with written_aside(path.parent / REFUSED / f"{path.name}.reason") as aside:
                    aside.write_text(f"{error}\n", encoding="utf-8")
                _moved(path, REFUSED)
            except AuditFailed as failure:  # nobody is told what cannot be written down
                log.error("the audit log cannot be written: %s", failure)
                return

    def take(self, arrival: Arrival) -> list[Alert]:
        """Hold somebody against all subscriptions; returns the alerts that are new.

        The decisions are in the audit log before an alert is. Raises AuditFailed.
        """
        alerts = []
        for one in self.store.subscriptions.values():
            if not one.profile.fits(arrival, self._holdings):
                continue
            withheld = self._withheld(one, arrival)
            self._log(one, withheld)
            if withheld is None:
                alerts.append(Alert(one.id, self._clock(), secrets.token_hex(TOKEN_BYTES)))
        new = self.store.raise_alerts(arrival.person, alerts)
        if new:
            self._raised.set()
            self._raised = asyncio.Event()
        return new

    def _withheld(self, one: Subscription, arrival: Arrival) -> str | None:
        """Why a subscriber is not told of somebody, by what holds at this moment; None: is told."""
        if one.caller.expires <= self._clock():
            return "the subscriber's visas expired"
        try:
            rights = self._gate.standing(one.caller, consent.read_purpose(one.purpose))
        except Problem:
            return "issuer or role: not believed any more"
        if not may_subscribe(rights, self._holdings):
            return "no right to records any more"
        if arrival.withdrawn:
            return "consent: withdrawn"
        if arrival.uses is None:
            without = self._holdings.settings.access.without_consent
            return "consent: none on record" if without == "exclude" else None
        if not consent.permits(arrival.uses, rights.purpose):
            return "consent: not for this purpose"
        return None

    def _log(self, one: Subscription, withheld: str | None) -> None:
        """Who is told by which rule, and never of whom."""
        if self._gate.audit is not None:
            self._gate.audit.append(
                {
                    "method": "ALERT",
                    "route": "/alerts",
                    "subscription": one.id,
                    "issuer": one.caller.issuer,
                    "subject": one.caller.subject,
                    "purpose": one.purpose,
                    "rule": "told" if withheld is None else f"withheld: {withheld}",
                }
            )

    async def pending(self, issuer: str, subject: str, wait_s: float) -> list[Alert]:
        """A subscriber's alerts that were not acknowledged, as soon as there is one."""
        loop = asyncio.get_running_loop()
        until = loop.time() + wait_s
        while not (found := self.store.pending(issuer, subject)):
            left = until - loop.time()
            if left <= 0:
                break
            try:
                await asyncio.wait_for(self._raised.wait(), left)
            except TimeoutError:
                break
        return found or self.store.pending(issuer, subject)


def may_subscribe(rights: Rights, holdings: Holdings) -> bool:
    """An alert is about one person: it takes what their record would take."""
    return rights.finest.get(holdings.settings.people_dataset) == "record"


def _moved(path: Path, name: str) -> None:
    (path.parent / name).mkdir(exist_ok=True)
    path.replace(path.parent / name / path.name)
