"""New patients as the operator admits them."""

import json

import pytest

from rehearsal.errors import InputError
from rehearsal.node.alerts.patient_import import import_patient, read_patient

from .conftest import TLR7, packet


def test_genotypes_may_come_as_vcf(node, phenopacket, tmp_path):
    phenopacket.write_text(json.dumps(packet(interpretations=[])))
    vcf = tmp_path / "patient.vcf"
    vcf.write_text(
        '##fileformat=VCFv4.3\n##FORMAT=<ID=GT,Number=1,Type=String,Description="">\n'
        "##contig=<ID=chrX,length=156040895>\n"
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1\n"
        "chrX\t12886153\t.\tC\tG,T\t.\t.\t.\tGT\t2\n"
        "chrX\t12886160\t.\tC\tT\t.\t.\t.\tGT\t0\n"
    )
    assert read_patient(import_patient(node.folder, phenopacket, vcf)).variants == {TLR7}


@pytest.mark.parametrize(
    ("change", "consent", "complaint"),
    [
        ({"subject": {}}, None, "phenopacket: a phenopacket with subject.id"),
        ({"subject": {"id": "../../etc"}}, None, "subject.id: letters, digits"),
        ({"subject": {"id": "A", "timeAtLastEncounter": {"age": {"iso8601duration": "29"}}}}, None,
         "timeAtLastEncounter: an age like P27Y, not '29'"),
        ({}, "everything", "--consent: like DUO:0000042, not 'everything'"),
    ],
)  # fmt: skip
def test_somebody_who_cannot_be_meant_is_not_admitted(
    node, phenopacket, change, consent, complaint
):
    phenopacket.write_text(json.dumps(packet(**change)))
    with pytest.raises(InputError, match=complaint):
        import_patient(node.folder, phenopacket, consent=consent)
    assert not (node.folder / "arrivals").exists()
