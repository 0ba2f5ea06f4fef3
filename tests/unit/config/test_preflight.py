"""The messages that a user reads, before any job, when a file that single jobs read is wrong."""

import copy
import re
import subprocess
import sys
from pathlib import Path

import pysam
import pytest
import yaml

from rehearsal.config import machine_checks
from rehearsal.config.command_line import name_command_line
from rehearsal.config.economics_checks import check_economics
from rehearsal.config.loader import read_inputs
from rehearsal.config.preflight import check_job_inputs, read_checked_inputs
from rehearsal.config.results_folder import check_room
from rehearsal.errors import InputError, InputErrors
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.model import Block
from rehearsal.network.registry import NodeEntry

ROOT = Path(__file__).resolve().parents[3]
DEFAULT = yaml.safe_load((ROOT / "config/config.yaml").read_text())
HEADER = (ROOT / "config/variants.tsv").read_text().splitlines()[0]
TWO_DEMES = """
time_units: generations
demes:
- {name: root, epochs: [{start_size: 1000, end_time: 100}]}
- {name: AT, ancestors: [root], epochs: [{start_size: 1000}]}
- {name: BE, ancestors: [root], epochs: [{start_size: 1000}]}
"""
# the 0-based reference bases 1000 to 31000 of the small run repeat these four
BASES = "ACGT"


def planted(gene="BRCA1", position=2_001, ref="A", alt="G", frequency="*=0.1", minimum=0, who=""):
    cells = (
        gene,
        "v",
        "chr22",
        position,
        ref,
        alt,
        "dominant",
        "cancer",
        frequency,
        minimum,
        who,
        "made up",
    )
    return "\t".join(map(str, cells))


# a variant of each gene beside BRCA1 that makes people ill
OTHERS = [planted("BRCA2", 3_001), planted("PHGDH", 4_001), planted("TLR7", 5_001)]


@pytest.fixture
def small(tmp_path, monkeypatch):
    """The default with two countries and 30 kb; every risk gene has a planted variant."""
    monkeypatch.chdir(ROOT)
    config = copy.deepcopy(DEFAULT)
    config["network"]["asker"] = "AT"
    config["stories"] = None
    config["genome"] |= {"regions": ["chr22:1000-31000"], "masks": None, "planted_window": 0}
    lines = (ROOT / config["countries"]).read_text().splitlines()
    kept = [line for line in lines if line.startswith(("code", "AT\t", "BE\t"))]
    config["countries"] = str(tmp_path / "countries.tsv")
    Path(config["countries"]).write_text("\n".join(kept) + "\n")
    write_variants(config, tmp_path, [planted(), *OTHERS])
    return config


def write_variants(config, tmp_path, rows):
    config["variants"] = str(tmp_path / "mine.tsv")
    Path(config["variants"]).write_text("\n".join([HEADER, *rows]) + "\n")


def read(config):
    inputs = read_inputs(config, [Path("config/config.yaml")], ROOT / "workflow/schemas")
    check_job_inputs(config, inputs)
    return inputs


def check(config):
    read(config)


def complaint(config):
    """Check a configuration that must be refused, and return the one line of the error."""
    with pytest.raises(InputError) as caught:
        check(config)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_default_configuration_and_the_small_one_are_accepted(small):
    check(DEFAULT)
    check(small)


@pytest.mark.parametrize("overlay", ["national", "million", "realism"])
def test_the_large_configurations_are_accepted(overlay, monkeypatch):
    monkeypatch.chdir(ROOT)
    config = copy.deepcopy(DEFAULT)
    for section, values in yaml.safe_load(Path(f"config/scale/{overlay}.yaml").read_text()).items():
        config[section] = config[section] | values if isinstance(values, dict) else values
    check(config)


def test_a_country_without_ancestry_is_refused(small, tmp_path):
    model = tmp_path / "mine.demes.yaml"
    small["demography"]["model"] = str(model)
    small["cohort"]["ancestries"] = {}
    model.write_text(TWO_DEMES)
    check(small)
    model.write_text(TWO_DEMES.replace("BE, ancestors: [root]", "BE"))
    assert re.search(r"mine\.demes\.yaml: \w+: expected ancestors in common", complaint(small))


