"""Tree sequences compressed by tszip, and genotype representation graphs (GRG)."""

from __future__ import annotations

import importlib
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import tskit
import tszip

from rehearsal.export.genotypes import Genotypes
from rehearsal.export.settings import check_package
from rehearsal.export.vcf_zarr import zip_folder
from rehearsal.files import atomic_path
from rehearsal.genomes.allele_names import shared_end
from rehearsal.genomes.carriers import carrier_chunks
from rehearsal.genomes.heteroplasmy import KEY as HETEROPLASMY
from rehearsal.genomes.tree_metadata import TREES_SCHEMA, set_people, trees_metadata


def write_trees(genotypes: Genotypes, path: Path | str) -> None:
    """Write the selection of one block as ``path`` (``.tsz``).

    The metadata of an individual has ``id``, ``country`` and ``sex``. The metadata of the site of a
    structural variant has ``end`` and ``svlen`` (``genomes.structural``). The top-level metadata
    says that the data are synthetic and, of chrM, who has two alleles at a site
    (``genomes.heteroplasmy``).

    Args:
        genotypes: The genotypes of one block.
        path: The ``.tsz`` file.

    Raises:
        ValueError: There are several blocks: they share no trees.
    """
    with atomic_path(path) as aside:
        tszip.compress(_named(genotypes), aside)
        _without_dates(aside)


def write_grg(genotypes: Genotypes, path: Path | str) -> None:
    """Write the selection of one block as ``path`` (``.grg``).

    Args:
        genotypes: The genotypes of one block.
        path: The ``.grg`` file.

    Raises:
        InputError: The optional package pygrgl is not installed.
    """
    check_package("grg", "exports", "formats")
    pygrgl = importlib.import_module("pygrgl")
    with atomic_path(path) as aside, tempfile.TemporaryDirectory(dir=aside.parent) as folder:
        trees = Path(folder) / "selection.trees"
        _named(genotypes).dump(trees)
        pygrgl.save_grg(pygrgl.grg_from_trees(str(trees)), str(aside))


def _named(genotypes: Genotypes) -> tskit.TreeSequence:
    """Return the selection of one block with its metadata."""
    (ts,) = genotypes.trees()
    empty = [chunk.positions[np.diff(chunk.indptr) == 0] for chunk in carrier_chunks(ts)]
    places = np.searchsorted(ts.sites_position, np.concatenate([np.empty(0), *empty]))
    tables = ts.delete_sites(places, record_provenance=False).dump_tables()
    _cut_states(tables)
    set_people(tables, genotypes.people)
    tables.metadata_schema = TREES_SCHEMA
    tables.metadata = trees_metadata(genotypes.identity, genotypes.contig)
    if genotypes.contig == "chrM":
        tables.metadata |= {HETEROPLASMY: genotypes.mixtures().to_numpy(object).tolist()}
    return tables.tree_sequence()


def _cut_states(tables: tskit.TableCollection) -> None:
    """Cut the states of each site to the fewest bases that name those that are left."""
    sites, mutations = tables.sites, tables.mutations
    long = np.flatnonzero(np.diff(sites.ancestral_state_offset.astype(np.int64)) > 1)
    if not long.size:
        return
    ancestral = tskit.unpack_strings(sites.ancestral_state, sites.ancestral_state_offset)
    derived = tskit.unpack_strings(mutations.derived_state, mutations.derived_state_offset)
    first = np.searchsorted(mutations.site, long)
    last = np.searchsorted(mutations.site, long, side="right")
    for site, m0, m1 in zip(long.tolist(), first.tolist(), last.tolist(), strict=True):
        if cut := shared_end(ancestral[site], *derived[m0:m1]):
            ancestral[site] = ancestral[site][:-cut]
            derived[m0:m1] = [state[:-cut] for state in derived[m0:m1]]
    sites.packset_ancestral_state(ancestral)
    mutations.packset_derived_state(derived)


def _without_dates(path: Path) -> None:
    """Rewrite the archive without times, so that equal content gives equal bytes."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)
        zip_folder(Path(folder), path)
