"""The membership attack on a run's own nodes: is this person in there?

The attacker holds the target's genome, knows how frequent alleles are elsewhere (the node's
:class:`~rehearsal.node.privacy.protection.PublicShares`: all other countries together), how many
people the node has and how it protects its answers. He asks for the target's alleles one after the
other and sums log-likelihood ratios of the answers when the target is in the node and when not.

Five attacks. ``presence``: alleles in random order, frequencies unknown (Shringarpure & Bustamante
2015: only how many are there matters). ``rarest``: the rarest alleles first, frequencies known
(the optimal attack of Raisaro et al. 2017). ``informed``: the alleles first whose answers tell most
under the protection, which alone moves with a threshold. ``counts``: the same with counts.
``frequency``: frequencies of random common alleles, whether the target has them or not (the test of
Homer et al. 2008 as the likelihood ratio of Sankararaman et al. 2009).

Everybody without kin in the node is a target twice: as a member, and as a non-member. Each target
has a stand-in among the others. The node without the stand-in has the target as a member, the node
without the target has not: both are of the same people but one, and of the same size (one less than
the node; were only the target taken out, counts of common alleles would tell the sizes apart).
People held out of a node split in two would attack a node of half the size, people of other
countries would be told by their ancestry.
Kin are no targets, as their relatives' alleles stay in the node and make the non-member look like a
member. Answers come from the nodes' stores by the rules of
:mod:`rehearsal.node.privacy.protection`, as a fresh user with a whole budget gets them (a test
compares this replay with the node's own calls).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numba
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import betaln, gammaln

from rehearsal.node.privacy.protection import (
    FREE,
    PUBLIC,
    REGISTERED,
    SHARES_FILE,
    UNPROTECTED,
    Protection,
    PublicShares,
    is_told,
    noise,
    outcomes,
    prices,
    question_key,
    rounded,
)
from rehearsal.node.privacy.public_frequencies import allele_name
from rehearsal.seeds import derive_seed
from rehearsal.stores.variant_store import VariantStore

QUERIES = (1, 5, 10, 50, 100, 500, 1000)
FALSE_POSITIVES = 0.05
PROMISED_POWER = 0.10
UNPROTECTED_POWER = 0.9  # less would mean that the attack is too weak to judge anything
FEWEST_TARGETS = 20
PROMISED_PEOPLE = 100  # a node of so many or more holds the promise

Attack = Literal["presence", "rarest", "informed", "counts", "frequency"]
ATTACKS: tuple[Attack, ...] = ("presence", "rarest", "informed", "counts", "frequency")
COUNTED = ("counts", "frequency")  # attacks that ask for counts; the others ask yes or no

_DRIFT = 0.005  # F_ST that the attacker allows for between a node and the frequencies he knows
_ERROR = 1e-6  # how often a genotype differs between two readings of it (SB's delta)
_GRID = 400  # frequencies at which likelihoods are computed
_FAMILIAR = (0.05, 0.95)  # carriers of a common allele


PUBLIC_NAME = "public default"
REGISTERED_NAME = "registered default"
OPEN_NAME = "none"


class Rules(NamedTuple):
    """One protection that is attacked: whose it is and how the table calls it."""

    tier: str
    name: str
    protection: Protection


def ladder(public: Protection = PUBLIC, registered: Protection = REGISTERED) -> list[Rules]:
    """What the tiers use, and the public one built up a protection at a time."""
    everything = {"user_budget": math.inf, "individual_budget": math.inf}
    threshold = Protection(public.threshold, 1, 0, **everything)
    rounding = Protection(public.threshold, public.rounding, 0, **everything)
    noisy = Protection(public.threshold, public.rounding, public.noise, **everything)
    return [
        Rules("controlled", OPEN_NAME, UNPROTECTED),
        Rules("registered", REGISTERED_NAME, registered),
        Rules("public", "threshold", threshold),
        Rules("public", "threshold, rounding", rounding),
        Rules("public", "threshold, rounding, noise", noisy),
        Rules("public", PUBLIC_NAME, public),
    ]


@dataclass(frozen=True, slots=True)
class AttackedNode:
    """One node's autosomal alleles as the attack needs them.

    ``carriers``: who carries each allele, ``alleles``: what each person carries. ``known``: share
    of carriers elsewhere, which node and attacker both know. ``targets``: numbers of people without
    kin in the node.
    """

    code: str
    people: int
    questions: list[bytes]
    carriers: Lists
    alleles: Lists
    known: NDArray[np.float64]
    targets: NDArray[np.int64]

    @property
    def stand_ins(self) -> dict[int, int]:
        """For each target another one, who is not in the node when that target is."""
        return dict(zip(self.targets.tolist(), np.roll(self.targets, 1).tolist(), strict=True))


class Lists(NamedTuple):
    """Many lists of numbers in one array: list i is ``items[start[i]:start[i + 1]]``."""

    start: NDArray[np.int64]
    items: NDArray[np.int32]

    def __getitem__(self, i: int) -> NDArray[np.int32]:  # type: ignore[override]
        return self.items[self.start[i] : self.start[i + 1]]

    @classmethod
    def of(cls, lists: list[NDArray[np.int32]]) -> Lists:
        start = np.concatenate([[0], np.cumsum([one.size for one in lists], dtype=np.int64)])
        return cls(start, np.concatenate([*lists, np.empty(0, np.int32)]))

    def turned(self, number: int) -> Lists:
        """The lists of what each of ``number`` items is in."""
        of_list = np.repeat(np.arange(self.start.size - 1, dtype=np.int32), np.diff(self.start))
        sizes = np.bincount(self.items, minlength=number)
        return Lists(
            np.concatenate([[0], np.cumsum(sizes)]),
            of_list[np.argsort(self.items, kind="stable")],
        )


# --- reading the nodes --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is attacked at most, so that time and memory are bounded at any size of run.

    Fewer people in a node are easier to attack, so the bound does not flatter the protection.
    """

    nodes: int = 8
    people: int = 1_000  # of a node, the first ones
    alleles: int = 120_000  # of a node, the first ones of the genome
    targets: int = 100  # of a node


