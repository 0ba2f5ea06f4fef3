"""Makes a dataset from a plan: all of it, or nothing."""

from __future__ import annotations

import logging
import sys
import tempfile
from pathlib import Path

from rehearsal.dataset.metadata import write_metadata
from rehearsal.dataset.place_files import Place, write_place
from rehearsal.dataset.plan import DatasetOrder, DatasetPlan, make_plan
from rehearsal.dataset.progress import StageProgress
from rehearsal.dataset.simulated_cohort import ReportStage, SimulatedCohort, simulate_cohort
from rehearsal.errors import InputError
from rehearsal.evaluation.known_answers import FOLDER, write_known_answers
from rehearsal.files import atomic_path
from rehearsal.truth.sources import TruthSources
from rehearsal.truth.subcohort import Subcohort
from rehearsal.truth.subcohort_facts import SubcohortFacts


def dataset_command(order: DatasetOrder, out: Path) -> None:
    """``rehearsal dataset``: check, simulate, write. Raises InputError; then nothing is left."""
    plan = make_plan(order, out)
    logging.basicConfig(level=logging.ERROR)  # small cohorts leave some queries without a site
    progress = StageProgress(sys.stderr)
    try:
        with atomic_path(out) as aside:
            make_dataset(plan, aside, progress)
    except OSError as error:  # a full disk, say
        raise InputError(out, "OUT", f"could not be written, nothing is left: {error}") from error
    progress.end()
    people, codes = sum(plan.numbers.values()), " ".join(plan.numbers)
    print(f"{out}: {people} people of {codes}; {', '.join(plan.export.formats)}")


def make_dataset(plan: DatasetPlan, folder: Path, report_stage: ReportStage) -> None:
    """Write the dataset into a new folder; ``report_stage`` gets the name of each stage."""
    folder.mkdir()
    with tempfile.TemporaryDirectory(dir=folder) as trees:
        report_stage("demography")
        cohort = simulate_cohort(plan, Path(trees), report_stage)
        for name in plan.export.places:
            report_stage(f"write {name}: {' '.join(plan.export.formats)}")
            write_place(Place(name, plan, cohort, folder / name))
        report_stage("truth")
        write_truth(plan, cohort, folder / FOLDER)
    report_stage("metadata")
    write_metadata(plan, folder)


def write_truth(plan: DatasetPlan, cohort: SimulatedCohort, folder: Path) -> None:
    """Write the truth beside a dataset into a new folder."""
    tables = {name: cohort.tables[name] for name in ("diseases", "features", "measurements")}
    facts = SubcohortFacts(
        TruthSources(cohort.trees, cohort.people, **tables),
        plan.planted,
        cohort.carriers,
        cohort.effects,
        cohort.genetic_values,
        Subcohort.whole(len(cohort.people)),
    )
    write_known_answers(facts, plan.templates, plan.order.seed, plan.reference_year, folder)
