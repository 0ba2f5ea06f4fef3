"""What `exports` in the configuration may ask for, and the one-line errors."""

import base64

import pytest

from rehearsal.errors import InputError
from rehearsal.export.disk_space import check_disk_space
from rehearsal.export.settings import read_exports
from rehearsal.model import Block, PlantedVariant, Variant

BLOCKS = [
    Block("chr17", 43_000_000, 43_200_000),
    Block("chr22", 20_000_000, 25_000_000),
    Block("chr22", 25_000_000, 30_000_000),
]
METADATA = ["catalogue.ttl", "catalogue.jsonld", "datasets.json"]
PLANTED = [
    PlantedVariant(
        Variant("chr17", 43_124_026, "ACT", "A"), "BRCA1", "c.68_69del", "dominant", "cancer"
    ),
    PlantedVariant(Variant("chr22", 21_000_000, "A", "G"), "X", "c.1A>G", "recessive", "rare"),
]


def read(planted=PLANTED, **entry):
    entry = {"name": "one", "formats": ["bcf"]} | entry
    return read_exports([entry], "my.yaml", ["FI", "ES"], planted, BLOCKS)["one"]


def test_an_export_names_its_files_before_anything_is_made():
    export = read(formats=["bcf", "pgen", "trees", "tables"], regions=["chr22:24000000-26000000"])
    assert export.places == ("FI", "ES")
    assert export.files(BLOCKS)[:13] == [
        *METADATA,
        "truth",
        "FI/chr22.bcf",
        "FI/chr22.bcf.csi",
        "FI/chr22.pgen",
        "FI/chr22.pvar",
        "FI/chr22.match.pvar",
        "FI/chr22.psam",
        "FI/chr22-20000000-25000000.tsz",
        "FI/chr22-25000000-30000000.tsz",
        "FI/tables",
    ]


def test_a_pooled_export_of_a_story_has_only_its_contigs():
    export = read(pooled=True, variants="planted", story="cancer")
    assert export.files(BLOCKS) == [
        *METADATA,
        "truth",
        "pooled/chr17.bcf",
        "pooled/chr17.bcf.csi",
    ]
    assert read(variants=["X:c.1A>G"]).contigs(BLOCKS) == ["chr22"]


@pytest.fixture
def theirs(tmp_path):
    """A recipient's public key."""
    key = base64.b64encode(bytes(range(32))).decode()
    pem = f"-----BEGIN CRYPT4GH PUBLIC KEY-----\n{key}\n-----END CRYPT4GH PUBLIC KEY-----\n"
    path = tmp_path / "their.pub"
    path.write_text(pem)
    return str(path)


def test_files_and_folders_for_recipients_come_encrypted_as_well(theirs):
    formats = ["vcf", "tables", "beacon"]
    export = read(formats=formats, countries=["FI"], recipients=[theirs], variants="planted")
    files = export.files(BLOCKS)
    plain = {name for name in files if not name.endswith(".c4gh")}
    assert {"truth", "FI/chr17.vcf.gz", "FI/tables", "FI/beacon"} <= plain
    encrypted = {name.removesuffix(".c4gh") for name in files if name not in plain}
    assert encrypted == plain - set(METADATA)


