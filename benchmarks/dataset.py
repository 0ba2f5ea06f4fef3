"""Measure ``rehearsal dataset``: time against its limits, share of the truth, costs by format.

    python benchmarks/dataset.py --datasets tiny small 2000x5

Prints wall and CPU seconds, peak memory, the share of the truth and the bytes of each dataset. Each
is made twice in processes of its own, of which the second is printed: the first fills the cache of
compiled code. With ``--costs``, every format is written and its bytes and CPU seconds are printed
too: ``rehearsal/dataset/costs.py`` has them from there.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tskit
from measuring import cpu_seconds, footer, header, peak_gigabytes
from scipy.optimize import nnls

from rehearsal.dataset import build, place_files
from rehearsal.dataset.costs import BYTES_POWER, SECONDS_POWER, expected_sites
from rehearsal.dataset.place_files import Place
from rehearsal.dataset.plan import DatasetOrder, DatasetPlan, make_plan
from rehearsal.dataset.presets import FORMATS, PRESETS
from rehearsal.dataset.simulated_cohort import SimulatedCohort
from rehearsal.machine import load_average
from rehearsal.model import Block

LIMITS = {"tiny": "at most 10 s", "small": "at most 20 s of CPU"}  # requirements
MOST_FOR_TRUTH = 0.2  # of the CPU time
START = 20_000_000  # of the region on chr22


def order_of(name: str, formats: list[str]) -> DatasetOrder:
    """Return the order of a preset, or of PEOPLExMEGABASES of ES and FI on chr22.

    Args:
        name: Name of the dataset.
        formats: Export formats.
    """
    if name in PRESETS:
        people, regions = dict(PRESETS[name].people), list(PRESETS[name].regions)
    else:
        number, megabases = name.split("x")
        end = START + round(float(megabases) * 1e6)
        people, regions = {"ES": int(number) // 2, "FI": -(-int(number) // 2)}, []
        people = {code: some for code, some in people.items() if some}
        regions.append(f"chr22:{START}-{end}")
    return DatasetOrder(people, regions, formats, {}, [], False, [], None, 1)


def make(name: str, costs: bool) -> None:
    """Make a dataset in this process, and print what it took.

    Args:
        name: Name of the dataset.
        costs: Whether to write all formats and to print what each takes.
    """
    imports = cpu_seconds()
    spent, at = Counter[str](), ["check", imports]

    def report_stage(stage: str) -> None:
        now = cpu_seconds()
        spent[str(at[0])] += now - float(at[1])
        at[:] = [stage.split(" ")[0], now]

    formats = list(place_files.WRITERS) if costs else list(FORMATS)
    of_formats, sites = Counter[str](), []
    if costs:
        _time_formats(of_formats, sites)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "OUT"
        plan = make_plan(order_of(name, formats), out)
        build.make_dataset(plan, out, report_stage)
        report_stage("end")
        size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
        in_formats = _bytes(plan, out) if costs else {}
    share = spent["truth"] / cpu_seconds()
    print(f"{name}: {cpu_seconds():.1f} s of CPU, {peak_gigabytes():.2f} GB of memory,")
    print(f"    {size / 1e6:.1f} MB; truth {share:.0%} (at most {MOST_FOR_TRUTH:.0%})")
    print(f"    CPU s: imports {imports:.1f},", ", ".join(f"{k} {v:.2f}" for k, v in spent.items()))
    if costs:
        print(f"    sites {sites}")
        for kind, number in in_formats.items():
            print(f"    {kind:12} {number:>10,} bytes {of_formats[kind]:6.2f} s")


def _time_formats(spent: Counter[str], sites: list[int]) -> None:
    """Let each writer add its CPU seconds, and the cohort its number of sites."""

    def timed(kind: str, write: Callable[[Place], None]) -> Callable[[Place], None]:
        def run(place: Place) -> None:
            began = cpu_seconds()
            write(place)
            spent[kind] += cpu_seconds() - began

        return run

    for kind, write in place_files.WRITERS.items():
        place_files.WRITERS[kind] = timed(kind, write)
    known = build.write_truth

    def counted(plan: DatasetPlan, cohort: SimulatedCohort, folder: Path) -> None:
        sites.append(sum(tskit.load(path).num_sites for path in cohort.trees.values()))
        known(plan, cohort, folder)

    build.write_truth = counted


KINDS = {
    "bcf": "*.bcf*",
    "vcf": "*.vcf.gz*",
    "pgen": "*.p[gvs]*",
    "zarr": "*.vcz.zip",
    "trees": "*.tsz",
    "phenopackets": "[pf]*.jsonl.gz",
    "fhir": "fhir*",
    **{kind: f"{kind}/**/*" for kind in ("beacon", "tables", "omop", "scores", "gwas")},
}


def _bytes(plan: DatasetPlan, out: Path) -> dict[str, int]:
    return {
        kind: sum(
            path.stat().st_size
            for place in plan.export.places
            for path in (out / place).glob(pattern)
            if path.is_file()
        )
        for kind, pattern in KINDS.items()
    }


def _fit(results: dict[str, str]) -> None:
    """Print the costs of ``rehearsal/dataset/costs.py``: least squares of relative errors.

    Args:
        results: What was printed, by the name of the dataset.
    """
    rows, sizes, found = [], [], {kind: ([], []) for kind in KINDS}
    for name, text in results.items():
        people, megabases = (float(one) for one in name.split("x"))
        places = 1 if people == 1 else 2
        own = people / places
        region = Block("chr22", START, START + round(megabases * 1e6))
        sites = expected_sites([region], int(own))
        rows.append(places * np.array([1, sites, sites, own]))
        sizes.append(own)
        for line in text.splitlines():
            words = line.replace(",", "").split()
            if words and words[0] in KINDS:
                for values, word in zip(found[words[0]], (words[1], words[3]), strict=True):
                    values.append(float(word))
    titles = [("BYTES", 1e4, BYTES_POWER), ("SECONDS", 0.05, SECONDS_POWER)]
    for number, (title, least, power) in enumerate(titles):
        terms = np.array(rows)
        terms[:, 2] *= np.array(sizes) ** power
        print(f"{title} = {{")
        for kind, both in found.items():
            values = np.array(both[number])
            weight = 1 / np.maximum(values, least)  # of relative errors, but for next to nothing
            fit, _ = nnls(terms * weight[:, None], values * weight)
            print(f'    "{kind}": Cost({", ".join(f"{one:.2g}" for one in fit)}),')
        print("}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--datasets",
        nargs="+",
        default=["tiny", "small", "2000x5"],
        metavar="NAME",
        help="presets, or PEOPLExMEGABASES",
    )
    parser.add_argument("--costs", action="store_true", help="measure every format")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        make(options.datasets[0], options.costs)
        return
    print(header())
    results = {}
    for name in options.datasets:
        command = [sys.executable, __file__, "--here", "--datasets", name]
        command += ["--costs"] if options.costs else []
        subprocess.run(command, check=True, capture_output=True)
        began = time.monotonic()
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        wall = time.monotonic() - began
        lines = [line for line in done.stdout.splitlines() if "; next:" not in line]
        print("\n".join(lines))
        results[name] = done.stdout
        limit = f" (required: {LIMITS[name]})" if name in LIMITS else ""
        print(f"    {wall:.1f} s{limit}, load average {load_average():.1f}", flush=True)
    print(footer())
    if options.costs:
        _fit(results)


if __name__ == "__main__":
    main()
