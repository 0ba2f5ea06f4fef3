"""Read and check ``config/traits.yaml``. Its types are in ``trait_types``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, get_args

from rehearsal.errors import Complaints
from rehearsal.model import SEXES
from rehearsal.phenotypes.clinical_reader import (
    read_exposure,
    read_missing,
    read_outcome,
    read_sequencing,
    read_treatment,
)
from rehearsal.phenotypes.field_readers import (
    by_sex,
    curie,
    hpo,
    named,
    positive_curve,
    risk_curve,
    year,
)
from rehearsal.phenotypes.trait_checks import check_traits
from rehearsal.phenotypes.trait_types import (
    DerivedMeasurement,
    Disease,
    Distribution,
    Feature,
    GeneRisk,
    Genetics,
    Measurement,
    ThresholdFeature,
    Traits,
)
from rehearsal.phenotypes.yaml_reader import Entry, read_yaml

T = TypeVar("T")
COMMON = ("code", "label")
GENETICS = ("minimum_frequency", "frequency_dependence", "simulated_share")  # optional
OPTIONAL = (
    "derived_measurements",
    "exposures",
    "treatments",
    "missing",
    "outcomes",
    "sequencing",
    "gene_identifiers",
)


def read_traits(path: Path | str) -> Traits:
    """Read the traits of a YAML file. The comments of ``config/traits.yaml`` explain every key.

    Args:
        path: The file.

    Returns:
        The traits, in the order of the file.

    Raises:
        InputError: Names the file, the key, what was expected and what was found. The first errors
            of all traits come together.
    """
    top = read_yaml(path)
    complaints = Complaints()
    with complaints.collected():
        top.fields(["measurements", "diseases"], OPTIONAL)
    parts = top.children()

    def entries(section: str, read: Callable[[str, Entry], T]) -> tuple[T, ...]:
        with complaints.collected():
            return named(parts.get(section), read)
        return ()

    def part(section: str, read: Callable[[Entry | None], T], default: T) -> T:
        with complaints.collected():
            return read(parts.get(section))
        return default

    traits = Traits(
        source=str(path),
        measurements=entries("measurements", _measurement),
        derived=entries("derived_measurements", _derived),
        diseases=entries("diseases", _disease),
        exposures=entries("exposures", read_exposure),
        treatments=entries("treatments", read_treatment),
        missing=part("missing", read_missing, ()),
        outcomes=entries("outcomes", read_outcome),
        sequencing=part("sequencing", lambda one: read_sequencing(one) if one else None, None),
        gene_identifiers=part("gene_identifiers", _gene_identifiers, {}),
    )
    complaints.raise_any()
    check_traits(traits)
    return traits


def _gene_identifiers(entry: Entry | None) -> dict[str, str]:
    return {str(gene): curie(code) for gene, code in entry.children().items()} if entry else {}


def _measurement(name: str, entry: Entry) -> Measurement:
    part = entry.fields(
        [*COMMON, "unit", "decimals", "distribution", "mean", "sd"],
        ["genetics", "causes", "features", "only_with"],
    )
    return Measurement(
        name=name,
        code=curie(part["code"]),
        label=part["label"].text(),
        unit=part["unit"].text(),
        decimals=part["decimals"].whole_number(0, 6),
        distribution=part["distribution"].choice(*get_args(Distribution)),
        mean=by_sex(part["mean"], positive_curve, need_both=True),
        sd=by_sex(part["sd"], positive_curve, need_both=True),
        genetics=_genetics(part.get("genetics")),
        causes=_causes(part.get("causes")),
        features=_threshold_features(part.get("features")),
        only_with=part["only_with"].text() if "only_with" in part else None,
    )


def _derived(name: str, entry: Entry) -> DerivedMeasurement:
    part = entry.fields([*COMMON, "unit", "decimals", "factor", "powers"], ["features"])
    return DerivedMeasurement(
        name=name,
        code=curie(part["code"]),
        label=part["label"].text(),
        unit=part["unit"].text(),
        decimals=part["decimals"].whole_number(0, 6),
        factor=part["factor"].number(),
        powers={of: power.number() for of, power in part["powers"].children().items()},
        features=_threshold_features(part.get("features")),
    )


def _disease(name: str, entry: Entry) -> Disease:
    part = entry.fields(
        [*COMMON, "mondo"],
        ["mondo_label", "cumulative_risk", "genetics", "causes", "genes", "features", "first_year"],
    )
    risk, genes = part.get("cumulative_risk"), part.get("genes")
    return Disease(
        name=name,
        code=curie(part["code"]),
        label=part["label"].text(),
        mondo=part["mondo"].text(r"MONDO:\d{7}", "MONDO:0007254"),
        mondo_label=part["mondo_label" if "mondo_label" in part else "label"].text(),
        cumulative_risk=by_sex(risk, risk_curve) if risk else {},
        genetics=_genetics(part.get("genetics"), of_disease=True),
        causes=_causes(part.get("causes")),
        genes=tuple(_gene(gene, risk) for gene, risk in genes.children().items()) if genes else (),
        features=tuple(_feature(item) for item in part["features"].items())
        if "features" in part
        else (),
        first_year=year(part.get("first_year")),
    )


def _causes(entry: Entry | None) -> dict[str, float]:
    if entry is None:
        return {}
    return {of: weight.number(-1, 1) for of, weight in entry.children().items()}


def _gene(gene: str, entry: Entry) -> GeneRisk:
    part = entry.fields(["cumulative_risk"], ["copies"])
    if "copies" in part:
        copies = by_sex(part["copies"], lambda number: number.whole_number(1, 2), need_both=True)
    else:
        copies = dict.fromkeys(SEXES, 1)
    return GeneRisk(str(gene), copies, by_sex(part["cumulative_risk"], risk_curve))


def _genetics(entry: Entry | None, of_disease: bool = False) -> Genetics | None:
    """Read a polygenic part. A disease may give a hazard ratio instead of a heritability."""
    if entry is None:
        return None
    part = _genetics_fields(entry, of_disease)
    frequency, dependence, share = (part.get(key) for key in GENETICS)
    ratio = part.get("hazard_ratio_per_sd")
    return Genetics(
        heritability=0.0 if ratio else part["heritability"].number(0, 1),
        hazard_ratio_per_sd=ratio.number(0.1, 10) if ratio else None,
        causal_sites=part["causal_sites"].whole_number(1),
        minimum_frequency=frequency.number(0, 0.5) if frequency else 0.01,
        frequency_dependence=dependence.number(-2, 2) if dependence else 0.0,
        simulated_share=share.number(0, 1) if share else None,
    )


def _genetics_fields(entry: Entry, of_disease: bool) -> dict[str, Entry]:
    if not of_disease:
        return entry.fields(["causal_sites", "heritability"], GENETICS)
    sizes = ["heritability", "hazard_ratio_per_sd"]
    part = entry.fields(["causal_sites"], [*sizes, *GENETICS])
    given = [size for size in sizes if size in part]
    if len(given) != 1:
        raise entry.error(f"one of the keys {' and '.join(sizes)}", "both" if given else "neither")
    return part


def _feature(entry: Entry) -> Feature:
    part = entry.fields(COMMON)
    return Feature(hpo(part["code"]), part["label"].text())


def _threshold_features(entry: Entry | None) -> tuple[ThresholdFeature, ...]:
    features = []
    for item in entry.items() if entry else ():
        part = item.fields([*COMMON, "at_least"])
        features.append(
            ThresholdFeature(hpo(part["code"]), part["label"].text(), part["at_least"].number())
        )
    return tuple(features)
