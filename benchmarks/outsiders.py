"""Let programs of others judge a cohort: runs of homozygosity, and kinship of relatives.

    python benchmarks/outsiders.py --megabases 10

Simulates blocks of 5 Mb with the configured model, hotspots and classes of variants. ``bcftools
roh`` (Debian) finds runs of homozygosity, and ``plink2 --make-king-table`` estimates kinship.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import tskit
import yaml
from measuring import header

from rehearsal.config.tables import read_countries
from rehearsal.demography.model import build_model, to_msprime
from rehearsal.demography.parameters import read_parameters
from rehearsal.export.genotypes import Genotypes
from rehearsal.export.pgen import write_pgen
from rehearsal.export.vcf import write_bcf
from rehearsal.genomes.drawn_reference import draw_reference
from rehearsal.genomes.hotspots import Hotspots, hotspot_map
from rehearsal.genomes.people import plan_people
from rehearsal.genomes.simulate import SimulationSettings, simulate_block
from rehearsal.model import Block

ROOT = Path(__file__).resolve().parents[1]
CONTIG, START, LENGTH, SEED = "chr4", 100_000_000, 5_000_000, 1


def simulated(megabases: float, each: int) -> tuple[list[tskit.TreeSequence], pd.DataFrame]:
    """Simulate neighbouring blocks, and return them with the people.

    Args:
        megabases: Length of all blocks.
        each: People per country.
    """
    genome = yaml.safe_load((ROOT / "config/config.yaml").read_text())["genome"]
    schema = ROOT / "workflow/schemas/countries.schema.yaml"
    countries = read_countries(ROOT / "config/countries.tsv", schema)
    parameters = read_parameters(ROOT / "config/demography.yaml")
    demography = to_msprime(build_model(countries, parameters))
    numbers = {country.code: each for country in countries}
    people, plan = plan_people(countries, numbers, 0.3, [], SEED)
    settings = SimulationSettings.of_genome(genome, demography, SEED)
    hotspots = Hotspots.of_genome(genome)
    recombination = hotspot_map(CONTIG, genome["recombination_rate"], hotspots, SEED)
    blocks = [
        Block(CONTIG, start, start + LENGTH)
        for start in range(START, START + round(megabases * 1e6), LENGTH)
    ]
    trees = [
        simulate_block(
            block, people, plan, [], settings, recombination, draw_reference(block, SEED)
        )
        for block in blocks
    ]
    return trees, people


def homozygous_runs(bcf: Path, megabases: float) -> pd.DataFrame:
    """Find runs of homozygosity with ``bcftools roh``.

    Args:
        bcf: The genotypes.
        megabases: Length of the simulated sequence.

    Returns:
        Per person, the share of the sequence in runs of at least 0.5 and of 1 Mb.
    """
    command = ["bcftools", "roh", "-G30", "--AF-tag", "AF", "-Or", str(bcf)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = [line.split("\t") for line in text.splitlines() if line.startswith("RG\t")]
    runs = pd.DataFrame([(row[1], int(row[5])) for row in rows], columns=["person", "bases"])
    shares = {
        least: runs[runs["bases"] >= least * 1e6].groupby("person")["bases"].sum() / megabases / 1e6
        for least in (0.5, 1.0)
    }
    return pd.DataFrame(shares).fillna(0.0)


def kinship(prefix: Path, people: pd.DataFrame) -> dict[str, np.ndarray]:
    """Estimate the kinship of relatives and of others with ``plink2``.

    Args:
        prefix: Path of the PGEN without suffix.
        people: The people.

    Returns:
        Estimates of parents and children, and of pairs of different families.
    """
    command = ["plink2", "--pfile", str(prefix), "--make-king-table", "--maf", "0.01"]
    command += ["--max-alleles", "2", "--out", str(prefix)]
    subprocess.run(command, check=True, capture_output=True)
    table = pd.read_csv(f"{prefix}.kin0", sep="\t")
    known = people.dropna(subset=["father", "mother"])
    parents = {
        frozenset(p)
        for side in ("father", "mother")
        for p in zip(known["id"], known[side], strict=True)
    }
    pairs = [frozenset(pair) for pair in zip(table["IID1"], table["IID2"], strict=True)]
    close = np.array([pair in parents for pair in pairs])
    family = people.set_index("id")["family"].fillna("")
    one, two = (family.loc[table[name]].to_numpy() for name in ("IID1", "IID2"))
    apart = (one != two) | (one == "")
    return {
        "parent and child": table["KINSHIP"][close].to_numpy(),
        "different families": table["KINSHIP"][~close & apart].to_numpy(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabases", type=float, default=10, help="length of all blocks")
    parser.add_argument("--each", type=int, default=12, help="people per country")
    options = parser.parse_args()
    print(header())
    trees, people = simulated(options.megabases, options.each)
    genotypes = Genotypes.of(trees, CONTIG, people)
    with tempfile.TemporaryDirectory() as folder:
        write_bcf(genotypes, Path(folder) / "x.bcf")
        write_pgen(genotypes, Path(folder) / "x.pgen")
        runs = homozygous_runs(Path(folder) / "x.bcf", options.megabases)
        for least, shares in runs.items():
            everybody = shares.reindex(people["id"], fill_value=0.0)
            print(f"in runs of {least} Mb and more: mean {everybody.mean():.4f} of the sequence")
            print(f"  people with such a run: {(everybody > 0).mean():.3f}")
        for kind, values in kinship(Path(folder) / "x", people).items():
            print(f"kinship, {kind}: mean {values.mean():.4f}, {values.size} pairs")


if __name__ == "__main__":
    main()
