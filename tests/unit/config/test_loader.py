"""The messages that a user reads when a configuration or a table is wrong."""

import copy
import math
import re
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

from rehearsal.config.command_line import name_command_line
from rehearsal.config.loader import read_inputs
from rehearsal.config.preflight import read_checked_inputs
from rehearsal.config.results_folder import PROJECT_FOLDERS
from rehearsal.config.schema import PATTERN_WORDS
from rehearsal.errors import InputError, InputErrors
from rehearsal.model import Variant

ROOT = Path(__file__).resolve().parents[3]
SCHEMAS = ROOT / "workflow" / "schemas"
CONFIG = ROOT / "config" / "config.yaml"


@pytest.fixture
def config(monkeypatch):
    monkeypatch.chdir(ROOT)
    return yaml.safe_load(CONFIG.read_text())


def read(config, sources=(CONFIG,)):
    return read_inputs(config, sources, SCHEMAS)


def changed(config, dotted, value):
    config = copy.deepcopy(config)
    *parents, last = dotted.split(".")
    part = config
    for key in parents:
        part = part[key]
    part[last] = value
    return config


def with_table(config, tmp_path, key, old, new):
    table = tmp_path / f"{key}.tsv"
    text = Path(config[key]).read_text()
    assert old in text
    table.write_text(text.replace(old, new, 1))
    return changed(config, key, str(table))


def test_the_default_configuration_is_28_countries_of_100_people(config):
    inputs = read(config)
    assert len(inputs.countries) == 28
    assert set(inputs.numbers.values()) == {100}
    assert "chr22-20000000-25000000" in {block.id for block in inputs.blocks}


def test_every_planted_variant_lies_in_a_block_with_margin(config):
    inputs = read(config)
    for planted in inputs.planted:
        block = next(b for b in inputs.blocks if b.holds_variant(planted.variant))
        assert block.length >= 200_000
        assert block.start + 50_000 < planted.variant.start < block.end - 50_000


def test_positions_of_planted_variants_become_0_based(config):
    variants = {planted.variant for planted in read(config).planted}
    assert Variant("chr17", 43_124_026, "ACT", "A") in variants


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (
            "genome.mutation_rate",
            "1e-8",
            r"genome.mutation_rate: expected a number, found '1e-8' \(text\); write .* 1.0e-8$",
        ),
        ("cohort.people", {False: 10}, r'cohort.people: .*unquoted NO as false, write "NO"'),
        ("network.asker", False, r'network.asker: .*write "NO"'),
        ("cohort.migrants", {"*": 0, False: 0.1}, r'cohort.migrants: .*write "NO"$'),
        ("cohort.consanguineous", {False: 0.1}, r'cohort.consanguineous: .*write "NO"$'),
        ("cohort.ancestries", {False: {}}, r'cohort.ancestries: .*write "NO"$'),
        (
            "exports",
            [{"name": "a", "formats": ["vcf"], "countries": [False]}],
            r'exports.0.countries.0: .*write "NO"$',
        ),
        (
            "network.asker",
            "XX",
            r"network.asker: expected a country of config/countries.tsv \(AT, .*\), found 'XX'$",
        ),
        ("network.asker", "Finland", r"asker: expected a country code of two .*, found 'Finland'$"),
        ("cohort.people", {"XX": 10}, r"cohort.people: expected a country of .*, found 'XX'$"),
        ("cohort.total", "1000", r"total: expected a whole number, found '1000' \(text\)$"),
        ("cohort.total", 1000.0, r"total: expected a whole number or null, found 1000.0$"),
        ("cohort.people_per_country", 10.0, r"country: expected a whole number, found 10.0$"),
        ("cohort.total", "null", r"expected a whole number or null, found 'null' \(text\)$"),
        ("cohort", 5, r"config.yaml: cohort: expected a mapping of keys to values, found 5$"),
        ("seed", True, r"config.yaml: seed: expected a whole number, found true$"),
        ("seed", 2**64, rf"config.yaml: seed: expected .*{2**64 - 1}.*, found {2**64}$"),
        ("encrypt_at_rest", "true", r"expected true or false, found 'true' \(text\); write True$"),
        ("network.emulation", "tunnel", r"expected one of none, delay, tun, found 'tunnel'$"),
        ("network.nodes", "", r"network.nodes: expected text that is not empty, found ''$"),
        (
            "cohort.people_per_country",
            -5,
            r"cohort.people_per_country: expected a number of at least 1, found -5",
        ),
        (
            "cohort.family_share",
            1.5,
            r"cohort.family_share: expected a number of at most 1, found 1.5",
        ),
        ("cohort.total", 10, r"cohort.total: expected a whole number of at least 28 .*, found 10$"),
        *[
            (key, value, rf"{key}: expected a finite number, found {value}")
            for key in (
                "genome.mutation_rate",
                "genome.recombination_rate",
                "genome.kappa",
                "network.bandwidth_mbps",
                "network.deadline_s",
                "cohort.family_share",
            )
            for value in (math.nan, math.inf)
        ],
        *[
            (f"cohort.{key}", 10**400, rf"cohort.{key}: expected a finite number, found 1000")
            for key in ("people_per_country", "total")
        ],
        ("cohort.people", {"FI": math.inf}, r"cohort.people.FI: expected a finite number"),
        ("results", "/", r"results: expected a path of letters, digits and the characters"),
        ("results", "", r"results: expected a path of letters, digits and the characters"),
        (
            "results",
            "run{country}",
            r"results: expected a path of letters, digits and the characters",
        ),
        (
            "results",
            "my results",
            r"results: expected a path of letters, digits and the characters",
        ),
        ("genome.block_size", -1, r"block_size: expected a number of at least 1000, found -1$"),
        (
            "genome.colour",
            "red",
            r"genome.colour: expected one of the keys regions, .*, found 'colour'$",
        ),
        ("genome.regions", ["chr22:50000000-60000000"], r"outside|length"),
        ("genome.regions", ["chr22:1000000-2000000", "chr22:1500000-3000000"], r"overlap"),
        ("genome.regions", ["chr99"], r"chr99"),
        (
            "genome.planted_window",
            0,
            r"a planted_window of at least 1 base, found neither for BRCA1",
        ),
    ],
)
def test_a_wrong_value_is_one_line_with_file_key_and_expectation(config, key, value, message):
    with pytest.raises(InputError, match=message) as caught:
        read(changed(config, key, value))
    assert "\n" not in str(caught.value)
    assert "config.yaml" in str(caught.value)