def read_nodes(folders: Mapping[str, Path], bounds: Bounds | None = None) -> list[AttackedNode]:
    """The attacked nodes, spread evenly over the folders.

    Nodes that must hold the promise (100 people or more) are taken when there are any, else the
    largest; a node with fewer than 20 targets says nothing about 5 % of them and is left out. A
    folder holds ``variants.sqlite``, ``individuals.parquet``, ``public_shares.npz``.
    """
    bounds = bounds or Bounds()
    families = {
        code: pd.read_parquet(folder / "individuals.parquet", columns=["family"])["family"]
        for code, folder in folders.items()
    }
    enough = min(PROMISED_PEOPLE, max(map(len, families.values())))
    able = [code for code, family in families.items() if len(family) >= enough]
    chosen = np.unique(np.linspace(0, len(able) - 1, bounds.nodes).astype(int))
    nodes = [_read_node(able[i], folders[able[i]], families[able[i]], bounds) for i in chosen]
    return [node for node in nodes if node.questions and len(node.targets) >= FEWEST_TARGETS]


def _read_node(code: str, folder: Path, family: pd.Series, bounds: Bounds) -> AttackedNode:
    people = min(len(family), bounds.people)
    questions, carriers = [], []
    with VariantStore.open(folder / "variants.sqlite") as store:
        autosomal = (row for row in store if row.contig[3:].isdigit())
        for row in islice(autosomal, bounds.alleles):
            members = np.array(row.carriers(), np.int32)
            members = members[: np.searchsorted(members, people)]
            if members.size:
                questions.append(question_key(allele_name(row)))
                carriers.append(members)
    shares = PublicShares.open(folder / SHARES_FILE)
    family = family[:people]
    lists = Lists.of(carriers)
    return AttackedNode(
        code=code,
        people=people,
        questions=questions,
        carriers=lists,
        alleles=lists.turned(people),
        known=np.array([shares.share(question) for question in questions]),
        targets=np.flatnonzero(family.isna() | ~family.duplicated(keep=False))[: bounds.targets],
    )