def test_a_model_without_a_configured_population_is_refused(small, tmp_path):
    model = tmp_path / "mine.demes.yaml"
    small["demography"]["model"] = str(model)
    model.write_text(TWO_DEMES)
    assert "mine.demes.yaml: AFR: expected a deme of this name" in complaint(small)
    small["cohort"]["ancestries"] = {"*": {"AFR": 0.0}}
    check(small)


def test_shares_that_do_not_add_up_are_refused(small):
    small["cohort"]["migrants"] = {"*": 0.6}
    small["cohort"]["ancestries"] = {"*": {"AFR": 0.3, "EAS": 0.2}}
    assert re.search(
        r"cohort\.migrants\.\*: expected shares .* add up to at most 1, found 1.1", complaint(small)
    )


def test_a_model_that_cannot_be_simulated_is_refused(small, tmp_path):
    model = tmp_path / "mine.demes.yaml"
    small["demography"]["model"] = str(model)
    model.write_text(TWO_DEMES.replace("end_time: 100", "end_time: 100, selfing_rate: 0.5"))
    assert re.search(
        r"mine\.demes\.yaml: file: expected a model that msprime can simulate, found .*elf",
        complaint(small),
    )


@pytest.mark.parametrize(
    ("section", "key", "old", "new", "message"),
    [
        (
            "demography",
            "parameters",
            "threshold:",
            "treshold:",
            r"migration\.treshold: expected one of the keys rate, .*, found 'treshold'",
        ),
        (None, "traits", "heritability: 0.5", "heritability: 50%", r"heritability: expected"),
        (None, "traits", "BRCA2:", "BRCA3:", r"genes\.BRCA3: .*\(BRCA1, BRCA2, PHGDH"),
        (
            None,
            "queries",
            "granularity: count",
            "granularity: all",
            r"granularity: expected one of boolean, count, record, found 'all'",
        ),
        (
            "network",
            "distances",
            "\t22\t",
            "\tnear\t",
            r"AT-BE\) rtt_ms: expected a positive number",
        ),
    ],
)
def test_a_fault_in_a_file_names_the_file_and_the_key(
    small, tmp_path, section, key, old, new, message
):
    part = small[section] if section else small
    text = Path(part[key]).read_text()
    assert old in text
    part[key] = str(tmp_path / "mine")
    Path(part[key]).write_text(text.replace(old, new, 1))
    assert re.match(rf"{re.escape(part[key])}: .*{message}", complaint(small))


def test_a_gene_that_is_only_mutated_in_tumours_has_no_carriers_at_risk(small, tmp_path):
    somatic = planted("BRCA2", 3_001, frequency="").replace("dominant", "somatic")
    rows = [planted(), somatic, planted("PHGDH", 4_001)]
    write_variants(small, tmp_path, rows)
    assert (
        "BRCA2: expected a gene with planted germline variants (BRCA1, PHGDH), found 'BRCA2'"
        in complaint(small)
    )


def test_a_country_that_is_too_small_for_a_family_is_noted(small, monkeypatch):
    said = []
    monkeypatch.setattr("rehearsal.genomes.people.note", said.append)
    small["cohort"]["people"] = {"AT": 5}
    check(small)
    assert len(said) == 1
    assert said[0].startswith("cohort.family_share: no family in AT, because 0.3 of")


def test_a_country_of_fewer_people_than_must_carry_a_variant_is_refused(small, tmp_path):
    small["cohort"] |= {"people": {"BE": 4}, "family_share": 0}
    write_variants(small, tmp_path, [planted(minimum=5), *OTHERS])
    message = r"mine\.tsv: minimum_per_country of BRCA1 v .*at most 4, the number of people in BE"
    assert re.search(message, complaint(small))


def test_two_variants_at_one_place_are_refused(small, tmp_path):
    rows = [planted(ref="ACG", alt="A"), planted("BRCA2", 2_002, "C", "T"), *OTHERS[1:]]
    write_variants(small, tmp_path, rows)
    assert re.search(
        r"mine\.tsv: BRCA2 v .*bases that no.*, found bases of BRCA1", complaint(small)
    )


@pytest.mark.parametrize(("ref", "alt"), [("ACT", "AT"), ("AC", "AG"), ("CAC", "C")])
def test_a_planted_variant_is_in_normal_form(small, tmp_path, ref, alt):
    """Too long behind, too long before, and not at its leftmost place."""
    write_variants(small, tmp_path, [planted(ref=ref, alt=alt)])
    expected = "line 2: alt: expected ref and alt left-aligned, without bases that both need not"
    assert f"{expected} have, found {ref} and {alt}" in complaint(small)


