"""Genome-wide association summary statistics in the columns of GWAS-SSF, and the true effects.

GWAS-SSF 1.1 (github.com/EBISPOT/gwas-summary-statistics-standard) is tab-separated with 1-based
positions and has a metadata file beside the table. Each common alternate allele is tested alone.
For a measurement: least squares of the value on the number of copies. For a disease: the score test
of a logistic model, whose effect is its one-step estimate (Newton's first step from no effect).
Phenotype and copies are both adjusted for sex and age. Nothing is dense: sums run over carriers.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray
from scipy.special import expit, ndtr, stdtr

from rehearsal.export.genotypes import Genotypes, SiteRecords
from rehearsal.export.structural import is_symbolic
from rehearsal.files import atomic_path
from rehearsal.formats.gzip_stream import open_gzip
from rehearsal.genomes.allele_names import own_name
from rehearsal.genomes.assembly import ASSEMBLY
from rehearsal.model import SYNTHETIC

MINIMUM_FREQUENCY = 0.01  # of the rarer allele; a single rarer variant has no power
FEWEST_CASES = 10
LONG_ALLELE = "LONG_STRING"  # what GWAS-SSF has instead of alleles that are not written out
TRUTH_COLUMNS = ["trait", "contig", "start", "ref", "alt", "effect", "effect_in_unit", "unit"]


@dataclass(frozen=True, slots=True)
class Phenotype:
    """One phenotype of the people, NaN where it is missing. A disease is 0 or 1."""

    name: str  # of the file, without suffix
    code: str
    label: str
    values: NDArray[np.float64]

    @property
    def binary(self) -> bool:
        """Whether all known values are 0 or 1."""
        return bool(np.isin(self.values[~np.isnan(self.values)], (0, 1)).all())


def write_summary_statistics(
    genotypes: Iterable[Genotypes],
    phenotypes: Iterable[Phenotype],
    effects: pd.DataFrame,
    folder: Path | str,
    reference_year: int,
) -> None:
    """Write ``{name}.tsv.gz`` and ``{name}.tsv.gz-meta.yaml`` for each phenotype into a new folder.

    Diseases with fewer than 10 cases are left out.

    Args:
        genotypes: Genotypes of the same people, one item per contig. Only autosomes are tested.
        phenotypes: The phenotypes, with values in the order of those people.
        effects: Rows of ``truth/effects.parquet``, written beside as ``true_effects.tsv`` with
            1-based positions.
        folder: Where to write. It appears only when it is complete.
        reference_year: The year in which ages are computed.
    """
    with atomic_path(folder) as aside:
        aside.mkdir()
        autosomal = (own for own in genotypes if own.contig[3:].isdigit())
        first = next(autosomal, None)
        if first is not None:
            people = first.people
            tests = [test for one in phenotypes if (test := _test(one, people, reference_year))]
            _write_tests(tests, chain([first], autosomal), aside)
            for test in tests:
                _write_metadata(_table(aside, test), test, reference_year)
        truth = effects[TRUTH_COLUMNS].assign(start=effects["start"] + 1)
        truth.rename(columns={"start": "position"}).to_csv(
            aside / "true_effects.tsv", sep="\t", index=False, lineterminator="\n"
        )


def _table(folder: Path, test: _Test) -> Path:
    return folder / f"{test.phenotype.name}.tsv.gz"


def _write_tests(tests: Sequence[_Test], genotypes: Iterable[Genotypes], folder: Path) -> None:
    """Write one table per test, with one row per common alternate allele."""
    with ExitStack() as stack:
        streams = [stack.enter_context(_open(_table(folder, test))) for test in tests]
        pairs = list(zip(tests, streams, strict=True))
        for test, stream in pairs:
            stream.write("\t".join(test.columns) + "\n")
        for own in genotypes:
            for records in own.records():
                for site, copies in _common(records):
                    for test, stream in pairs:
                        stream.write(test.row(own.contig, records, site, copies))


@dataclass(frozen=True, slots=True)
class _Site:
    number: int  # of the alternate allele
    persons: NDArray[np.int64]  # its carriers
    copies: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Test:
    """A phenotype with all terms that do not depend on a variant.

    With weights w and covariates C (and residuals r of the phenotype given them), the score of a
    variant with copies x is x'r and its information is x'Wx - x'WC (C'WC)^-1 C'Wx.
    """

    phenotype: Phenotype
    known: NDArray[np.bool_]
    residual: NDArray[np.float64]
    weight: NDArray[np.float64]
    weighted: NDArray[np.float64]  # (people, covariates) W C
    inverse: NDArray[np.float64]  # of C'WC
    total: float  # sum of the squared residuals, for a measurement

    @property
    def columns(self) -> list[str]:
        effect = "odds_ratio" if self.phenotype.binary else "beta"
        return [
            "chromosome",
            "base_pair_location",
            "effect_allele",
            "other_allele",
            effect,
            "standard_error",
            "effect_allele_frequency",
            "p_value",
            "variant_id",
            "n",
        ]

    def row(self, contig: str, records: SiteRecords, number: int, site: _Site) -> str:
        """Format one line of the table; none if all tested people have the same copies.

        Args:
            contig: Name of the contig.
            records: The records of the site.
            number: The site's number among them.
            site: One alternate allele and its carriers.
        """
        known = self.known[site.persons]
        who, copies = site.persons[known], site.copies[known]
        number_known = int(self.known.sum())
        score = copies @ self.residual[who]
        projected = copies @ self.weighted[who]
        information = (copies**2) @ self.weight[who] - projected @ self.inverse @ projected
        if information <= 1e-9:  # the standard has no missing effect
            return ""
        letters = records.alleles[number]
        place = records.position[number] + 1
        ref, alt = own_name(letters[0], letters[site.number])
        allele = LONG_ALLELE if is_symbolic(alt) else alt
        head = f"{contig[3:]}\t{place}\t{allele}\t{ref}"
        frequency = copies.sum() / (2 * number_known)
        if is_symbolic(alt):  # identifiers have letters, digits and underscores only
            alt = f"{re.sub(r'[<>:]+', '_', alt).strip('_')}_{records.end[number]}"
        tail = f"{contig[3:]}_{place}_{ref}_{alt}\t{number_known}\n"
        effect = score / information
        if self.phenotype.binary:
            error, shown = np.sqrt(1 / information), np.exp(effect)
            p = 2 * ndtr(-abs(effect) / error)
        else:
            freedom = number_known - self.weighted.shape[1] - 1
            error = np.sqrt(max(self.total - effect * score, 0.0) / freedom / information)
            shown, p = effect, 2 * stdtr(freedom, -abs(effect) / error) if error else 0.0
        return f"{head}\t{shown:.6g}\t{error:.6g}\t{frequency:.6g}\t{p:.6g}\t{tail}"


def _test(phenotype: Phenotype, people: pd.DataFrame, reference_year: int) -> _Test | None:
    known = ~np.isnan(phenotype.values)
    value = np.where(known, phenotype.values, 0.0)
    cases = int(value.sum()) if phenotype.binary else FEWEST_CASES
    if known.sum() < 2 * FEWEST_CASES or min(cases, known.sum() - cases) < FEWEST_CASES:
        return None
    age = reference_year - people["birth_year"].to_numpy(float)
    male = (people["sex"] == "male").to_numpy(float)
    design = np.column_stack((np.ones(len(people)), age - age.mean(), male - male.mean()))
    design[~known] = 0
    if phenotype.binary:
        fitted = expit(design @ _logistic(design[known], value[known]))
        weight = np.where(known, fitted * (1 - fitted), 0.0)
    else:
        beta, *_ = np.linalg.lstsq(design[known], value[known], rcond=None)
        fitted = design @ beta
        weight = known.astype(float)
    residual = np.where(known, value - fitted, 0.0)
    weighted = weight[:, None] * design
    inverse = np.linalg.pinv(design.T @ weighted)
    return _Test(phenotype, known, residual, weight, weighted, inverse, float(residual @ residual))


def _logistic(design: NDArray[np.float64], value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fit by maximum likelihood with Newton's method, which needs far fewer than 25 steps."""
    beta = np.zeros(design.shape[1])
    for _ in range(25):
        fitted = expit(design @ beta)
        hessian = design.T @ (design * (fitted * (1 - fitted))[:, None])
        step = np.linalg.pinv(hessian) @ (design.T @ (value - fitted))
        beta += step
        if np.abs(step).max() < 1e-10:
            break
    return beta


