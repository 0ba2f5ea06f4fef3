# The only place for functions. Needs the configuration; makes the constants that every rule uses.
import os
import sys
from pathlib import Path

from rehearsal.config.preflight import check_job_inputs
from rehearsal.export.selection import reads_export
from rehearsal.export.settings import FOLDERS, TRUTH
from snakemake.logging import logger
from rehearsal.process_lifetime import RUN
from rehearsal.genomes.recombination import NO_RECOMBINATION
from rehearsal.config.loader import read_inputs
from rehearsal.config.schema import name_command_line
from rehearsal.errors import InputError

ROOT = Path(workflow.basedir)
if not (ROOT / "rehearsal").is_dir():
    ROOT = ROOT.parent  # entered through workflow/Snakefile
SCRIPTS = f"{ROOT}/scripts"
os.environ.update(PYTHONPATH=f"{ROOT}")  # scripts find the library in any environment
sys.path.append(f"{ROOT}/workflow")
from code_digest import CodeDigests
from stages import Stages

if workflow.is_main_process:
    os.environ[RUN] = str(os.getpid())  # jobs end with it
    logger.addHandler(Stages())  # how far it is

# in the order of merging: the workflow's own file first, then those of the command line
CONFIG_FILES = sorted(workflow.configfiles, key=workflow.overwrite_configfiles.count)

try:
    with name_command_line(workflow.config_settings.config, CONFIG_FILES):
        INPUTS = read_inputs(config, CONFIG_FILES, ROOT / "workflow" / "schemas")
        if workflow.is_main_process:  # jobs read what the main process has accepted
            check_job_inputs(config, INPUTS, CONFIG_FILES)
except InputError as error:
    sys.exit(str(error))

RESULTS = config["results"].rstrip("/")
LOGS = f"{RESULTS}/logs"
BENCHMARKS = f"{RESULTS}/benchmarks"
COUNTRIES = [country.code for country in INPUTS.countries]
BLOCKS = {block.id: block for block in INPUTS.blocks}
AUTOSOMES = [name for name, block in BLOCKS.items() if block.contig[3:].isdigit()]
# how the names of genomes at rest end
ENCRYPTED_SUFFIX = ".c4gh" if config["encrypt_at_rest"] else ""
PEOPLE = sum(INPUTS.numbers.values())
EXPORTS = INPUTS.exports
DIGESTS = CodeDigests(ROOT)


wildcard_constraints:
    block="chr[0-9XYM]+-[0-9]+-[0-9]+",
    country="[A-Z]{2}",
    name="[a-z][a-z0-9_-]*",
    place="[A-Z]{2}|pooled",
    contig="chr[0-9XYM]+",
    folder=rf"{TRUTH}|(?:[A-Z]{{2}}|pooled)/(?:{'|'.join(FOLDERS)})",
    file=r"[^/.]+\.[^/]+",


def code_digest(script):
    """What a rule's script runs, as a param: when it changes, the rule runs again."""
    return DIGESTS.of_script(ROOT / "scripts" / script)


def export_params(format, **others):
    """The params of an export's rule; its script goes by the format."""
    code = code_digest(f"export_{format}.py")
    exported = {"export": export_of, "requested": requested_of}
    return {"format": format, "code": code, **exported, **others}


def memory_for(people_mb, base_mb=600):
    """Memory that grows with the cohort, and again with each attempt."""

    def megabytes(wildcards, attempt):
        return int((base_mb + people_mb * PEOPLE / 1000) * attempt)

    return megabytes


def memory_of_sites():
    """Of a table of every site, MB: 16,000 a Mb among 2,800 people, 171,000 among 100,000."""
    megabases = sum(block.length for block in BLOCKS.values()) / 1e6
    return 2 * megabases * (PEOPLE / 2800) ** 0.65


def recombination_map(wildcards):
    """The map file of a block's contig, or nothing where the rate is uniform."""
    template = config["genome"]["recombination_map"]
    contig = BLOCKS[wildcards.block].contig
    mapped = template and contig not in NO_RECOMBINATION
    return [template.replace("{contig}", contig)] if mapped else []


def export_of(wildcards):
    return EXPORTS[wildcards.name]


def requested_of(wildcards):
    """What an export asks for, as text: Snakemake compares no params of other types."""
    return repr(EXPORTS[wildcards.name])


def trees_of_export(wildcards):
    """The blocks of the run that an export has something of."""
    blocks = EXPORTS[wildcards.name].blocks(INPUTS.blocks)
    return expand(
        f"{RESULTS}/cohort/blocks/{{block}}.trees", block=[b.id for b in blocks]
    )


def trees_of_reads(wildcards):
    """The blocks that reads of an export are drawn from."""
    blocks = reads_export(EXPORTS[wildcards.name]).blocks(INPUTS.blocks)
    return expand(
        f"{RESULTS}/cohort/blocks/{{block}}.trees", block=[b.id for b in blocks]
    )


def trees_of_contig(wildcards):
    """The same, of one contig."""
    return [
        path
        for path in trees_of_export(wildcards)
        if Path(path).name.startswith(f"{wildcards.contig}-")
    ]


def encrypted_files(wildcards):
    return [
        f"{RESULTS}/exports/{wildcards.name}/{file}"
        for file in EXPORTS[wildcards.name].encrypted(INPUTS.blocks)
    ]


def recipients_of(wildcards):
    return [str(key) for key in EXPORTS[wildcards.name].recipients]


def exported_files():
    """Every file and folder that the exports of the configuration make."""
    return [
        f"{RESULTS}/exports/{export.name}/{file}"
        for export in EXPORTS.values()
        for file in export.files(INPUTS.blocks)
    ]


def optional(path):
    return [path] if path else []


def describe_run():
    return (
        f"Rehearsal: {PEOPLE:,} people in {len(COUNTRIES)} countries, {len(BLOCKS)} blocks, "
        f"{sum(block.length for block in BLOCKS.values()) / 1e6:.1f} Mb, seed {config['seed']}"
    )
