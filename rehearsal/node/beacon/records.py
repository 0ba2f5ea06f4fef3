"""Records of variants and collections in the Beacon v2 default model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyroaring import BitMap

from rehearsal.formats.ontology_terms import (
    HEMIZYGOUS,
    HETEROZYGOUS,
    HOMOZYGOUS,
    UNSPECIFIED_ZYGOSITY,
)
from rehearsal.genomes.assembly import REFSEQ, ploidy
from rehearsal.genomes.coding_names import coding_name
from rehearsal.genomes.genomic_names import trimmed
from rehearsal.genomes.reference_identity import ReferenceIdentity
from rehearsal.model import AlleleCounts, Sex
from rehearsal.node.beacon import vrs
from rehearsal.node.beacon.datasets import Dataset
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.beacon.protected_questions import public_share
from rehearsal.node.beacon.protein_changes import change_named, short_change
from rehearsal.node.beacon.result import Record
from rehearsal.node.beacon.variant_search import described, identifier_of
from rehearsal.node.beacon.variant_types import class_of, shown_type
from rehearsal.node.beacon.vrs_index import COPY_CHANGES, accession_of, identifiers_of
from rehearsal.stores.people_store import SAMPLES

if TYPE_CHECKING:
    from rehearsal.genomes.gene_bases import GeneBases
    from rehearsal.genomes.transcripts import Transcript
    from rehearsal.node.access.rights import Rights
    from rehearsal.stores.variant_store import AlleleEffect, VariantRow


SOURCE = "Rehearsal (synthetic)"
SOURCE_REFERENCE = "simulated with msprime; see /info"
MAX_CASES = 1000  # most carriers listed in one variant's record

GERMLINE = {"id": "SO:0001778", "label": "germline variant"}
SOMATIC = {"id": "SO:0001777", "label": "somatic variant"}  # from memory
NO_REFERENCE = ReferenceIdentity()
TUMOUR_SUFFIX = "-TUM"  # ends the identifier of a tumour sample


def variant_record(row: VariantRow, node_data: NodeData) -> Record:
    """Build the part of a variant's record that is the same in every dataset.

    Args:
        row: The variant.
        node_data: The node's data.

    Returns:
        Identifiers, location and molecular attributes, JSON values.
    """
    change = COPY_CHANGES.get(class_of(row.ref, row.alt)) if row.svlen else None
    variation = (
        _variation(row, node_data)
        if change is None
        else _copy_number_change(row, change, node_data)
    )
    record: Record = {"variantInternalId": identifier_of(row), "variation": variation}
    identifiers: Record = {}
    name = described(row, node_data.reference)
    if name is not None:
        identifiers["genomicHGVSId"] = name
    effects = node_data.variants.effects(row)
    identifiers |= _names_in_genes(row, effects, node_data)
    computed = vrs.alternative_ids(identifiers_of(row, node_data.sequences))
    if computed:
        identifiers["variantAlternativeIds"] = computed
    if identifiers:
        record["identifiers"] = identifiers
    if change is not None:
        record["info"] = _vcf_allele(row)
    attributes = _molecular_attributes(row, effects, node_data)
    if attributes:
        record["molecularAttributes"] = attributes
    return record


def _copy_number_change(row: VariantRow, change: str, node_data: NodeData) -> Record:
    """Build the variation as a ``CopyNumberChange`` of VRS 1.3.

    The subject is the bases of which there are fewer or more copies. They begin behind the base of
    VCF. How many copies there are is in the symbolic allele of VCF: VRS counts the copies of a
    genome, and an allele does not tell those of the other haplotype.
    """
    accession = accession_of(row, node_data.sequences)
    sequence = f"ga4gh:{accession}" if accession else f"refseq:{REFSEQ[row.contig]}"
    return {
        "type": "CopyNumberChange",
        "subject": _location(sequence, row.start + 1, row.end),
        "copy_change": change,
    }


def _vcf_allele(row: VariantRow) -> Record:
    """Return REF and ALT of VCF for ``info``, if a copy number of VRS has no place for them."""
    if class_of(row.ref, row.alt) not in COPY_CHANGES:
        return {}
    return {"referenceBases": row.ref, "symbolicAllele": row.alt}


def _location(sequence: str, start: int, end: int) -> Record:
    return {
        "type": "SequenceLocation",
        "sequence_id": sequence,
        "interval": {
            "type": "SequenceInterval",
            "start": {"type": "Number", "value": start},
            "end": {"type": "Number", "value": end},
        },
    }


def _variation(row: VariantRow, node_data: NodeData) -> Record:
    """Build the variation as a ``LegacyVariation``.

    It states bases, of which a structural variant has none: it has ``.`` as ``alternateBases``, its
    length, and the symbolic allele of VCF. Its sequence is GRCh38's where the bases are.
    """
    names = node_data.sequences or NO_REFERENCE
    variation: Record = {
        "variantType": shown_type(row.ref, row.alt),
        "referenceBases": row.ref,
        "alternateBases": "." if row.svlen else row.alt,
        "location": _location(
            names.sequence_id(row.contig, row.start, row.end), row.start, row.end
        ),
    }
    if row.svlen:
        variation["length"], variation["symbolicAllele"] = row.svlen, row.alt
    return variation


def _genes_at(row: VariantRow, node_data: NodeData) -> list[str]:
    """List the node's genes that the allele's reference bases touch."""
    end = row.end
    return [
        gene.name
        for gene in node_data.settings.genes
        if gene.contig == row.contig and gene.start < end and row.start < gene.end
    ]


def _names_in_genes(
    row: VariantRow, effects: Sequence[AlleleEffect], node_data: NodeData
) -> Record:
    """Name an allele in the numbers of transcripts and proteins, for a node with a gene model."""
    genes = node_data.gene_bases
    if genes is None or row.svlen:
        return {}
    pairs = ((one, genes.transcript(one.transcript)) for one in effects)
    known = [(one, transcript) for one, transcript in pairs if transcript is not None]
    found = {
        "transcriptHGVSIds": [_coding_name(row, *pair, genes) for pair in known],
        "proteinHGVSIds": [_protein_name(*pair) for pair in known],
    }
    return {key: named for key, names in found.items() if (named := list(filter(None, names)))}


def _protein_name(effect: AlleleEffect, transcript: Transcript) -> str:
    """Name the change of a protein, nothing if it is none or not known."""
    is_named = transcript.protein and change_named(effect.hgvs_p)
    return f"{transcript.protein}:{effect.hgvs_p}" if is_named else ""


def _coding_name(
    row: VariantRow, effect: AlleleEffect, transcript: Transcript, genes: GeneBases
) -> str:
    """Name an allele by a transcript, nothing if it is not inside. Stores lack names in introns."""
    allele = trimmed(row.contig, row.start, row.ref, row.alt)
    place = allele.start, allele.end, allele.inserted
    name = effect.hgvs_c or coding_name(transcript, genes.window(transcript), *place)
    return f"{transcript.name}:{name}" if name else ""


def _molecular_attributes(
    row: VariantRow, effects: Sequence[AlleleEffect], node_data: NodeData
) -> Record:
    genes = _genes_at(row, node_data)
    if not (genes or effects):  # as most alleles
        return {}
    genes += [one.gene for one in effects]
    changes = filter(None, (short_change(one.hgvs_p) for one in effects))
    labels = {one.term: one.label for one in effects}
    found = {
        "geneIds": list(dict.fromkeys(genes)),
        "aminoacidChanges": list(dict.fromkeys(changes)),
        "molecularEffects": [{"id": term, "label": label} for term, label in labels.items()],
    }
    return {key: values for key, values in found.items() if values}


def frequencies(row: VariantRow, people: BitMap | None, node_data: NodeData) -> list[Record]:
    """Build ``frequencyInPopulations``, as in the GDI allele-frequency look-up: all, men, women.

    All counts are of ALLELES: a homozygote adds 2 to alleleCountHomozygous, so that homozygous +
    heterozygous + hemizygous = alleleCount. A population without a called allele (women on Y) has
    no frequency and is left out.

    Args:
        row: The variant.
        people: Numbers of the people counted. None stands for everybody.
        node_data: The node's data.

    Returns:
        A list with one entry, which has one frequency per population.
    """
    by_sex = node_data.counts(row, people)
    code = node_data.settings.country_code
    populations = {
        code: by_sex["female"] + by_sex["male"],
        f"{code}_M": by_sex["male"],
        f"{code}_F": by_sex["female"],
    }
    rows = [_frequency(name, counts) for name, counts in populations.items() if counts.an]
    return [
        {
            "source": SOURCE,
            "sourceReference": SOURCE_REFERENCE,
            "version": node_data.settings.version,
            "frequencies": rows,
        }
    ]


def _frequency(population: str, counts: AlleleCounts) -> Record:
    return {
        "population": population,
        "alleleFrequency": counts.ac / counts.an,
        "alleleCount": counts.ac,
        "alleleNumber": counts.an,
        "alleleCountHomozygous": 2 * counts.hom,
        "alleleCountHeterozygous": counts.het,
        "alleleCountHemizygous": counts.hemi,
    }


def cases(row: VariantRow, people: BitMap | None, node_data: NodeData) -> Record:
    """Build ``caseLevelData``: the carriers among some people.

    At most :data:`MAX_CASES` carriers are listed. When there are more, ``info`` has their number,
    and ``/g_variants/{id}/individuals`` gives all of them in pages.

    Args:
        row: The variant.
        people: Numbers of the people considered. None stands for everybody.
        node_data: The node's data.

    Returns:
        ``caseLevelData``, and ``info`` when carriers are missing in it.
    """
    carriers = row.carriers() if people is None else row.carriers() & people
    homozygotes, analysed = row.homozygotes(), node_data.people.with_sample("analyses")
    men = node_data.of_sex["male"]
    of_men, of_women = _of_one_copy(row, "male"), _of_one_copy(row, "female")
    listed = []
    for position in carriers[:MAX_CASES]:
        individual = node_data.variants.individuals[position]
        once = of_men if position in men else of_women
        listed.append(
            {
                "individualId": individual,
                "biosampleId": individual + SAMPLES["biosamples"],
                "zygosity": HOMOZYGOUS if position in homozygotes else once,
                "alleleOrigin": GERMLINE,
            }
            if node_data.is_germline
            else {
                "individualId": individual,
                "biosampleId": individual + TUMOUR_SUFFIX,
                "alleleOrigin": SOMATIC,
            }
        )
        if position in analysed:
            listed[-1]["analysisId"] = individual + SAMPLES["analyses"]
    record: Record = {"caseLevelData": listed}
    if len(carriers) > MAX_CASES:
        record["info"] = _vcf_allele(row) | {"caseLevelDataTotal": len(carriers)}
    return record


def _of_one_copy(row: VariantRow, sex: Sex) -> dict[str, str]:
    """Return the zygosity of a carrier of one copy. Nodes do not know levels of heteroplasmy."""
    if row.contig == "chrM":
        return UNSPECIFIED_ZYGOSITY
    return HEMIZYGOUS if ploidy(row.contig, sex, row.start) == 1 else HETEROZYGOUS


# --- collections --------------------------------------------------------------------------------


def dataset_record(identifier: str, node_data: NodeData, rights: Rights) -> Record:
    """Build the record of a dataset, with the number of people in it.

    Callers with exact answers get the exact number for the purpose of the request. Other callers
    get one rounded number, the same for every purpose, because the difference of two numbers would
    reveal a person's consent.

    Args:
        identifier: Dataset identifier.
        node_data: The node's data.
        rights: What the caller may see.

    Returns:
        The record, JSON values.
    """
    dataset = node_data.dataset(identifier)
    size = _size(dataset, node_data, rights)
    return {
        "id": dataset.id,
        "name": dataset.name,
        "description": dataset.description,
        "version": node_data.settings.version,
        "dataUseConditions": {
            "duoDataUse": [
                {"id": "DUO:0000042", "label": "general research use", "version": "2021-02-23"}
            ]
        },
        "info": {
            "synthetic": True,
            **({} if size is None else {"individuals": size}),
        },
    }


def cohort_id(node_data: NodeData) -> str:
    """Return the identifier of the node's only cohort, which is everybody in it.

    Args:
        node_data: The node's data.
    """
    return f"COHORT-{node_data.settings.country_code}-1"


def _size(dataset: Dataset, node_data: NodeData, rights: Rights) -> int | None:
    """Return the number of people of a dataset that this caller sees. None when it is hidden."""
    if not rights.sees(dataset.id):
        return None
    door = rights.doors.get(dataset.id)
    if door is not None:
        return door.size(public_share(dataset, door.facts))
    members = node_data.members(dataset)
    everyone = node_data.people.everyone if members is None else members
    return len(everyone - rights.excluded)


def cohort_record(node_data: NodeData, rights: Rights) -> Record:
    """Build the record of the country's cohort.

    Its size is that of the dataset of people. The numbers by sex are included only when they are
    exact.

    Args:
        node_data: The node's data.
        rights: What the caller may see.

    Returns:
        The record, JSON values.
    """
    settings = node_data.settings
    dataset = node_data.dataset(settings.people_dataset)
    size = _size(dataset, node_data, rights)
    event: Record = {"eventNum": 1}
    if size is not None:
        event["eventSize"] = size
        if dataset.id not in rights.doors:
            by_sex = {sex: len(one - rights.excluded) for sex, one in node_data.of_sex.items()}
            event["eventGenders"] = {
                "availability": True,
                "availabilityCount": size,
                "distribution": {"genders": by_sex},
            }
    return {
        "id": cohort_id(node_data),
        "name": f"Cohort of {settings.country_name}",
        "cohortType": "study-defined",
        **({} if size is None else {"cohortSize": size}),
        "cohortDataTypes": [{"id": "OGMS:0000015", "label": "clinical history"}],
        "inclusionCriteria": {
            "locations": [
                {"id": f"ISO3166:{settings.country_code}", "label": settings.country_name}
            ]
        },
        "collectionEvents": [event],
    }
