"""Records of people and their samples in the Beacon v2 default model.

They are built from the tables that the node was built from. Content without a place in the model
goes into ``info``.
"""

from __future__ import annotations

from collections.abc import Callable

from pyroaring import BitMap

from rehearsal.formats.ontology_terms import SEX_TERMS
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.beacon.result import Record
from rehearsal.stores.people_store import SAMPLES

REFERENCE_SAMPLE = {"id": "EFO:0009654", "label": "reference sample"}
UNKNOWN = {"id": "NCIT:C17998", "label": "Unknown"}
GENOMIC = {"id": "GENEPIO:0001966", "label": "genomic source"}


def individual(position: int, node_data: NodeData, excluded: BitMap) -> Record:
    """Build the record of a person, with diseases, features, measurements and treatments.

    Args:
        position: The person's number.
        node_data: The node's data.
        excluded: Numbers of the people left out of every answer. The record reveals nothing about
            relatives among them.

    Returns:
        The record, JSON values.
    """
    person = node_data.people.record(position)
    settings = node_data.settings
    sex = person["sex"]
    relatives = _permitted_relatives(person, excluded, node_data)
    in_family = {row["code"] for row in relatives["family_history"]}
    record = {
        "id": person["id"],
        "sex": {"id": SEX_TERMS[sex], "label": sex},
        "karyotypicSex": "XX" if sex == "female" else "XY",
        "geographicOrigin": {
            "id": f"ISO3166:{settings.country_code}",
            "label": settings.country_name,
        },
        "diseases": [_disease(row, in_family) for row in person["diseases"]],
        "phenotypicFeatures": [_feature(row) for row in person["features"]],
        "measures": [
            *(_measure(row) for row in person["measurements"]),
            *(_observation(row) for row in person["exposures"]),
        ],
        "info": _individual_info(person, relatives, settings.reference_year),
    }
    if person["treatments"]:
        record["treatments"] = [_treatment(row) for row in person["treatments"]]
    return record


def _individual_info(person: Record, relatives: Record, reference_year: int) -> Record:
    """Collect what the tables contain about a person and the model has no place for."""
    info: Record = {
        "birthYear": person["birth_year"],
        "age": reference_year - person["birth_year"],
    }
    if person["family"]:
        info["family"] = person["family"]
    info |= {key: relatives[key] for key in ("father", "mother") if relatives[key]}
    if person["subjects"]:
        (subject,) = person["subjects"]
        info["birthDate"] = subject["birth_date"]
        info["administrativeGender"] = subject["administrative_gender"]
    lists = (("familyHistory", relatives["family_history"]), ("missing", person["missing"]))
    return info | {key: [_camel(row) for row in rows] for key, rows in lists if rows}


def _permitted_relatives(person: Record, excluded: BitMap, node_data: NodeData) -> Record:
    """Return what may be shown of a person's relatives: nothing about excluded ones."""

    def permits(name: str | None) -> bool:
        if not name or not excluded:
            return True
        position = node_data.people.position(name)
        return position is not None and position not in excluded  # absent people permit nothing

    return {
        "father": person["father"] if permits(person["father"]) else None,
        "mother": person["mother"] if permits(person["mother"]) else None,
        "family_history": [row for row in person["family_history"] if permits(row["relative"])],
    }


def _disease(row: Record, in_family: set[str]) -> Record:
    code = {"id": row["code"], "label": row["label"]}
    if row["mondo"]:
        code["sameAs"] = row["mondo"]
    disease = {"diseaseCode": code, **({"familyHistory": True} if row["code"] in in_family else {})}
    return _timed(disease, "ageOfOnset", row["age_of_onset"])


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


def _observation(row: Record) -> Record:
    """Write a habit as a measure whose value is a term. The model's exposures need a duration."""
    observation = {
        "assayCode": {"id": row["code"], "label": row["label"]},
        "measurementValue": {"id": row["value"], "label": row["value_label"]},
    }
    return _timed(observation, "observationMoment", row["age"])


def _treatment(row: Record) -> Record:
    treatment = {
        "treatmentCode": {"id": row["code"], "label": row["label"]},
        "info": {
            key: row[column]
            for key, column in (("doseMg", "dose_mg"), ("endAge", "end_age"))
            if row[column] is not None
        },
    }
    for key in ("indication", "response", "adverse_event"):
        if row[key] is not None:
            term = {"id": row[key], "label": row[f"{key}_label"]}
            treatment["info"][_camel_name(key)] = term
    return _timed(treatment, "ageAtOnset", row["start_age"])


