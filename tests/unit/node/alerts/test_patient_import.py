"""Import of a new patient by the node's operator."""

import json

import pytest

from rehearsal.errors import InputError
from rehearsal.node.alerts.patient_import import import_patient, read_patient

from .conftest import TLR7, packet


@pytest.mark.parametrize(("contig", "alleles"), [("chrX", "C\tG,T"), ("X", "c\tg,t")])
def test_genotypes_may_come_as_vcf(node, phenopacket, tmp_path, contig, alleles):
    phenopacket.write_text(json.dumps(packet(interpretations=[])))
    vcf = tmp_path / "patient.vcf"
    vcf.write_text(
        '##fileformat=VCFv4.3\n##FORMAT=<ID=GT,Number=1,Type=String,Description="">\n'
        f"##contig=<ID={contig},length=156040895>\n"
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1\n"
        f"{contig}\t12886153\t.\t{alleles}\t.\t.\t.\tGT\t2\n"
        f"{contig}\t12886160\t.\tC\tT\t.\t.\t.\tGT\t0\n"
    )
    assert read_patient(import_patient(node.folder, phenopacket, vcf)).variants == {TLR7}


@pytest.mark.parametrize(
    ("change", "consent", "complaint"),
    [
        ({"subject": {}}, None, "phenopacket: expected a phenopacket with subject.id, found"),
        ({"subject": {"id": "../../etc"}}, None, "subject.id: expected 1 to 100 letters, digits"),
        ({"subject": {"id": "A", "timeAtLastEncounter": {"age": {"iso8601duration": "29"}}}}, None,
         "timeAtLastEncounter: expected an age like P27Y, found '29'"),
        ({}, "everything", "--consent: expected DUO terms like DUO:0000042, found 'everything'"),
    ],
)  # fmt: skip
def test_an_invalid_patient_is_refused(node, phenopacket, change, consent, complaint):
    phenopacket.write_text(json.dumps(packet(**change)))
    with pytest.raises(InputError, match=complaint):
        import_patient(node.folder, phenopacket, consent=consent)
    assert not (node.folder / "arrivals").exists()