# --- a node's answers to one user, replayed -----------------------------------------------------


class Price(NamedTuple):
    """What an answer about each of a node's alleles costs every carrier, and what he has."""

    presence: NDArray[np.float64]
    count: NDArray[np.float64]
    limit: float

    @classmethod
    def of(cls, node: AttackedNode, protection: Protection) -> Price:
        limit = min(protection.user_budget, protection.individual_budget)
        if limit == math.inf:
            return cls(*np.zeros((2, node.known.size)), limit)
        costs = (prices(node.known, node.people, protection, counted) for counted in (False, True))
        return cls(*costs, limit)


class Replies(NamedTuple):
    """Answers to a list of questions; ``count`` is -1 where it is not told of those there."""

    exists: NDArray[np.bool_]
    count: NDArray[np.int64]


def replies(
    node: AttackedNode,
    asked: NDArray[np.int64],
    left_out: int,
    counted: bool,
    protection: Protection,
    price: Price,
    drawn: NDArray[np.int64],
) -> Replies:
    """What a fresh user is told who asks for these alleles (numbers) one after the other.

    ``left_out`` is a person who is not in the node (-1: nobody); ``drawn`` the noise of each
    allele of the node, of shape (alleles, 2).
    """
    up, shift = drawn[asked].T
    shown, with_count = _contributing(
        asked,
        *node.carriers,
        left_out,
        counted,
        price.presence[asked],
        price.count[asked],
        price.limit,
        node.people,
    )
    exists = is_told(shown, up, protection)
    count = np.where(exists, rounded(shown, shift, protection), 0)
    return Replies(exists, np.where(exists & ~with_count, -1, count))


