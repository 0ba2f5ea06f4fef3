"""What the analyses of a run found, as tables and facts for the report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi2, pearsonr

from rehearsal.analyses.alleles import AlleleList
from rehearsal.evaluation.analyses.judge import Judged
from rehearsal.evaluation.analyses.plan import MODES, Step
from rehearsal.evaluation.analyses.right_answers import ALLELES, PEOPLE

STATISTICS = ("frequency", "people", "beta", "se", "z", "p")
MEDIAN_OF_CHI2 = chi2.median(1)
COUNTED = ("hidden_people", "hiding_countries")
COSTS = ("all_z", "all_frequency", *COUNTED)  # of the truth
FREQUENCY_CLASSES = (  # of the rarer allele: name, above, up to
    ("at most 0.5 %", 0.0, 0.005),
    ("0.5 to 1 %", 0.005, 0.01),
    ("1 to 5 %", 0.01, 0.05),
    ("above 5 %", 0.05, 0.5),
)
SIGNAL = 2.0  # |z| of a variant whose loss is told
NORMAL_95 = 1.959964  # quantile of the normal distribution for intervals of 95 %


def component_table(judged: Judged) -> pd.DataFrame:
    """Collect the components of people from the truth, which nodes do not hand out.

    Args:
        judged: What was played.

    Returns:
        One row per person: ``country`` and ``PC1`` and so on; empty if none were computed. Its
        attributes are the ``mode``, the ``shares`` of the variance by component, and the number of
        ``sites``.
    """
    for step in judged.of_part("pca"):
        if step.name in judged.answers:
            answer = judged.answers[step.name]
            present = judged.played.present[step.name]
            country = judged.answers[PEOPLE]["country"]
            names = [f"PC{number + 1}" for number in range(answer["components"].shape[1])]
            table = pd.DataFrame(answer["components"], columns=names)
            table.insert(0, "country", country[np.isin(country, present)])
            shares = answer["eigenvalues"][:-1] / answer["total"]
            sites = int(answer["chosen"].size)
            table.attrs = {"mode": step.mode, "shares": shares.tolist(), "sites": sites}
            return table
    return pd.DataFrame({"country": [], "PC1": [], "PC2": []})


def gwas_table(judged: Judged) -> pd.DataFrame:
    """Collect the statistics of all variants beside those of the truth.

    Args:
        judged: What was played.

    Returns:
        One row per allele of the joint list: ``contig``, ``position`` (0-based), ``ref``, ``alt``,
        ``frequency``, ``people``, ``beta``, ``se``, ``z`` and ``p`` of the masked step, or of the
        one in clear if it is the only one, with ``hidden_people`` and ``hiding_countries`` of it:
        whose genotypes the rule for small counts changed, and in how many countries. ``all_z`` is
        of all people without the rule, ``all_frequency`` their frequency. By mode, if it was
        played, ``clear_z``, ``clear_truth_z`` (the right one), ``clear_frequency``, or
        ``masked_z`` and so on. On the genotypes of the step in clear ``meta_beta`` and ``meta_z``
        (of an inverse-variance meta-analysis of the countries) and ``country_z`` (of all people
        together, with an intercept by country). Empty if nothing was played. The attribute
        ``mode`` is that of ``z``.
    """
    played = [step for step in judged.of_part("gwas") if step.name in judged.answers]
    if not played:
        return pd.DataFrame(columns=["contig", "position", "ref", "alt", *STATISTICS])
    listed = AlleleList.of(dict(judged.played.results[ALLELES]))
    table, order = pd.DataFrame(listed.table()), judged.order()
    shown = played[-1]  # masked ones are last
    for name in STATISTICS:
        table[name] = judged.played.results[shown.name][name]
    for step in played:
        for name in ("z", "frequency"):
            table[f"{step.mode}_{name}"] = judged.played.results[step.name][name]
    table.attrs = {"mode": shown.mode}
    for column, (step_name, name) in _columns_of_truth(played).items():
        values = np.full(len(table), 0.0 if name in COUNTED else np.nan)  # of foreign alleles
        values[order[order >= 0]] = judged.answers[step_name][name][order >= 0]
        table[column] = values
    return table


def _columns_of_truth(played: Sequence[Step]) -> dict[str, tuple[str, str]]:
    """Name the columns of an association study with the step and the name of their answers."""
    columns = {name: (played[-1].name, name) for name in COSTS}
    for step in played:
        columns[f"{step.mode}_truth_z"] = (step.name, "z")
        if not step.masked:
            columns |= {name: (step.name, name) for name in ("meta_beta", "meta_z", "country_z")}
    return columns


def gwas_facts(table: pd.DataFrame, effects: pd.DataFrame, traits: Sequence[str]) -> dict[str, Any]:
    """Summarise an association study.

    Args:
        table: Of :func:`gwas_table`.
        effects: ``truth/effects.parquet``.
        traits: Names of the traits that are the outcome.

    Returns:
        ``mode``, ``tested`` variants, ``people``, ``inflation`` (median
        chi-square by its expectation), ``top`` (the variant with the smallest p, and how many
        people the rule changed there), ``hidden`` (by mode and class of frequency, of
        :func:`_cost`), ``meta`` (``all`` and ``country``: ``largest`` and ``median`` difference in
        z, and ``correlation``, to the regression of all people on the same genotypes without and
        with an intercept by country), and ``effects``: the simulated effect of each causal variant
        of the list beside the estimate.
    """
    tested = table[np.isfinite(table["z"].astype(float))]
    if tested.empty:
        return {"tested": 0}
    top = tested.loc[tested["p"].idxmin()]
    facts = {
        "mode": table.attrs["mode"],
        "tested": len(tested),
        "people": int(tested["people"].max()),
        "inflation": float(np.median(tested["z"] ** 2) / MEDIAN_OF_CHI2),
        "top": {
            "variant": variant_name(top),
            "p": float(top["p"]),
            "beta": float(top["beta"]),
            "hidden_people": int(top["hidden_people"]),
        },
        "hidden": _cost(table),
        "effects": _effects(tested, effects, traits),
    }
    if "meta_z" not in table:
        return facts
    to_all, to_country = (
        _distance(table["meta_z"], table[name]) for name in ("clear_truth_z", "country_z")
    )
    return facts | ({"meta": {"all": to_all, "country": to_country}} if to_all else {})


def _cost(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Compare each mode with the regression of all people on all genotypes, by frequency.

    Returns:
        Rows with ``mode``, ``frequency`` (of the rarer allele, a range), ``variants`` in both,
        ``largest`` and ``median`` difference in their z, and ``correlation``; ``lost`` variants,
        which have a z among all people and none in the mode, and ``lost_signals``: those of them
        whose z is beyond :data:`SIGNAL`; and ``hidden``: the share of the copies of the rarer
        allele that the rule removed, over both kinds of variants.
    """
    whole, of_all = table["all_frequency"], np.isfinite(table["all_z"])
    rarer, rows = np.minimum(whole, 1 - whole), []
    for mode in (one for one in MODES if f"{one}_z" in table):
        z, frequency = table[f"{mode}_z"], table[f"{mode}_frequency"]
        told = np.where(whole <= 0.5, frequency, 1 - frequency)
        for label, least, most in FREQUENCY_CLASSES:
            here = of_all & (rarer > least) & (rarer <= most)
            lost = here & ~np.isfinite(z)
            if found := _distance(z[here], table["all_z"][here]):
                shares = rarer[here].sum(), told[here & ~lost].sum()
                found |= {"mode": mode, "frequency": label, "lost": int(lost.sum())}
                found["lost_signals"] = int((table["all_z"][lost].abs() > SIGNAL).sum())
                rows.append(found | {"hidden": float(1 - shares[1] / shares[0])})
    return rows


