"""Alleles are named in the numbers of transcripts and proteins, and found by these names."""

import asyncio
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from types import SimpleNamespace
from urllib.parse import urlencode

import numpy as np
import orjson
import pytest

from rehearsal.genomes import genomic_names
from rehearsal.genomes.annotation import annotate_alleles
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.genomes.coding_names import coding_name, position_name
from rehearsal.genomes.gene_bases import GeneBases
from rehearsal.genomes.indel_shifts import shift_right
from rehearsal.model import Block
from rehearsal.node.access.authorizer import Authorizer
from rehearsal.node.app import beacon_app
from rehearsal.node.beacon.known_clients import IN_A_GENE
from rehearsal.node.beacon.known_limits import known_no, limits_of_no
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.beacon.transcript_names import CodingQuery, ProteinQuery, on_gene_model
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.stores.carrier_lists_writer import encode
from rehearsal.stores.variant_store import VariantStore
from rehearsal.stores.variant_store_writer import StoreWriter
from tests.unit.genomes.gene_model import CONTIG, bases_of_genes, two_genes

from ..conftest import call, individuals
from . import named_genes
from .named_genes import PUBLISHED


def stored():
    """Contig, start, REF and ALT of the alleles: planted, and deep in an intron of PTEN."""
    alleles = [(one.contig, one.start, one.ref, one.alt) for one in named_genes.planted()]
    base = named_genes.read(Block("chr10", 87_880_000, 87_880_001))
    return [*alleles, ("chr10", 87_880_000, base, "A" if base != "A" else "C")]


@pytest.fixture(scope="module")
def node(tmp_path_factory, people):
    """A node of twelve people: the first one carries every allele."""
    path = tmp_path_factory.mktemp("genes") / "variants.sqlite"
    lists = encode(np.array([0], np.int32)), encode(np.array([], np.int32))
    with StoreWriter(path, individuals(), CONTIG_LENGTHS) as writer:
        for contig, some in groupby(sorted(stored()), key=itemgetter(0)):
            alleles = [one[1:] for one in some]
            around = [named_genes.read(Block(contig, at - 100, at + 100)) for at, _, _ in alleles]
            rows = [
                (writer.number[contig], *one, 0, 0, shift_of(bases, *one[1:]), *[1] * 10, *lists)
                for one, bases in zip(alleles, around, strict=True)
            ]
            writer.write(path, rows)
            told = annotate_alleles(contig, alleles, named_genes.read, named_genes.transcripts())
            writer.write_effects(contig, told)
    with VariantStore.open(path) as variants:
        settings = NodeSettings.for_country("FI", "Finland", ()).opened()
        yield NodeData(settings, variants, people, gene_bases=named_genes.genes())


def shift_of(bases, ref, alt):
    """How far an allele at base 100 can be moved to the right."""
    own = ref[1:] or alt[1:]
    return shift_right(bases, 101, own, len(ref) > len(alt)) if own else 0


@pytest.fixture(scope="module")
def ask(node):
    """Query a node by GET: status and body."""

    def send(path="/g_variants", of=node, **parameters):
        app = beacon_app(of, Authorizer(of.settings, of.people))
        asked = urlencode({"requestedGranularity": "record", "limit": 100} | parameters)
        status, _, answer = asyncio.run(call(app, path, None, asked))
        return status, orjson.loads(answer)

    return send


def records(body):
    sets = {one["id"]: one for one in body["response"]["resultSets"]}
    return sets.get("GDI-FI-REHEARSAL-1", {"results": []})["results"]


def ids(body):
    return [record["variantInternalId"] for record in records(body)]


@pytest.mark.parametrize(("coding", "protein", "identifier"), PUBLISHED)
def test_planted_variants_have_their_published_names(ask, coding, protein, identifier):
    _, body = ask(f"/g_variants/{identifier}")
    ((record),) = records(body)
    assert record["identifiers"]["transcriptHGVSIds"] == [coding]
    assert record["identifiers"]["proteinHGVSIds"] == [protein]


def test_records_with_names_are_valid_by_the_official_schemas(ask, validator):
    _, body = ask()
    *errors, seen = validator["check"](body, "g_variants")
    assert errors == []
    assert seen == f"({2 * len(stored())} records checked)"


@pytest.mark.parametrize(("coding", "protein", "identifier"), PUBLISHED)
def test_a_planted_variant_is_found_by_its_published_names(ask, coding, protein, identifier):
    for name in (coding, protein):
        for status, body in (ask(genomicAlleleShortForm=name), ask(f"/g_variants/{name}")):
            assert status == 200, body
            assert ids(body) == [identifier]
            assert body["info"]["warnings"] == [IN_A_GENE.warning]


