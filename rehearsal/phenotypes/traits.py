"""Reads and checks ``config/traits.yaml``; what it says is in ``trait_types``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import get_args

from rehearsal.model import SEXES, InputError
from rehearsal.phenotypes.clinical_reader import (
    read_exposure,
    read_missing,
    read_outcome,
    read_sequencing,
    read_treatment,
)
from rehearsal.phenotypes.path_coefficients import explained_by_causes
from rehearsal.phenotypes.readers import by_sex, curie, hpo, named, positive_curve, risk_curve
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
from rehearsal.phenotypes.yaml_reader import Entry, read_entries

COMMON = ("code", "label")
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
    """The traits of a YAML file; the comments of ``config/traits.yaml`` explain every key.

    Raises InputError naming the file, the key and what was expected.
    """
    top = read_entries(path)
    parts = top.fields(["measurements", "diseases"], OPTIONAL)
    genes = parts.get("gene_identifiers")
    traits = Traits(
        source=str(path),
        measurements=named(parts["measurements"], _measurement),
        derived=named(parts.get("derived_measurements"), _derived),
        diseases=named(parts["diseases"], _disease),
        exposures=named(parts.get("exposures"), read_exposure),
        treatments=named(parts.get("treatments"), read_treatment),
        missing=read_missing(parts.get("missing")),
        outcomes=named(parts.get("outcomes"), read_outcome),
        sequencing=read_sequencing(parts["sequencing"]) if "sequencing" in parts else None,
        gene_identifiers={str(gene): curie(code) for gene, code in genes.children().items()}
        if genes
        else {},
    )
    _check_names(traits)
    _check_references(traits)
    _check_explained(traits)
    return traits


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
        ["mondo_label", "cumulative_risk", "genetics", "causes", "genes", "features"],
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
    """A disease may say how much its hazard rises in the place of a heritability."""
    if entry is None:
        return None
    sizes = ["heritability", "hazard_ratio_per_sd"] if of_disease else ["heritability"]
    part = entry.fields(["causal_sites"], [*sizes, "minimum_frequency", "frequency_dependence"])
    if len(part.keys() & set(sizes)) != 1:
        raise entry.error(f"{'one of the keys' if of_disease else 'the key'} {' '.join(sizes)}")
    frequency, dependence = (part.get(key) for key in ("minimum_frequency", "frequency_dependence"))
    ratio = part.get("hazard_ratio_per_sd")
    return Genetics(
        heritability=0.0 if ratio else part["heritability"].number(0, 1),
        hazard_ratio_per_sd=ratio.number(0.1, 10) if ratio else None,
        causal_sites=part["causal_sites"].whole_number(1),
        minimum_frequency=frequency.number(0, 0.5) if frequency else 0.01,
        frequency_dependence=dependence.number(-2, 2) if dependence else 0.0,
    )


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


def _check_names(traits: Traits) -> None:
    everything = (*traits.measurements, *traits.derived, *traits.exposures, *traits.diseases)
    for what in ("name", "code"):
        for value, times in Counter(getattr(trait, what) for trait in everything).items():
            if times > 1:
                raise InputError(traits.source, value, f"expected one trait of this {what}")


def _check_references(traits: Traits) -> None:
    measured = [trait.name for trait in traits.measurements]
    exposures = [trait.name for trait in traits.exposures]
    everywhere = [trait.name for trait in traits.measurements if trait.only_with is None]
    missable = [*everywhere, *(t.name for t in (*traits.derived, *traits.exposures))]
    for derived in traits.derived:
        _check_known(
            traits, f"derived_measurements.{derived.name}.powers", derived.powers, measured
        )
    for number, trait in enumerate(traits.measurements):
        # those that stand before it, so that none is its own cause
        causes = [*measured[:number], *exposures]
        _check_known(traits, f"measurements.{trait.name}.causes", trait.causes, causes)
    for disease in traits.diseases:
        causes = [*measured, *exposures]
        _check_known(traits, f"diseases.{disease.name}.causes", disease.causes, causes)
    diseases = [disease.name for disease in traits.diseases]
    for treatment in traits.treatments:
        key = f"treatments.{treatment.name}.for"
        _check_known(traits, key, treatment.indications, diseases)
    for trait in traits.measurements:
        key = f"measurements.{trait.name}.only_with"
        _check_known(traits, key, [trait.only_with] if trait.only_with else [], diseases)
    _check_outcomes(traits, diseases)
    for number, rule in enumerate(traits.missing):
        fields = [*missable, *(treatment.name for treatment in traits.treatments)]
        _check_known(traits, f"missing[{number}].fields", rule.fields, fields)


def _check_outcomes(traits: Traits, diseases: Sequence[str]) -> None:
    """An outcome is a disease without a risk of its own; its groups name what the traits have."""
    own_risk = {one.name for one in traits.diseases if one.cumulative_risk or one.genes}
    outcomes = {outcome.disease for outcome in traits.outcomes}
    treatments = [treatment.name for treatment in traits.treatments]
    measured = [trait.name for trait in traits.measurable]
    for outcome in traits.outcomes:
        key = f"outcomes.{outcome.disease}"
        free = [name for name in diseases if name not in own_risk]
        _check_known(traits, key, [outcome.disease], free)
        _check_known(traits, f"{key}.after", [outcome.after], set(diseases) - outcomes)
        for number, group in enumerate(outcome.groups):
            place = f"{key}.groups[{number}]"
            _check_known(traits, f"{place}.measurements", group.measurements, measured)
            _check_known(traits, f"{place}.treated", group.treated, treatments)


def _check_known(traits: Traits, key: str, used: Iterable[str], known: Iterable[str]) -> None:
    names = sorted(known)
    for name in used:
        if name not in names:
            raise InputError(
                traits.source, f"{key}.{name}", f"expected one of {' '.join(names) or '(none)'}"
            )


def _check_explained(traits: Traits) -> None:
    """Heritability and causes cannot explain more than all of the variance."""
    explained = explained_by_causes(traits)
    parts = (("measurements", traits.measurements), ("diseases", traits.diseases))
    for part, some in parts:
        for trait in some:
            total = explained[trait.name] + (trait.genetics.heritability if trait.genetics else 0)
            if total > 1 + 1e-9:
                raise InputError(
                    traits.source,
                    f"{part}.{trait.name}",
                    "expected heritability + what its causes explain to be at most 1, "
                    f"found {total:g}",
                )