def _distance(mine: pd.Series, other: pd.Series) -> dict[str, Any]:
    """Compare z of two methods where both have one; empty for fewer than two variants."""
    both = np.isfinite(mine) & np.isfinite(other)
    mine, other = mine[both], other[both]
    if len(mine) < 2:
        return {}
    off = (mine - other).abs()
    return {
        "variants": len(mine),
        "largest": float(off.max()),
        "median": float(off.median()),
        "correlation": float(pearsonr(mine, other)[0]),
    }


def _effects(
    tested: pd.DataFrame, effects: pd.DataFrame, traits: Sequence[str]
) -> list[dict[str, Any]]:
    """List the causal variants of a trait that were tested; intervals are of 95 %."""
    causal = effects[effects["trait"].isin(list(traits))]
    keys = ["contig", "position", "ref", "alt"]
    found = causal.rename(columns={"start": "position"}).merge(
        tested, on=keys, suffixes=("_simulated", "")
    )
    return [
        {
            "variant": variant_name(row),
            "unit": row["unit"],
            "frequency": float(row["frequency"]),
            "simulated": float(row["effect_in_unit"]),
            "estimate": float(row["beta"]),
            "error": float(row["se"]),
            "is_within": bool(abs(row["beta"] - row["effect_in_unit"]) <= NORMAL_95 * row["se"]),
            "meta_estimate": float(row["meta_beta"]) if "meta_beta" in row else None,
        }
        for _, row in found.iterrows()
    ]


