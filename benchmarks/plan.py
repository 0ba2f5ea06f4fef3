"""Plan a large run job by job: CPU hours, peak memory, bytes, and time on several machines.

Takes the jobs and their order from Snakemake's graph of the large configuration, and the needs of a
job from the benchmark files of a *sample run* with the same people and fewer blocks:

    LARGE="config/config.yaml config/scale/national.yaml"
    snakemake --configfile $LARGE SAMPLE.yaml
    snakemake --configfile $LARGE --forceall --dag dot > jobs.dot
    python benchmarks/plan.py jobs.dot RESULTS_OF_SAMPLE

A job of a block is scaled by the block's length. A job of a country or of the whole run is scaled
by the length of all blocks if it reads genomes (``READS_GENOMES``). Files of a block are scaled
like its jobs, variant stores by length; other files are as large as in the sample. Rules that the
sample did not run count as zero, unless another run's benchmark file lies in its folder. A machine
has ``--cores`` and ``--memory-gb``. Of the jobs that are ready, the one with the longest path to
the end starts first.
"""

from __future__ import annotations

import argparse
import heapq
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from rehearsal.model import Block

OF_A_BLOCK = {
    *("compute_genetic_values", "count_variants", "measure_block_realism", "shard_block"),
    *("list_block_sites", "measure_block_structure"),
}
READS_GENOMES = {
    *("build_variant_store", "write_manifest", "write_public_facts", "judge_realism"),
}
MACHINES = (1, 10, 100)
NODE = re.compile(r'^\s*(\d+)\[label = "(\w+)((?:\\n[^"]*)?)"')
EDGE = re.compile(r"^\s*(\d+) -> (\d+)")


@dataclass
class Job:
    """One job of the graph, with CPU seconds and memory in MB."""

    rule: str
    block: Block | None
    country: str = ""
    seconds: float = 0.0
    memory_mb: float = 0.0
    after: list[int] = field(default_factory=list)  # jobs that wait for this one
    waits_for: int = 0


def read_jobs(path: Path) -> dict[int, Job]:
    """Read the jobs of ``snakemake --dag dot`` and their dependencies.

    Args:
        path: The printed graph.

    Returns:
        The jobs by number.
    """
    jobs: dict[int, Job] = {}
    edges = []
    for line in path.read_text().splitlines():
        if node := NODE.match(line):
            named = re.search(r"block: (chr[\w-]+)", node[3])
            block = Block.from_id(named[1]) if named else None
            country = re.search(r"country: ([A-Z]{2})", node[3])
            jobs[int(node[1])] = Job(node[2], block, country[1] if country else "")
        elif edge := EDGE.match(line):
            edges.append((int(edge[1]), int(edge[2])))
    for before, after in edges:
        jobs[before].after.append(after)
        jobs[after].waits_for += 1
    _inherit_blocks(jobs)
    return jobs


def _inherit_blocks(jobs: dict[int, Job]) -> None:
    """Give followers their job's block: Snakemake writes a wildcard only where it first appears."""
    for job in jobs.values():
        if job.rule == "simulate_block":
            for follower in (jobs[number] for number in job.after):
                if follower.rule in OF_A_BLOCK:
                    follower.block = job.block


@dataclass(frozen=True)
class Need:
    """The needs of a rule's jobs in the sample: fixed seconds, seconds per Mb, peak MB."""

    fixed_s: float
    seconds_per_mb: float
    memory_mb: float


def read_needs(benchmarks: Path, sampled_mb: float) -> dict[str, Need]:
    """Read the needs by rule, or by rule and country.

    Args:
        benchmarks: Folder of ``{rule}.tsv`` and ``{rule}/{wildcards}.tsv``.
        sampled_mb: Length of the sample's blocks, in Mb.
    """
    needs = {}
    for place in sorted(benchmarks.iterdir()):
        files = sorted(place.glob("*.tsv")) if place.is_dir() else [place]
        taken = pd.concat([pd.read_csv(file, sep="\t") for file in files], ignore_index=True)
        seconds = taken["cpu_time"].where(taken["cpu_time"] > 0, taken["s"])
        lengths = [_length_mb(file) for file in files]
        rule = RULE_OF_FOLDER.get(place.stem, place.stem)
        if all(lengths):
            fixed, per_mb = by_length(lengths, seconds.tolist())
            needs[rule] = Need(fixed, per_mb, taken["max_rss"].max())
        elif rule in READS_GENOMES and place.is_dir():
            for file, one, memory_mb in zip(files, seconds, taken["max_rss"], strict=True):
                needs[rule + file.stem] = Need(1.0, max(0.0, one - 1) / sampled_mb, memory_mb)
        elif rule in READS_GENOMES:
            needs[rule] = Need(1.0, (seconds.max() - 1.0) / sampled_mb, taken["max_rss"].max())
        else:
            needs[rule] = Need(seconds.max(), 0.0, taken["max_rss"].max())
    return needs


