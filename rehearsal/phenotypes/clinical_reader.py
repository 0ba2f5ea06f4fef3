"""Read the parts of ``config/traits.yaml`` that become ``clinical_types``."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from rehearsal.errors import shown
from rehearsal.model import SEXES
from rehearsal.phenotypes.clinical_types import (
    NULL_FLAVOURS,
    AdverseEvent,
    Drug,
    DrugEffect,
    Eligibility,
    Exposure,
    ExposureValue,
    MissingRule,
    Outcome,
    ReadFigure,
    RiskGroup,
    Sequencing,
    Treatment,
)
from rehearsal.phenotypes.field_readers import (
    OLDEST,
    bounds,
    by_sex,
    coded,
    curie,
    hpo,
    share_curve,
    year,
)
from rehearsal.phenotypes.terms import Coded
from rehearsal.phenotypes.yaml_reader import Entry

COMMON = ("code", "label")
MOST_DOSES = 4  # a day
READ_FIGURES = (
    "mean_autosome_coverage",
    "yield_bp_q30",
    "pct_autosomes_15x",
    "mad_autosome_coverage",
    "cross_contamination_rate",
    "pct_reads_mapped",
)


def read_exposure(name: str, entry: Entry) -> Exposure:
    """Read an exposure with its values, the least exposed first.

    Args:
        name: Name of the exposure.
        entry: Its mapping.

    Returns:
        The exposure.

    Raises:
        InputError: A key or value is wrong, or shares add up to more than 1 at some age.
    """
    part = entry.fields([*COMMON, "values"])
    items = part["values"].items()
    if len(items) < 2:
        expected = "at least two values, the least exposed first"
        raise part["values"].error(expected, str(len(items)))
    values = []
    for number, item in enumerate(items):
        given = item.fields([*COMMON, *(["share"] if number else [])])
        share = by_sex(given["share"], share_curve, need_both=True) if number else None
        values.append(ExposureValue(_coded(given), share))
    exposure = Exposure(name, curie(part["code"]), part["label"].text(), tuple(values))
    _check_rest(part["values"], exposure)
    return exposure


def _check_rest(entry: Entry, exposure: Exposure) -> None:
    """Check that the shares of the later values leave something for the first, at every age."""
    curves = [value.share for value in exposure.values if value.share is not None]
    for sex in curves[0]:
        for age in sorted({age for curve in curves for age in curve[sex].ages}):
            total = sum(float(curve[sex].at(np.array(age))) for curve in curves)
            if total > 1 + 1e-9:
                found = f"{total:g} at age {age:g} ({sex})"
                raise entry.error("shares that add up to at most 1 at every age", found)


def read_treatment(name: str, entry: Entry) -> Treatment:
    """Read a treatment with its drugs and responses.

    Args:
        name: Name of the treatment.
        entry: Its mapping.

    Returns:
        The treatment.

    Raises:
        InputError: A key or value is wrong, or shares do not add up to 1.
    """
    part = entry.fields(
        ["for", "share", "drugs", "responses"],
        ["years_to_start", "years_to_response", "stopped_yearly", "duration_years"],
    )
    years = {
        key: part[key].number(0, 50) if key in part else 0.0
        for key in ("years_to_start", "years_to_response")
    }
    stop, duration = part.get("stopped_yearly"), part.get("duration_years")
    drugs = tuple(_drug(item) for item in part["drugs"].items())
    responses = _shares(part["responses"])
    _check_sum(part["drugs"], [drug.share for drug in drugs])
    return Treatment(
        name=name,
        indications=tuple(item.text() for item in part["for"].items()),
        share=by_sex(part["share"], share_curve, need_both=True),
        **years,
        stopped_yearly=stop.number(0, 0.999) if stop else 0.0,
        duration_years=duration.number(0.01, 100) if duration else None,
        drugs=drugs,
        responses=responses,
    )


def _drug(entry: Entry) -> Drug:
    optional = ["dose", "times_per_day", "adverse_event", "market_year", "eligible", "effects"]
    part = entry.fields([*COMMON, "share"], optional)
    times = part.get("times_per_day")
    if times and "dose" not in part:
        raise times.error("a dose beside it", "none")
    effects = part["effects"].children() if "effects" in part else {}
    return Drug(
        term=_coded(part),
        share=part["share"].number(0, 1),
        dose=part["dose"].number(0) if "dose" in part else None,
        adverse_event=_adverse_event(part["adverse_event"]) if "adverse_event" in part else None,
        market_year=year(part.get("market_year")),
        eligible=_eligibility(part["eligible"]) if "eligible" in part else Eligibility(),
        effects={str(name): _effect(one) for name, one in effects.items()},
        times_per_day=times.whole_number(1, MOST_DOSES) if times else 1,
    )


def _effect(entry: Entry) -> DrugEffect:
    part = entry.fields([], ["percent", "amount"])
    if not part:
        raise entry.error("the key percent or amount", "neither")
    percent, amount = part.get("percent"), part.get("amount")
    return DrugEffect(
        percent=percent.number(-99, 1000) if percent else 0.0,
        amount=amount.number() if amount else 0.0,
    )


def _eligibility(entry: Entry) -> Eligibility:
    part = entry.fields([], ["sex", "age", "for"])
    lowest, highest = bounds(part["age"]) if "age" in part else (0.0, float(OLDEST))
    return Eligibility(
        sexes=(part["sex"].choice(*SEXES),) if "sex" in part else SEXES,
        age=(lowest, highest),
        indications=tuple(item.text() for item in part["for"].items()) if "for" in part else None,
    )


def _adverse_event(entry: Entry) -> AdverseEvent:
    part = entry.fields([*COMMON, "risk"], ["odds_ratios"])
    ratios = part["odds_ratios"].children() if "odds_ratios" in part else {}
    return AdverseEvent(
        Coded(hpo(part["code"]), part["label"].text()),
        part["risk"].number(0, 0.999),
        {str(gene): ratio.number(0) for gene, ratio in ratios.items()},
    )


def read_outcome(name: str, entry: Entry) -> Outcome:
    """Read what may follow a disease.

    Args:
        name: Name of the disease that is the outcome.
        entry: Its mapping.

    Returns:
        The outcome.

    Raises:
        InputError: A key or value is wrong.
    """
    part = entry.fields(["after", "within_years", "risk"], ["groups"])
    return Outcome(
        disease=name,
        after=part["after"].text(),
        within_years=part["within_years"].number(0.1, 100),
        risk=part["risk"].number(0, 0.999),
        groups=tuple(_risk_group(item) for item in part["groups"].items())
        if "groups" in part
        else (),
    )


def _risk_group(entry: Entry) -> RiskGroup:
    part = entry.fields(["risk"], ["measurements", "onset", "treated"])
    measurements = part["measurements"].children() if "measurements" in part else {}
    treated = part["treated"].children() if "treated" in part else {}
    return RiskGroup(
        measurements={str(name): bounds(one) for name, one in measurements.items()},
        onset=bounds(part["onset"]) if "onset" in part else (0.0, 200.0),
        risk=part["risk"].number(0, 0.999),
        treated={str(name): one.number(0, 0.999) for name, one in treated.items()},
    )


def read_missing(entry: Entry | None) -> tuple[MissingRule, ...]:
    """Read the rules of missing data. A field may be in one rule only.

    Args:
        entry: The list of rules, or None if the file has none.

    Returns:
        The rules.

    Raises:
        InputError: A key or value is wrong, or a field is in two rules.
    """
    rules: list[MissingRule] = []
    for item in entry.items() if entry else ():
        part = item.fields(["fields", "rate", "flavours"])
        fields = tuple(field.text() for field in part["fields"].items())
        flavours = {}
        for flavour, share in part["flavours"].children().items():
            if flavour not in NULL_FLAVOURS:
                known = ", ".join(sorted(NULL_FLAVOURS))
                raise share.error(f"one of the HL7 null flavours {known}", shown(flavour))
            flavours[flavour] = share.number(0, 1)
        _check_sum(part["flavours"], flavours.values())
        for field in fields:
            if any(field in rule.fields for rule in rules):
                found = f"{shown(field)} in two rules"
                raise part["fields"].error("each field in one rule only", found)
        rules.append(MissingRule(fields, part["rate"].number(0, 1), flavours))
    return tuple(rules)


def read_sequencing(entry: Entry) -> Sequencing:
    """Read how people were sampled and sequenced: samples, instruments, figures and pipeline.

    Args:
        entry: The mapping.

    Returns:
        The settings.

    Raises:
        InputError: A key or value is wrong, or shares do not add up to 1.
    """
    texts = (
        "target",
        "input_format",
        "output_format",
        "genome",
        "pipeline",
        "aligner",
        "variant_caller",
    )
    terms = ("tissue", "sample_type", "organism")
    part = entry.fields([*terms, "collected_within_years", "platforms", "read_figures", *texts])
    figures = part["read_figures"].fields(READ_FIGURES)
    return Sequencing(
        tissue=coded(part["tissue"]),
        sample_type=coded(part["sample_type"]),
        organism=coded(part["organism"]),
        collected_within_years=part["collected_within_years"].number(0, 130),
        platforms=_shares(part["platforms"]),
        figures=tuple(_read_figure(name, figures[name]) for name in READ_FIGURES),
        target=part["target"].text(),
        input_format=part["input_format"].text(),
        output_format=part["output_format"].text(),
        genome=part["genome"].text(),
        pipeline=part["pipeline"].text(),
        aligner=part["aligner"].text(),
        variant_caller=part["variant_caller"].text(),
    )


def _read_figure(name: str, entry: Entry) -> ReadFigure:
    part = entry.fields(["mean", "sd", "decimals"], ["minimum", "maximum", "coverage_correlation"])
    bounds = {key: part[key].number() for key in ("minimum", "maximum") if key in part}
    correlation = part.get("coverage_correlation")
    return ReadFigure(
        name=name,
        mean=part["mean"].number(),
        sd=part["sd"].number(0),
        minimum=bounds.get("minimum", 0.0),
        maximum=bounds.get("maximum", float("inf")),
        decimals=part["decimals"].whole_number(0, 6),
        coverage_correlation=correlation.number(-1, 1) if correlation else 0.0,
    )


def _shares(entry: Entry) -> tuple[tuple[Coded, float], ...]:
    """Read terms with shares that add up to 1."""
    found = []
    for item in entry.items():
        part = item.fields([*COMMON, "share"])
        found.append((_coded(part), part["share"].number(0, 1)))
    _check_sum(entry, [share for _, share in found])
    return tuple(found)


def _coded(part: dict[str, Entry]) -> Coded:
    return Coded(curie(part["code"]), part["label"].text())


def _check_sum(entry: Entry, shares: Iterable[float]) -> None:
    total = sum(shares)
    if abs(total - 1) > 1e-6:
        raise entry.error("shares that add up to 1", f"a sum of {total:g}")
