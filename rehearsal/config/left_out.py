"""What goes when ``countries`` or ``regions`` leave something out: whatever refers to it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rehearsal.errors import Complaints, InputError, shown
from rehearsal.export.settings import overlap
from rehearsal.genomes.blocks import CONFIG, parse_region
from rehearsal.logs import note
from rehearsal.model import Block, Country, PlantedVariant
from rehearsal.yaml_files import load_configuration

BY_COUNTRY = ("people", "consanguineous", "migrants", "ancestries")  # keys of ``cohort``


def country_table(config: Mapping[str, Any], sources: Iterable[Path]) -> Path:
    """Find the table of countries: where ``countries`` lists codes, the last one that a file names.

    Args:
        config: The merged configuration.
        sources: The configuration files, in the order they were merged.

    Returns:
        Path of the table.
    """
    if isinstance(path := config.get("countries"), str):  # a faulty configuration may lack it
        return Path(path)
    named = [load_configuration(source) or {} for source in sources]
    paths = [one["countries"] for one in named if isinstance(one.get("countries"), str)]
    return Path(paths[-1] if paths else "config/countries.tsv")


def note_replaced_regions(config: Mapping[str, Any], sources: Sequence[Path]) -> None:
    """Note that ``regions`` replaces a ``genome.regions`` of the user, not of the first file.

    Args:
        config: The merged configuration.
        sources: The configuration files, in the order they were merged.
    """
    if config["regions"] is None:
        return
    for source in sources[1:]:
        genome = (load_configuration(source) or {}).get("genome")
        if isinstance(genome, Mapping) and "regions" in genome:
            note(f"genome.regions of {source} is not used, because regions replaces it")


def choose_countries(known: Sequence[Country], wanted: object, table: Path) -> list[Country]:
    """Choose the countries of a run.

    Args:
        known: The countries of the table.
        wanted: The key ``countries``: a list of codes, or a path, which chooses all.
        table: The table, for messages.

    Returns:
        The chosen countries, in the order of the table.

    Raises:
        InputError: The table has no such country. All such codes are reported.
    """
    if not isinstance(wanted, list):
        return list(known)
    codes, complaints = [country.code for country in known], Complaints()
    for number, code in enumerate(wanted):
        with complaints.collected():
            if code not in codes:
                expected = f"a country of {table} ({', '.join(codes)})"
                raise InputError(CONFIG, f"countries.{number}", expected, shown(code))
    complaints.raise_any()
    return [country for country in known if country.code in wanted]


@dataclass(frozen=True)
class Selection:
    """The countries and the stretches that a run keeps of what its files describe.

    ``left_out`` are codes of countries of the table. ``regions`` is None where everything is kept.
    """

    kept: tuple[str, ...]
    left_out: tuple[str, ...]
    regions: tuple[Block, ...] | None

    @classmethod
    def of(
        cls, config: Mapping[str, Any], known: Iterable[Country], chosen: Iterable[Country]
    ) -> Selection:
        """Compare the countries of the table with those of the run.

        Args:
            config: The merged configuration.
            known: The countries of the table.
            chosen: The countries of the run.

        Raises:
            InputError: A region is ill-formed.
        """
        kept = tuple(country.code for country in chosen)
        wanted = config["regions"]
        return cls(
            kept,
            tuple(country.code for country in known if country.code not in kept),
            None if wanted is None else tuple(parse_region(text, key="regions") for text in wanted),
        )

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return not self.left_out and self.regions is None

    def config(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return a configuration that names only what is kept, and note what goes.

        Args:
            config: The merged configuration.
        """
        kept = deepcopy(dict(config))
        if self.regions is not None:
            kept["genome"]["regions"] = list(config["regions"])
        if self.left_out:
            self._narrow_cohort(kept["cohort"])
            asker = kept["network"]["asker"]
            if asker in self.left_out:
                kept["network"]["asker"] = self.kept[0]
                note(f"network.asker: {asker} is left out, so {self.kept[0]} asks")
        return kept

    def _narrow_cohort(self, cohort: dict[str, Any]) -> None:
        gone = [
            f"{key} of {code}" for key in BY_COUNTRY for code in cohort[key] if self._lacks(code)
        ]
        for key in BY_COUNTRY:
            cohort[key] = {
                code: value for code, value in cohort[key].items() if not self._lacks(code)
            }
        if gone:
            note(f"cohort: without {_listed(gone)}, with their countries")

    def _lacks(self, code: str) -> bool:
        return code in self.left_out

    def _lacks_home(self, individual: object) -> bool:
        """Whether an identifier such as ``FI-000001`` is of a country that is left out."""
        return self._lacks(str(individual).partition("-")[0])

    def planted(self, planted: Iterable[PlantedVariant]) -> list[PlantedVariant]:
        """Keep the planted variants within the regions, for the kept countries; note what goes.

        Args:
            planted: The planted variants.
        """
        everywhere = list(planted)
        within = [one for one in everywhere if self._holds(one)]
        gone = [one.label for one in everywhere if one not in within]
        note_left_out("variants", gone, "regions do not hold them")
        kept = [self._of_countries(one) for one in within]
        fewer = [one.label for one, new in zip(within, kept, strict=True) if one != new]
        if fewer:
            note(f"variants: without the entries of countries left out: {_listed(fewer)}")
        return kept

    def _holds(self, planted: PlantedVariant) -> bool:
        return self.regions is None or any(
            one.holds_variant(planted.variant) for one in self.regions
        )

    def _of_countries(self, planted: PlantedVariant) -> PlantedVariant:
        frequency = {
            code: value for code, value in planted.frequency.items() if not self._lacks(code)
        }
        carriers = tuple(one for one in planted.carriers if not self._lacks(one[0]))
        return replace(planted, frequency=frequency, carriers=carriers)

    def exports(
        self,
        entries: Iterable[Mapping[str, Any]],
        gone: Iterable[PlantedVariant],
        stories: Collection[str],
    ) -> list[Mapping[str, Any]]:
        """Keep what the exports want of countries, people, variants and regions; note what goes.

        Args:
            entries: The entries of ``exports``.
            gone: The planted variants that are left out.
            stories: Names of the stories that are left out.
        """
        names = {f"{one.gene}:{one.name}" for one in gone}
        pairs = [(entry, self._export(entry, names, stories)) for entry in entries]
        dropped = [str(entry["name"]) for entry, new in pairs if new is None]
        changed = [str(entry["name"]) for entry, new in pairs if new not in (None, entry)]
        note_left_out("exports", dropped, "the run has nothing of what they want")
        if changed:
            note(f"exports: without what is left out: {_listed(changed)}")
        return [new for _, new in pairs if new is not None]

    def _export(
        self, entry: Mapping[str, Any], names: Collection[str], stories: Collection[str]
    ) -> Mapping[str, Any] | None:
        """Return an entry without what is left out; None if nothing remains of a list of it."""
        kept = dict(entry)
        if entry.get("story") in stories:
            return None
        lists = [(kept, "countries", self._lacks), (kept, "regions", self._is_outside)]
        lists += [(kept, "variants", names.__contains__), (kept, "people", self._lacks_home)]
        if entry.get("reads"):
            kept["reads"] = dict(entry["reads"])
            lists.append((kept["reads"], "regions", self._is_outside))
        for holder, key, is_gone in lists:
            if isinstance(holder.get(key), list) and holder[key]:
                holder[key] = [one for one in holder[key] if not is_gone(one)]
                if not holder[key]:
                    return None
        return kept

    def _is_outside(self, text: str) -> bool:
        """Whether a region touches none of the kept ones; an ill-formed one is refused later."""
        try:
            region = parse_region(text)
        except InputError:
            return False
        return self.regions is not None and not any(overlap(region, one) for one in self.regions)


def note_left_out(key: str, names: Sequence[str], why: str) -> None:
    """Note that entries are left out, in one line.

    Args:
        key: The key of the configuration, or the file.
        names: What is left out; nothing is said if it is empty.
        why: The reason.
    """
    if names:
        note(f"{key}: left out are {_listed(names)}: {why}")


def _listed(names: Sequence[str], most: int = 12) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