RULE_OF_FOLDER = {"simulate": "simulate_block", "shard": "shard_block"}


def _length_mb(file: Path) -> float:
    try:
        return Block.from_id(file.stem).length / 1e6
    except ValueError:
        return 0.0


def by_length(lengths: list[float], taken: list[float]) -> tuple[float, float]:
    """Split a cost into a fixed part, as of the cheapest block, and a part per Mb.

    Args:
        lengths: Lengths of blocks, in Mb.
        taken: Cost of each block.

    Returns:
        The fixed part, and the part per Mb as of the longest block.
    """
    longest_mb, most = max(zip(lengths, taken, strict=True))
    fixed = min(taken)
    return fixed, (most - fixed) / longest_mb


def total_bytes(sample: Path, sampled: list[Block], blocks: set[Block]) -> float:
    """Estimate the bytes of the large run's files.

    Args:
        sample: Results of the sample run.
        sampled: Blocks of the sample run.
        blocks: Blocks of the large run.
    """
    of_block = dict.fromkeys((block.id for block in sampled), 0)
    stores = others = 0
    for file in sample.rglob("*"):
        size, name = file.stat().st_size, file.name.split(".")[0]
        if file.is_dir() or file.is_symlink():
            continue
        if name in of_block:
            of_block[name] += size
        elif file.name == "variants.sqlite":
            stores += size
        else:
            others += size
    lengths = [block.length / 1e6 for block in sampled]
    fixed, per_mb = by_length(lengths, list(of_block.values()))
    all_mb = sum(block.length for block in blocks) / 1e6
    return fixed * len(blocks) + per_mb * all_mb + stores * all_mb / sum(lengths) + others


@dataclass
class Machines:
    """Machines of one kind, and what each has left. A job takes one core."""

    free: list[list[float]]  # free cores and memory in MB of each machine
    memory_mb: float

    @classmethod
    def of(cls, number: int, cores: int, memory_mb: float) -> Machines:
        """Make idle machines.

        Args:
            number: Number of machines.
            cores: Cores of each.
            memory_mb: Memory of each, in MB.
        """
        return cls([[cores, memory_mb] for _ in range(number)], memory_mb)

    @property
    def are_full(self) -> bool:
        """Whether no core is free."""
        return all(cores == 0 for cores, _ in self.free)

    def place(self, job: Job) -> int | None:
        """Place a job on the first machine with room.

        Args:
            job: The job.

        Returns:
            Number of the machine; None if none has room.
        """
        needed = self._needed(job)
        for number, (cores, memory) in enumerate(self.free):
            if cores >= 1 and memory >= needed:
                self.free[number] = [cores - 1, memory - needed]
                return number
        return None

    def release(self, number: int, job: Job) -> None:
        """Free what a job took.

        Args:
            number: Number of the machine.
            job: The job.
        """
        cores, memory = self.free[number]
        self.free[number] = [cores + 1, memory + self._needed(job)]

    def _needed(self, job: Job) -> float:
        return min(job.memory_mb, self.memory_mb)


def wall_seconds(jobs: dict[int, Job], machines: Machines) -> float:
    """Return the time from the start of the first job to the end of the last one.

    List scheduling: whenever a machine has room, the ready job with the longest path to the end
    starts.

    Args:
        jobs: The jobs by number.
        machines: The machines.
    """
    rank = _ways_to_the_end(jobs)
    waiting = {number: job.waits_for for number, job in jobs.items()}
    ready = [(-rank[number], number) for number, count in waiting.items() if count == 0]
    heapq.heapify(ready)
    running: list[tuple[float, int, int]] = []
    now = 0.0
    while ready or running:
        for number, machine in _start_ready(jobs, ready, machines):
            heapq.heappush(running, (now + jobs[number].seconds, number, machine))
        now, number, machine = heapq.heappop(running)
        machines.release(machine, jobs[number])
        for follower in jobs[number].after:
            waiting[follower] -= 1
            if waiting[follower] == 0:
                heapq.heappush(ready, (-rank[follower], follower))
    return now