def test_a_missing_key_is_named(config):
    del config["genome"]["kappa"]
    with pytest.raises(
        InputError, match=r"config.yaml: genome.kappa: expected a number, found nothing$"
    ):
        read(config)


def test_the_overlay_that_holds_the_fault_is_the_file_that_is_named(config, tmp_path):
    overlay = tmp_path / "mine.yaml"
    overlay.write_text("cohort: {family_share: 7}\n")
    with pytest.raises(InputError, match=re.escape(str(overlay))):
        read(changed(config, "cohort.family_share", 7), [CONFIG, overlay])


@pytest.mark.parametrize(
    ("table", "old", "new", "message"),
    [
        (
            "countries",
            "\tAustria\t47.6",
            "\tAustria\t147.6",
            r"line 2: latitude: expected a number of at most 90, found 147.6$",
        ),
        (
            "countries",
            "BE\tBelgium",
            "AT\tBelgium",
            r"line 3: code: expected AT only once, found a second row with it$",
        ),
        (
            "variants",
            "43124027",
            "４３１２４０２７",
            r"line 2: position: expected a whole number, found '４",
        ),
        ("variants", "43124027", "43_124_027", r"line 2: position: expected a whole number, found"),
        ("variants", "43124027", " 43124027", r"line 2: position: expected a whole number, found"),
        (
            "variants",
            "43124027",
            "1e7",
            r"position: expected a whole number, found '1e7' \(text\)$",
        ),
        ("countries", "\t47.6", "\t4_7", r"line 2: latitude: expected a number, found '4_7'"),
        ("countries", "latitude", "lattitude", r"line 1: expected a column latitude"),
        (
            "variants",
            "43124027\tACT",
            "43124027\tAXT",
            r"line 2: ref: expected bases of A, C, G and T, found 'AXT'$",
        ),
        (
            "variants",
            "*=0.0005\t0",
            "*=7\t0",
            r"line 2: frequency: expected a frequency from 0 to 1, found '7'$",
        ),
        (
            "variants",
            "IT:hemizygous",
            "XX:hemizygous",
            r"line \d+: carriers: expected a country of this run \(.*\), found 'XX'$",
        ),
        ("genes", "43044294\t43125364", "43125364\t43044294", r"line 2: end: expected"),
        (
            "variants",
            "IT:hemizygous=1",
            "IT:hemizygous=0",
            r"carriers: expected numbers of carriers by country and role, such as .*, found",
        ),
        (
            "variants",
            "*=0.0005\t0",
            "*=0.1;*=0.2\t0",
            r"line 2: frequency: expected \*= only once, found",
        ),
        ("countries", "\tAustria\t47.6", "\tAustria\tnan", r"line 2: latitude: expected a finite"),
        ("genes", "BRCA1\tchr17", "BRCA1\tchr99", r"line 2: contig: expected a contig of GRCh38"),
        ("genes", "43125364", "83257442", r"line 2: end: expected at most 83257441, the length"),
        (
            "variants",
            "12886152\tA\tG\tX-linked",
            "2000000\tA\tG\tX-linked",
            r"line 9: contig: expected a variant on chrX, .* found in PAR1 of chrX",
        ),
        (
            "variants",
            "43124027\tACT\tA\tdominant",
            "43124027\tACT\tA\tX-linked",
            r"line 2: contig: expected a variant on chrX, .* X-linked, found chr17$",
        ),
        (
            "variants",
            "chr17\t43124027",
            "chr17\t83257440",
            r"line 2: position: expected at most 83257441, the length of chr17, with all of REF",
        ),
        ("variants", "BRCA1\tc.68", "BR CA1\tc.68", r"line 2: gene: expected a name of visible"),
        ("genes", "BRCA2", "BRCA1", r"line 3: gene: expected BRCA1 only once, found"),
    ],
)
def test_a_wrong_cell_is_one_line_with_file_line_and_column(
    config, tmp_path, table, old, new, message
):
    with pytest.raises(InputError, match=message) as caught:
        read(with_table(config, tmp_path, table, old, new))
    assert str(tmp_path) in str(caught.value)


