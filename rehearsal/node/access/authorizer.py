"""Decides who may query what at one node, from tokens, visas, its own rules and consent."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from time import monotonic

from rehearsal.model import GRANULARITIES, TIERS, Granularity, Tier
from rehearsal.node.access.audit_log import AuditLog
from rehearsal.node.access.audit_segments import FILE_NAME
from rehearsal.node.access.consent import (
    HEADER_NAME,
    Purpose,
    SharedPeople,
    people_not_permitting,
    public_share_permitting,
    read_purpose,
)
from rehearsal.node.access.issuer_keys import Fetch
from rehearsal.node.access.lost_files import warn_of_lost_files
from rehearsal.node.access.matchmaker_keys import MatchmakerKeys
from rehearsal.node.access.rights import TOKEN_REFUSED, AccessDecision, Rights, RulesInForce
from rehearsal.node.access.settings import (
    AccessedNode,
    AccessSettings,
    DatasetAccess,
)
from rehearsal.node.access.settings_file import SettingsFile
from rehearsal.node.access.token_format import TokenRefused
from rehearsal.node.access.tokens import TokenVerifier
from rehearsal.node.access.visa_rules import granted_access, tier_of
from rehearsal.node.access.visas import Caller
from rehearsal.node.access.withdrawals import WithdrawalWatch
from rehearsal.node.privacy.door import Door
from rehearsal.node.privacy.ledger import LEDGER_FILE, Ledger, LedgerError
from rehearsal.node.privacy.public_facts import PUBLIC_FACTS_FILE, PublicFacts
from rehearsal.node.privacy.secret_key import secret_key
from rehearsal.stores.people_store import PeopleStore
from rehearsal.web.credentials import CredentialsError, read_once, read_token
from rehearsal.web.metrics import Metric
from rehearsal.web.problem import Problem

CACHED_RIGHTS = 1024  # by token and purpose
CACHED_CONSENTS = 64  # sets of excluded people, by purpose
LOOK_S = 1.0  # seconds between two looks for changed files


class Authorizer:
    """The access decisions of one node.

    Attributes:
        audit: The audit log, or None.
        listeners: Called after each change of the rules: withdrawals or settings.
        facts: The node's public facts.
        state: The folder of what the node writes while serving, or None.
        secret: The node's secret key, 32 bytes. Zeros without a state folder.
    """

    def __init__(
        self,
        node: AccessedNode,
        people: PeopleStore,
        folder: Path | None = None,
        audit: AuditLog | None = None,
        fetch: Fetch | None = None,
        clock: Callable[[], float] = time.time,
        settings_file: SettingsFile | None = None,
    ) -> None:
        """Read the issuers' keys, the node's secret and the withdrawals of consent.

        Args:
            node: The node's identity and access settings.
            people: The node's people, with their consents.
            folder: The node's folder. None writes nothing to disk.
            audit: Where decisions are logged. None writes no log.
            fetch: Fetches JSON from an address. None uses HTTP.
            clock: Returns the time, in seconds since 1970.
            settings_file: The node's settings, which may change while it serves. None: they stay.

        Raises:
            InputError: The issuers' keys, the secret or the withdrawals cannot be used.
        """
        self._people, self._folder, self._fetch, self._clock = people, folder, fetch, clock
        self._settings_file = settings_file
        self.audit = audit
        self.listeners: list[Callable[[], None]] = []
        state = self.state = _state(node.access, folder)
        warn_of_lost_files(node.access, folder, state)
        self.secret = bytes(32) if state is None else secret_key(state)
        self.facts = _public_facts(folder, people)
        self._rights: OrderedDict[tuple[bytes, str], Rights] = OrderedDict()
        self._people_not_permitting = lru_cache(CACHED_CONSENTS)(people_not_permitting)
        self._shared_people = SharedPeople(people)
        self._withdrawals = WithdrawalWatch(state, people)
        self._next_look = monotonic() + LOOK_S
        self._ledger: Ledger | None = None  # opened for the first protected tier
        self._doors = self._open_doors(node.access)
        self._access = node.access
        self._take_up(node)

    @classmethod
    def open(
        cls,
        node: AccessedNode,
        people: PeopleStore,
        folder: Path,
        settings_file: SettingsFile | None = None,
    ) -> Authorizer:
        """Create the authorizer of a node's folder, with its audit log.

        Args:
            node: The node's identity and access settings.
            people: The node's people, with their consents.
            folder: The node's folder.
            settings_file: The node's settings, which may change while it serves. None: they stay.

        Returns:
            The authorizer.

        Raises:
            InputError: The keys, the secret, the withdrawals or the log cannot be used.
        """
        log = AuditLog(node.access.state_folder(folder) / FILE_NAME)
        return cls(node, people, folder, log, settings_file=settings_file)

    def close(self) -> None:
        """Close the ledger, so that a copy of its one file is whole."""
        if self._ledger is not None:
            self._ledger.close()

    # --- changes while the node serves ---

    def _open_doors(self, access: AccessSettings) -> dict[Tier, Door]:
        """Return the door of each tier, without tiers that get exact answers."""
        protected = access.protected_tiers()
        if not protected:
            return {}
        ledger = self.ledger
        return {
            tier: Door(tier, one, self.facts, ledger, self.secret)
            for tier, one in protected.items()
        }

    @property
    def ledger(self) -> Ledger:
        """The ledger of what was told about people, opened at the first use."""
        if self._ledger is None:
            path = None if self.state is None else self.state / LEDGER_FILE
            self._ledger = Ledger(self.facts.release, self.secret, path)
        return self._ledger

    def _take_up(self, node: AccessedNode) -> None:
        """Decide by these settings from now on. Raises InputError and keeps those of before."""
        access = node.access
        purpose = read_purpose(access.purpose)
        verifier = TokenVerifier(
            access.issuers,
            access.audience or (node.beacon_id,),
            self._folder,
            access.require_audience,
            access.max_token_age_s,
            self._fetch,
            self._clock,
        )
        if access.protection != self._access.protection:
            self._doors = self._open_doors(access)
        self._access, self._datasets = access, node.datasets
        self._keys = MatchmakerKeys(node)
        self._default_purpose, self._verifier = purpose, verifier
        self._change_rules()

    def _change_rules(self) -> None:
        self._rules = RulesInForce(self._withdrawals.withdrawn)
        self._rights.clear()
        for listener in self.listeners:
            listener()

    def look_for_changes(self, *, at_once: bool = False) -> None:
        """Take up withdrawals and changed settings. Without any, it costs two look-ups of files.

        Settings that cannot be used are logged, and those of before stay in force.

        Args:
            at_once: Whether to read the settings even if their file seems unchanged.
        """
        self._next_look = monotonic() + LOOK_S
        if self._withdrawals.look():
            self._change_rules()
        if self._settings_file is not None:
            self._settings_file.look(self._take_up, at_once)

    async def watch(self) -> None:
        """Look for changes as long as the node serves, so that answers under way are stopped."""
        while True:
            await asyncio.sleep(LOOK_S)
            self.look_for_changes()

    def rules_in_force(self) -> RulesInForce:
        """Return the present rules, after a look for changes if the last one is a second ago."""
        if monotonic() >= self._next_look:
            self.look_for_changes()
        return self._rules

    @property
    def access(self) -> AccessSettings:
        """The access settings in force."""
        return self._access

    @property
    def withdrawn(self) -> frozenset[str]:
        """Identifiers of the people who withdrew while the node serves or before."""
        return self.rules_in_force().withdrawn.people

    # --- decisions ---

    def metrics(self) -> list[Metric]:
        """Collect what the operator can watch of the tiers whose answers are protected.

        Returns:
            The budget that is left; none while the ledger cannot be read.
        """
        try:
            left = tuple(
                ("", {"tier": tier}, door.budget_left()) for tier, door in self._doors.items()
            )
        except LedgerError:
            return []
        text = "Privacy budget that is left to a tier, in nats."
        return [Metric("rehearsal_budget_left_nats", "gauge", text, left)]

    async def authorize(
        self, authorization: list[bytes], purpose: list[bytes], keys: Sequence[bytes] = ()
    ) -> AccessDecision:
        """Decide what a request's headers allow. Never raises for anything a caller sends.

        Args:
            authorization: Values of all ``Authorization`` headers.
            purpose: Values of all ``X-Rehearsal-Purpose`` headers.
            keys: Values of all ``X-Auth-Token`` headers, of a request that may bring one.

        Returns:
            The caller's rights, or the problem to answer with.
        """
        try:
            caller = await self._caller(authorization, keys) if authorization or keys else None
        except TokenRefused as refusal:
            problem = Problem(refusal.message or TOKEN_REFUSED, 401)
            return AccessDecision(None, problem, f"token: {refusal.rule}")
        try:
            stated = read_purpose(read_once(purpose, HEADER_NAME)) if purpose else None
            if caller is not None:
                stated = self._keys.purpose(caller, stated)
        except Problem as problem:
            return AccessDecision(None, problem, "purpose: malformed", caller)
        rules = self.rules_in_force()
        try:
            rights = self._rights_of(caller, stated)
            return AccessDecision(rights, stated=stated, rules=rules, decider=self)
        except Problem as problem:
            return AccessDecision(
                None, problem, "purpose: not for a caller without the role", caller
            )

    async def _caller(self, authorization: list[bytes], keys: Sequence[bytes]) -> Caller | None:
        try:
            token = read_token(authorization, keys)
        except CredentialsError as refusal:
            raise TokenRefused(refusal.rule) from None
        if keys:
            known = self._keys.find(keys[0])
            if known is None:
                raise TokenRefused("an unknown key")
            return known[0]
        if token is None:
            return None
        return self._verifier.cached(token) or await self._verifier.verify(token)

    def _rights_of(self, caller: Caller | None, purpose: Purpose | None) -> Rights:
        if purpose is None:
            purpose = self._default_purpose
        key = (b"" if caller is None else caller.digest, str(purpose))
        known = self._rights.get(key)
        # a token that was verified again is another caller: rights must not outlive its visas
        if known is None or known.caller is not caller:
            known = self._rights[key] = self._compute_rights(caller, purpose)
            if len(self._rights) > CACHED_RIGHTS:
                self._rights.popitem(last=False)
        return known

    def rights_again(self, caller: Caller | None, purpose: Purpose | None) -> Rights:
        """Compute the rights of a request's caller under the present rules.

        Args:
            caller: The caller as verified earlier, or None.
            purpose: The purpose in the request, or None.

        Returns:
            The rights.

        Raises:
            Problem: As in :meth:`current_rights`.
        """
        if caller is None:
            return self._rights_of(None, purpose)
        return self.current_rights(caller, purpose or self._default_purpose)

    def current_rights(self, caller: Caller, purpose: Purpose | None) -> Rights:
        """Compute the current rights of a caller who was verified earlier.

        Visas of issuers that are no longer trusted do not count. Whether the visas have expired is
        for the code that stored them to check.

        Args:
            caller: The caller as verified earlier, with visas.
            purpose: The purpose stated at that time, or None.

        Returns:
            The rights under the present settings.

        Raises:
            Problem: The caller's own issuer is no longer trusted (401), or the caller lacks the
                role that the purpose requires (401 or 403).
        """
        if (known := self._keys.again(caller)) is not None:
            return self._compute_rights(*known)
        trusted = {one.issuer: one.visas for one in self._access.issuers}
        if caller.issuer not in trusted:
            raise Problem(TOKEN_REFUSED, 401)
        visas = tuple(one for one in caller.visas if one.type in trusted.get(one.issuer, ()))
        return self._compute_rights(replace(caller, visas=visas), purpose)

    def _compute_rights(self, caller: Caller | None, purpose: Purpose | None) -> Rights:
        granted = granted_access(caller, self._access)
        decided = {
            dataset: tier_of(dataset, self._access, caller, granted, purpose)
            for dataset in self._datasets
        }
        tiers = {dataset: tier for dataset, (tier, _) in decided.items()}
        without_record = self._access.without_consent == "exclude"
        excluded = self._people_not_permitting(self._people, purpose, without_record)
        if self._rules.withdrawn.numbers:
            excluded = excluded | self._rules.withdrawn.numbers
        excluded, permitted = self._shared_people.of(excluded)
        rights = Rights(
            caller,
            purpose,
            tiers,
            {dataset: rule for dataset, (_, rule) in decided.items()},
            self._finest_granularities(tiers),
            {one: self._doors[tier] for one, tier in tiers.items() if tier in self._doors},
            excluded,
            permitted,
            public_share_permitting(self.facts, purpose, without_record),
            granted.roles,
            granted.countries,
        )
        roles = self._access.roles.get(purpose.term) if purpose else None
        if roles is not None and not granted.roles.intersection(roles):
            raise rights.refusal()
        return rights

    def _finest_granularities(self, tiers: dict[str, Tier]) -> dict[str, Granularity]:
        """Return the finest granularity of each dataset that is visible to the caller's tier."""
        finest = {}
        for dataset, tier in tiers.items():
            needed = self._access.datasets.get(dataset, DatasetAccess())
            given = [one for one in GRANULARITIES if _reaches(tier, getattr(needed, one))]
            if given:
                finest[dataset] = given[-1]
        return finest


def _state(settings: AccessSettings, folder: Path | None) -> Path | None:
    """Return the folder of what the node writes while it serves."""
    if folder is None and settings.state is None:
        return None
    return settings.state_folder(folder or Path())


def _public_facts(folder: Path | None, people: PeopleStore) -> PublicFacts:
    """Open the folder's public facts. Without a folder, only the size of the node is public."""
    path = None if folder is None else folder / PUBLIC_FACTS_FILE
    if path is None or not path.exists():
        return PublicFacts.of_size(people.size)
    return PublicFacts.open(path)


def _reaches(tier: Tier, needed: Tier) -> bool:
    return TIERS.index(tier) >= TIERS.index(needed)