def _start_ready(
    jobs: dict[int, Job], ready: list[tuple[float, int]], machines: Machines
) -> Iterator[tuple[int, int]]:
    """Yield the jobs that start now, with their machines; the others stay in ``ready``."""
    postponed = []
    while ready and not machines.are_full:
        item = heapq.heappop(ready)
        machine = machines.place(jobs[item[1]])
        if machine is None:
            postponed.append(item)
        else:
            yield item[1], machine
    for item in postponed:
        heapq.heappush(ready, item)


def _ways_to_the_end(jobs: dict[int, Job]) -> dict[int, float]:
    ways: dict[int, float] = {}
    for number in reversed(_in_order(jobs)):
        job = jobs[number]
        ways[number] = job.seconds + max((ways[after] for after in job.after), default=0.0)
    return ways


def _in_order(jobs: dict[int, Job]) -> list[int]:
    waiting = {number: job.waits_for for number, job in jobs.items()}
    order = [number for number, count in waiting.items() if count == 0]
    for number in order:
        for after in jobs[number].after:
            waiting[after] -= 1
            if waiting[after] == 0:
                order.append(after)
    return order


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("jobs", type=Path, help="output of snakemake --dag dot")
    parser.add_argument("sample", type=Path, help="results of the sample run")
    parser.add_argument("--cores", type=int, default=16, help="cores per machine")
    parser.add_argument("--memory-gb", type=float, default=64.0, help="memory per machine")
    options = parser.parse_args()
    jobs = read_jobs(options.jobs)
    blocks = {job.block for job in jobs.values() if job.block}
    all_mb = sum(block.length for block in blocks) / 1e6
    sampled = [
        Block.from_id(file.stem) for file in (options.sample / "cohort/blocks").glob("*.trees")
    ]
    sampled_mb = sum(block.length for block in sampled) / 1e6
    estimate_jobs(jobs, read_needs(options.sample / "benchmarks", sampled_mb), all_mb)
    print_rules(jobs)
    print(
        f"\n{len(blocks)} blocks of {all_mb:.0f} Mb; sample: {len(sampled)} of {sampled_mb:.1f} Mb"
    )
    print(f"bytes: {total_bytes(options.sample, sampled, blocks) / 1e9:.0f} GB")
    for number in MACHINES:
        machines = Machines.of(number, options.cores, options.memory_gb * 1000)
        hours = wall_seconds(jobs, machines) / 3600
        print(
            f"{number} machines of {options.cores} cores, {options.memory_gb:g} GB: {hours:.2f} h"
        )


def estimate_jobs(jobs: dict[int, Job], needs: dict[str, Need], all_mb: float) -> None:
    """Set the seconds and the memory of every job.

    Args:
        jobs: The jobs; they are changed.
        needs: Needs by rule.
        all_mb: Length of all blocks, in Mb.
    """
    for job in jobs.values():
        need = needs.get(job.rule + job.country) or needs.get(job.rule) or Need(0.0, 0.0, 0.0)
        length = job.block.length / 1e6 if job.block else all_mb
        job.seconds = need.fixed_s + need.seconds_per_mb * length
        job.memory_mb = need.memory_mb


def print_rules(jobs: dict[int, Job]) -> None:
    """Print a table of the needs by rule.

    Args:
        jobs: The jobs by number.
    """
    rules = defaultdict(list)
    for job in jobs.values():
        rules[job.rule].append(job)
    print("| rule | jobs | CPU hours | longest job, min | peak memory, GB |")
    print("| --- | --- | --- | --- | --- |")
    for rule in sorted(rules, key=lambda rule: -sum(job.seconds for job in rules[rule])):
        group = rules[rule]
        hours = sum(job.seconds for job in group) / 3600
        longest = max(job.seconds for job in group) / 60
        memory = max(job.memory_mb for job in group) / 1000
        print(f"| `{rule}` | {len(group)} | {hours:.2f} | {longest:.1f} | {memory:.2f} |")
    total = sum(job.seconds for job in jobs.values()) / 3600
    peak = max(job.memory_mb for job in jobs.values()) / 1000
    print(f"| all | {len(jobs)} | {total:.2f} | | {peak:.2f} |")


if __name__ == "__main__":
    main()
