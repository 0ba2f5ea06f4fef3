"""Making a dataset from a plan: all of it, or nothing."""

from __future__ import annotations

import logging
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

from rehearsal.compiled_code import compilations_told_to
from rehearsal.dataset.metadata import write_metadata
from rehearsal.dataset.place_files import Place, write_place
from rehearsal.dataset.plan import DatasetOrder, DatasetPlan, make_plan
from rehearsal.dataset.presets import COMMAND
from rehearsal.dataset.progress import StageProgress
from rehearsal.dataset.simulated_cohort import ReportStage, SimulatedCohort, simulate_cohort
from rehearsal.errors import InputError, cause
from rehearsal.evaluation.known_answers import FOLDER, write_known_answers
from rehearsal.files import atomic_path
from rehearsal.genomes.drawn_reference import stretches_with_bases
from rehearsal.genomes.gene_model_file import write_gene_model
from rehearsal.genomes.planted_carriers import with_genes
from rehearsal.genomes.reference_files import write_reference
from rehearsal.genomes.reference_identity import ReferenceIdentity
from rehearsal.logs import note, notes_begin_with, progress_told_to
from rehearsal.stores.node_reference import CONTIGS, FASTA, GENES
from rehearsal.truth.sources import TruthSources
from rehearsal.truth.subcohort import Subcohort
from rehearsal.truth.subcohort_facts import SubcohortFacts


def dataset_command(order: DatasetOrder, out: Path, is_compiled: bool = True) -> None:
    """Make a dataset as ``rehearsal dataset`` does: check the order, simulate, write.

    Args:
        order: What was asked for.
        out: The folder to write, new or empty.
        is_compiled: Whether an earlier process has kept compiled code. Without it the work takes
            longer, of which the user is told.

    Raises:
        InputError: The order cannot be met, or the folder cannot be written. No files are left.
    """
    plan = make_plan(order, out)
    if not is_compiled:
        note(
            "this first call compiles code as it goes: about a minute, or several where the "
            "machine is busy; a stage says so, and later calls skip it"
        )
    logging.basicConfig(level=logging.ERROR)  # a small cohort has no site for some of the queries
    progress = StageProgress(sys.stderr)
    try:
        with (
            progress_told_to(progress.tell),
            notes_begin_with(progress.end_line),
            nullcontext() if is_compiled else compilations_told_to(progress.tell_compiling),
            atomic_path(out.resolve()) as aside,
        ):
            make_dataset(plan, aside, progress)
    except OSError as error:  # a full disk, for example
        found = f"{out}, where writing failed and all was removed ({cause(error)})"
        raise InputError(COMMAND, "OUT", "a folder that can be written", found) from error
    progress.end()
    people, codes = sum(plan.numbers.values()), " ".join(plan.numbers)
    print(f"{out}: {people} people of {codes}; {', '.join(plan.export.formats)}")


def make_dataset(plan: DatasetPlan, folder: Path, report_stage: ReportStage) -> None:
    """Simulate the people of a dataset and write all its files.

    Args:
        plan: The checked plan.
        folder: The folder to make.
        report_stage: Called with the name of each stage as it begins.
    """
    folder.mkdir()
    with tempfile.TemporaryDirectory(dir=folder) as trees:
        report_stage("reference")
        fasta, contigs = (folder / "reference" / name for name in (FASTA, CONTIGS))
        spans = [*plan.blocks, *(one.span for one in plan.transcripts)]
        stretches = stretches_with_bases(spans, plan.reference.unknown)
        write_reference(fasta, contigs, stretches, plan.reference)
        write_gene_model(plan.transcripts, folder / "reference" / GENES)
        report_stage("demography")
        identity = ReferenceIdentity.read(contigs, fasta)
        cohort = simulate_cohort(plan, Path(trees), report_stage, identity)
        for name in plan.export.places:
            report_stage(f"write {name}: {' '.join(plan.export.formats)}")
            write_place(Place(name, plan, cohort, folder / name))
        report_stage("truth")
        write_truth(plan, cohort, folder / FOLDER)
    report_stage("metadata")
    write_metadata(plan, folder)


def write_truth(plan: DatasetPlan, cohort: SimulatedCohort, folder: Path) -> None:
    """Write the known answers of a dataset.

    Args:
        plan: The plan of the dataset.
        cohort: Its simulated people.
        folder: The folder to make.
    """
    tables = {name: cohort.tables[name] for name in ("diseases", "features", "measurements")}
    facts = SubcohortFacts(
        TruthSources(cohort.trees, cohort.people, **tables),
        plan.planted,
        with_genes(cohort.carriers, plan.transcripts),
        cohort.effects,
        cohort.genetic_values,
        cohort.untreated_values,
        Subcohort.whole(len(cohort.people)),
    )
    write_known_answers(facts, plan.templates, plan.order.seed, plan.reference_year, folder)