def test_an_encrypted_only_export_makes_the_list_of_encrypted_files(theirs):
    export = read(formats=["vcf"], recipients=[theirs], encrypted_only=True)
    assert export.files(BLOCKS) == [*METADATA, "encrypted.tsv"]
    assert "FI/chr22.vcf.gz.c4gh" in export.encrypted(BLOCKS)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            {"formats": ["bcf", "bam"]},
            "my.yaml: exports.0.formats: expected one of bcf, vcf, pgen, zarr, trees, grg, "
            "phenopackets, fhir, beacon, tables, omop, scores, gwas, reads, found 'bam'",
        ),
        ({"countries": ["FI", "XX"]}, "exports.0.countries: expected one of FI, ES, found 'XX'"),
        ({"story": "mystery"}, "exports.0.story: expected one of cancer, rare, found 'mystery'"),
        (
            {"variants": ["BRCA9:x"]},
            "exports.0.variants: expected all, planted, or a list of BRCA1:c.68_69del, X:c.1A>G, "
            "found 'BRCA9:x'",
        ),
        (
            {"regions": ["chr22"]},
            "exports.0.regions: expected CONTIG:START-END, 0-based, with START before END, "
            "found 'chr22'",
        ),
        (
            {"regions": ["22:1-2"]},
            "exports.0.regions: expected a contig of GRCh38, like chr1 or chrX, found '22:1-2'",
        ),
        (
            {"regions": ["chr22:20000000-60000000"]},
            "exports.0.regions: expected an end of at most 50818468, the length of chr22, "
            "found 'chr22:20000000-60000000'",
        ),
        (
            {"regions": ["chr1:5-9"]},
            "exports.0.regions: expected a region that overlaps what is simulated (chr17, chr22), "
            "found 'chr1:5-9'",
        ),
        (
            {"regions": ["chr17:5-9"]},
            "exports.0.regions: expected a region that overlaps what is simulated "
            "(chr17:43000000-43200000), found 'chr17:5-9'",
        ),
        (
            {"recipients": ["none.pub"]},
            "exports.0.recipients: expected a Crypt4GH public key file, "
            "found 'none.pub' (No such file or directory)",
        ),
        (
            {"encrypted_only": True},
            "exports.0.recipients: expected at least one key, because encrypted_only is set, "
            "found nothing",
        ),
    ],
)
def test_settings_that_cannot_be_exported_are_refused_in_one_line(change, line):
    with pytest.raises(InputError) as error:
        read(**change)
    assert str(error.value).endswith(line)


def test_the_format_reads_needs_settings(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda tool: tool)
    line = "exports.0.reads: expected people, regions and depth for the format reads, found nothing"
    with pytest.raises(InputError, match=line):
        read(formats=["reads"])


def test_two_exports_cannot_have_the_same_name():
    entries = [{"name": "one", "formats": ["bcf"]}] * 2
    with pytest.raises(InputError) as error:
        read_exports(entries, "my.yaml", ["FI"], PLANTED, BLOCKS)
    line = "my.yaml: exports.1.name: expected a name that no other export has, found 'one' twice"
    assert str(error.value) == line


def test_missing_programs_and_packages_are_reported_before_work_starts(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda tool: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    line = "expected the programs dwgsim and minimap2 on the PATH for the format reads, "
    with pytest.raises(InputError, match=f"{line}found no dwgsim and no minimap2"):
        read(formats=["reads"])
    with pytest.raises(InputError, match=r"pygrgl for the format grg .*, found no such package"):
        read(formats=["grg"])


def test_a_full_disk_is_reported_before_work_starts(tmp_path):
    export = read(formats=["vcf"])
    check_disk_space([export], {"FI": 100, "ES": 100}, BLOCKS, tmp_path / "results")
    line = r"exports: expected about .* GB of free disk space for genotypes, found .* GB"
    with pytest.raises(InputError, match=line):
        check_disk_space([export], {"FI": 10**9, "ES": 10**9}, BLOCKS, tmp_path / "results")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"story": "cancer"}, "story: expected no story: none is configured, found 'cancer'"),
        ({"variants": ["X:c.1A>G"]}, "variants: expected all: no variants are planted, found"),
    ],
)
def test_without_stories_and_planted_variants_no_empty_list_is_offered(change, line):
    with pytest.raises(InputError, match=line):
        read(planted=[], **change)


@pytest.mark.parametrize(("entry", "version"), [({}, "4.3"), ({"vcf_version": 4.2}, "4.2")])
def test_the_version_of_vcf_is_4_3_unless_an_export_asks_for_4_2(entry, version):
    assert read(**entry).vcf_version == version
