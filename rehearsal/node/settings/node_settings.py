"""What a node knows about itself: ``node.yaml`` in its folder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import yaml

from rehearsal import __version__
from rehearsal.errors import InputError
from rehearsal.files import atomic_path
from rehearsal.model import Gene
from rehearsal.node.access.settings import AccessSettings, access_settings, as_yaml, open_to_all
from rehearsal.node.access.yaml_values import read_dataclass, read_dataclasses

FILE_NAME = "node.yaml"
TUMOURS = "tumours.sqlite"  # a variant store of somatic variants


@dataclass(frozen=True, slots=True)
class ProteinChange:
    """What one variant does to a protein, for queries by ``aminoacidChange``."""

    contig: str
    start: int
    ref: str
    alt: str
    gene: str
    change: str  # one-letter form, e.g. "N215S"


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """Identity and tables of one node.

    ``reference_year`` is the year in which ages are told: age = reference year - birth year.
    ``build`` is the digest of what the node's stores were built from. ``access``: who may ask
    what; without it everybody is the public.
    """

    country_code: str
    country_name: str
    beacon_id: str
    frequencies_dataset: str
    people_dataset: str
    tests_dataset: str
    tumours_dataset: str = ""  # somatic variants; empty: none
    version: str = __version__
    build: str = ""
    reference_year: int = 2026
    genes: tuple[Gene, ...] = ()
    protein_changes: tuple[ProteinChange, ...] = ()
    access: AccessSettings = field(default_factory=AccessSettings)

    @classmethod
    def for_country(
        cls,
        code: str,
        name: str,
        genes: Iterable[Gene] = (),
        protein_changes: Iterable[ProteinChange] = (),
        build: str = "",
        reference_year: int = 2026,
        access: AccessSettings | None = None,
        has_tumours: bool = False,
    ) -> NodeSettings:
        """The usual names of a country's node. ``has_tumours``: it has a ``tumours.sqlite``.

        Dataset identifiers have GDI's form ``^(GOE|GDI)-[A-Z]{2}-[A-Z]+-[0-9]+$``.
        """
        return cls(
            country_code=code,
            country_name=name,
            beacon_id=f"org.rehearsal.{code.lower()}",
            frequencies_dataset=f"GOE-{code}-REHEARSAL-1",
            people_dataset=f"GDI-{code}-REHEARSAL-1",
            tests_dataset=f"GDI-{code}-TEST-1",
            tumours_dataset=f"GDI-{code}-TUMOURS-1" if has_tumours else "",
            build=build,
            reference_year=reference_year,
            genes=tuple(genes),
            protein_changes=tuple(protein_changes),
            access=access or AccessSettings(),
        )

    def opened(self) -> NodeSettings:
        """The same node with everything open to everybody: for tests and invented people."""
        return replace(self, access=open_to_all(self.datasets))

    @property
    def datasets(self) -> tuple[str, ...]:
        """Identifiers of the node's datasets."""
        germline = self.frequencies_dataset, self.people_dataset, self.tests_dataset
        return (*germline, self.tumours_dataset) if self.tumours_dataset else germline

    @classmethod
    def read(cls, folder: Path | str) -> NodeSettings:
        """The settings in a node's folder. Raises InputError when missing or ill-formed."""
        path = Path(folder) / FILE_NAME
        try:
            values = yaml.safe_load(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise InputError(path, "file", "a node folder with node.yaml") from None
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise InputError(path, "file", f"readable YAML ({error})") from None
        if not isinstance(values, dict):
            raise InputError(path, "file", "a mapping of settings")
        values = dict(values)
        values["genes"] = read_dataclasses(path, "genes", Gene, values.get("genes"))
        values["protein_changes"] = read_dataclasses(
            path, "protein_changes", ProteinChange, values.get("protein_changes")
        )
        values["access"] = access_settings(path, values.get("access"))
        settings = read_dataclass(path, "settings", cls, values)
        if set(settings.access.datasets) - set(settings.datasets):
            raise InputError(path, "access.datasets", f"some of {', '.join(settings.datasets)}")
        return settings

    def write(self, folder: Path | str) -> Path:
        """Writes ``node.yaml`` into the folder and returns its path."""
        path = Path(folder) / FILE_NAME
        values = asdict(self)
        values["genes"] = [asdict(gene) for gene in self.genes]
        values["protein_changes"] = [asdict(change) for change in self.protein_changes]
        values["access"] = as_yaml(self.access)
        with atomic_path(path) as aside:
            aside.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
        return path
