"""Small cohorts for tests of analyses: views of nodes, and the pooled people beside them."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pgenlib
import pytest

from rehearsal.analyses.rounds import NetworkRun, NodeRun
from rehearsal.analyses.view import View
from rehearsal.node.wes.masked_rounds import Sums, hide_small_totals

PLINK2 = shutil.which("plink2")


def write_view(folder, genotypes, sites, people):
    """Write a view: genotypes (n_variants, n_people), sites (contig, 0-based, ref, alt), people."""
    folder.mkdir(parents=True, exist_ok=True)
    write_pgen(folder / "genotypes", genotypes, sites, len(people))
    people.to_parquet(folder / "people.parquet")
    about = {"people": len(people), "variants": len(sites), "assembly": "GRCh38", "units": {}}
    (folder / "view.json").write_text(json.dumps(about))
    return folder


def write_pgen(stem, genotypes, sites, n_people):
    """Write the PGEN, PVAR and PSAM of a cohort."""
    lines = ["##fileformat=VCFv4.3", "#CHROM\tPOS\tID\tREF\tALT"]
    lines += [f"{contig}\t{p + 1}\tv{i}\t{r}\t{a}" for i, (contig, p, r, a) in enumerate(sites)]
    stem.with_suffix(".pvar").write_text("\n".join(lines) + "\n")
    names = "\n".join(f"p{i}\tNA" for i in range(n_people))
    stem.with_suffix(".psam").write_text(f"#IID\tSEX\n{names}\n")
    if not len(sites):
        return
    writer = pgenlib.PgenWriter(
        str(stem.with_suffix(".pgen")).encode(), n_people, variant_ct=len(sites), nonref_flags=False
    )
    writer.append_biallelic_batch(np.ascontiguousarray(genotypes, dtype=np.int8))
    writer.close()


@dataclass
class Cohort:
    """People of several nodes, pooled, with the views of the nodes."""

    genotypes: np.ndarray  # (n_variants, n_people): 0, 1, 2, or -9
    sites: list[tuple[str, int, str, str]]
    people: pd.DataFrame
    node: np.ndarray  # of each person
    folder: Path

    def views(self):
        """Write the nodes' views; what nobody carries and everybody has a call of is left out."""
        return [View(self._write(number)) for number in np.unique(self.node)]

    def _write(self, number):
        mine = np.flatnonzero(self.node == number)
        genotypes = self.genotypes[:, mine]
        here = np.flatnonzero((genotypes != 0).any(axis=1))
        sites = [self.sites[i] for i in here]
        people = self.people.iloc[mine].reset_index(drop=True)
        return write_view(self.folder / f"node{number}", genotypes[here], sites, people)

    def order(self, results):
        """Numbers of the pooled variants in the order of the joint list of alleles."""
        from rehearsal.analyses.alleles import AlleleList

        table = AlleleList.of(results["alleles"]).table()
        place = {site: i for i, site in enumerate(self.sites)}
        keys = zip(*(table[name] for name in ("contig", "position", "ref", "alt")), strict=True)
        return np.array([place[contig, int(p), ref, alt] for contig, p, ref, alt in keys])

    def plink2(self, *arguments):
        """Run plink2 on the pooled people and return the folder with its output."""
        if PLINK2 is None:
            pytest.skip("no plink2 on this machine")
        folder = self.folder / "plink"
        folder.mkdir(exist_ok=True)
        write_pgen(folder / "pooled", self.genotypes, self.sites, len(self.people))
        table = self.people.drop(columns="sex").assign(
            sex=(self.people["sex"] == "male").astype(float)
        )
        for name, column in table.items():
            if column.dtype == bool:
                table[name] = np.where(column, 2, 1)
        table.insert(0, "#IID", [f"p{i}" for i in range(len(table))])
        table.to_csv(folder / "people.tsv", sep="\t", index=False, na_rep="NA")
        command = [PLINK2, "--pfile", "pooled", "--threads", "1", "--memory", "640"]
        ran = subprocess.run([*command, *arguments], cwd=folder, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return folder


def simulate(folder, sizes=(150, 90, 60), n_variants=120, seed=1, missing=0.0, structure=0.05):
    """Simulate people of several nodes, with a trait, a disease and structure between nodes."""
    random = np.random.default_rng(seed)
    node = np.repeat(np.arange(len(sizes)), sizes)
    common = random.uniform(0.02, 0.98, n_variants)
    shift = random.normal(0, structure, (len(sizes), n_variants))
    frequency = np.clip(common + shift, 0.0, 1.0)
    frequency[:, : n_variants // 4] *= 0.03  # rare variants
    genotypes = random.binomial(2, frequency[node].T).astype(np.int8)
    genotypes[0] = 0  # a variant that nobody carries, but one person
    genotypes[0, 0] = 1
    trait = 170 + 0.5 * genotypes[-5:].sum(axis=0) + random.normal(0, 3, len(node)) + node
    age = random.uniform(20, 80, len(node)).round()
    sex = random.choice(["female", "male"], len(node))
    risk = 0.4 * genotypes[-1] + 0.02 * age + 0.3 * (sex == "male") - 2.2
    disease = random.random(len(node)) < 1 / (1 + np.exp(-risk))
    if missing:
        genotypes[random.random(genotypes.shape) < missing] = -9
    people = pd.DataFrame({"sex": sex, "age": age, "height": trait, "disease": disease})
    people.loc[random.random(len(node)) < 0.05, "height"] = np.nan
    bases = [("A", "C"), ("G", "T"), ("AT", "A"), ("C", "CGG")]
    sites = [(f"chr{1 + i % 3}", 1000 * i, *bases[i % 4]) for i in range(n_variants)]
    sites.sort(key=lambda site: (len(site[0]), site[0], site[1]))
    return Cohort(genotypes, sites, people, node, folder)


def play(views, parameters, lost=None, given=None):
    """Play all rounds in this process; ``lost`` maps a round to nodes that are lost in it."""
    network = NetworkRun(parameters, given)
    nodes = {i: NodeRun(view, parameters) for i, view in enumerate(views)}
    number = 0
    while not network.done:
        for gone in (lost or {}).get(number, ()):
            del nodes[gone]
        network.advance([node.sums() for node in nodes.values()])
        message = network.message(number)
        for node in nodes.values():
            node.follow(message)
        number += 1
    return network


def play_masked(views, steps, least=5):
    """Play steps whose sums are added in fixed point and opened as under masks."""
    parameters = {"steps": [{**step, "masked": True} for step in steps], "smallest_count": least}
    network, number = NetworkRun(parameters), 0
    nodes = [NodeRun(view, parameters) for view in views]
    while not network.done:
        is_masked = network.steps[network.step].masked
        sums = [_leaving(node, number) for node in nodes]
        network.advance([_total(sums, least)] if is_masked else [one.arrays for one in sums])
        for node in nodes:
            node.follow(network.message(number))
        number += 1
    return network


def _leaving(node, number):
    arrays = node.sums()
    about = node.header(number, arrays)["arrays"]
    return Sums(
        arrays,
        frozenset(name for name, one in about.items() if one["class"] == "count"),
        {name: one["counts"] for name, one in about.items()},
        {name: np.array(one["bound"]) for name, one in about.items() if "bound" in one},
    )


def _total(sums, least):
    layout = sums[0].layout(len(sums))
    words = np.sum([layout.pack(one.arrays) for one in sums], axis=0, dtype=np.uint64)
    return hide_small_totals(layout.unpack(words), sums[0], least)