def test_a_table_that_is_not_there_is_named(config):
    with pytest.raises(
        InputError, match=r"nowhere.tsv: file: expected a tab-separated table, found an unreadable"
    ):
        read(changed(config, "countries", "nowhere.tsv"))


CELL = b"x" * 200_000  # longer than the csv module reads


@pytest.mark.parametrize("key", ["countries", "variants", "genes", "genome.masks"])
def test_a_table_that_the_csv_reader_refuses_is_one_line(config, tmp_path, key):
    path = tmp_path / "table.tsv"
    path.write_bytes(CELL + b"\n")
    message = r"table.tsv: line 1: expected a tab-separated row, found an error \(field larger"
    with pytest.raises(InputError, match=message):
        read(changed(config, key, str(path)))


@pytest.mark.parametrize("key", ["consent", "traits", "network.nodes"])
@pytest.mark.parametrize("content", ["a: 2020-13-45", "[" * 3000], ids=["no such date", "deep"])
def test_yaml_that_its_reader_gives_up_is_one_line(config, tmp_path, key, content):
    path = tmp_path / "input.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match=r"input.yaml: \w+: expected .*YAML.*, found "):
        read(changed(config, key, str(path)))


@pytest.mark.parametrize("content", [None, b"contig\tstart\xff"])
def test_masks_that_cannot_be_read_are_named(config, tmp_path, content):
    path = tmp_path / "masks.tsv"
    if content:
        path.write_bytes(content)
    with pytest.raises(
        InputError, match=r"masks.tsv: file: .*, found (no such|an unreadable) file"
    ):
        read(changed(config, "genome.masks", str(path)))


def test_a_value_of_the_command_line_is_credited_to_it(config, tmp_path):
    overlay = tmp_path / "mine.yaml"
    overlay.write_text("cohort: {total: 5000, family_share: 2}\n")
    given = {"cohort": {"total": "1000"}, "network": {"asker": "XX"}}
    sources = [CONFIG, overlay]
    for key, value, message in [
        (
            "cohort.total",
            "1000",
            r"^the command line \(--config\): cohort.total: .*, found '1000' \(text\)$",
        ),
        ("network.asker", "XX", r"^the command line \(--config\): network.asker: .*, found 'XX'$"),
    ]:
        with pytest.raises(InputError, match=message), name_command_line(given, sources):
            read(changed(config, key, value), sources)
    with (  # the command line does not give this one
        pytest.raises(InputError, match=r"mine.yaml: .*family_share: .*, found 2$"),
        name_command_line(given, sources),
    ):
        read(changed(config, "cohort.family_share", 2), sources)


def test_every_pattern_of_the_schemas_has_words():
    texts = [path.read_text() for path in SCHEMAS.glob("*.yaml")]
    patterns = set(find_patterns([yaml.safe_load(text) for text in texts]))
    assert patterns == set(PATTERN_WORDS)


def find_patterns(value):
    """All values of the key ``pattern`` in plain data."""
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in parts:
        if key == "pattern":
            yield part
        elif isinstance(part, dict | list):
            yield from find_patterns(part)


def test_all_faults_of_a_configuration_and_of_a_table_are_reported_together(config, tmp_path):
    wrong = changed(changed(config, "cohort.family_share", 2), "seed", "x")
    with pytest.raises(InputErrors) as caught:
        read(wrong)
    assert len(str(caught.value).splitlines()) == 2
    table = with_table(config, tmp_path, "variants", "*=0.0005\t0", "*=7\t0")
    Path(table["variants"]).write_text(
        Path(table["variants"]).read_text().replace("hemizygous=1", "hemizygous=0")
    )
    with pytest.raises(InputErrors) as caught:
        read(table)
    assert re.findall(r"line (\d+): (\w+)", str(caught.value)) == [
        ("2", "frequency"),
        ("9", "carriers"),
        ("10", "carriers"),
    ]