def test_an_allele_deep_in_an_intron_has_a_name_too(ask):
    identifier = "chr10-87880001-{2}-{3}".format(*stored()[-1])
    _, body = ask(f"/g_variants/{identifier}")
    identifiers = records(body)[0]["identifiers"]
    (name,) = identifiers["transcriptHGVSIds"]
    assert name.startswith("NM_000314.8:c.80-")
    assert "proteinHGVSIds" not in identifiers
    assert ids(ask(genomicAlleleShortForm=name)[1]) == [identifier]


@pytest.mark.parametrize(
    "name",
    [
        "NM_007294.4(BRCA1):c.5266dup",
        "NM_007294.4:c.5266dupC",
        "NM_007294.4:c.5266_5267insC",
        "ENST00000357654.9:c.5266dup",
        "ENST00000357654.9(BRCA1):c.5266dup",
        "NP_009225.1:p.(Gln1756ProfsTer74)",
        "NP_009225.1:p.Gln1756Profs*74",
        "NP_009225.1:p.Q1756Pfs*74",
        "NP_009225.1(BRCA1):p.Gln1756fs",
    ],
)
def test_a_name_may_be_written_in_several_ways(ask, name):
    assert ids(ask(genomicAlleleShortForm=name)[1]) == ["chr17-43057062-T-TG"]


@pytest.mark.parametrize("change", ["Q1756Pfs*74", "p.(Gln1756fs)", "NP_009225.1:p.Gln1756fs"])
def test_frameshifts_are_changes_of_proteins_too(ask, change):
    assert ids(ask(aminoacidChange=change)[1]) == ["chr17-43057062-T-TG"]


@pytest.mark.parametrize(("sent", "usual"), [("c.5263_5264insC", "c.5266dup"), ("c.5264dup",) * 2])
def test_a_name_at_another_place_of_a_repeat_is_noted(ask, sent, usual):
    _, body = ask(genomicAlleleShortForm=f"NM_007294.4:{sent}")
    assert ids(body) == ["chr17-43057062-T-TG"]
    assert body["info"]["warnings"][1].endswith("here it is NM_007294.4:c.5266dup")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("NM_007294.3:c.5266dup", "expected NM_007294.4, the version of this node's gene model"),
        ("NM_007294:c.5266dup", "expected NM_007294.4, the version of this node's gene model"),
        ("ENST00000357654.8:c.5266dup", "expected ENST00000357654.9, the version of this node's"),
        ("ENST00000357654.9:p.Gln1756fs", "expected NP_009225.1, as p. numbers a protein"),
        ("NP_009225.2:p.Gln1756fs", "expected NP_009225.1, the version of this node's gene model"),
        ("NM_007294.4:p.Gln1756fs", "expected NP_009225.1, as p. numbers a protein, found 'NM_007"),
        ("NM_007294.3:p.Gln1756fs", "expected NP_009225.1, as p. numbers a protein, found 'NM_007"),
        ("NP_009225.1:c.5266dup", "expected NM_007294.4, as c. numbers a transcript, found 'NP_00"),
        ("NM_004006.2:c.4375C>T", "expected a transcript or protein of this node's gene model"),
        ("NM_007294.4(BRCA2):c.5266dup", "expected BRCA1, the gene of NM_007294.4, found 'BRCA2'"),
        ("NM_004333.6:c.1799G>A", "expected T at c.1799 of NM_004333.6, found G"),
        ("NM_007294.4:c.68_69delGA", "expected AG at c.68 of NM_007294.4, found GA"),
        ("NP_004324.2:p.Arg600Glu", "expected V at 600 of NP_004324.2, found 'p.Arg600Glu'"),
        ("NP_004324.2:p.Val6000Glu", "expected a residue at 6000 of NP_004324.2"),
        ("NM_004333.6:c.99999T>A", "expected a base of NM_004333.6, found 'c.99999'"),
        ("NM_004333.6:c.1799_1798del", "expected ascending positions"),
        ("NM_004333.6:c.1799_1801insA", "expected an insertion between two neighbouring"),
        ("NM_004333.6:c.1799delinsT", "expected bases other than those of the reference"),
        ("NM_004333.6:c.1799", "expected a change of bases of a transcript"),
        ("NP_004324.2:p.?", "expected a change like p.Val600Glu, found 'NP_004324.2:p.?'"),
    ],
)
def test_what_contradicts_the_gene_model_is_refused(ask, name, reason):
    for status, body in (ask(genomicAlleleShortForm=name), ask(f"/g_variants/{name}")):
        assert status == 400
        assert reason in body["error"]["errorMessage"]


