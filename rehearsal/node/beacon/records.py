"""Records of the entry types, as the Beacon v2 default model wants them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pyroaring import BitMap

from rehearsal.genomes.assembly import REFSEQ, ploidy
from rehearsal.model import AlleleCounts, Variant
from rehearsal.node.beacon import hgvs
from rehearsal.node.beacon.holdings import Dataset, Holdings
from rehearsal.node.beacon.matching import variant_type
from rehearsal.node.people import SEX_TERMS

if TYPE_CHECKING:
    from rehearsal.node.access import Rights
    from rehearsal.node.variant_store import VariantRow

Record = dict[str, Any]

SOURCE = "Rehearsal (synthetic)"
SOURCE_REFERENCE = "simulated with msprime; see /info"
MAX_CASES = 1000  # carriers listed in one variant's record

HETEROZYGOUS = {"id": "GENO:0000135", "label": "heterozygous"}
HOMOZYGOUS = {"id": "GENO:0000136", "label": "homozygous"}
HEMIZYGOUS = {"id": "GENO:0000134", "label": "hemizygous"}
GERMLINE = {"id": "SO:0001778", "label": "germline variant"}

# suffix of what belongs to a person: one sample, sequenced once, called once
SUFFIXES = {"individuals": "", "biosamples": "-BS", "runs": "-RUN", "analyses": "-AN"}


def variant_record(row: VariantRow, holdings: Holdings) -> Record:
    """What is the same of a variant in every dataset: identifiers and place."""
    record: Record = {
        "variantInternalId": str(Variant(row.contig, row.start, row.ref, row.alt)),
        "variation": {
            "variantType": variant_type(row.ref, row.alt),
            "referenceBases": row.ref,
            "alternateBases": row.alt,
            "location": {
                "type": "SequenceLocation",
                "sequence_id": f"refseq:{REFSEQ[row.contig]}",
                "interval": {
                    "type": "SequenceInterval",
                    "start": {"type": "Number", "value": row.start},
                    "end": {"type": "Number", "value": row.start + len(row.ref)},
                },
            },
        },
        "identifiers": {"genomicHGVSId": hgvs.describe(row.contig, row.start, row.ref, row.alt)},
    }
    attributes = _molecular_attributes(row, holdings)
    if attributes:
        record["molecularAttributes"] = attributes
    return record


def _molecular_attributes(row: VariantRow, holdings: Holdings) -> Record:
    end = row.start + len(row.ref)
    genes = [
        gene.name
        for gene in holdings.settings.genes
        if gene.contig == row.contig and gene.start < end and row.start < gene.end
    ]
    changes = [
        change.change
        for change in holdings.settings.protein_changes
        if (change.contig, change.start, change.ref, change.alt)
        == (row.contig, row.start, row.ref, row.alt)
    ]
    found = {"geneIds": genes, "aminoacidChanges": changes}
    return {key: values for key, values in found.items() if values}


def frequencies(row: VariantRow, people: BitMap | None, holdings: Holdings) -> list[Record]:
    """``frequencyInPopulations`` as in the GDI allele-frequency look-up: all, men, women.

    All counts are of ALLELES: a homozygote adds 2 to alleleCountHomozygous, so that
    homozygous + heterozygous + hemizygous = alleleCount. A population without a called allele
    (women on Y) has no frequency and is left out.
    """
    by_sex = holdings.counts(row, people)
    code = holdings.settings.country_code
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
            "version": holdings.settings.version,
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


def cases(row: VariantRow, people: BitMap | None, holdings: Holdings) -> Record:
    """``caseLevelData``: carriers among these people. Of more than MAX_CASES only the first are
    listed, and ``info`` tells how many there are; ``/g_variants/{id}/individuals`` pages all."""
    carriers = row.carriers() if people is None else row.carriers() & people
    homozygotes = row.homozygotes()
    men = holdings.of_sex["male"]
    of_men = HEMIZYGOUS if ploidy(row.contig, "male") == 1 else HETEROZYGOUS
    of_women = HEMIZYGOUS if ploidy(row.contig, "female") == 1 else HETEROZYGOUS
    listed = []
    for position in carriers[:MAX_CASES]:
        individual = holdings.variants.individuals[position]
        once = of_men if position in men else of_women
        listed.append(
            {
                "individualId": individual,
                "biosampleId": individual + SUFFIXES["biosamples"],
                "analysisId": individual + SUFFIXES["analyses"],
                "zygosity": HOMOZYGOUS if position in homozygotes else once,
                "alleleOrigin": GERMLINE,
            }
        )
    told: Record = {"caseLevelData": listed}
    if len(carriers) > MAX_CASES:
        told["info"] = {"caseLevelDataTotal": len(carriers)}
    return told


# --- people and what belongs to them ------------------------------------------------------------


def individual(position: int, holdings: Holdings) -> Record:
    """One person with diseases, features and measurements."""
    person = holdings.people.record(position)
    settings = holdings.settings
    sex = person["sex"]
    return {
        "id": person["id"],
        "sex": {"id": SEX_TERMS[sex], "label": sex},
        "karyotypicSex": "XX" if sex == "female" else "XY",
        "geographicOrigin": {
            "id": f"ISO3166:{settings.country_code}",
            "label": settings.country_name,
        },
        "diseases": [_disease(row) for row in person["diseases"]],
        "phenotypicFeatures": [_feature(row) for row in person["features"]],
        "measures": [_measure(row) for row in person["measurements"]],
        "info": {
            "birthYear": person["birth_year"],
            "age": settings.reference_year - person["birth_year"],
            **{key: person[key] for key in ("family", "father", "mother") if person[key]},
        },
    }


def without_kin(record: Record, excluded: BitMap, holdings: Holdings) -> Record:
    """The record, naming no parent who is in no answer. ``excluded``: empty names all."""
    kin = record.get("info", {})
    for parent in ("father", "mother"):
        if excluded and parent in kin:
            position = holdings.people.position(kin[parent])
            if position is None or position in excluded:  # who is not here permitted nothing
                del kin[parent]
    return record


def _disease(row: Record) -> Record:
    code = {"id": row["code"], "label": row["label"]}
    if row["mondo"]:
        code["sameAs"] = row["mondo"]
    return _timed({"diseaseCode": code}, "ageOfOnset", row["age_of_onset"])


def _feature(row: Record) -> Record:
    feature = {"featureType": {"id": row["code"], "label": row["label"]}}
    return _timed(feature, "onset", row["age_of_onset"])


def _measure(row: Record) -> Record:
    unit = row["unit"] or "1"
    measure = {
        "assayCode": {"id": row["code"], "label": row["label"]},
        "measurementValue": {
            "unit": {"id": f"UCUM:{unit}", "label": unit},
            "value": row["value"],
        },
    }
    return _timed(measure, "observationMoment", row["age"])


def _timed(record: Record, key: str, years: float | None) -> Record:
    return record if years is None else {**record, key: {"iso8601duration": duration(years)}}


def duration(years: float) -> str:
    """An age in years as an ISO 8601 duration, to the month: 54.5 is ``P54Y6M``."""
    whole, months = divmod(round(years * 12), 12)
    return f"P{whole}Y{months}M" if months else f"P{whole}Y"


def biosample(position: int, holdings: Holdings) -> Record:
    """The one blood sample of a person."""
    name = holdings.variants.individuals[position]
    return {
        "id": name + SUFFIXES["biosamples"],
        "individualId": name,
        "biosampleStatus": {"id": "EFO:0009654", "label": "reference sample"},
        "sampleOriginType": {"id": "UBERON:0000178", "label": "blood"},
        "notes": "simulated",
    }


def run(position: int, holdings: Holdings) -> Record:
    """The run that would have read the sample. There are no reads: it is simulated."""
    name = holdings.variants.individuals[position]
    return {
        "id": name + SUFFIXES["runs"],
        "biosampleId": name + SUFFIXES["biosamples"],
        "individualId": name,
        "runDate": f"{holdings.settings.reference_year}-01-01",
        "libraryStrategy": "WGS",
        "librarySource": {"id": "GENEPIO:0001966", "label": "genomic source"},
        "info": {"simulated": True},
    }


def analysis(position: int, holdings: Holdings) -> Record:
    """The analysis that the person's genotypes stand for."""
    name = holdings.variants.individuals[position]
    return {
        "id": name + SUFFIXES["analyses"],
        "runId": name + SUFFIXES["runs"],
        "biosampleId": name + SUFFIXES["biosamples"],
        "individualId": name,
        "analysisDate": f"{holdings.settings.reference_year}-01-01",
        "pipelineName": f"Rehearsal {holdings.settings.version}",
        "info": {"simulated": True},
    }


