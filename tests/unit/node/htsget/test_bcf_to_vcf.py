"""Compiled code writes the same lines as htslib, and leaves other records to htslib."""

from __future__ import annotations

import gzip
import random
import struct

import numpy as np
import pysam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rehearsal.errors import InputError
from rehearsal.formats.bgzf import END_OF_FILE
from rehearsal.formats.vcf_numbers_kernel import NOT_OURS, write_float
from rehearsal.node.htsget import bcf_to_vcf
from rehearsal.node.htsget.bcf_to_vcf import vcf_records

PEOPLE = 40
SAMPLES = [f"FI-{i + 1:06d}" for i in range(PEOPLE)]
HEADER = "\n".join(
    [
        "##fileformat=VCFv4.3",
        '##FILTER=<ID=low,Description="">',
        "##contig=<ID=chr2,length=1000000>",
        "##contig=<ID=chrX,length=1000000>",
        '##INFO=<ID=AC,Number=A,Type=Integer,Description="">',
        '##INFO=<ID=AF,Number=A,Type=Float,Description="">',
        '##INFO=<ID=GENE,Number=.,Type=String,Description="">',
        '##INFO=<ID=SEEN,Number=0,Type=Flag,Description="">',
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="">',
        '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="">',
        "\t".join(["#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT".replace(" ", "\t"), *SAMPLES]),
    ]
)
FEW = ("0|0", "0|1", "1|0", "1|1", "0/1")
MANY = ("0|0", "13|2", "7|14", ".", "./.", ".|1", "1", "0")
LONG = ",".join("C" * n for n in range(1, 16))
# column by column: what compiled code supports
KNOWN = [
    ["chr2", "5", ".", "A", "C", ".", "PASS", "AC=3", "GT", FEW],
    ["chr2", "17", "rs17", "ACGTACGTACGTACGTACGT", "C", ".", ".", ".", "GT", MANY[:2] + FEW],
    ["chr2", "300", "a;b", "A", LONG, ".", "low", ".", "GT", MANY],
    ["chrX", "999999", ".", "A", ".", ".", "PASS", "SEEN", "GT", ("0|0", "0", "0/0")],
    ["chrX", "999999", ".", "T", "G,C", ".", "PASS", "AC=70000,.;GENE=a,b;SEEN", "GT", FEW],
    ["chrX", "999999", ".", "T", "G,C", ".", ".", "AC=-5,300;GENE=.", "GT", ("0|2", "2|1", ".")],
    ["chr2", "6", ".", "A", "C", "30.5", "PASS", "AF=0.25", "GT", FEW],
    ["chr2", "7", ".", "A", "C,G", "100", "PASS", "AC=3,4;AF=3.5714e-05,.;SEEN", "GT", FEW],
]
# and what it does not support
UNKNOWN = [
    ["chr2", "5", ".", "A", "C", "inf", "PASS", "AC=3", "GT", FEW],
    ["chr2", "6", ".", "A", "C", ".", "PASS", "AF=1e30", "GT", FEW],
    ["chr2", "7", ".", "A", "C", ".", "PASS", ".", "GT:DP", tuple(f"{one}:7" for one in FEW)],
    ["chr2", "8", ".", "A", "C", ".", ".", ".", "DP", ("7", "8", ".")],
]


def stored(tmp_path, rows, seed=1) -> tuple[bytes, bytes, list[str]]:
    """Return (header, records, lines) as htslib writes them."""
    chance = random.Random(seed)
    lines = [HEADER]
    for *fixed, calls in rows:
        lines.append("\t".join([*fixed, *chance.choices(calls, k=PEOPLE)]))
    (tmp_path / "in.vcf").write_text("\n".join(lines) + "\n")
    path = str(tmp_path / "out.bcf")
    with (
        pysam.VariantFile(str(tmp_path / "in.vcf")) as reader,
        pysam.VariantFile(path, "wb", header=reader.header) as out,
    ):
        for record in reader:
            out.write(record)
    with pysam.VariantFile(path) as reader:
        expected = [str(record) for record in reader]
    content = gzip.decompress((tmp_path / "out.bcf").read_bytes())
    end = 9 + struct.unpack_from("<I", content, 5)[0]
    return content[:end], content[end:], expected


