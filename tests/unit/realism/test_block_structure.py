from rehearsal.realism.block_structure import (
    measure_block_structure,
    read_block_structure,
    write_block_structure,
)


def test_the_structure_of_a_block_is_read_as_it_was_written(trees, people, tmp_path):
    for path in trees:
        found = measure_block_structure(path, people, seed=1)
        write_block_structure(found, tmp_path / "block.npz")
        again = read_block_structure(tmp_path / "block.npz")
        assert again.variants == found.variants > 0
        assert again.common.tolist() == found.common.tolist()
        assert again.spectra.keys() == found.spectra.keys()
        assert all((again.spectra[key] == found.spectra[key]).all() for key in found.spectra)
    assert not again.spectra, "the last block lies on X"