def _timed(record: Record, key: str, years: float | None) -> Record:
    return record if years is None else {**record, key: {"iso8601duration": duration(years)}}


def duration(years: float) -> str:
    """Format an age as an ISO 8601 duration, to the month: 54.5 is ``P54Y6M``.

    Args:
        years: Age in years.

    Returns:
        The duration.
    """
    whole, months = divmod(round(years * 12), 12)
    return f"P{whole}Y{months}M" if months else f"P{whole}Y"


def _camel_name(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.title, others))


def _camel(row: Record, left_out: frozenset[str] = frozenset()) -> Record:
    """Convert a row's keys to camel case, without empty values and without ``left_out``."""
    return {
        _camel_name(key): value
        for key, value in row.items()
        if value is not None and key not in left_out
    }


def _of(position: int, node_data: NodeData) -> tuple[str, Record]:
    name = node_data.variants.individuals[position]
    return name, {"individualId": name, "biosampleId": name + SAMPLES["biosamples"]}


def biosample(position: int, node_data: NodeData, excluded: BitMap) -> Record:
    """Build the record of a person's sample.

    Args:
        position: The person's number. The person must have a sample.
        node_data: The node's data.
        excluded: Not used. All makers of records take it.

    Returns:
        The record, JSON values.
    """
    name, _ = _of(position, node_data)
    row = node_data.people.sample("biosamples", position)
    record: Record = {"id": name + SAMPLES["biosamples"], "individualId": name}
    record |= {"biosampleStatus": REFERENCE_SAMPLE, "info": {"simulated": True}}
    if row is None:
        return record | {"sampleOriginType": UNKNOWN}
    record["info"]["organism"] = {"id": row["organism"], "label": row["organism_label"]}
    record |= {
        "sampleOriginType": {"id": row["sample_type"], "label": row["sample_type_label"]},
        "sampleOriginDetail": {"id": row["tissue"], "label": row["tissue_label"]},
        "collectionDate": row["collection_date"],
        "collectionMoment": None
        if row["collection_age"] is None
        else duration(row["collection_age"]),
    }
    return {key: value for key, value in record.items() if value is not None}


RUN = frozenset({"id", "biosample", "run_date", "target", "platform", "platform_label"})


def run(position: int, node_data: NodeData, excluded: BitMap) -> Record:
    """Build the record of the sequencing run of a person's sample.

    Args:
        position: The person's number. The person must have a run.
        node_data: The node's data.
        excluded: Not used. All makers of records take it.

    Returns:
        The record, JSON values.
    """
    _, whose = _of(position, node_data)
    row = node_data.people.sample("runs", position) or {}
    return {
        **whose,
        "id": row["id"],
        "biosampleId": row["biosample"],
        "runDate": row["run_date"],
        "libraryStrategy": row["target"],
        "librarySource": GENOMIC,
        "platformModel": {"id": row["platform"], "label": row["platform_label"]},
        "info": {"simulated": True, **_camel(row, RUN)},
    }


ANALYSIS = frozenset(
    {"id", "run", "biosample", "analysis_date", "pipeline", "aligner", "variant_caller"}
)


def analysis(position: int, node_data: NodeData, excluded: BitMap) -> Record:
    """Build the record of the analysis that produced a person's genotypes.

    Args:
        position: The person's number. The person must have an analysis.
        node_data: The node's data.
        excluded: Not used. All makers of records take it.

    Returns:
        The record, JSON values.
    """
    _, whose = _of(position, node_data)
    row = node_data.people.sample("analyses", position) or {}
    return {
        **whose,
        "id": row["id"],
        "runId": row["run"],
        "biosampleId": row["biosample"],
        "analysisDate": row["analysis_date"],
        "pipelineName": row["pipeline"],
        "aligner": row["aligner"],
        "variantCaller": row["variant_caller"],
        "info": {"simulated": True, **_camel(row, ANALYSIS)},
    }


RECORDS: dict[str, Callable[[int, NodeData, BitMap], Record]] = {
    "individuals": individual,
    "biosamples": biosample,
    "runs": run,
    "analyses": analysis,
}
