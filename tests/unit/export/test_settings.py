"""What `exports` in the configuration may ask for, and what is refused in one line."""

import base64

import pytest

from rehearsal.errors import InputError
from rehearsal.export.settings import check_disk_space, read_exports
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


def read(**entry):
    entry = {"name": "one", "formats": ["bcf"]} | entry
    return read_exports([entry], "my.yaml", ["FI", "ES"], PLANTED, BLOCKS)["one"]


def test_an_export_names_its_files_before_anything_is_made():
    export = read(formats=["bcf", "pgen", "trees", "tables"], regions=["chr22:24000000-26000000"])
    assert export.places == ("FI", "ES")
    assert export.files(BLOCKS)[:12] == [
        *METADATA,
        "truth",
        "FI/chr22.bcf",
        "FI/chr22.bcf.csi",
        "FI/chr22.pgen",
        "FI/chr22.pvar",
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
    """A public key of somebody."""
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


def test_where_only_encrypted_files_are_left_their_list_is_what_is_made(theirs):
    export = read(formats=["vcf"], recipients=[theirs], encrypted_only=True)
    assert export.files(BLOCKS) == [*METADATA, "encrypted.tsv"]
    assert "FI/chr22.vcf.gz.c4gh" in export.encrypted(BLOCKS)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"formats": ["bcf", "bam"]}, "my.yaml: exports.0.formats: expected some of bcf vcf"),
        ({"countries": ["FI", "XX"]}, "exports.0.countries: expected some of FI ES, found 'XX'"),
        ({"story": "mystery"}, "exports.0.story: expected one of cancer rare, found 'mystery'"),
        ({"variants": ["BRCA9:x"]}, "exports.0.variants: expected all, planted or some of BRCA1:"),
        ({"regions": ["chr22"]}, "exports.0.regions: expected CONTIG:START-END"),
        (
            {"regions": ["chr22:20000000-60000000"]},
            "exports.0.regions: chr22:20000000-60000000 ends behind chr22, which has 50818468",
        ),
        ({"regions": ["chr1:5-9"]}, "chr1:5-9 has nothing of what is simulated: chr17-43000000"),
        ({"recipients": ["none.pub"]}, "exports.0.recipients: none.pub is no Crypt4GH public key"),
        ({"encrypted_only": True}, "exports.0.encrypted_only: expected recipients"),
        ({"formats": ["reads"]}, "exports.0.(formats|reads): "),
    ],
)
def test_what_cannot_be_exported_is_refused_in_one_line(change, line):
    with pytest.raises(InputError, match=line) as error:
        read(**change)
    assert "\n" not in str(error.value)


def test_missing_programs_and_packages_are_told_before_work_starts(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda tool: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match="reads need the programs dwgsim minimap2; not found"):
        read(formats=["reads"])
    with pytest.raises(InputError, match="grg needs the package pygrgl"):
        read(formats=["grg"])


def test_no_room_on_disk_is_told_before_work_starts(tmp_path):
    export = read(formats=["vcf"])
    check_disk_space([export], {"FI": 100, "ES": 100}, BLOCKS, tmp_path / "results")
    with pytest.raises(InputError, match=r"room for about .* GB of genotypes, found"):
        check_disk_space([export], {"FI": 10**9, "ES": 10**9}, BLOCKS, tmp_path / "results")