def written(header: bytes, records: bytes, size: int) -> list[str]:
    pieces = (records[at : at + size] for at in range(0, len(records), size))
    packed = b"".join(vcf_records(header, pieces))
    return gzip.decompress(packed + END_OF_FILE).decode().splitlines(keepends=True)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=st.lists(st.sampled_from(KNOWN), max_size=12),
    size=st.integers(1, 5000),
    seed=st.integers(0, 1000),
)
def test_lines_are_those_of_htslib_wherever_the_stream_is_cut(tmp_path, rows, size, seed):
    header, records, expected = stored(tmp_path, rows, seed)
    assert written(header, records, size) == expected


def test_htslib_is_not_needed_for_what_the_rehearsal_writes_or_floats(tmp_path, monkeypatch):
    header, records, expected = stored(tmp_path, KNOWN)
    monkeypatch.setattr(bcf_to_vcf, "_by_htslib", None)
    assert written(header, records, 100) == expected


@pytest.mark.parametrize("other", UNKNOWN, ids=["endless", "huge", "depth", "no-genotypes"])
def test_htslib_writes_the_rest_from_the_first_other_record_on(tmp_path, other):
    header, records, expected = stored(tmp_path, [*KNOWN, other, *KNOWN])
    assert written(header, records, 777) == expected


def floats():
    """Frequencies of alleles, other numbers of many sizes, and those at which the text changes."""
    rng = np.random.default_rng(7)
    return np.concatenate(
        [
            [
                count / number
                for number in (2, 3, 6, 560, 5_600, 200_000)
                for count in range(1, 400)
            ],
            (10.0 ** rng.uniform(-15, 12, 20_000)),
            rng.random(20_000),
            np.arange(1, 4_000, 2) / 2**20,  # many end in a 5 behind six digits
            [0, 1e-4, 9.9999e-5, 0.00099999999, 0.999999, 0.9999999, 99999.95, 999999, 999999.5],
            [1e6, 123456.5, 1e22, -0.0, -0.25, -3.25e-7],
        ]
    ).astype(np.float32)


def test_floats_are_the_text_of_htslib(tmp_path):
    values = floats()
    path, width = str(tmp_path / "floats.bcf"), 10
    header = pysam.VariantHeader()
    header.add_line("##contig=<ID=chr2,length=1000000>")
    header.add_line('##INFO=<ID=AF,Number=.,Type=Float,Description="">')
    with pysam.VariantFile(path, "wb", header=header) as out:
        for i in range(0, values.size, width):
            some = values[i : i + width].tolist()
            record = header.new_record("chr2", i, i + 1, ("A", "C"), info={"AF": some})
            out.write(record)
    with pysam.VariantFile(path) as reader:
        told = [str(record).split("\t")[7].strip().partition("=")[2] for record in reader]
    expected = [text for texts in told for text in texts.split(",")]
    out, skipped = np.zeros(32, np.uint8), []
    for bits, text in zip(values.view(np.uint32).tolist(), expected, strict=True):
        after = write_float(bits, out, 0)
        if after == NOT_OURS:
            skipped.append(float(text))
        else:
            assert out[:after].tobytes().decode() == text
    # whole numbers of seven or eight digits that end in a 5: no frequency is left to htslib
    assert len(skipped) < 40 and min(skipped) >= 1e6


def test_a_record_longer_than_any_buffer_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(bcf_to_vcf, "CHUNK", 10)
    header, records, expected = stored(tmp_path, KNOWN)
    assert written(header, records, 10_000) == expected


def test_records_that_are_cut_or_do_not_fit_are_one_line(tmp_path):
    header, records, _ = stored(tmp_path, KNOWN)
    with pytest.raises(
        InputError, match="records: expected whole records, found a file that is cut off"
    ):
        written(header, records[:-1], 1000)
    damaged = bytearray(records)
    damaged[8] = 9  # a contig that is not in the header
    with pytest.raises(
        InputError, match="expected records that match their header, found one that does not"
    ):
        written(header, bytes(damaged), 1000)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(at=st.integers(8, 1500), value=st.integers(0, 255))
def test_a_damaged_byte_never_reads_beyond_its_record(tmp_path, at, value):
    header, records, expected = stored(tmp_path, KNOWN)
    damaged = bytearray(records)
    damaged[at % len(records)] = value
    try:
        lines = written(header, bytes(damaged), 1 << 20)
    except (InputError, ValueError, OSError, UnicodeDecodeError):
        return
    records_told = sum(line.endswith("\n") for line in lines)
    assert records_told <= len(expected) + (value == ord("\n"))  # a newline may be part of a name
