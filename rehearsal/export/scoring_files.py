"""Polygenic diseases as scoring files, with their causal sites as weights."""

from __future__ import annotations

import gzip
import hashlib
import math
from pathlib import Path

from pandas import DataFrame

from rehearsal.files import atomic_path
from rehearsal.formats.scoring_file import BUILD, MEAN, NEEDED, SD
from rehearsal.phenotypes.trait_types import Disease


def write_scoring_file(effects: DataFrame, disease: Disease, path: Path) -> str:
    """Write the causal sites of a disease as a scoring file in the PGS Catalog's format.

    Effects are in standard deviations of the genetic value over all people, whose background from
    other parts of the genome the file does not have. The mean follows from the frequencies.

    Args:
        effects: Rows of ``truth/effects.parquet``.
        disease: The disease; only its rows are written.
        path: The gzipped file.

    Returns:
        SHA-256 of the uncompressed text, as hex digits.
    """
    mine = effects[effects["trait"] == disease.name].sort_values(["contig", "start"], kind="stable")
    mean = math.fsum(2 * mine["frequency"] * mine["effect"])
    header = {
        "format_version": "2.0",
        "pgs_id": f"rehearsal-{disease.name}",
        "pgs_name": f"{disease.name} (synthetic)",
        "trait_reported": disease.label,
        "trait_mapped": disease.mondo_label,
        "trait_efo": disease.mondo.replace(":", "_"),
        "weight_type": "beta",
        "genome_build": BUILD,
        "variants_number": str(len(mine)),
        "citation": "none: the weights are those of a simulation of people who do not exist",
        MEAN: repr(mean),
        SD: "1.0",
        **_in_unit(disease),
    }
    lines = ["###PGS CATALOG SCORING FILE - synthetic, in the format of pgscatalog.org/downloads"]
    lines += [f"#{key}={value}" for key, value in header.items()]
    lines.append("\t".join([*NEEDED, "allelefrequency_effect"]))
    lines += [
        f"{row.contig.removeprefix('chr')}\t{row.start + 1}\t{row.alt}\t{row.ref}"
        f"\t{float(row.effect)!r}\t{float(row.frequency)!r}"
        for row in mine.itertuples()
    ]
    text = ("\n".join(lines) + "\n").encode()
    with atomic_path(path) as aside:
        aside.write_bytes(gzip.compress(text, mtime=0))
    return hashlib.sha256(text).hexdigest()


def _in_unit(disease: Disease) -> dict[str, str]:
    """Say what a weight of 1 does to the disease."""
    if disease.genetics is None:
        return {}
    ratio = disease.genetics.hazard_ratio_per_sd
    if ratio is not None:
        return {"effect_per_weight": repr(math.log(ratio)), "effect_unit": "log hazard"}
    per_weight = math.sqrt(disease.genetics.heritability)
    return {"effect_per_weight": repr(per_weight), "effect_unit": "liability"}