def _common(records: SiteRecords) -> Iterator[tuple[int, _Site]]:
    owner = records.owner
    called = owner.size
    for number, letters in enumerate(records.alleles):
        first, end = records.indptr[number : number + 2]
        if end - first < MINIMUM_FREQUENCY * called:
            continue
        who, allele = owner[records.haplotype[first:end]], records.allele[first:end]
        for alt in range(1, len(letters)):
            persons, copies = np.unique(who[allele == alt], return_counts=True)
            frequency = copies.sum() / called
            if MINIMUM_FREQUENCY <= frequency <= 1 - MINIMUM_FREQUENCY:
                yield number, _Site(alt, persons, copies.astype(float))


@contextmanager
def _open(path: Path) -> Iterator[io.TextIOWrapper]:
    with (
        open_gzip(path) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="") as text,
    ):
        yield text


def _write_metadata(path: Path, test: _Test, reference_year: int) -> None:
    phenotype, tested = test.phenotype, int(test.known.sum())
    sample: dict[str, object] = {"sample_size": tested, "sample_ancestry": [SYNTHETIC]}
    if phenotype.binary:
        cases = int(phenotype.values[test.known].sum())
        sample |= {"case_control_study": True, "case_count": cases, "control_count": tested - cases}
    metadata = {
        "date_metadata_last_modified": f"{reference_year}-01-01",  # the seed decides all bytes
        "file_type": "GWAS-SSF v1.1",
        "data_file_name": path.name,
        "data_file_md5sum": hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest(),
        "genome_assembly": ASSEMBLY,
        "coordinate_system": "1-based",
        "trait_description": [f"{phenotype.label} ({phenotype.code})"],
        "samples": [sample],
        "genotyping_technology": ["simulation"],
        "adjusted_covariates": ["sex", "age"],
        "minor_allele_freq_lower_limit": MINIMUM_FREQUENCY,
        "is_harmonised": False,
        "is_sorted": True,
        "author_notes": (
            f"{SYNTHETIC}. Adjusted for sex and age; alternate alleles of {MINIMUM_FREQUENCY:.0%} "
            "and more; diseases: score test, one-step odds ratio."
        ),
    }
    path.with_name(f"{path.name}-meta.yaml").write_text(yaml.safe_dump(metadata, sort_keys=False))


def list_phenotypes(people: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> list[Phenotype]:
    """List every measurement and every disease of these people, named by code (``LOINC_22748-8``).

    Args:
        people: One row per person; values are in this order.
        tables: These people's rows of ``measurements`` and ``diseases``, by name.
    """
    found = []
    for kind in ("measurements", "diseases"):
        for code, own in tables[kind].groupby("code", sort=True):
            if kind == "diseases":
                values = people["id"].isin(own["individual"]).to_numpy(float)
            else:
                by_person = own.drop_duplicates("individual").set_index("individual")["value"]
                values = by_person.reindex(people["id"]).to_numpy(float)
            name = str(code).replace(":", "_")
            found.append(Phenotype(name, str(code), own["label"].iloc[0], values))
    return found
