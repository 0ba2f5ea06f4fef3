# The functions that all rules share. Needs the configuration. Makes the constants that all rules use.
import gc
import os
import sys
from pathlib import Path

if not isinstance(
    workflow.current_basedir, os.PathLike
):  # in a repository, or at an address
    raise SystemExit(
        "rehearsal: a module needs a checkout on disk, because its library, scripts and schemas are files "
        f"beside the Snakefile; found {workflow.current_basedir.get_path_or_uri(secret_free=True)}"
    )
ROOT = Path(workflow.current_basedir).parents[1]
sys.path[:0] = [
    f"{ROOT}",
    f"{ROOT}/workflow",
]  # also where the library is not installed

from rehearsal.compiled_code import cache_folder
from rehearsal.config.command_line import typed_values, values_below
from rehearsal.export.settings import FOLDERS, TRUTH
from snakemake.logging import logger
from rehearsal.logs import show_notes
from rehearsal.process_lifetime import RUN
from rehearsal.genomes.assembly import NO_RECOMBINATION, pseudo_autosomal
from rehearsal.genomes.transcripts import on_contig

SCRIPTS = f"{ROOT}/scripts"
os.environ.update(PYTHONPATH=f"{ROOT}")  # scripts find the library in any environment
from accepted_inputs import Given, accepted_inputs, code_versions, section_of_module
from code_digest import CodeDigests
from needs import NEEDS, JobSizes, bench_seconds, megabytes_of, minutes_of
from recorded import RecordedByDigest, Unrecorded
from terminal import show_run

if workflow.is_main_process:
    os.environ[RUN] = str(os.getpid())  # jobs end with this process
    TERMINAL = show_run(logger, workflow.output_settings)
    gc.set_threshold(50_000, 20, 100)  # a plan is millions of objects that stay
    show_notes()

# in the order of merging: the workflow's own file, then those given by --configfile
CONFIG_FILES = sorted(workflow.configfiles, key=workflow.overwrite_configfiles.count)

DIGESTS = CodeDigests(ROOT, kept=cache_folder() / "code-digests.json")
if workflow.is_main_process:
    DIGESTS.keep((ROOT / "scripts").glob("*.py"))
COMMAND_LINE = workflow.config_settings.config
WHOLE = workflow.modifier_stack[0].globals["config"]
SECTION = section_of_module(config, WHOLE, COMMAND_LINE)
config.update(typed_values(config, values_below(SECTION, COMMAND_LINE)))
given = Given(
    config,
    CONFIG_FILES,
    COMMAND_LINE,
    SECTION,
    ROOT / "workflow" / "schemas",
    code_versions(ROOT, DIGESTS),
)
INPUTS = accepted_inputs(given, workflow.is_main_process)

config.update(INPUTS.config)  # without what countries and regions leave out
RESULTS = config["results"].rstrip("/")
LOGS = f"{RESULTS}/logs"
BENCHMARKS = f"{RESULTS}/benchmarks"
COUNTRIES = [country.code for country in INPUTS.countries]
BLOCKS = {block.id: block for block in INPUTS.blocks}
# recombination map by contig: the user's, or one that the run draws
DRAWS_MAPS = config["genome"]["recombination_map"] is None
MAP = (
    config["genome"]["recombination_map"]
    or f"{RESULTS}/recombination/{{contig}}.map.gz"
)
MAPS = {
    contig: (str if DRAWS_MAPS else local)(MAP.replace("{contig}", contig))
    for contig in dict.fromkeys(block.contig for block in INPUTS.blocks)
    if contig not in NO_RECOMBINATION
}
HAS_CHRM = any(block.contig == "chrM" for block in BLOCKS.values())
AUTOSOMES = [name for name, block in BLOCKS.items() if block.contig[3:].isdigit()]
# suffix of the files of genomes in the nodes' folders
ENCRYPTED_SUFFIX = ".c4gh" if config["encrypt_at_rest"] else ""
IN_STORAGE = workflow.storage_settings.default_storage_provider is not None
PEOPLE = sum(INPUTS.numbers.values())
EXPORTS = INPUTS.exports
SIZES = JobSizes(INPUTS)
BENCH_SECONDS = bench_seconds(config["bench"], len(COUNTRIES))
# What jobs that measure or run nodes take of it: those that are timed take all, others go in pairs. An input that is
# ancient() would keep them apart too, but a job that waits for one is not asked for reasons of its own to run again.
workflow.register_resource("network", 4)
# files of the user: local() keeps them where they are, whatever the prefix of a module or the storage
GENE_MODEL = [
    local(file)
    for file in (config["transcripts"], config["genome"]["gene_model"])
    if file
]
BENCH_RESULTS = {
    "distance": "distance.parquet",
    "capitals": "capitals.parquet",
    "faults": "faults.parquet",
    "load": "load.parquet",
    "knee": "knee.json",
    "growth": "growth.parquet",
    "growth_fits": "growth_fits.parquet",
    "growth_conditions": "growth.json",
    "policy": "policy.parquet",
}


