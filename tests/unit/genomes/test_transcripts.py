"""The table of transcripts fits the planted variants, and errors in it are named."""

import csv
from pathlib import Path

import pytest
import yaml

from rehearsal.errors import InputError
from rehearsal.genomes.coding_names import Window, coding_name, position_name
from rehearsal.genomes.consequences import trimmed
from rehearsal.genomes.transcripts import COLUMNS, read_transcripts

ROOT = Path(__file__).resolve().parents[3]
TABLE = ROOT / "config/transcripts.tsv"
# amino acids of the proteins: NP_009225.1, NP_000050.3, NP_004324.2, NP_006437.3, NP_006614.2,
# NP_057646.1, NP_000305.3
AMINO_ACIDS = {
    **{"BRCA1": 1863, "BRCA2": 3418, "BRAF": 766, "SLCO1B1": 691, "PHGDH": 533, "TLR7": 1049},
    "PTEN": 403,
}
# bases around indels that decide where a name puts them: (first position, bases)
AROUND = {
    "c.68_69del": (43124026, "ACTCTAA"),
    "c.5266dup": (43057061, "TGGG"),
    "c.5946del": (32340299, "GTGGA"),
}


def test_coding_bases_make_proteins_of_the_known_lengths() -> None:
    found = {t.gene: t.coding_length // 3 - 1 for t in read_transcripts(TABLE)}
    assert found == AMINO_ACIDS


def test_planted_variants_get_the_names_of_their_table() -> None:
    transcripts = {t.gene: t for t in read_transcripts(TABLE)}
    with (ROOT / "config/variants.tsv").open() as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    assert len(rows) == 9
    for row in rows:
        start = int(row["position"]) - 1
        window = Window(*AROUND.get(row["name"], (start, row["ref"])))
        assert window.get(start, start + len(row["ref"])) == row["ref"]
        change = trimmed(start, row["ref"], row["alt"])
        assert coding_name(transcripts[row["gene"]], window, *change) == row["name"]


def test_bases_of_introns_and_untranslated_exons_are_counted_from_the_nearest_coding_base() -> None:
    brca1 = next(t for t in read_transcripts(TABLE) if t.gene == "BRCA1")
    assert position_name(brca1, 43124095) == "1"
    assert position_name(brca1, 43124096) == "-1"
    assert position_name(brca1, 43125270) == "-20"  # exon 1 ends 20 bases before the start codon
    assert position_name(brca1, 43124015) == "80+1"
    assert position_name(brca1, 43115779) == "81-1"
    assert position_name(brca1, 43045676) == "*1"


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("contig", "chr99", "line 2: contig: expected a contig of GRCh38"),
        ("cds_end", "43124095", "line 2: CDS: expected a whole number of codons"),
        ("cds_start", "43046000", "line 2: CDS: expected coding ends inside exons"),
        ("cds_start", "1,2", "line 2: cds_start: expected one whole number, found '1,2'"),
        ("exon_ends", "1,2", "line 2: exon_ends: expected as many as exon_starts"),
        ("strand", "x", "line 2: strand: expected + or -"),
        ("cds_start", "4_3", "line 2: cds_start: expected whole numbers with commas, found '4_3'"),
        ("cds_end", "43045677", "line 2: cds_start and cds_end: expected coding bases"),
        ("codons", "999999=ATG", "line 2: codons: expected numbers of at most 1864"),
        ("end", "1", "line 2: start and end: expected .*, found 43044294 and 1$"),
        ("loeuf", "high", "line 2: loeuf: expected a number from 0 to 2"),
    ],
)
def test_impossible_rows_are_refused(tmp_path: Path, column: str, value: str, message: str) -> None:
    head, row = (line.split("\t") for line in TABLE.read_text().splitlines()[:2])
    row[head.index(column)] = value
    path = tmp_path / "transcripts.tsv"
    path.write_text("\t".join(head) + "\n" + "\t".join(row) + "\n")
    with pytest.raises(InputError, match=message.replace("+", r"\+")):
        read_transcripts(path)


def test_the_schema_describes_every_column() -> None:
    schema = yaml.safe_load((ROOT / "workflow/schemas/transcripts.schema.yaml").read_text())
    assert tuple(schema["properties"]) == tuple(schema["required"]) == COLUMNS
    assert tuple(TABLE.read_text().splitlines()[0].split("\t")) == COLUMNS