def write_map(path, first, last):
    end = f"chr22 {last} 0.0 {(last - first) / 1e6}"
    path.write_text(f"Chromosome Position Rate Map\nchr22 {first} 1.0 0.0\n{end}\n")


def test_blocks_end_where_a_map_ends(small, tmp_path):
    small["genome"]["recombination_map"] = f"{tmp_path}/{{contig}}.txt"
    write_map(tmp_path / "chr22.txt", 500, 31_000)
    check(small)
    write_map(tmp_path / "chr22.txt", 1_500, 30_000)
    inputs = read(small)
    assert inputs.blocks == [Block("chr22", 1_500, 30_000)]
    assert inputs.unmapped == [Block("chr22", 1_000, 1_500), Block("chr22", 30_000, 31_000)]


def test_a_map_of_a_whole_contig_that_begins_inside_of_it_can_be_used(small, tmp_path):
    small["genome"] |= {"recombination_map": f"{tmp_path}/{{contig}}.txt", "regions": ["chr22"]}
    small["genome"]["masks"] = "config/masks.tsv"
    genes = ("BRCA1", "BRCA2", "PHGDH", "TLR7")
    write_variants(small, tmp_path, [planted(one, 20_000_001 + n) for n, one in enumerate(genes)])
    write_map(tmp_path / "chr22.txt", 15_287_922, 50_791_377)
    inputs = read(small)
    assert inputs.blocks[0].start == 17_400_000  # after the centromere
    assert inputs.blocks[-1].end == 50_791_377
    assert Block("chr22", 50_791_377, 50_808_468) in inputs.unmapped


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            "chr22 100 1.0 0\nchr22 900 0 0",
            "a map with positions within chr22:1000-31000, found none",
        ),
        ("chr22 500 -1.0 0\nchr22 31000 0 0", "numbers of at least 0 as position and rate"),
        ("chr22 500 1.0 0\nchr22 31000 1.0 0\nchr22 900 0 0", "positions in ascending order"),
        ("chr22 500 1.0 0", "two or more positions of at most 50818468, found 1 rows"),
    ],
)
def test_a_map_that_cannot_be_used_is_one_line(small, tmp_path, rows, message):
    small["genome"]["recombination_map"] = f"{tmp_path}/{{contig}}.txt"
    (tmp_path / "chr22.txt").write_text(f"Chromosome Position Rate Map\n{rows}\n")
    assert f"chr22.txt: chr22: expected {message}" in complaint(small)
    assert "\n" not in complaint(small)


def test_a_map_must_cover_planted_variants(small, tmp_path):
    small["genome"]["recombination_map"] = f"{tmp_path}/{{contig}}.txt"
    write_map(tmp_path / "chr22.txt", 3_000, 31_000)
    write_variants(small, tmp_path, [planted()])
    message = (
        "chr22.txt: chr22: expected a map that covers the planted variants, found none at BRCA1"
    )
    assert message in complaint(small)


def test_every_contig_that_recombines_needs_a_map(small, tmp_path):
    small["genome"] |= {
        "recombination_map": f"{tmp_path}/{{contig}}.txt",
        "regions": ["chr22:1000-31000", "chrM", "chrY:3000000-3100000"],
    }
    write_map(tmp_path / "chr22.txt", 500, 31_000)
    check(small)
    small["genome"]["regions"].append("chrX:3000000-3100000")
    assert "chrX.txt: chrX: expected a recombination map in HapMap format" in complaint(small)


@pytest.fixture
def short_contig(monkeypatch):
    """An assembly whose chr22 ends where the small run does, for FASTA files of its length."""
    monkeypatch.setitem(CONTIG_LENGTHS, "chr22", 31_000)


def write_fasta(tmp_path, contig, bases):
    path = tmp_path / "mine.fa"
    path.write_text(f">{contig}\n{bases}\n")
    pysam.faidx(str(path))
    return str(path)


@pytest.mark.parametrize("name", ["chr22", "22", "NC_000022.11"])
def test_a_fasta_may_name_contigs_in_the_ways_of_the_trade(small, tmp_path, short_contig, name):
    small["genome"]["reference_fasta"] = write_fasta(tmp_path, name, BASES * 7_750)
    check(small)