OF_A_PERSON: dict[str, Callable[[int, Holdings], Record]] = {
    "individuals": individual,
    "biosamples": biosample,
    "runs": run,
    "analyses": analysis,
}


# --- collections --------------------------------------------------------------------------------


def dataset_record(identifier: str, holdings: Holdings, rights: Rights) -> Record:
    """A dataset: what it is, and how many people are in it.

    Whom its answers tell exactly is told how many for the purpose of the request; others one
    rounded size, the same for every purpose: the difference of two would be somebody's consent.
    """
    dataset = holdings.dataset(identifier)
    size = _size(dataset, holdings, rights)
    return {
        "id": dataset.id,
        "name": dataset.name,
        "description": dataset.description,
        "version": holdings.settings.version,
        "dataUseConditions": {
            "duoDataUse": [
                {"id": "DUO:0000042", "label": "general research use", "version": "2021-02-23"}
            ]
        },
        "info": {
            "synthetic": True,
            **({} if size is None else {"individuals": size}),
            "build": holdings.settings.build,
        },
    }


def cohort_id(holdings: Holdings) -> str:
    """The identifier of the one cohort of a node: everybody in it."""
    return f"COHORT-{holdings.settings.country_code}-1"


def _size(dataset: Dataset, holdings: Holdings, rights: Rights) -> int | None:
    """How many people a dataset has for this caller; None where that is not told."""
    if not rights.sees(dataset.id):
        return None
    members = holdings.members(dataset)
    everyone = holdings.people.everyone if members is None else members
    if dataset.id in rights.protectors:
        return rights.protectors[dataset.id].size(len(everyone))
    return len(everyone - rights.excluded)


def cohort_record(holdings: Holdings, rights: Rights) -> Record:
    """The country's cohort: as many as its dataset of people says, and how many of each sex where
    that is told exactly."""
    settings = holdings.settings
    dataset = holdings.dataset(settings.people_dataset)
    size = _size(dataset, holdings, rights)
    event: Record = {"eventNum": 1}
    if size is not None:
        event["eventSize"] = size
        if dataset.id not in rights.protectors:
            by_sex = {sex: len(one - rights.excluded) for sex, one in holdings.of_sex.items()}
            event["eventGenders"] = {
                "availability": True,
                "availabilityCount": size,
                "distribution": {"genders": by_sex},
            }
    return {
        "id": cohort_id(holdings),
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
