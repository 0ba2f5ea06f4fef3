"""The settings of a node: ``node.yaml`` in its folder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import yaml

from rehearsal import __version__
from rehearsal.errors import InputError
from rehearsal.files import atomic_path
from rehearsal.model import Gene
from rehearsal.node.access.settings import (
    SETTINGS_FILE,
    AccessSettings,
    access_settings,
    as_yaml,
    closed_datasets,
    open_to_all,
)
from rehearsal.node.access.settings_check import check_names
from rehearsal.node.access.yaml_values import (
    read_dataclass,
    read_dataclasses,
    read_keys,
    read_list,
    texts_to_tuples,
)
from rehearsal.node.settings.analysis_settings import (
    AnalysisSettings,
    read_analyses,
    read_digests,
)
from rehearsal.yaml_files import load_yaml

TUMOURS = "tumours.sqlite"  # the variant store of somatic variants


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """Identity, datasets, tables and access rules of one node."""

    country_code: str  # ISO 3166-1 alpha-2
    country_name: str  # in English
    beacon_id: str
    frequencies_dataset: str  # identifier of the dataset of allele frequencies
    people_dataset: str  # identifier of the dataset of people and their variants
    tests_dataset: str  # identifier of the dataset of test variants
    tumours_dataset: str = ""  # identifier of the dataset of somatic variants; empty: none
    version: str = __version__
    build: str = ""  # digest of what the node's stores were built from
    reference_year: int = 2026  # age = reference year - birth year
    genes: tuple[Gene, ...] = ()
    access: AccessSettings = field(default_factory=AccessSettings)  # default: all are anonymous
    chain_file: str = ""  # from GRCh37 to GRCh38, in the node's folder; empty: none
    # covered by the data, as chr17-43000000-43200000 (0-based, half-open); empty: not known
    regions: tuple[str, ...] = ()
    genotypes_only: bool = False  # without phenotypes, samples, runs and analyses
    knows_repeats: bool = True  # whether insertions and deletions are found at each of their places
    algorithms: tuple[str, ...] = ()  # digests of the algorithms that may run here
    analyses: AnalysisSettings = field(default_factory=AnalysisSettings)

    @classmethod
    def for_country(
        cls,
        code: str,
        name: str,
        genes: Iterable[Gene] = (),
        build: str = "",
        reference_year: int = 2026,
        access: AccessSettings | None = None,
        has_tumours: bool = False,
        regions: tuple[str, ...] = (),
    ) -> NodeSettings:
        """Build the settings of a country's node, with the usual names.

        Dataset identifiers have GDI's form ``^(GOE|GDI)-[A-Z]{2}-[A-Z]+-[0-9]+$``.

        Args:
            code: Country code, ISO 3166-1 alpha-2.
            name: Country name in English.
            genes: Genes that queries may name.
            build: Digest of what the node's stores are built from.
            reference_year: The year for which ages are computed.
            access: Access settings. None trusts no issuer.
            has_tumours: Whether the node has a ``tumours.sqlite``.
            regions: Identifiers of the blocks that the data cover. Empty: whole contigs.

        Returns:
            The settings.
        """
        tumours = f"GDI-{code}-TUMOURS-1" if has_tumours else ""
        return cls(
            country_code=code,
            country_name=name,
            beacon_id=f"org.rehearsal.{code.lower()}",
            frequencies_dataset=f"GOE-{code}-REHEARSAL-1",
            people_dataset=f"GDI-{code}-REHEARSAL-1",
            tests_dataset=f"GDI-{code}-TEST-1",
            tumours_dataset=tumours,
            build=build,
            reference_year=reference_year,
            genes=tuple(genes),
            regions=regions,
            access=access or AccessSettings(datasets=closed_datasets([tumours])),
        )

    def opened(self) -> NodeSettings:
        """Return the same settings, open to everybody; for tests and synthetic people."""
        return replace(self, access=open_to_all(self.datasets))

    @property
    def datasets(self) -> tuple[str, ...]:
        """Identifiers of the node's datasets."""
        germline = self.frequencies_dataset, self.people_dataset, self.tests_dataset
        return (*germline, self.tumours_dataset) if self.tumours_dataset else germline

    @classmethod
    def read(cls, folder: Path | str) -> NodeSettings:
        """Read ``node.yaml`` in a node's folder.

        Args:
            folder: The node's folder.

        Returns:
            The settings.

        Raises:
            InputError: The file is missing, or names the key of a wrong value.
        """
        path = Path(folder) / SETTINGS_FILE
        values = load_yaml(path, "a node folder with a node.yaml")
        if values is None:
            raise InputError(path, "file", "the settings of a node", "an empty file")
        values = read_keys(path, "", cls, values)
        values["genes"] = _read_genes(path, values.get("genes"))
        texts_to_tuples(path, "", values, ("regions", "algorithms"))
        values["algorithms"] = read_digests(path, values.get("algorithms", ()))
        values["analyses"] = read_analyses(path, values.get("analyses"))
        values["access"] = access_settings(
            path, values.get("access"), closed=[values.get("tumours_dataset")]
        )
        settings = read_dataclass(path, "", cls, values)
        check_names(path, settings)
        return settings

    def write(self, folder: Path | str) -> Path:
        """Write ``node.yaml``.

        Args:
            folder: The node's folder.

        Returns:
            Path of the file.
        """
        path = Path(folder) / SETTINGS_FILE
        values = asdict(self)
        values["genes"] = [asdict(gene) for gene in self.genes]
        values["regions"] = list(self.regions)
        values["algorithms"] = list(self.algorithms)
        values["analyses"] = self.analyses.as_yaml()
        values["access"] = as_yaml(self.access)
        with atomic_path(path) as aside:
            aside.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
        return path


def _read_genes(path: Path, values: object) -> tuple[Gene, ...]:
    """Read the table of genes. Raises InputError."""
    rows = []
    for i, row in enumerate(read_list(path, "genes", values)):
        given = read_keys(path, f"genes[{i}]", Gene, row)
        texts_to_tuples(path, f"genes[{i}]", given, ("identifiers",))
        rows.append(given)
    return read_dataclasses(path, "genes", Gene, rows)
