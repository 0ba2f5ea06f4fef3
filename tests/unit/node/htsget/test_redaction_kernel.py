"""Excluded people leave no trace in the records."""

from __future__ import annotations

import pysam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rehearsal.node.htsget import app as htsget

from .conftest import BLOCKS, LENGTH, SAMPLES, app_of, put_together, ticket, write_bcf


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    few=st.sets(st.integers(43, len(SAMPLES) - 1), max_size=5), fmt=st.sampled_from(["BCF", "VCF"])
)
def test_people_who_are_left_out_leave_no_trace(app, rare, tmp_path, monkeypatch, few, fmt):
    """The only carriers of an allele, and any others, are left out."""
    folder, carriers = rare
    excluded = few | carriers
    monkeypatch.setattr(htsget, "may_read", lambda request, dataset: excluded)
    path = tmp_path / "left"
    path.write_bytes(put_together(app_of(folder), ticket(app_of(folder), format=fmt)))
    kept = [name for i, name in enumerate(SAMPLES) if i not in excluded]
    with pysam.VariantFile(str(path)) as reader:
        assert list(reader.header.samples) == kept
        rows = list(reader)
        expected = [("C", "T"), ("G", "T"), ("T", "A", "G"), ("A", "<CN0>", "<CN3>")]
        expected.append(("TAC", "T"))  # only a removed deletion needs the other bases
        assert [one.alleles for one in rows] == expected
        about = {"SVTYPE": "CNV", "SVLEN": (-100, 200)}
        assert [dict(one.info) for one in rows] == [{}, {}, {}, about, {}]
        assert [rows[3].stop, rows[4].stop] == [151, 162]
        calls = rows[2].samples
        assert [calls[SAMPLES[i]]["GT"] for i in (40, 41, 42)] == [(1, 2), (1,), (None,)]
        fields = [list(one.format) for one in rows]
        assert fields == [["GT"], ["GT"], ["GT", "HF"], ["GT", "CN"], ["GT"]]
        assert [calls[SAMPLES[i]]["HF"] for i in (40, 41)] == [(0.5, 0.125), (0.5, 0.125)]
        assert [rows[3].samples[SAMPLES[i]]["CN"] for i in (40, 42)] == [3, 2]
        for one in rows[:2]:
            calls = [call["GT"] for call in one.samples.values()]
            assert calls == [(0, 1) if name == SAMPLES[40] else (0, 0) for name in kept]


@pytest.mark.parametrize(("start", "found"), [(161, 1), (162, 0)])
def test_a_record_that_no_remaining_allele_makes_reach_into_the_range_is_left_out(
    rare, tmp_path, monkeypatch, start, found
):
    """Bases 159 to 161 are all that a remaining allele needs, and 159 to 163 the removed one."""
    folder, carriers = rare
    monkeypatch.setattr(htsget, "may_read", lambda request, dataset: carriers)
    app = app_of(folder)
    path = tmp_path / "left.bcf"
    path.write_bytes(put_together(app, ticket(app, referenceName="chr2", start=start, end=200)))
    with pysam.VariantFile(str(path)) as reader:
        assert len(list(reader)) == found


@pytest.fixture(scope="module")
def rare(tmp_path_factory):
    """A node with alleles that persons 7 and 9 alone carry, and others; and the two."""
    folder = tmp_path_factory.mktemp("rare") / "FI"
    (folder / "genomes").mkdir(parents=True)
    fixed = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
    lines = [
        "##fileformat=VCFv4.3",
        f"##contig=<ID=chr2,length={LENGTH}>",
        '##INFO=<ID=AC,Number=A,Type=Integer,Description="">',
        '##INFO=<ID=SVTYPE,Number=1,Type=String,Description="">',
        '##INFO=<ID=SVLEN,Number=A,Type=Integer,Description="">',
        '##INFO=<ID=END,Number=1,Type=Integer,Description="">',
        '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="">',
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="">',
        '##FORMAT=<ID=MQ,Number=1,Type=Integer,Description="">',
        '##FORMAT=<ID=CN,Number=1,Type=Integer,Description="">',
        '##FORMAT=<ID=HF,Number=A,Type=Float,Description="">',
        "\t".join([*fixed, *SAMPLES]),
    ]
    for position, ref, alts, calls in (
        (10, "A", "G", {7: "0|1", 9: "1|1"}),
        (20, "C", "G,T", {7: "0|1", 40: "0|2"}),
        (30, "G", "T", {9: "1|1", 40: "0|1"}),
        (40, "T", "A,C,G", {7: "2", 9: "3|1", 40: "1|3", 41: "1", 42: "."}),
        (51, "A", "<CN0>,<CN2>,<CN3>", {7: "0|2", 40: "1|3"}),
        (160, "TACAC", "T,TAC", {7: "1|2", 40: "0|2"}),
    ):
        more, own = {40: ("HF", "0.5,0.25,0.125"), 51: ("CN", "2")}.get(position, ("MQ", "3"))
        given = [f"{calls.get(i, '0|0')}:3:{own}" for i in range(len(SAMPLES))]
        if position == 51:
            given[40] = f"{calls[40]}:3:3"
        counts = ",".join("1" for _ in alts.split(","))
        info = f"AC={counts}"
        if alts.startswith("<"):
            info += ";SVTYPE=CNV;SVLEN=-100,100,200;END=151"
        fields = f"GT:DP:{more}"
        row = ["chr2", str(position), ".", ref, alts, ".", "PASS", info, fields, *given]
        lines.append("\t".join(row))
    write_bcf(folder / "genomes", BLOCKS[0], lines)
    return folder, {7, 9}