wildcard_constraints:
    block="chr[0-9XYM]+-[0-9]+-[0-9]+",
    country="[A-Z]{2}",
    name="[a-z][a-z0-9_-]*",
    place="[A-Z]{2}|pooled",
    contig="chr[0-9XYM]+",
    folder=rf"{TRUTH}|(?:[A-Z]{{2}}|pooled)/(?:{'|'.join(FOLDERS)})",
    file=r"[^/.]+\.[^/]+",


def code_digest(script):
    """Return the digest of a rule's script as a param: when it changes, the rule runs again."""
    return DIGESTS.of_script(ROOT / "scripts" / script)


def export_params(format, **others):
    """Return the params of an export's rule; the format names its script."""
    code = code_digest(f"export_{format}.py")
    exported = {"export": export_of, "requested": requested_of}
    return {"format": format, "code": code, **exported, **others}


def needs(rule):
    """Return the resources of a rule by the table of workflow/needs.py; they grow with each attempt."""
    need, more_s = NEEDS[rule], BENCH_SECONDS.get(rule, 0)
    return {
        "mem_mb": lambda wildcards, attempt: megabytes_of(
            need, SIZES.of(dict(wildcards.items())), attempt
        ),
        "runtime": lambda wildcards, attempt: minutes_of(
            need, SIZES.of(dict(wildcards.items())), attempt, more_s
        ),
    }


def transcripts_of_block(wildcards):
    """List the transcripts that a block touches."""
    block = BLOCKS[wildcards.block]
    return RecordedByDigest(
        on_contig(INPUTS.transcripts, block.contig, block.start, block.end)
    )


def recombination_map(wildcards):
    """List the map file of a block's contig; empty where nothing recombines."""
    contig = BLOCKS[wildcards.block].contig
    return [MAPS[contig]] if contig in MAPS else []


def export_of(wildcards):
    return EXPORTS[wildcards.name]


def requested_of(wildcards):
    """Return an export's settings as text, because Snakemake compares only params of plain types."""
    return repr(EXPORTS[wildcards.name])


def trees_of_export(wildcards):
    """List the trees of the blocks that an export covers."""
    blocks = EXPORTS[wildcards.name].blocks(INPUTS.blocks)
    return expand(
        f"{RESULTS}/cohort/blocks/{{block}}.trees", block=[b.id for b in blocks]
    )


def trees_of_reads(wildcards):
    """List the trees of the blocks that an export draws reads from."""
    blocks = EXPORTS[wildcards.name].of_reads().blocks(INPUTS.blocks)
    return expand(
        f"{RESULTS}/cohort/blocks/{{block}}.trees", block=[b.id for b in blocks]
    )


def trees_of_contig(wildcards):
    """List the trees of one contig that an export covers."""
    return [
        path
        for path in trees_of_export(wildcards)
        if Path(path).name.startswith(f"{wildcards.contig}-")
    ]


def consequences_of_contig(wildcards):
    """List the consequences of alleles on one contig that an export covers."""
    return [
        f"{RESULTS}/cohort/consequences/{Path(path).stem}.parquet"
        for path in trees_of_contig(wildcards)
    ]


def encrypted_files(wildcards):
    return [
        f"{RESULTS}/exports/{wildcards.name}/{file}"
        for file in EXPORTS[wildcards.name].encrypted(INPUTS.blocks)
    ]


def recipients_of(wildcards):
    return [str(key) for key in EXPORTS[wildcards.name].recipients]


def exported_files():
    """List all files and folders that the configured exports make."""
    return [
        f"{RESULTS}/exports/{export.name}/{file}"
        for export in EXPORTS.values()
        for file in export.files(INPUTS.blocks)
    ]


def fill_in(files, **values):
    """Fill wildcards of other rules' files in: expand() refuses files in a storage."""
    files = [files] if isinstance(files, str) else list(files)
    if not IN_STORAGE:
        return expand(files, **values)
    ((wildcard, chosen),) = values.items()
    return [file.apply_wildcards({wildcard: one}) for file in files for one in chosen]


def every_block(pattern, blocks=BLOCKS):
    """Return a function for the files of all blocks: Snakemake hashes a list once for each of its files."""
    files = fill_in(pattern, block=blocks)
    return lambda wildcards: files


def optional(path):
    """List a file of the user that may be absent from the configuration."""
    return [local(path)] if path else []


def describe_run():
    return (
        f"Rehearsal: {PEOPLE:,} people in {len(COUNTRIES)} countries, {len(BLOCKS)} blocks, "
        f"{sum(block.length for block in BLOCKS.values()) / 1e6:.1f} Mb, seed {config['seed']}"
        + "".join(
            f"\nNot simulated, because the recombination map has no rates there: {stretch.region}"
            for stretch in INPUTS.unmapped
        )
    )