def variant_name(row: pd.Series) -> str:
    """Name a variant with its 1-based position: ``chr22-21401397-G-A``.

    Args:
        row: ``contig``, ``position`` (0-based), ``ref`` and ``alt``.
    """
    return f"{row['contig']}-{row['position'] + 1}-{row['ref']}-{row['alt']}"


def logistic_facts(judged: Judged) -> dict[str, Any]:
    """Summarise the regression of a disease.

    Args:
        judged: What was played.

    Returns:
        ``tested`` variants; if there are any, ``mode``, ``people``, ``cases``, ``penalised``
        (variants with Firth's likelihood), ``inflation``, and ``top``: the ``variant`` with the
        smallest ``p``, and its ``odds_ratio``.
    """
    steps = [step for step in judged.of_part("logistic") if step.name in judged.played.results]
    if not steps:
        return {"tested": 0}
    found = judged.played.results[steps[0].name]
    tested = np.flatnonzero(np.isfinite(found["z"]))
    if not tested.size:
        return {"tested": 0}
    top = tested[found["p"][tested].argmin()]
    alleles = AlleleList.of(dict(judged.played.results[ALLELES])).table()
    row = {name: column[found["chosen"][top]] for name, column in alleles.items()}
    return {
        "mode": steps[0].mode,
        "tested": int(tested.size),
        "people": int(found["people"][tested].max()),
        "cases": int(found["cases"][tested].max()),
        "penalised": int(found["firth"][tested].sum()),
        "inflation": float(np.median(found["z"][tested] ** 2) / MEDIAN_OF_CHI2),
        "top": {
            "variant": variant_name(row),
            "p": float(found["p"][top]),
            "odds_ratio": float(np.exp(found["beta"][top])),
        },
    }


def burden_table(judged: Judged) -> pd.DataFrame:
    """Collect the statistics of genes beside those of the truth.

    Args:
        judged: What was played.

    Returns:
        One row per gene and step: ``gene``, ``step``, ``carriers`` (share of the people),
        ``people``, ``beta``, ``se``, ``z``, ``p``, ``qualifying`` and ``unnamed`` (numbers of
        alleles that qualify, and of those of them that no node names, by the truth) and
        ``truth_z``.
    """
    parts = []
    for step in judged.of_part("burden"):
        if step.name in judged.answers:
            found = judged.played.results[step.name]
            part = pd.DataFrame({name: found[name] for name in STATISTICS})
            part = part.rename(columns={"frequency": "carriers"})
            part.insert(0, "gene", list(step.request["parameters"]["genes"]))
            part.insert(1, "step", step.name)
            for name in ("qualifying", "unnamed"):
                part[name] = judged.answers[step.name][name]
            part["truth_z"] = judged.answers[step.name]["z"]
            parts.append(part)
    columns = ["gene", "step", "carriers", *STATISTICS[1:], "qualifying", "unnamed", "truth_z"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
