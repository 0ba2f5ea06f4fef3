"""What the jobs of each rule need: time and memory by people and megabases, with their sources.

Sources, by the marks in ``NEEDS``:

- scale: ``docs/operate/scale.md``, blocks of 5 Mb and a million people, and ``national.yaml``.
- formats: the speed of exports in ``docs/reference/export-formats.md``.
- run: runs of the default configuration (2,800 people, 7 Mb).
- bound: national.yaml's longest job of the rules that its table does not name, 1.8 min.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from rehearsal.config.inputs import Inputs
from rehearsal.export.settings import BY_BLOCK, BY_CONTIG, FORMATS, Export
from rehearsal.model import Block

SECONDS_MARGIN, MB_MARGIN = 2.0, 1.5  # what is asked for, by what is needed
LEAST_MINUTES, LEAST_MB = 10, 600
MOST_MINUTES = 23 * 60  # partitions of many clusters take jobs of 24 h
MORE_TIME = 0.5  # by attempt after the first; memory grows by the whole


@dataclass(frozen=True, slots=True)
class Need:
    """Seconds (``s``) and MB (``mb``) of one job.

    A sum of a fixed part, one per 1,000 people, one per Mb of 1,000 people, one per million sites
    (``s_sites`` of all, ``mb_sampled`` of those in samples), and one per node that the job starts.
    """

    s: float = 0.0
    s_people: float = 0.0
    s_mb: float = 0.0
    s_sites: float = 0.0
    mb: float = 0.0
    mb_people: float = 0.0
    mb_sampled: float = 0.0
    mb_node: float = 0.0


@dataclass(frozen=True, slots=True)
class JobSize:
    """What a job works on. ``nodes`` are those that a job of the whole run starts."""

    people: int
    megabases: float
    nodes: int

    @property
    def sites(self) -> float:
        """Millions of sites: 16,000 per Mb for 2,800 people, 171,000 for 100,000 (scale)."""
        return 0.016 * self.megabases * (self.people / 2800) ** 0.65

    @property
    def sampled_sites(self) -> float:
        """Millions of sites that queries are drawn from: of eight classes, a million at most."""
        return min(self.sites, 8)


NEEDS: dict[str, Need] = {
    # blocks (scale; simulate_block by the estimate for today's simulation, 8 CPU-minutes)
    "simulate_block": Need(s=5, s_mb=0.096, mb=600, mb_people=4.1),
    "compute_genetic_values": Need(s=5, s_mb=0.034, mb=400, mb_people=2.3),
    "count_variants": Need(s=5, s_mb=0.084, mb=300, mb_people=5),
    "list_block_sites": Need(s=5, s_mb=0.035, mb=300, mb_people=6),
    "measure_block_structure": Need(s=5, s_mb=0.136, mb=300, mb_people=3),
    "measure_block_realism": Need(s=5, s_mb=0.027, mb=600, mb_people=6.4),
    "shard_block": Need(s=5, s_mb=0.23, mb=700, mb_people=2.7),
    # one country's store, by its people (scale)
    "build_variant_store": Need(s=5, s_mb=0.0109, mb=300, mb_people=9),
    # single jobs (scale)
    "simulate_people": Need(s=2, s_people=0.003, mb=150, mb_people=0.25),
    "write_public_facts": Need(s=5, s_sites=17.5, mb=150, mb_people=0.3),
    "draw_queries": Need(s=60, s_people=1.5, mb=520, mb_people=1.9, mb_sampled=115),
    "compute_structure": Need(s=5, s_people=1.5, s_mb=0.002, mb=300, mb_people=6),
    # single jobs (run, and bound for what grows)
    "build_demography": Need(s=10, mb=300),
    "draw_recombination_map": Need(s=5, mb=200),
    "make_reference": Need(s=60, mb=700),
    "list_heteroplasmy": Need(s=10, s_people=0.1, mb=300, mb_people=0.7),
    "draw_consent": Need(s=5, s_people=0.1, mb=250, mb_people=0.7),
    "create_issuer": Need(s=5, mb=150),
    "create_genome_keys": Need(s=5, mb=150),
    "create_analysis_keys": Need(s=5, mb=150),
    "simulate_phenotypes": Need(s=10, s_people=1, mb=400, mb_people=5.3),
    "simulate_sample_metadata": Need(s=10, s_people=1, mb=350, mb_people=2.7),
    "write_phenopackets": Need(s=10, s_people=1, mb=400, mb_people=4),
    "build_node_folders": Need(s=20, s_people=1, mb=500, mb_people=2.7),
    "choose_patients": Need(s=5, s_people=0.1, mb=300, mb_people=1.3),
    "compute_story_truth": Need(s=10, s_people=1.5, mb=450, mb_people=6),
    "judge_realism": Need(s=30, s_mb=0.0047, mb=500, mb_people=1.3),
    "write_scoring_files": Need(s=10, mb=300),
    "compute_distances": Need(s=5, mb=250),
    "write_node_catalogues": Need(s=30, mb=300),
    "write_catalogue": Need(s=30, mb=300),
    "write_manifest": Need(s=60, s_mb=0.002, mb=300),
    "write_ro_crate": Need(s=5, mb=200),
    "build_report": Need(s=40, mb=800),
    "assess_care": Need(s=10, mb=400),
    "check_verdict": Need(s=2, mb=100),
    # rules that start nodes (run; the full bench by its durations, see bench_seconds)
    "run_queries": Need(s=120, s_mb=0.0006, mb=700, mb_node=67),
    "run_stories": Need(s=60, s_mb=0.0006, mb=700, mb_node=67),
    "run_membership_attack": Need(s=60, s_mb=0.0006, mb=1500),
    "run_analyses": Need(s=120, s_mb=0.0006, mb=700, mb_node=270),
    "compute_analysis_truth": Need(s=20, s_mb=0.02, mb=1500),
    "federated_pca": Need(s=10, mb=400),
    "federated_gwas": Need(s=10, mb=500),
    "federated_burden": Need(s=10, mb=300),
    "federated_logistic": Need(s=10, mb=300),
    "measure_distance": Need(s=30, mb=350),
    "measure_capital_latency": Need(s=60, s_mb=0.0006, mb=700, mb_node=67),
    "inject_faults": Need(s=120, s_mb=0.0006, mb=1300, mb_node=35),
    "measure_load": Need(s=60, s_mb=0.0006, mb=1000, mb_node=67),
    "measure_growth": Need(s=90, s_mb=0.0006, mb=1300, mb_node=100),
    "compare_collection_policies": Need(s=60, mb=1000),
    # exports of one contig, block, place or of all (formats, by the people of the place)
    "export_bcf": Need(s=5, s_mb=0.074, mb=400, mb_people=2.7),
    "export_vcf": Need(s=5, s_mb=0.15, mb=400, mb_people=2.7),
    "export_pgen": Need(s=5, s_mb=0.11, mb=400, mb_people=2.7),
    "export_zarr": Need(s=10, s_mb=1.1, mb=500, mb_people=8),
    "export_trees": Need(s=10, s_mb=2.0, mb=400, mb_people=2.7),
    "export_grg": Need(s=10, s_mb=2.0, mb=400, mb_people=2.7),
    "export_reads": Need(s=120, s_mb=0.2, mb=1500, mb_people=2.7),
    "export_phenopackets": Need(s=10, s_people=1, mb=500, mb_people=4),
    "export_fhir": Need(s=10, s_people=2, mb=500, mb_people=4),
    "export_tables": Need(s=10, s_people=0.5, mb=500, mb_people=4),
    "export_omop": Need(s=10, s_people=1, mb=500, mb_people=4),
    "export_beacon": Need(s=20, s_people=1, s_mb=0.5, mb=500, mb_people=4),
    "export_gwas": Need(s=20, s_mb=0.2, mb=500, mb_people=4),
    "export_scores": Need(s=10, mb=400),
    "export_truth": Need(s=20, s_mb=0.2, mb=500, mb_people=13),
    "export_catalogue": Need(s=10, s_people=0.1, mb=400, mb_people=2.7),
    "encrypt_export_file": Need(s=20, s_mb=0.02, mb=200),
    "encrypt_export_folder": Need(s=20, s_mb=0.02, mb=200),
    "list_encrypted_files": Need(s=10, mb=150),
}


def minutes_of(need: Need, size: JobSize, attempt: int = 1, more_s: float = 0.0) -> int:
    """Compute the run time to ask for, in minutes.

    Args:
        need: What a job of the rule needs.
        size: What the job works on.
        attempt: How often the job has been tried, with this time.
        more_s: Seconds that its settings add.
    """
    seconds = seconds_of(need, size) + more_s
    minutes = SECONDS_MARGIN * seconds / 60 * (1 + MORE_TIME * (attempt - 1))
    return min(max(math.ceil(minutes), LEAST_MINUTES), MOST_MINUTES)


def seconds_of(need: Need, size: JobSize) -> float:
    """Compute how long a job takes, without a margin, in seconds.

    Args:
        need: What a job of the rule needs.
        size: What the job works on.
    """
    thousands = size.people / 1000
    seconds = need.s + need.s_people * thousands + need.s_mb * thousands * size.megabases
    return seconds + need.s_sites * size.sites


def megabytes_of(need: Need, size: JobSize, attempt: int = 1) -> int:
    """Compute the memory to ask for, in MB.

    Args:
        need: What a job of the rule needs.
        size: What the job works on.
        attempt: How often the job has been tried, with this time.
    """
    mb = need.mb + need.mb_people * size.people / 1000
    mb += need.mb_sampled * size.sampled_sites + need.mb_node * size.nodes
    return max(math.ceil(MB_MARGIN * mb * attempt), LEAST_MB)


class JobSizes:
    """The sizes of a run's jobs.

    Args:
        inputs: The inputs of the run.
    """

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs
        self._blocks = {block.id: block for block in inputs.blocks}
        self._people = sum(inputs.numbers.values())
        self._megabases = megabases(inputs.blocks)

    def of(self, wildcards: Mapping[str, str]) -> JobSize:
        """Return the size of a job.

        Args:
            wildcards: The job's: ``block``, ``contig``, ``country``, and for exports ``name`` and
                ``place``.
        """
        place = wildcards.get("country", wildcards.get("place", ""))
        people = self._inputs.numbers.get(place, self._people)
        return JobSize(people, self._megabases_of(wildcards), len(self._inputs.countries))

    @property
    def countries(self) -> list[str]:
        """The codes of the countries."""
        return list(self._inputs.numbers)

    def exports_of(self, kind: str) -> list[Export]:
        """List the exports that have a format.

        Args:
            kind: The format; what is no format is of all exports.
        """
        exports = self._inputs.exports.values()
        return [one for one in exports if kind not in FORMATS or kind in one.formats]

    def contigs(self, export: Export) -> list[str]:
        """List the contigs that an export has data of.

        Args:
            export: The export.
        """
        return export.contigs(self._inputs.blocks)

    @property
    def longest_block(self) -> str:
        """The name of the longest block."""
        return max(self._blocks.values(), key=lambda block: block.length).id

    def _megabases_of(self, wildcards: Mapping[str, str]) -> float:
        if "block" in wildcards:
            return megabases([self._blocks[wildcards["block"]]])
        blocks, contig = self._inputs.blocks, wildcards.get("contig")
        if "name" in wildcards:
            blocks = self._inputs.exports[wildcards["name"]].blocks(blocks)
        elif contig is None:
            return self._megabases
        return megabases([block for block in blocks if contig in (None, block.contig)])


def endless_exports(exports: Iterable[Export], sizes: JobSizes) -> Iterator[str]:
    """Say which exports have a job that takes longer than jobs ask for.

    Args:
        exports: The exports.
        sizes: The sizes of the run's jobs.

    Yields:
        One line for each such export, about its longest job.
    """
    for export in exports:
        hours, job = max(_hours_of_jobs(export, sizes))
        if hours * 60 > MOST_MINUTES:
            yield (
                f"exports: {export.name}: {job} takes about {hours:.0f} h, and jobs ask for "
                f"{MOST_MINUTES / 60:.0f} h at most: a scheduler ends it. Export fewer regions "
                "(docs/operate/scale.md)"
            )


def _hours_of_jobs(export: Export, sizes: JobSizes) -> Iterator[tuple[float, str]]:
    """Compute the hours of the jobs of an export, of those by block the longest."""
    name = {"name": export.name}
    contigs = [{"contig": contig} for contig in sizes.contigs(export)]
    yield _hours("export_truth", name, sizes), "the truth"
    for kind, place in product(export.formats, export.places):
        of_place: Mapping[str, str] = {"place": place} | name
        parts: Sequence[Mapping[str, str]] = contigs if kind in BY_CONTIG else [{}]
        if kind in BY_BLOCK:
            parts = [{"block": sizes.longest_block}]
        for part in parts:
            words = " ".join([f"{kind} of {place}", *part.values()])
            yield _hours(f"export_{kind}", {**of_place, **part}, sizes), words


def _hours(rule: str, wildcards: Mapping[str, str], sizes: JobSizes) -> float:
    return seconds_of(NEEDS[rule], sizes.of(wildcards)) / 3600


def megabases(blocks: Sequence[Block]) -> float:
    """Sum the lengths of blocks, in Mb.

    Args:
        blocks: The blocks.
    """
    return sum(block.length for block in blocks) / 1e6


def bench_seconds(bench: Mapping[str, Any] | None, countries: int) -> dict[str, float]:
    """Compute how long the measurements of the bench take by their settings.

    Args:
        bench: The section ``bench`` of the configuration; None without a bench.
        countries: How many nodes there are.

    Returns:
        Seconds by rule. Each step of a measurement also takes seconds to prepare, and a growing
        network has its people built.
    """
    if bench is None:
        return {}
    load, growth, policy = bench["load"], bench["growth"], bench["policy"]
    points = len(growth["nodes"]) + len(growth["people"]) + len(growth["users"])
    return {
        "measure_distance": 0.1 * bench["distance"]["rounds"] * countries,
        "measure_capital_latency": 0.2 * bench["capitals"]["queries"] * countries,
        "inject_faults": 20 * bench["faults"]["fault_s"],
        "measure_load": 16 * load["tries"] * (load["duration_s"] + load["warm_up_s"]),
        "measure_growth": points * (growth["duration_s"] + 10) + 2 * sum(growth["people"]) / 1000,
        "compare_collection_policies": 60 * len(policy["hung"]) * policy["queries"],
    }