@pytest.mark.parametrize(
    ("results", "fault"),
    [
        ("config", "a folder of the project"),
        ("results/../rehearsal/genomes", "a folder of the project"),
        ("/dev/null", "no folder"),
        ("README.md", "no folder"),
        ("README.md/results", r"the system refuses \(Not a directory\)"),
        ("a" * 300, r"the system refuses \(File name too long\)"),
        ("-x", "commands read as an option"),
    ],
)
def test_results_need_a_folder_of_their_own(config, results, fault):
    with pytest.raises(InputError, match=rf"config.yaml: results: .*{fault}"):
        read(changed(config, "results", results))


def test_all_folders_of_the_project_are_known():
    ignored = (ROOT / ".gitignore").read_text().split()
    folders = {
        one.name for one in ROOT.iterdir() if one.is_dir() and not one.name.startswith((".", "_"))
    }
    made = {one for one in folders for pattern in ignored if fnmatch(one, pattern.strip("/"))}
    assert folders - made <= PROJECT_FOLDERS


@pytest.mark.parametrize(
    ("people", "key"),
    [
        ({"total": 10**30}, "total"),
        ({"people_per_country": 10**12}, "people_per_country"),
        ({"people": {"AT": 10**12}}, "people.AT"),
        ({"people_per_country": 10**8}, "people_per_country"),
    ],
)
def test_more_people_than_tree_sequences_can_number_are_refused(config, people, key):
    config["cohort"] |= people
    with pytest.raises(InputError, match=rf"cohort.{key}: expected .*at most 1,?000,?000,?000"):
        read(config)


def test_no_census_exceeds_the_people_of_the_world(config, tmp_path):
    config = with_table(config, tmp_path, "countries", "\t9.1\t", "\t1e308\t")
    with pytest.raises(InputError, match=r"census_millions: expected a number of at most 10300"):
        read(config)


def test_all_faults_of_a_row_are_reported(config, tmp_path):
    path = tmp_path / "variants.tsv"
    head, row, *others = Path(config["variants"]).read_text().splitlines()
    cells = dict(zip(head.split("\t"), row.split("\t"), strict=True))
    cells |= {"contig": "chr99", "alt": cells["ref"], "frequency": "*=3", "gene": "A|B"}
    cells |= {"minimum_per_country": "-1", "story": ""}
    path.write_text("\n".join([head, "\t".join(cells.values()), *others]) + "\n")
    with pytest.raises(InputErrors) as caught:
        read(changed(config, "variants", str(path)))
    found = [line.split(": ")[2] for line in str(caught.value).splitlines()]
    assert sorted(found) == ["alt", "contig", "frequency", "gene", "minimum_per_country"]


def test_tables_may_begin_with_a_byte_order_mark(config, tmp_path):
    before = read(config)
    config = copy.deepcopy(config)
    for key in ("countries", "variants", "genes", "transcripts", "drug_genes"):
        path = tmp_path / f"{key}.tsv"
        path.write_text(Path(config[key]).read_text(), encoding="utf-8-sig")
        config[key] = str(path)
    after = read(config)
    assert replace(after, config=before.config, country_table=before.country_table) == before


def test_digits_of_a_region_are_ascii(config):
    config["genome"]["regions"] = ["chr22:٣-٩"]
    with pytest.raises(InputError, match=r"genome.regions.*: expected CONTIG or CONTIG:START-END"):
        read(config)


def test_an_unknown_key_does_not_hide_a_missing_file(config):
    with pytest.raises(InputErrors) as caught:
        read_checked_inputs(config | {"typo": 1, "traits": "absent.yaml"}, [CONFIG], SCHEMAS)
    lines = str(caught.value).splitlines()
    assert len(lines) == 2 and "typo" in lines[0] and lines[1].startswith("absent.yaml: ")


def test_every_missing_and_every_unknown_key_is_named(config):
    del config["seed"], config["results"]
    config["cohort"] |= {"one": 1, "two": 2}
    with pytest.raises(InputErrors) as caught:
        read(config)
    keys = [error.key for error in caught.value.errors]
    assert sorted(keys) == ["cohort.one", "cohort.two", "results", "seed"]


def test_an_alias_that_holds_itself_is_named_with_its_file_and_line(config, tmp_path):
    overlay = tmp_path / "mine.yaml"
    overlay.write_text("seed: 3\nexports: &a [*a]\n")
    with pytest.raises(InputError, match=r"mine.yaml: line 2: .*the alias \*a holds itself"):
        read(config, [CONFIG, overlay])


def test_a_fault_of_the_results_folder_hides_no_other(config):
    wrong = changed(changed(config, "results", "config"), "genes", "nowhere.tsv")
    with pytest.raises(InputErrors) as caught:
        read(wrong)
    assert len(str(caught.value).splitlines()) == 2
