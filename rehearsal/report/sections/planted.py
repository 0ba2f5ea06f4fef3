"""The planted variants of a run: what was asked for, and what the people carry."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from rehearsal.genomes.planted_variants import planted_targets
from rehearsal.model import PlantedVariant
from rehearsal.report.page_elements import Column, Section, Shown, table_of, whole

COLUMNS = ("variant", "place", "asked", "wanted", "copies", "people", "homozygous", "countries")


def planted_table(
    planted: Sequence[PlantedVariant], carriers: pd.DataFrame, people: pd.DataFrame, seed: int
) -> pd.DataFrame:
    """Compare what was planted with what was found in the tree sequences.

    Args:
        planted: The planted variants of the run.
        carriers: ``planted_carriers.parquet``, which code without part in the planting makes.
        people: people.parquet.
        seed: The run's root seed.

    Returns:
        One row per variant with ``COLUMNS``: its name; its place, 1-based as in VCF; how it was
        asked for; the copies that its frequencies give, null without frequencies; copies, people,
        people with two copies and countries with carriers that were found, null in tumours only.
    """
    found = carriers.join(people.set_index("id")["country"], on="individual")
    by_variant = dict(list(found.groupby(["contig", "start", "ref", "alt"], sort=False)))
    rows = []
    for one in planted:
        variant = one.variant
        place = (variant.contig, variant.start, variant.ref, variant.alt)
        own = by_variant.get(place, found.iloc[:0])
        wanted = planted_targets(one, people, seed)
        seen = (
            int(own["copies"].sum()),
            len(own),
            int((own["copies"] > 1).sum()),
            own["country"].nunique(),
        )
        rows.append(
            (
                one.label or str(variant),
                f"{variant.contig}:{variant.start + 1:,} {variant.ref}>{variant.alt}",
                _asked(one),
                sum(wanted.values()) if wanted else None,
                *((None,) * len(seen) if one.is_somatic else seen),
            )
        )
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"wanted": "Int64"})


def _asked(planted: PlantedVariant) -> str:
    """Write how a variant was asked for, as in the table of variants."""
    if planted.is_somatic:
        return "in tumours only"
    parts = [";".join(f"{code}={share:g}" for code, share in planted.frequency.items())]
    parts.append(";".join(f"{code}:{role}={n}" for code, role, n in planted.carriers))
    if planted.minimum_per_country:
        parts.append(f"at least {planted.minimum_per_country} in each country")
    return ", ".join(filter(None, parts)) or "patients of stories"


def planted_section(planted: pd.DataFrame | None) -> Section | None:
    """Build the section on planted variants.

    Args:
        planted: The table of :func:`planted_table`.

    Returns:
        The section, or None if nothing is planted.
    """
    if planted is None or planted.empty:
        return None
    shown = [
        Shown("variant", Column("Variant", names_row=True)),
        Shown("place", Column("Place")),
        Shown("asked", Column("Asked for")),
        Shown("wanted", Column("Copies wanted", number=True), whole),
        Shown("copies", Column("Copies found", number=True), whole),
        Shown("people", Column("People", number=True), whole),
        Shown("homozygous", Column("With two copies", number=True), whole),
        Shown("countries", Column("Countries", number=True), whole),
    ]
    caption = (
        "The planted variants of the run (the table variants of the configuration), and the people "
        "who carry them by the tree sequences. Copies wanted follow from the frequencies (* stands "
        "for all other countries). Countries: those with carriers."
    )
    return Section("planted", "Planted variants", [table_of(planted, caption, shown)])