def test_a_fasta_must_have_the_contigs_of_the_assembly(small, tmp_path, short_contig):
    for bases in (30_996, 31_004, 500):
        small["genome"]["reference_fasta"] = write_fasta(tmp_path, "22", BASES * (bases // 4))
        line = complaint(small)
        assert "mine.fa: chr22: expected the contig of GRCh38, 31000 bases, found" in line
        assert line.endswith(f"found a contig of {bases} bases")
    small["genome"]["reference_fasta"] = write_fasta(tmp_path, "chr21", BASES * 7_750)
    assert "mine.fa: chr22: expected this contig in the FASTA (chr22, 22, NC" in complaint(small)


@pytest.mark.parametrize(
    ("bases", "message"),
    [
        ("N" * 31_000, "expected bases (A, C, G, T) in 6 stretches of at most 5,000 bases"),
        ("MEEP" * 7_750, "expected letters of nucleotides (A, C, G, T, N), found 'EP'"),
    ],
)
def test_a_fasta_must_have_bases(small, tmp_path, short_contig, bases, message):
    small["genome"]["reference_fasta"] = write_fasta(tmp_path, "chr22", bases)
    assert f"mine.fa: chr22:1000-31000: {message}" in complaint(small)


def test_a_planted_variant_must_stand_on_the_bases_of_the_fasta(small, tmp_path, short_contig):
    small["genome"]["reference_fasta"] = write_fasta(tmp_path, "chr22", BASES * 7_750)
    write_variants(small, tmp_path, [planted(), planted("BRCA2", 3_002, "G", "T")])
    line = complaint(small)
    assert re.search(
        r"mine\.tsv: BRCA2 v .*the bases of the reference at this position, C, as REF", line
    )


@pytest.mark.parametrize("key", ["nodes", "launch"])
def test_namespaces_and_nodes_elsewhere_do_not_go_together(key, monkeypatch):
    monkeypatch.setattr(machine_checks, "check_possible", lambda way, source: None)
    network = {"emulation": "tun", "nodes": None, "launch": None, key: "something"}
    with pytest.raises(InputError, match=rf"my\.yaml: network\.emulation: .* network\.{key}"):
        machine_checks.check_emulation(network, "my.yaml")
    machine_checks.check_emulation({**network, "emulation": "delay"}, "my.yaml")


@pytest.mark.parametrize("launch", ["no-such-program --ntasks=1", "srun 'open", "''"])
def test_a_command_for_nodes_that_cannot_be_run_is_refused(launch):
    with pytest.raises(InputError, match=r"my\.yaml: network\.launch: expected a command"):
        machine_checks.check_launch(launch, "my.yaml")


@pytest.mark.parametrize("launch", [None, "env A=1", f"{sys.executable} -m runpy"])
def test_a_command_for_nodes_that_is_here_is_accepted(launch):
    machine_checks.check_launch(launch, "my.yaml")


def test_coding_bases_of_a_gene_model_must_be_a_reading_frame_of_the_fasta(
    small, tmp_path, short_contig
):
    gff3 = tmp_path / "mine.gff3"
    lines = ["gene\t.\tID=g", "mRNA\t.\tID=t;Parent=g;Name=NM_1.1", "CDS\t0\tParent=t"]
    rows = [line.split("\t") for line in lines]
    gff3.write_text(
        "".join(f"chr22\tx\t{kind}\t6001\t6012\t.\t+\t{p}\t{a}\n" for kind, p, a in rows)
    )
    small["genome"]["gene_model"] = str(gff3)
    check(small)  # the drawn reference follows the genes
    bases = BASES * 7_750
    small["genome"]["reference_fasta"] = write_fasta(tmp_path, "chr22", bases)
    expected = "mine.gff3: g NM_1.1: expected coding bases that read from ATG to one stop"
    assert expected in complaint(small)
    bases = bases[:6_000] + "ATGACGTACTAA" + bases[6_012:]
    small["genome"]["reference_fasta"] = write_fasta(tmp_path, "chr22", bases)
    check(small)


def hotspots(**changes):
    return DEFAULT["genome"]["hotspots"] | changes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 20_000}, r"hotspots\.width: expected a width below .*spacing \(12000\), found"),
        ({"spacing": 1e6, "width": 1, "share": 1}, r"rates of at most 100,000 cM/Mb in each"),
        ({"spacing": 1e9}, r"spacing: expected a number of at most 10000000, found"),
    ],
)
def test_hotspots_that_no_map_can_hold_are_refused(small, changes, message):
    small["genome"]["hotspots"] = hotspots(**changes)
    assert re.search(message, complaint(small))


