"""The joint list of alleles: every node knows its own, an analysis needs one order for all.

A list travels as numbers. An allele is its contig, its 0-based position and its change, which is
``REF>ALT``; ``contigs`` and ``changes`` hold the distinct texts, one per line, as UTF-8, and
perhaps line breaks behind them.
A node leaves out alleles with fewer than the smallest count of carriers, and those with fewer than
that of people without it: naming them would tell of a few people.

In masked mode the network gives the list (``given`` among the parameters): what a node sends then
does not depend on its variants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rehearsal.analyses.protocol import (
    AnalysisError,
    Arrays,
    Disclosure,
    Parameters,
    State,
    no_bounds,
    smallest_count,
)
from rehearsal.analyses.view import View

ADDITIVE = False
NEEDS: tuple[str, ...] = ()
DISCLOSURE: Mapping[str, Disclosure] = {
    name: Disclosure("list") for name in ("contig", "position", "change", "contigs", "changes")
}
sum_bounds = no_bounds
AUTOSOMES = frozenset(f"chr{number}" for number in range(1, 23))
PREFIX = "alleles."  # of the arrays that nodes keep
TEXT_BLOCK = 1024  # bytes; nodes send texts of a multiple of it
LACKING = -1  # number of an allele that is not in a list


@dataclass(frozen=True, slots=True)
class AlleleList:
    """Alleles in the order of contig, position and change, all of one list of texts."""

    contig: NDArray[np.uint8]  # number in ``contigs``
    position: NDArray[np.int32]  # 0-based
    change: NDArray[np.int32]  # number in ``changes``
    contigs: tuple[str, ...]
    changes: tuple[str, ...]  # REF>ALT

    @property
    def size(self) -> int:
        """Number of alleles."""
        return int(self.position.size)

    @property
    def autosomal(self) -> NDArray[np.bool_]:
        """Whether each allele is on an autosome."""
        known = np.array([name in AUTOSOMES for name in self.contigs], dtype=bool)
        return known[self.contig] if self.size else np.zeros(0, dtype=bool)

    def arrays(self) -> Arrays:
        """Return the list as arrays of numbers."""
        return {
            "contig": self.contig,
            "position": self.position,
            "change": self.change,
            "contigs": _packed(self.contigs),
            "changes": _packed(self.changes),
        }

    @staticmethod
    def of(arrays: Mapping[str, NDArray[Any]]) -> AlleleList:
        """Read a list that :meth:`arrays` wrote.

        Args:
            arrays: The arrays.

        Raises:
            AnalysisError: They are no list of alleles.
        """
        try:
            found = AlleleList(
                arrays["contig"].astype(np.uint8),
                arrays["position"].astype(np.int32),
                arrays["change"].astype(np.int32),
                _unpacked(arrays["contigs"]),
                _unpacked(arrays["changes"]),
            )
        except (KeyError, UnicodeDecodeError) as error:
            raise _no_list("other arrays") from error
        sizes = {found.contig.size, found.position.size, found.change.size}
        if len(sizes) > 1:
            raise _no_list("columns of different lengths")
        if not _within(found.contig, found.contigs) or not _within(found.change, found.changes):
            raise _no_list("numbers of texts that are not there")
        return found

    @staticmethod
    def of_texts(
        contig: Sequence[str], position: Sequence[int], ref: Sequence[str], alt: Sequence[str]
    ) -> AlleleList:
        """Make a list from columns, in their order.

        Args:
            contig: Names of contigs.
            position: 0-based positions.
            ref: Reference alleles.
            alt: Alternate alleles.
        """
        columns = {"contig": contig, "position": position, "ref": ref, "alt": alt}
        return _of_table(pa.table(columns))

    def table(self) -> dict[str, NDArray[Any]]:
        """Return the columns contig, position, ref and alt, each of shape (n_alleles,)."""
        texts = [one.split(">", 1) for one in self.changes]
        ref, alt = (np.array([pair[i] for pair in texts], dtype=object) for i in range(2))
        contigs = np.array(self.contigs, dtype=object)
        columns = (contigs[self.contig], self.position, ref[self.change], alt[self.change])
        return dict(zip(("contig", "position", "ref", "alt"), columns, strict=True))


def start(parameters: Parameters, earlier: Mapping[str, Arrays]) -> State:
    """Begin with the given list of alleles, or with none.

    Args:
        parameters: ``given``: whether the network gives the list.
        earlier: Results of earlier steps; none are needed.
    """
    return State({})


def node_sums(view: View, parameters: Parameters, state: Arrays) -> Arrays:
    """List the alleles of a node; an empty list if the network gives it.

    Args:
        view: The node's view.
        parameters: ``given`` and ``smallest_count``.
        state: Nothing.
    """
    mine = _of_table(view.variants)
    keep = np.zeros(mine.size, dtype=bool)
    if not parameters.get("given", False) and view.n_people:
        counts, least = view.counts_of_everyone.astype(np.int64), smallest_count(parameters)
        carriers = counts[:, 1] + counts[:, 2]
        others = counts[:, 0] + counts[:, 1]
        keep = (carriers >= max(least, 1)) & ((others == 0) | (others >= least))
    found = join([_subset(mine, keep)]).arrays()
    return found | {name: _padded(found[name]) for name in ("contigs", "changes")}


def advance(parameters: Parameters, state: State, totals: Arrays) -> State:
    """Send the joint list.

    Args:
        parameters: Parameters of the step.
        state: The state before.
        totals: The joint list, by :func:`join`.
    """
    alleles = AlleleList.of(totals)
    kept = {f"{PREFIX}{name}": array for name, array in totals.items()}
    return State({}, kept=kept, results=alleles.arrays())


def join(lists: Sequence[AlleleList]) -> AlleleList:
    """Join lists into one without repetitions, sorted by contig, position and change.

    Contigs are sorted by the length of their names and then by name, changes by their text.

    Args:
        lists: The lists of all nodes.
    """
    used = {name for one in lists for name in _used(one.contigs, one.contig)}
    contigs = tuple(sorted(used, key=lambda name: (len(name), name)))
    changes = tuple(sorted({text for one in lists for text in _used(one.changes, one.change)}))
    keys = [_keys(one, contigs, changes) for one in lists]
    joint = np.unique(np.concatenate(keys)) if keys else np.zeros(0, dtype=np.int64)
    count = max(1, len(changes))
    place, change = joint // count, joint % count
    return AlleleList(
        (place >> 32).astype(np.uint8),
        (place & 0xFFFFFFFF).astype(np.int32),
        change.astype(np.int32),
        contigs,
        changes,
    )


def rows_of(view: View, state: Arrays) -> NDArray[np.int64]:
    """Find the alleles of the joint list among the variants of a node.

    Args:
        view: The node's view.
        state: The state, with the list that the node keeps.

    Returns:
        Rows of the view's variants, shape (n_alleles,); -1 for an allele that the node lacks.
    """
    joint = kept_list(state)
    causes = joint.arrays().values()
    return view.remembered("rows", causes, lambda: find_alleles(joint, _of_table(view.variants)))


def find_alleles(wanted: AlleleList, among: AlleleList) -> NDArray[np.int64]:
    """Find alleles of one list in another.

    Args:
        wanted: The alleles to find, in any order.
        among: The list to find them in, in any order, without repetitions.

    Returns:
        Their numbers in ``among``, shape (n_wanted,); -1 for those that are not there.
    """
    keys = _keys(among, among.contigs, among.changes)
    asked = _keys(wanted, among.contigs, among.changes)
    order = np.argsort(keys, kind="stable")
    if order.size == 0:
        return np.full(asked.size, LACKING, dtype=np.int64)
    place = np.minimum(np.searchsorted(keys, asked, sorter=order), order.size - 1)
    found = order[place]
    return np.where((keys[found] == asked) & (asked >= 0), found, LACKING)


def kept_list(state: Mapping[str, NDArray[Any]]) -> AlleleList:
    """Return the joint list from what a node keeps.

    Args:
        state: The state.
    """
    return AlleleList.of({k.removeprefix(PREFIX): v for k, v in state.items() if PREFIX in k})


def _keys(one: AlleleList, contigs: tuple[str, ...], changes: tuple[str, ...]) -> NDArray[np.int64]:
    """Number alleles by other texts: equal numbers, equal alleles; negative if a text is not there.

    A number is (contig * 2^32 + position) * (number of changes) + change. It fits for 256 contigs
    and 8 million changes.
    """
    if len(contigs) > 256 or len(changes) > 1 << 23:
        raise _no_list(f"{len(contigs)} contigs and {len(changes)} changes")
    contig = _renumbered(one.contigs, contigs)[one.contig]
    change = _renumbered(one.changes, changes)[one.change]
    keys = ((contig << 32) + one.position) * max(1, len(changes)) + change
    return np.where((contig < 0) | (change < 0), -1, keys)


def _renumbered(texts: tuple[str, ...], others: tuple[str, ...]) -> NDArray[np.int64]:
    number = {text: i for i, text in enumerate(others)}
    return np.array([number.get(text, -1) for text in texts], dtype=np.int64)


def _used(texts: tuple[str, ...], numbers: NDArray[Any]) -> list[str]:
    seen = np.zeros(len(texts), dtype=bool)
    seen[numbers] = True
    return [text for text, there in zip(texts, seen, strict=True) if there]


def _of_table(table: pa.Table) -> AlleleList:
    contig = pc.dictionary_encode(table["contig"].combine_chunks())
    change = pc.dictionary_encode(
        pc.binary_join_element_wise(
            table["ref"].combine_chunks(), table["alt"].combine_chunks(), ">"
        )
    )
    return AlleleList(
        contig.indices.to_numpy().astype(np.uint8),
        table["position"].to_numpy().astype(np.int32),
        change.indices.to_numpy().astype(np.int32),
        tuple(contig.dictionary.to_pylist()),
        tuple(change.dictionary.to_pylist()),
    )


def _subset(one: AlleleList, keep: NDArray[np.bool_]) -> AlleleList:
    columns = (one.contig[keep], one.position[keep], one.change[keep])
    return AlleleList(*columns, one.contigs, one.changes)


def _within(numbers: NDArray[Any], texts: tuple[str, ...]) -> bool:
    return numbers.size == 0 or (int(numbers.min()) >= 0 and int(numbers.max()) < len(texts))


def _packed(texts: tuple[str, ...]) -> NDArray[np.uint8]:
    return np.frombuffer("\n".join(texts).encode(), dtype=np.uint8)


def _padded(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Add line breaks: a length that says little, and is no number of people by chance."""
    return np.append(array, np.full(-array.size % TEXT_BLOCK, ord("\n"), dtype=np.uint8))


def _unpacked(array: NDArray[Any]) -> tuple[str, ...]:
    text = array.astype(np.uint8).tobytes().decode().rstrip("\n")
    return tuple(text.split("\n")) if text else ()


def _no_list(found: str) -> AnalysisError:
    return AnalysisError("bad_state", "analysis", "alleles", "a list of alleles", found)
