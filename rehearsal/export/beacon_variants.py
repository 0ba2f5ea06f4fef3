"""Beacon v2 documents of variants and their carriers, as two programs of others search them.

The reference implementation searches ``_position`` and ``caseLevelData`` within the document of a
variant. EGA's beacon2-pi-api (commit e51c5c6e) finds the contig in ``identifiers.genomicHGVSId``,
overlaps of long variants by ``length``, and carriers in two collections: ``caseLevelData`` has a
document per variant with the codes of its carriers, and ``targets`` the samples that they stand for
(beacon/models/ga4gh/beacon_v2_default_model/connections/mongo/filters: request_parameters/
alphanumeric.py, lines 10 to 73, and apply_request_parameters.py, lines 115 to 150; cross_queries/
get_biosampleIds.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rehearsal.export.genotypes import Genotypes, SiteRecords
from rehearsal.export.structural import is_symbolic, symbolic_kind
from rehearsal.formats.ontology_terms import (
    HEMIZYGOUS,
    HETEROPLASMIC,
    HETEROZYGOUS,
    HOMOPLASMIC,
    HOMOZYGOUS,
)
from rehearsal.genomes.allele_names import own_name
from rehearsal.genomes.assembly import ASSEMBLY
from rehearsal.genomes.consequences import trimmed
from rehearsal.genomes.genomic_names import describe, describe_structural, numbered
from rehearsal.genomes.reference_identity import ReferenceIdentity
from rehearsal.model import Variant

Document = dict[str, Any]

ZYGOSITIES = (HETEROZYGOUS, HEMIZYGOUS, HOMOZYGOUS)
CODES = ("01", "y", "11")  # of the same, in the collection of carriers
GROUPS = {"": None, "_F": False, "_M": True}  # suffixes of populations: all people, women, men


@dataclass(frozen=True, slots=True)
class _Allele:
    """An alternate allele, and the haplotypes that carry it."""

    variant: Variant
    end: int  # 0-based, exclusive
    svlen: int  # 0: no structural variant
    owners: NDArray[np.int64]  # the person of each carrying haplotype, ascending

    @property
    def name(self) -> str:
        """The genomic HGVS name, at the place of the record.

        Where HGVS has none, it is built in the same way: inserted bases that are not known are a
        number of N, and copies a number.
        """
        one = self.variant
        if not self.svlen:
            return describe(one.contig, one.start, one.ref, one.alt)
        known = describe_structural(one.contig, one.start, self.end, one.alt)
        if known is not None:
            return known
        where = f"{numbered(one.contig)}{one.start + 1}_{one.start + 2}"
        if symbolic_kind(one.alt) == "INS":
            return f"{where}insN[{self.svlen}]"
        copies = "".join(filter(str.isdigit, one.alt))
        return f"{numbered(one.contig)}{one.start + 2}_{self.end}[{copies}]"


def targets_document(people: pd.DataFrame, dataset: str) -> Document:
    """Build the list of samples, whose places the carriers of variants refer to.

    Args:
        people: The people, in the order of the genotypes.
        dataset: Identifier of the dataset.
    """
    samples = [f"{one}-BS" for one in people["id"]]
    return {"_id": dataset, "datasetId": dataset, "biosampleIds": samples}


def variant_documents(genotypes: Genotypes, dataset: str) -> Iterator[tuple[Document, Document]]:
    """Yield two documents per alternate allele: the variant, and the codes of its carriers.

    Args:
        genotypes: The genotypes of one contig.
        dataset: Identifier of the dataset.
    """
    ids = genotypes.people["id"].tolist()
    mixed = _mixed(genotypes)
    for records in genotypes.records():
        called = _called(records, genotypes.male)
        for allele in _alleles(genotypes.contig, records):
            persons, copies = np.unique(allele.owners, return_counts=True)
            kinds = np.where(copies == 2, 2, records.ploidy[persons] == 1).tolist()
            document = _variation(allele, dataset, genotypes.identity)
            document["caseLevelData"] = [
                {
                    "biosampleId": f"{ids[person]}-BS",
                    "individualId": ids[person],
                    "analysisId": f"{ids[person]}-AN",
                    "zygosity": ZYGOSITIES[kind]
                    if mixed is None
                    else _of_mitochondria(
                        (person, allele.variant.start, allele.variant.alt) in mixed
                    ),
                }
                for person, kind in zip(persons.tolist(), kinds, strict=True)
            ]
            is_male = genotypes.male[persons]
            counts = _Counts(called, copies, np.array(kinds), is_male)
            document["frequencyInPopulations"] = [_frequencies(dataset, counts)]
            cases = {"_id": document["_id"], "id": allele.name, "datasetId": dataset}
            codes = {
                str(person): CODES[kind]
                for person, kind in zip(persons.tolist(), kinds, strict=True)
            }
            yield document, cases | codes


def _mixed(genotypes: Genotypes) -> set[tuple[int, int, str]] | None:
    """List person, 0-based position and allele where mitochondria have two. None: not of chrM."""
    if genotypes.contig != "chrM":
        return None
    table = genotypes.mixtures()
    return set(zip(table["individual"], table["position"], table["alt"], strict=True))


def _of_mitochondria(is_mixed: bool) -> dict[str, str]:
    return HETEROPLASMIC if is_mixed else HOMOPLASMIC


def _alleles(contig: str, records: SiteRecords) -> Iterator[_Allele]:
    owner = records.owner
    for site, letters in enumerate(records.alleles):
        first, end = records.indptr[site : site + 2]
        who = owner[records.haplotype[first:end]]
        for number, alt in enumerate(letters[1:], start=1):
            own = own_name(letters[0], alt)
            variant = Variant(contig, int(records.position[site]), *own)
            last, svlen = int(records.end[site]), int(records.svlen[site])
            if not is_symbolic(variant.alt):
                last, svlen = variant.start + len(variant.ref), 0
            mine = who[records.allele[first:end] == number]
            yield _Allele(variant, last, svlen, mine)


def _called(records: SiteRecords, male: NDArray[np.bool_]) -> dict[str, int]:
    """Count the called alleles of all people, women and men."""
    copies = records.ploidy.astype(np.int64)
    return {
        group: int(copies.sum() if of_men is None else copies[male == of_men].sum())
        for group, of_men in GROUPS.items()
    }


@dataclass(frozen=True, slots=True)
class _Counts:
    """The called alleles by group, and of each carrier the copies, the zygosity and the sex."""

    called: dict[str, int]
    copies: NDArray[np.int64]
    kinds: NDArray[np.int64]  # indices into ``ZYGOSITIES``
    male: NDArray[np.bool_]


def _frequencies(dataset: str, counts: _Counts) -> Document:
    """Count alleles in all people, women and men. A group without a called allele has no entry."""
    entries = []
    for group, of_men in GROUPS.items():
        if number := counts.called[group]:
            chosen = counts.male == counts.male if of_men is None else counts.male == of_men
            copies, kinds = counts.copies[chosen], counts.kinds[chosen]
            by_kind = np.bincount(kinds, copies, minlength=3).astype(int).tolist()
            entries.append(
                {
                    "population": f"{dataset}{group}",
                    "alleleFrequency": sum(by_kind) / number,
                    "alleleCount": sum(by_kind),
                    "alleleNumber": number,
                    "alleleCountHeterozygous": by_kind[0],
                    "alleleCountHemizygous": by_kind[1],
                    "alleleCountHomozygous": by_kind[2],
                }
            )
    return {
        "source": "Rehearsal (synthetic)",
        "sourceReference": "simulated",
        "frequencies": entries,
    }


def variant_type(ref: str, alt: str) -> str:
    """Return the type that a node states: SNP, MNP, INDEL, INS, DEL, DUP, INV or CNV.

    Args:
        ref: REF as in VCF.
        alt: ALT as in VCF, bases or a symbolic allele.
    """
    if is_symbolic(alt):
        return symbolic_kind(alt)
    start, end, inserted = trimmed(0, ref, alt)
    if len(ref) == len(alt):
        return "SNP" if len(inserted) == 1 else "MNP"
    if start < end and inserted:
        return "INDEL"
    return "INS" if inserted else "DEL"


def _variation(allele: _Allele, dataset: str, identity: ReferenceIdentity) -> Document:
    """Build a document with the keys that programs of others search.

    The schema knows no symbolic alleles: alternateBases is ``.``, symbolicAllele has the symbol.
    A ``CopyNumberChange`` of VRS, as in a node's records, has no ``variantType`` to search for.
    """
    variant, end = allele.variant, allele.end
    symbolic = is_symbolic(variant.alt)
    name = f"{dataset}-{variant}"  # a colon would make it a term of an ontology to pi-api
    return {
        "_id": name,
        "variantInternalId": name,
        "identifiers": {"genomicHGVSId": allele.name},
        "variation": {
            "variantType": variant_type(variant.ref, variant.alt),
            "referenceBases": variant.ref,
            "alternateBases": "." if symbolic else variant.alt,
            "location": {
                "type": "SequenceLocation",
                "sequence_id": identity.sequence_id(variant.contig, variant.start, end),
                "interval": {
                    "type": "SequenceInterval",
                    "start": {"type": "Number", "value": variant.start},
                    "end": {"type": "Number", "value": end},
                },
            },
            **({"length": allele.svlen, "symbolicAllele": variant.alt} if symbolic else {}),
        },
        "length": end - variant.start,
        "_position": {
            "assemblyId": ASSEMBLY,
            "refseqId": variant.contig.removeprefix("chr"),
            "start": [variant.start],
            "end": [end],
            "startInteger": variant.start,
            "endInteger": end,
        },
        "datasetId": dataset,
    }
