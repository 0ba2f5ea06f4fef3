"""VCF text is compressed so that any reader of gzip gets it back, and to less than by zlib."""

import gzip
import zlib

import numpy as np
import pytest

from rehearsal.formats.bgzf import BLOCK_SIZE
from rehearsal.formats.deflate_kernel import Tokens, write_block
from rehearsal.formats.vcf import VcfPacker
from rehearsal.formats.vcf_matches_kernel import Workspace


@pytest.fixture(scope="module")
def packer():
    return VcfPacker()


def genotypes(rng, people, frequency):
    calls = (rng.random((people, 2)) < frequency).astype(int)
    return "\t".join(f"{one}|{other}" for one, other in calls)


def lines(rng, people, sites):
    """Lines as those of a cohort: most variants are rare, and neighbours share carriers."""
    shared, text = genotypes(rng, people, 0.3), []
    for site in range(sites):
        rare = genotypes(rng, people, float(10 ** rng.uniform(-4, -0.5)))
        info = f"AN={2 * people};AC={rng.integers(1, people + 1)};AF={rng.random():.6g}"
        fields = f"chr22\t{1000 + 17 * site}\t.\tC\tT\t.\tPASS\t{info}\tGT"
        text.append(f"{fields}\t{shared if site % 5 == 0 else rare}\n")
    return "".join(text).encode()


@pytest.mark.parametrize("people", [1, 3, 15, 16, 17, 40, 300, 5000])
def test_text_comes_back(packer, people):
    rng = np.random.default_rng(people)
    text = lines(rng, people, 30)
    start = int(rng.integers(50))  # a block begins anywhere in a line
    for begin in range(start, len(text), BLOCK_SIZE):
        block = text[begin : begin + BLOCK_SIZE]
        assert gzip.decompress(packer.pack(block)) == block


STRANGE = ["./.", "0/1", ".", "0", "3|0", "0|2:0.5", "10|0", "1|1\n", "\x00", "0|0\t\t0|0", "é"]


@pytest.mark.parametrize("seed", range(30))
def test_any_bytes_come_back(packer, seed):
    """Unphased, haploid, missing calls, many alleles, other fields: anywhere among genotypes."""
    rng = np.random.default_rng(seed)
    parts = [genotypes(rng, int(rng.integers(60)), 0.2) for _ in range(30)]
    parts += [*rng.choice(STRANGE, 40), rng.bytes(int(rng.integers(40))).hex()]
    text = "\t".join(rng.permutation(parts)).encode() + rng.bytes(int(rng.integers(300)))
    assert gzip.decompress(packer.pack(text)) == text


@pytest.mark.parametrize("text", [b"", b"0", b"0|1\t", b"\t0|1\t" * 20, bytes(range(256)) * 255])
def test_short_and_incompressible_blocks_come_back(packer, text):
    assert gzip.decompress(packer.pack(text)) == text


@pytest.mark.parametrize("people", [500, 5000])
def test_text_takes_no_more_than_by_zlib_at_its_usual_level(packer, people):
    text = lines(np.random.default_rng(1), people, 600_000 // people)
    blocks = [text[begin : begin + BLOCK_SIZE] for begin in range(0, len(text), BLOCK_SIZE)]
    ours = sum(len(packer.pack(block)) - 26 for block in blocks)  # less what BGZF puts around it
    assert ours <= sum(len(zlib.compress(block, 6)) - 6 for block in blocks)


def fibonacci(size):
    numbers = [1, 1]
    while sum(numbers) < size:
        numbers.append(numbers[-1] + numbers[-2])
    return numbers


def test_codes_are_no_longer_than_the_format_permits():
    """Counts of Fibonacci give the deepest of Huffman's trees: 22 levels, where 15 are allowed."""
    text = np.repeat(np.arange(23), fibonacci(50_000)[:23]).astype(np.int32)
    tokens, out = Tokens(np.zeros_like(text), text), np.empty(8 * text.size, np.uint8)
    size = write_block(tokens, text.size, out)
    assert zlib.decompress(out[:size].tobytes(), -15) == text.astype(np.uint8).tobytes()


def test_matches_of_every_length_and_distance_are_read_alike():
    rng = np.random.default_rng(3)
    length, value, expected = [], [], bytearray()
    for literal in range(256):
        length.append(0)
        value.append(literal)
        expected.append(literal)
    for size in range(3, 259):
        distance = int(rng.integers(1, min(len(expected), 32768) + 1))
        length.append(size)
        value.append(distance)
        for _ in range(size):
            expected.append(expected[-distance])
    tokens = Tokens(np.array(length, np.int32), np.array(value, np.int32))
    out = np.empty(1 << 16, np.uint8)
    size = write_block(tokens, len(length), out)
    assert zlib.decompress(out[:size].tobytes(), -15) == bytes(expected)


def test_a_workspace_holds_the_largest_block(packer):
    text = b"\t" + b"0|1\t1|0\t" * 8 + b"."
    text = (text * (BLOCK_SIZE // len(text) + 1))[:BLOCK_SIZE]
    assert gzip.decompress(packer.pack(text)) == text
    assert Workspace.make().genotypes.digits.size > BLOCK_SIZE // 32


@pytest.mark.parametrize("seed", range(6))
def test_lines_of_random_carriers_come_back(packer, seed):
    """Long runs, single carriers, matches longer than 64 digits and copies of earlier lines."""
    rng = np.random.default_rng(100 + seed)
    people, text = int(rng.integers(200, 3000)), []
    calls = np.zeros(2 * people, int)
    for site in range(40):
        if rng.random() < 0.5:
            calls = np.zeros(2 * people, int)
        changed = rng.choice(2 * people, int(people ** rng.random()), replace=False)
        calls[changed] = rng.integers(0, 4, changed.size)
        pairs = "\t".join(f"{one}|{other}" for one, other in calls.reshape(-1, 2))
        text.append(f"chr1\t{site + 1}\t.\tA\tC,G,T\t.\tPASS\tAC={calls.sum()}\tGT\t{pairs}\n")
    text = "".join(text).encode()
    for begin in range(0, len(text), BLOCK_SIZE):
        block = text[begin : begin + BLOCK_SIZE]
        assert zlib.decompress(packer.pack(block), 31) == block


@pytest.mark.parametrize("kind", ["literals", "matches"])
def test_streams_end_at_every_bit_of_a_word(kind):
    """The bits are written in words of 64: streams of every length end well."""
    rng, out = np.random.default_rng(4), np.empty(1 << 16, np.uint8)
    for size in range(1, 200):
        letters = rng.integers(0, 256, size).astype(np.int32)
        length, value = np.zeros_like(letters), letters.copy()
        expected = bytearray(letters.astype(np.uint8).tobytes())
        if kind == "matches":
            length = np.append(length, [258, 257])
            value = np.append(value, [size, 1])
            for copied, away in ((258, size), (257, 1)):
                for _ in range(copied):
                    expected.append(expected[-away])
        tokens = Tokens(length.astype(np.int32), value.astype(np.int32))
        written = write_block(tokens, length.size, out)
        assert zlib.decompress(out[:written].tobytes(), -15) == bytes(expected)