@numba.njit(cache=True)
def _contributing(
    asked: NDArray[np.int64],
    start: NDArray[np.int64],
    members: NDArray[np.int32],
    left_out: int,
    counted: bool,
    presence_price: NDArray[np.float64],
    count_price: NDArray[np.float64],
    limit: float,
    people: int,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """How many carriers each answer is made of, and whether its count is told."""
    spent, spent_on_counts = np.zeros(people), 0.0
    shown, with_count = np.zeros(asked.size, np.int64), np.zeros(asked.size, np.bool_)
    for i in range(asked.size):
        carriers = members[start[asked[i]] : start[asked[i] + 1]]
        price = count_price[i]
        if counted and (price < FREE or spent_on_counts + price <= limit):
            if price >= FREE:
                spent_on_counts += price
            with_count[i] = True
            shown[i] = _pay(spent, carriers, left_out, 0.0, limit)
        else:
            shown[i] = _pay(spent, carriers, left_out, presence_price[i], limit)
    return shown, with_count


@numba.njit(cache=True)
def _pay(
    spent: NDArray[np.float64],
    carriers: NDArray[np.int32],
    left_out: int,
    price: float,
    limit: float,
) -> int:
    """Charge those who can pay, and say how many they are."""
    paying = 0
    for person in carriers:
        if person != left_out and (price < FREE or spent[person] + price <= limit):
            paying += 1
            if price >= FREE:
                spent[person] += price
    return paying


# --- the attacker -------------------------------------------------------------------------------


class Evidence(NamedTuple):
    """Log-likelihood ratios of answers, in against out, by frequency and answer.

    ``grid``: frequencies of carriers, ascending. ``ratio[f, a]``: of answer a, where 0 is absent
    and i is there, or the count ``i * rounding``. ``gain[f]``: nats that an answer tells on
    average when the target is in.
    """

    grid: NDArray[np.float64]
    ratio: NDArray[np.float64]
    gain: NDArray[np.float64]

    def nearest(self, known: NDArray[np.float64]) -> NDArray[np.int64]:
        """Row of the grid for each frequency."""
        return np.clip(np.searchsorted(self.grid, known), 0, self.grid.size - 1)


def evidence(people: int, protection: Protection, counted: bool) -> Evidence:
    """What each answer tells about an allele that the target carries, its frequency being known.

    Others carry it as people of a population that drifted from the known one by F_ST 0.005
    (beta-binomial). Unprotected it is the ratio of Raisaro et al. 2017; the target's genotype is
    wrong once in a million.
    """
    half = np.geomspace(1e-5, 0.5, _GRID // 2)
    grid = np.unique(np.concatenate([half, 1 - half]))
    table = outcomes(people, protection, counted)
    out = _beta_binomial(people, grid) @ table
    with_target = _beta_binomial(people - 1, grid) @ table[1:]
    inside = (1 - _ERROR) * with_target + _ERROR * out
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(inside > 0, np.log(inside) - np.log(np.maximum(out, 1e-300)), 0.0)
    return Evidence(grid, ratio, (inside * ratio).sum(axis=1))


def _beta_binomial(people: int, grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability of 0..people carriers (columns) at each known frequency (rows)."""
    k = np.arange(people + 1)
    a, b = (share[:, None] * (1 / _DRIFT - 1) for share in (grid, 1 - grid))
    choose = gammaln(people + 1) - gammaln(k + 1) - gammaln(people - k + 1)
    return np.exp(choose + betaln(k + a, people - k + b) - betaln(a, b))


def presence_ratio(known: NDArray[np.float64], people: int) -> tuple[float, float]:
    """SB's log-likelihood ratios of "there" and "absent", frequencies unknown.

    Shringarpure & Bustamante 2015: the frequency of an allele that the target carries follows a
    beta distribution, fitted by moments to ``known`` frequencies of alleles. With D(n) the
    probability that none of n chromosomes has it: absent is D(2N) when the target is not in, and
    an error of the genotype times D(2N - 2) when he is.
    """
    frequency = 1 - np.sqrt(1 - known)  # of the allele, from that of its carriers
    weight = known / known.sum()
    mean = float(weight @ frequency)
    variance = float(weight @ (frequency - mean) ** 2)
    strength = mean * (1 - mean) / max(variance, 1e-12) - 1
    a, b = mean * strength, (1 - mean) * strength
    none = [math.exp(betaln(a, b + n) - betaln(a, b)) for n in (2 * people, 2 * people - 2)]
    there = math.log1p(-_ERROR * none[1]) - math.log1p(-none[0])
    return there, math.log(_ERROR * none[1]) - math.log(none[0])


class _Attacker:
    """One node under one protection: questions, answers and scores of every attack."""

    def __init__(self, node: AttackedNode, protection: Protection, seed: int) -> None:
        self.node, self.protection, self.seed = node, protection, seed
        self.price = Price.of(node, protection)
        key = hashlib.sha256(f"{seed}\0{node.code}".encode()).digest()
        self.drawn = np.array([noise(key, question, protection) for question in node.questions])
        self.evidence = {
            counted: evidence(node.people, protection, counted) for counted in (False, True)
        }
        self.rows = self.evidence[False].nearest(node.known)
        self.presence = presence_ratio(node.known, node.people)
        low, high = _FAMILIAR
        self.common = np.flatnonzero((node.known > low) & (node.known < high))
        self.ranked = {}
        for attack in ("rarest", "informed", "counts"):
            order = self._best_first(attack)
            rank = np.empty(order.size, np.int64)
            rank[order] = np.arange(order.size)
            self.ranked[attack] = order, rank

    def _best_first(self, attack: Attack) -> NDArray[np.int64]:
        """The node's alleles in the order in which this attack asks for them; ties at random."""
        random = np.random.default_rng(derive_seed(self.seed, self.node.code, attack))
        anyhow = random.permutation(self.node.known.size)
        if attack == "rarest":
            return anyhow[np.argsort(self.node.known[anyhow], kind="stable")]
        gain = self.evidence[attack in COUNTED].gain[self.rows]
        return anyhow[np.argsort(-gain[anyhow], kind="stable")]

    def questions(self, attack: Attack, target: int) -> NDArray[np.int64]:
        """The alleles that are asked for, in order, at most as many as the longest row.

        Where the order is random each target has his own: with the same questions about all, what
        is told of the others would tell the node's exact counts, which no attacker has.
        """
        held = self.node.alleles[target]
        if attack in self.ranked:
            order, rank = self.ranked[attack]
            return order[np.sort(rank[held])[: QUERIES[-1]]]
        random = np.random.default_rng(derive_seed(self.seed, self.node.code, attack, target))
        asked = held if attack == "presence" else self.common
        return random.permutation(asked)[: QUERIES[-1]].astype(np.int64)

    def scores(self, attack: Attack, target: int) -> NDArray[np.float64]:
        """Evidence that the target is in, of shape (2, QUERIES): when he is, and when not."""
        asked = self.questions(attack, target)
        if not asked.size:
            return np.zeros((2, len(QUERIES)))
        last = np.minimum(QUERIES, asked.size) - 1
        both = []
        for left_out in (self.node.stand_ins[target], target):
            told = replies(
                self.node,
                asked,
                left_out,
                attack in COUNTED,
                self.protection,
                self.price,
                self.drawn,
            )
            both.append(np.cumsum(self._ratios(attack, target, asked, told))[last])
        return np.array(both)

    def _ratios(
        self, attack: Attack, target: int, asked: NDArray[np.int64], told: Replies
    ) -> NDArray[np.float64]:
        if attack == "presence":
            return np.where(told.exists, *self.presence)
        if attack == "frequency":
            return self._frequency_ratios(target, asked, told)
        rows = self.rows[asked]
        plain = self.evidence[False].ratio[rows, told.exists.astype(int)]
        if attack != "counts":
            return plain
        counted = self.evidence[True].ratio
        answer = np.clip(told.count // self.protection.rounding, 0, counted.shape[1] - 1)
        return np.where(told.count < 0, plain, counted[rows, answer])

    def _frequency_ratios(
        self, target: int, asked: NDArray[np.int64], told: Replies
    ) -> NDArray[np.float64]:
        people, known = self.node.people, self.node.known[asked]
        share = np.clip(told.count / people, 0.5 / people, 1 - 0.5 / people)
        carries = np.isin(asked, self.node.alleles[target])
        ratio = np.where(carries, np.log(share / known), np.log((1 - share) / (1 - known)))
        # below a threshold nothing is told about the frequency
        told_one = (told.count > 0) | ((told.count == 0) & (self.protection.threshold == 1))
        return np.where(told_one, ratio, 0.0)


# --- how well it works, and what protection costs -----------------------------------------------


def power(
    inside: NDArray[np.float64], outside: NDArray[np.float64], false_positives: float
) -> float:
    """Share of members found when this share of non-members is accused.

    The threshold is the non-members' quantile; ties at it are accused at random, so that the share
    is met exactly and answers that tell nothing give a power equal to it.
    """
    wanted = false_positives * outside.size
    cut = np.sort(outside)[::-1][min(int(wanted), outside.size - 1)]
    above, ties = (outside > cut).sum(), (outside == cut).sum()
    at_random = min(max((wanted - above) / ties, 0.0), 1.0)
    return float((inside > cut).mean() + at_random * (inside == cut).mean())


def area_under_curve(inside: NDArray[np.float64], outside: NDArray[np.float64]) -> float:
    """Probability that a member scores higher than a non-member; ties count half."""
    ranked = np.sort(outside)
    below = np.searchsorted(ranked, inside, "left")
    upto = np.searchsorted(ranked, inside, "right")
    return float((below + upto).mean() / (2 * outside.size))


def utility(attacker: _Attacker) -> dict[str, float]:
    """What an honest user loses who asks for 1,000 random alleles of the node, one by one.

    ``refused``: share of existing alleles that are said to be absent. ``refused_common``: of those
    that 5 % of people or more carry. ``uncounted``: share of existing alleles whose count is not
    told when counts are asked for. ``frequency_error``: mean error of the share of carriers where
    one is told, NaN where none is.
    """
    node, protection = attacker.node, attacker.protection
    random = np.random.default_rng(derive_seed(attacker.seed, node.code, "utility"))
    asked = random.permutation(len(node.questions))[: QUERIES[-1]]
    share = np.diff(node.carriers.start)[asked] / node.people
    plain, counted = (
        replies(node, asked, -1, wanted, protection, attacker.price, attacker.drawn)
        for wanted in (False, True)
    )
    told = counted.count > 0
    error = np.abs(counted.count[told] / node.people - share[told])
    common = share >= _FAMILIAR[0]
    return {
        "refused": float((~plain.exists).mean()),
        "refused_common": float((~plain.exists[common]).mean()) if common.any() else math.nan,
        "uncounted": float((~told).mean()),
        "frequency_error": float(error.mean()) if told.any() else math.nan,
    }


COLUMNS = ["node", "people", "tier", "protection", "attack", "queries", "targets", "power", "auc"]
COLUMNS += ["refused", "refused_common", "uncounted", "frequency_error"]


def membership_table(
    nodes: Iterable[AttackedNode], rules: Iterable[Rules], seed: int
) -> pd.DataFrame:
    """A row a node, protection, attack and number of queries.

    Columns: ``COLUMNS``; ``power`` is at 5 % false positives, the last four are of
    :func:`utility`.
    """
    rules = list(rules)
    rows = []
    for node in nodes:
        for tier, name, protection in rules:
            attacker = _Attacker(node, protection, seed)
            cost = utility(attacker)
            for attack in ATTACKS:
                scores = np.array([attacker.scores(attack, target) for target in node.targets])
                for i, queries in enumerate(QUERIES):
                    pair = scores[:, 0, i], scores[:, 1, i]
                    rows.append(
                        {"node": node.code, "people": node.people, "tier": tier}
                        | {"protection": name, "attack": attack, "queries": queries}
                        | {"targets": len(node.targets), "power": power(*pair, FALSE_POSITIVES)}
                        | {"auc": area_under_curve(*pair)}
                        | cost
                    )
    return pd.DataFrame(rows, columns=COLUMNS)


def privacy_summary(table: pd.DataFrame) -> dict[str, Any]:
    """What ``summary.json`` says under ``privacy``: ``table`` (a row a protection, attack and
    number of queries, over all attacked nodes), ``checks`` and how it was measured.

    ``power`` and ``auc`` are means over nodes, ``power_worst_node`` is of the worst. The promise is
    judged on nodes of 100 people or more, on the strongest attack at any number of queries; without
    such nodes there are no checks.
    """
    if table.empty:
        return {"measured": {"nodes": []}, "table": [], "checks": []}
    keys = ["tier", "protection", "attack", "queries"]
    groups = table.groupby(keys, sort=False)
    costs = ["refused", "refused_common", "uncounted", "frequency_error"]
    rows = groups[["power", "auc", *costs]].mean()
    rows.insert(1, "power_worst_node", groups["power"].max())
    rows = rows.astype(object).where(rows.notna(), None).reset_index()
    judged = table[table["people"] >= PROMISED_PEOPLE]
    return {
        "measured": {
            "nodes": sorted(table["node"].unique()),
            "people_smallest_node": int(table["people"].min()),
            "targets": int(table.drop_duplicates("node")["targets"].sum()),
            "false_positives": FALSE_POSITIVES,
            "non_members": "the same people, each in turn taken out of the node instead of another",
        },
        "table": [
            {name: round(value, 4) if isinstance(value, float) else value for name, value in row}
            for row in (record.items() for record in rows.to_dict("records"))
        ],
        "checks": _checks(judged) if len(judged) else [],
    }


def _checks(judged: pd.DataFrame) -> list[dict[str, Any]]:
    mean = judged.groupby(["protection", "attack", "queries"])["power"].mean()
    held = float(mean.loc[PUBLIC_NAME].max())
    open_node = float(mean.loc[OPEN_NAME, "rarest", QUERIES[-1]])
    asked = f"{QUERIES[-1]:,} queries"
    return [
        {
            "name": f"power of the strongest attack on the public tier, up to {asked}",
            "expected": f"at most {PROMISED_POWER}",
            "observed": round(held, 4),
            "passed": held <= PROMISED_POWER,
        },
        {
            "name": f"power of the rarest-first attack without protection, {asked}",
            "expected": f"at least {UNPROTECTED_POWER}",
            "observed": round(open_node, 4),
            "passed": open_node >= UNPROTECTED_POWER,
        },
    ]