def test_a_variant_of_chromosome_y_needs_as_many_men(small, tmp_path):
    small["genome"]["regions"].append("chrY:3000000-3100000")
    small["cohort"]["people"] = {"AT": 40, "BE": 40}
    genes = ("BRCA1", "BRCA2", "PHGDH", "TLR7")
    rows = [planted(one, 2_001 + n) for n, one in enumerate(genes)]
    male = planted("SRY", 3_050_000, minimum=35).replace("chr22", "chrY")
    write_variants(small, tmp_path, [*rows, male])
    assert re.search(
        r"mine\.tsv: minimum_per_country of SRY .*people in \w\w who can carry it", complaint(small)
    )


def test_a_planted_variant_must_not_be_in_a_gap(small, tmp_path):
    masks = tmp_path / "gaps.tsv"
    masks.write_text("contig\tstart\tend\tkind\tsource\n22\t2000\t2100\tgap\tx\n")
    small["genome"]["masks"] = str(masks)
    assert re.search(r"mine\.tsv: BRCA1 v .*REF outside the gaps of .*gaps\.tsv", complaint(small))


def test_the_key_that_decides_the_number_of_people_is_named(small, tmp_path):
    genes = ("BRCA2", "PHGDH", "TLR7")
    cases = planted(frequency="", who="AT:homozygous=3")
    rows = [cases, *(planted(one, 2_002 + n, BASES[n + 1], "A") for n, one in enumerate(genes))]
    write_variants(small, tmp_path, rows)
    small["cohort"] |= {"family_share": 0, "people_per_country": 10}
    assert "cohort.people_per_country: expected at least 12 people in AT" in complaint(small)
    small["cohort"]["total"] = 20
    assert "cohort.total: expected at least 12 people in AT" in complaint(small)
    small["cohort"]["people"] = {"AT": 11}
    assert "cohort.people.AT: expected at least 12 people in AT" in complaint(small)


def odd_transcripts(small, tmp_path, **cells):
    lines = Path(small["transcripts"]).read_text().splitlines()
    names, first = lines[0].split("\t"), lines[1].split("\t")
    row = dict(zip(names, first, strict=True)) | cells
    small["transcripts"] = str(tmp_path / "transcripts.tsv")
    text = [lines[0], "\t".join(row.values()), *lines[2:]]
    Path(small["transcripts"]).write_text("\n".join(text) + "\n")


def test_transcripts_must_lie_within_their_genes(small, tmp_path):
    odd_transcripts(small, tmp_path, strand="+")
    message = r"transcripts\.tsv: BRCA1 NM_007294\.4: expected a transcript within chr17:.* \(-\)"
    assert re.search(message, complaint(small))


