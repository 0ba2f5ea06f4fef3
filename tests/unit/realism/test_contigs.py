from rehearsal.genomes.hotspots import write_hapmap
from rehearsal.genomes.recombination import uniform_map
from rehearsal.model import Block
from rehearsal.realism.contigs import contig_table, genetic_lengths


def test_contigs_have_bases_and_centimorgans():
    blocks = [Block("chr1", 0, 2_000_000), Block("chr1", 5_000_000, 6_000_000)]
    blocks.append(Block("chrX", 0, 1_000_000))
    table = contig_table(blocks, {block.id: block.length * 1e-8 for block in blocks})
    assert table.to_dict("list") == {
        "contig": ["chr1", "chrX"],
        "blocks": [2, 1],
        "megabases": [3.0, 1.0],
        "centimorgans": [3.0, 1.0],
    }


def test_lengths_follow_the_map_and_are_zero_on_y(tmp_path):
    blocks = [Block("chr1", 0, 2_000_000), Block("chrX", 0, 1_000_000), Block("chrY", 0, 1_000)]
    maps = {contig: str(tmp_path / f"{contig}.map.gz") for contig in ("chr1", "chrX")}
    for contig, path in maps.items():
        write_hapmap(uniform_map(contig, 1e-8), contig, path)
    lengths = genetic_lengths(blocks, maps)
    assert {name: round(morgans, 9) for name, morgans in lengths.items()} == {
        "chr1-0-2000000": 0.02,
        "chrX-0-1000000": 0.01,
        "chrY-0-1000": 0.0,
    }