def test_a_node_without_a_gene_model_refuses_names(ask, node):
    other = NodeData(node.settings, node.variants, node.people)
    for name, _, _ in PUBLISHED:
        status, body = ask(genomicAlleleShortForm=name, of=other)
        assert status == 400
        assert "as this node has no gene model" in body["error"]["errorMessage"]
    assert "transcriptHGVSIds" not in str(records(ask(of=other)[1]))


def test_the_names_of_random_alleles_lead_back_to_them():
    """On both strands: substitutions, deletions, insertions, duplications and delins."""
    bases = bases_of_genes(7)
    genes = [replace(one, protein=f"NP_{one.gene}.1") for one in two_genes()]
    known = GeneBases(genes, lambda block: bases[block.start : block.end])
    rng, seen = np.random.default_rng(3), 0
    for transcript in genes:
        window = known.window(transcript)
        for start in range(transcript.start + 8, transcript.end - 20):
            removed, added = rng.integers(0, 4, 2)
            ref = bases[start - 1 : start + removed]
            alt = ref[0] + "".join(rng.choice(list("ACGT"), added))
            change = genomic_names.trimmed(CONTIG, start - 1, ref, alt)
            if not change.deleted and not change.inserted:
                continue
            name = coding_name(transcript, window, change.start, change.end, change.inserted)
            found, again = on_gene_model(CodingQuery(f"{transcript.name}:{name}"), known)
            own = change.deleted or change.inserted
            is_indel = not (change.deleted and change.inserted)
            left = _leftmost(bases, change) if is_indel else 0
            moved = start - 1 - left
            at = bases[moved], moved
            if is_indel:
                own = own[-left % len(own) :] + own[: -left % len(own)]
                first = change.start - left
                ref, alt = (at[0] + own, at[0]) if change.deleted else (at[0], at[0] + own)
                shift = shift_right(bases, first, own, bool(change.deleted))
                assert found.text == genomic_names.describe(
                    CONTIG, first - 1, bases[first - 1] + ref[1:], bases[first - 1] + alt[1:], shift
                )
            else:
                assert found.text == genomic_names.describe(CONTIG, start - 1, ref, alt)
            assert again == ""
            seen += 1
    assert seen > 900


@pytest.mark.parametrize(
    ("change", "alt"), [("del", "<DEL>"), ("dup", "<DUP:TANDEM>"), ("inv", "<INV>")]
)
def test_structural_variants_are_found_by_names_of_transcripts(change, alt):
    """From 50 bases on, the search finds other places of a repeat."""
    bases = bases_of_genes(7)
    known = GeneBases(two_genes(), lambda block: bases[block.start : block.end])
    for transcript in two_genes():
        start = transcript.start + 8
        end = start + 60
        ends = [position_name(transcript, one) for one in (start, end - 1)]
        first, last = ends if transcript.forward else ends[::-1]
        name = f"{transcript.name}:c.{first}_{last}{change}"
        found, _ = on_gene_model(CodingQuery(name), known)
        assert found.text == genomic_names.describe_structural(CONTIG, start - 1, end, alt)


def _leftmost(bases, change):
    """By how many bases an indel can be moved to the left."""
    own = change.deleted or change.inserted
    moved = 0
    while bases[change.start - 1 - moved] == own[-1 - moved % len(own)]:
        moved += 1
    return moved


@pytest.mark.parametrize(
    ("change", "gene", "found"),
    [
        ("p.Val600Glu", "BRAF", None),
        ("p.Val600Glu", "BRCA1", "V600"),
        ("p.Gln1756ProfsTer74", "BRCA1", None),
        ("p.Gln99999Ter", "BRCA1", "Q99999"),
        ("p.Val600Glu", None, None),
        ("p.Val600Glu", "NOGENE", None),
    ],
)
def test_a_change_of_an_amino_acid_that_the_gene_does_not_have_is_a_public_no(change, gene, found):
    """BRAF has valine at 600, BRCA1 glutamine at 1756 (ClinVar); BRCA1 has 1863 amino acids."""
    node = SimpleNamespace(gene_bases=named_genes.genes(), reference=None)
    query = ProteinQuery(change, gene)
    told = known_no(query, node)
    assert (told is None) == (found is None)
    assert found is None or f"found '{found}'; nobody has such a change" in told
    assert bool(limits_of_no(query, node)) == (gene == "NOGENE")
