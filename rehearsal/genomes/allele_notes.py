"""The consequences of a block's alleles, as texts beside the rows of a sparse pass.

BCSQ names the alleles as ``bcftools csq`` does: by REF and ALT of the record, which depend on what
else the record has. Texts have the byte ``ALLELES`` in their place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rehearsal.formats.bcf_alleles_kernel import ALLELES
from rehearsal.genomes.allele_names import own_name
from rehearsal.genomes.carriers import CarrierChunk


class Notes(NamedTuple):
    """Texts of R alternate alleles, as one string of bytes."""

    text: NDArray[np.uint8]  # ASCII letters and ALLELES
    offset: NDArray[np.int32]  # (R + 1,) first letter of each allele's text


class AlleleNotes:
    """The texts of ``INFO/BCSQ`` by position and alternate allele.

    Args:
        consequences: The table of ``annotation.annotate_block``, of one or several blocks of a
            contig. None: no allele has a text.
    """

    def __init__(self, consequences: pd.DataFrame | None = None) -> None:
        self._by_allele: dict[tuple[int, str, str], str] = {}
        if consequences is not None:
            columns = (consequences[name] for name in ("position", "ref", "alt", "bcsq"))
            for *allele, text in zip(*columns, strict=True):
                position, ref, alt = allele
                text = text.replace(f"|{position + 1}{ref}>{alt}", f"|{position + 1}{chr(ALLELES)}")
                before = self._by_allele.get((position, ref, alt))
                text = text if before is None else f"{before},{text}"
                self._by_allele[position, ref, alt] = text
        self._places = {position for position, _, _ in self._by_allele}
        self._positions = np.array(sorted(self._places), np.int64)

    def of_record(self, position: int, alleles: Sequence[str]) -> str:
        """Return ``INFO/BCSQ`` of a record, empty if it has none.

        Args:
            position: Place of the record, 0-based.
            alleles: REF and the alternate alleles.
        """
        if position not in self._places:
            return ""
        ref, *alts = alleles
        found = (
            self._by_allele.get((position, *own_name(ref, alt)), "").replace(
                chr(ALLELES), f"{ref}>{alt}"
            )
            for alt in alts
        )
        return ",".join(dict.fromkeys(filter(None, found)))

    def of_chunk(self, chunk: CarrierChunk) -> Notes:
        """Select the texts of a chunk's alternate alleles.

        Args:
            chunk: Carriers of consecutive sites.

        Returns:
            The texts, by row of the chunk.
        """
        rows = chunk.row_offset
        size = np.zeros(int(rows[-1]) + 1, np.int32)
        texts = []
        for site in np.flatnonzero(np.isin(chunk.positions, self._positions)).tolist():
            position = int(chunk.positions[site])
            for k, name in enumerate(chunk.table.names_at(chunk.first_site + site)):
                text = self._by_allele.get((position, *name), "").encode()
                texts.append(text)
                size[int(rows[site]) + k + 1] = len(text)
        letters = np.frombuffer(b"".join(texts), np.uint8)
        return Notes(letters, np.cumsum(size, dtype=np.int32))