def test_codons_must_fit_the_real_bases(monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    config = copy.deepcopy(DEFAULT)
    odd_transcripts(config, tmp_path, codons="2=AAA;1864=GTG")
    with pytest.raises(InputErrors) as caught:
        check(config)
    first, second = str(caught.value).splitlines()
    assert first.endswith(
        "BRCA1 NM_007294.4: codons: expected AAA as codon 2 in the reference, found GAT"
    )
    assert second.endswith("expected GTG as codon 1864 in the reference, found TGA")


def test_all_complaints_are_reported_together(small, tmp_path):
    small["cohort"]["migrants"] = {"XX": 0.1}
    small["queries"] = "nowhere.yaml"
    rows = [planted(minimum=500), planted("BRCA2", 2_001, "A", "C")]
    write_variants(small, tmp_path, rows)
    with pytest.raises(InputErrors) as caught:
        check(small)
    lines = str(caught.value).splitlines()
    assert [line.partition(": expected")[0].rpartition("/")[2] for line in lines] == [
        "mine.tsv: minimum_per_country of BRCA1 v (chr22-2001-A-G)",
        "mine.tsv: BRCA1 v (chr22-2001-A-G)",
        "config.yaml: cohort.migrants",
        "traits.yaml: diseases.phgdh_deficiency.genes.PHGDH",
        "nowhere.yaml: file",
    ]


def test_a_faulty_choice_hides_no_other_faults(small):
    small["countries"] = ["FI", "EE", "XX"]
    small["regions"] = ["chr22:21000000-20000000"]
    small["stories"] = "nowhere"
    small["exports"] = [{"name": "mine", "formats": ["doc"], "story": "common"}]
    small |= {"variants": DEFAULT["variants"], "genome": DEFAULT["genome"]}
    with pytest.raises(InputErrors) as caught:
        read_checked_inputs(small, [ROOT / "config/config.yaml"], ROOT / "workflow/schemas")
    keys = [line.partition(": expected")[0] for line in str(caught.value).splitlines()]
    assert [key.removeprefix(f"{ROOT}/config/config.yaml: ") for key in keys] == [
        "countries.2",
        "regions: chr22:21000000-20000000",
        "nowhere: stories",
        "exports.0.formats",
    ]


def test_the_overlay_with_the_shares_is_named(small, tmp_path):
    overlay = tmp_path / "mine.yaml"
    overlay.write_text("cohort: {migrants: {'*': 1.5}}\n")
    small["cohort"]["migrants"] = {"*": 0.999}
    sources = [ROOT / "config/config.yaml", overlay]
    inputs = read(small | {"cohort": DEFAULT["cohort"] | {"people_per_country": 100}})
    with pytest.raises(InputError, match=r"mine\.yaml: cohort\.migrants\.\*: expected shares"):
        check_job_inputs(small, inputs, sources)
    given = {"cohort": {"migrants": {"*": 0.999}}}
    with (
        pytest.raises(
            InputError,
            match=r"^the command line \(--config\): cohort\.migrants\.\*: ",
        ),
        name_command_line(given, sources),
    ):
        check_job_inputs(small, inputs, sources)


def test_mutation_rates_cannot_be_negative(small):
    small["genome"]["kappa"] = 0.3
    assert re.search(
        r"genome.kappa: expected at least 0.396 .* cpg_factor of at most 7.576, "
        r"found 0.3 with a cpg_factor of 10$",
        complaint(small),
    )
    small["genome"]["variant_classes"]["cpg_factor"] = 7.5
    check(small)


@pytest.mark.parametrize("region", ["chrY:2781470-2781490", "chrY:20000-30000", "chrY"])
def test_bases_that_nobody_has_are_refused(small, region):
    small["genome"]["regions"].append(region)
    assert "genome.regions: expected chrY without PAR1" in complaint(small)


def test_chromosome_y_needs_a_man(small):
    small["genome"]["regions"].append("chrY:5000000-5010000")
    small["cohort"] |= {"people_per_country": 1, "family_share": 0}
    small["seed"] = 3  # draws two women
    assert complaint(small).endswith(
        "genome.regions: expected no chrY, because there is no man in the cohort, found chrY"
    )


def test_one_cause_in_many_countries_is_one_line(monkeypatch):
    monkeypatch.chdir(ROOT)
    config = copy.deepcopy(DEFAULT)
    config["cohort"]["people_per_country"] = 1
    found = complaint(config)
    assert found.count("\n") == 0
    assert re.search(r"at least 21 people in BE .*, found 1; likewise for DE, ES, .* more$", found)


def test_an_empty_table_of_variants_is_named_and_not_the_traits(small, tmp_path):
    write_variants(small, tmp_path, [])
    assert re.search(
        r"mine.tsv: gene: expected germline variants of the genes of config/traits.yaml "
        r"\(BRCA1, .*\), found none$",
        complaint(small),
    )


def test_an_ancestry_needs_a_name(small):
    small["cohort"]["ancestries"] = {"AT": {"": 0.1}}
    assert complaint(small).endswith(
        "cohort.ancestries.AT: expected text that is not empty, found ''"
    )


def test_unset_variables_of_tokens_are_named_before_the_run(monkeypatch):
    nodes = [NodeEntry(code, "https://x.org", f"TOKEN_{code}") for code in ("FI", "EE")]
    monkeypatch.delenv("TOKEN_FI", raising=False)
    monkeypatch.delenv("TOKEN_EE", raising=False)
    with pytest.raises(InputErrors) as caught:
        machine_checks.check_tokens("nodes.yaml", nodes)
    assert len(str(caught.value).splitlines()) == 2
    monkeypatch.setenv("TOKEN_FI", "t")
    with pytest.raises(InputError, match=r"nodes.yaml: nodes.EE.token_variable: .*TOKEN_EE"):
        machine_checks.check_tokens("nodes.yaml", nodes)


def test_results_on_a_disk_that_takes_no_file_are_refused():
    with pytest.raises(InputError, match=r"results: expected a folder in which files can be wri"):
        check_room("/proc/results")


def test_room_for_results_is_tested_without_a_trace(tmp_path):
    check_room(str(tmp_path / "new" / "results"))
    assert not list(tmp_path.iterdir())


def test_the_checks_load_no_compiler():
    """Every first plan waits for what they load: 0.2 s, and 50 MB."""
    code = "import sys, rehearsal.config.preflight; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("key", "old", "new", "said"),
    [
        ("maturity", "checks: [metadata]\n", "checks: []\n", "expected at least one check"),
        ("prices", "2024\tan engineer", "\tan engineer", "line 7: year: expected a year from"),
        ("prices", "people who run the network of nodes (m)", "", "source: expected where"),
        ("economics", "event_qaly: {value: 0.05", "event_qaly: {value: -0.05", "found -0.05"),
        ("inventory", "  people: 14", "  people: -14", "heilsa.people: expected a whole number"),
        ("gdp", "BE\t584.5", "BE\t-5", "line 3: billion_eur: expected a number of at least 0"),
        ("labels", "\nno_score\t", "\nscore\t", "found the unknown key 'score'"),
    ],
)
def test_what_ministries_read_is_checked_before_the_first_job(small, tmp_path, key, old, new, said):
    path = tmp_path / Path(small["policy"][key]).name
    path.write_text(Path(small["policy"][key]).read_text().replace(old, new, 1))
    small["policy"][key] = str(path)
    assert said in complaint(small)
    assert complaint(small).startswith(str(path))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[carriers-brca2-5946del]", "[carriers-xx]", "unknown question carriers-xx"),
        (
            "[carriers-brca2-5946del]",
            "[carriers-brca1-68-69del]",
            "carriers.BRCA2: expected a question that counts people with a planted variant of "
            "BRCA2, found carriers-brca1-68-69del, which asks for a variant of BRCA1",
        ),
        (
            "[carriers-brca2-5946del]",
            "[women-like-louise]",
            "found women-like-louise, which asks for something else",
        ),
        (
            "story: common",
            "story: rare",
            "expected a story with a question of kind score and one of kind hazard_ratio, found",
        ),
    ],
)
def test_care_must_name_questions_that_count_its_genes(tmp_path, monkeypatch, old, new, said):
    monkeypatch.chdir(ROOT)
    path = tmp_path / "economics.yaml"
    path.write_text(Path("config/economics.yaml").read_text().replace(old, new, 1))
    inputs = read_inputs(DEFAULT, [Path("config/config.yaml")], ROOT / "workflow/schemas")
    changed = {**DEFAULT, "policy": {**DEFAULT["policy"], "economics": str(path)}}
    with pytest.raises(InputError, match=said) as caught:
        check_economics(changed, inputs)
    assert str(caught.value).startswith(str(path))


def test_a_country_without_a_gross_domestic_product_is_noted(small, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr("rehearsal.config.economics_checks.note", said.append)
    path = tmp_path / "gdp.tsv"
    lines = Path(small["policy"]["gdp"]).read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("BE\t")))
    check(small | {"policy": small["policy"] | {"gdp": str(path)}})
    assert said == [
        f"{path} has no row for BE: shares of the costs by gross domestic product are left out "
        "for all countries"
    ]


def test_a_story_of_care_that_is_no_file_is_noted(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr("rehearsal.config.economics_checks.note", said.append)
    monkeypatch.chdir(ROOT)
    path = tmp_path / "economics.yaml"
    text = Path("config/economics.yaml").read_text()
    path.write_text(text.replace("story: cancer", "story: nope"))
    inputs = read_inputs(DEFAULT, [Path("config/config.yaml")], ROOT / "workflow/schemas")
    changed = {**DEFAULT, "policy": {**DEFAULT["policy"], "economics": str(path)}}
    check_economics(changed, inputs)
    assert said == [f"{path} names nope, no story of config/stories: its care is not assessed"]
