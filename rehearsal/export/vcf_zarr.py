"""VCF Zarr in one zip file, written by bio2zarr from the selection.

The specification (sgkit-dev/vcf-zarr-spec, 0.5) keeps arrays in chunks, one file each. A folder of
a whole genome has many thousands of them, which may exceed a cluster's quota of files. Zarr reads a
zip archive as it reads a folder, so one file is written.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from bio2zarr import constants, core, vcz
from bio2zarr.zarr_utils import (
    DEFAULT_COMPRESSOR_BOOL_CONFIG,
    DEFAULT_COMPRESSOR_GENOTYPES_CONFIG,
    STRING_DTYPE_NAME,
)
from numpy.typing import NDArray

from rehearsal.errors import mismatch
from rehearsal.export.genotypes import Genotypes
from rehearsal.export.structural import structural_info
from rehearsal.files import atomic_path
from rehearsal.formats.bcf_header import BCSQ, STRUCTURAL
from rehearsal.genomes.allele_notes import AlleleNotes
from rehearsal.model import SYNTHETIC

VARIANTS_PER_CHUNK, PEOPLE_PER_CHUNK = 1000, 10_000  # defaults of bio2zarr
_NOTES = "INFO_BCSQ_dim"  # dimension of several consequences, named as by vcf2zarr
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # the earliest date of the zip format
_NO_LONGER_THAN = np.iinfo(np.int32).max


def write_vcf_zarr(
    genotypes: Genotypes, path: Path | str, consequences: pd.DataFrame | None = None
) -> None:
    """Write the archive at ``path`` (``.vcz.zip``): the records of the VCF.

    Of INFO it has SVTYPE, SVLEN, END and BCSQ.

    Args:
        genotypes: The genotypes of one contig.
        path: The ``.vcz.zip`` file.
        consequences: The table of ``annotate_block`` of the contig's blocks, for BCSQ.
    """
    source = _Selection(genotypes, AlleleNotes(consequences))
    with atomic_path(path) as aside:
        folder = aside.with_suffix("")  # .vcz
        try:
            vcz.encode(source, source.generate_schema(), folder, worker_processes=0)
            zip_folder(folder, aside)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def zip_folder(folder: Path, path: Path) -> None:
    """Pack the files of a folder into one archive, uncompressed. Equal files give equal bytes.

    Args:
        folder: The folder.
        path: The archive.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            name = zipfile.ZipInfo(file.relative_to(folder).as_posix(), _FIRST_DAY)
            archive.writestr(name, file.read_bytes())


class _Selection(vcz.Source):
    """A source for bio2zarr, read in one pass over the records."""

    path = None

    def __init__(self, genotypes: Genotypes, notes: AlleleNotes) -> None:
        self._genotypes = genotypes
        self._fields, self._most_alleles, self._width = _list_fields(genotypes, notes)
        self._sites = self._fields["position"].size
        self._contigs = genotypes.contigs

    @property
    def num_records(self) -> int:
        return self._sites

    @property
    def num_samples(self) -> int:
        return len(self._genotypes.people)

    @property
    def samples(self) -> list[vcz.Sample]:
        return [vcz.Sample(id=name) for name in self._genotypes.people["id"]]

    @property
    def contigs(self) -> list[vcz.Contig]:
        return [vcz.Contig(id=name, length=length) for name, length in self._contigs.items()]

    @property
    def filters(self) -> list[vcz.Filter]:
        return [vcz.Filter(id="PASS", description="All filters passed")]

    @property
    def root_attrs(self) -> dict[str, str]:
        contig, identity = self._genotypes.contig, self._genotypes.identity
        about = {"reference": identity.file, "md5": identity.md5(contig)}
        known = {key: value for key, value in about.items() if value}
        return {"description": SYNTHETIC, "assembly": identity.assembly(contig), **known}

    def iter_contig(self, start: int, stop: int) -> Iterator[int]:
        number = list(self._contigs).index(self._genotypes.contig)
        yield from (number for _ in range(start, stop))

    def iter_id(self, start: int, stop: int) -> Iterator[None]:
        yield from (None for _ in range(start, stop))  # no variant has one

    def iter_filters(self, start: int, stop: int) -> Iterator[list[bool]]:
        yield from ([True] for _ in range(start, stop))

    def iter_field(
        self, field_name: str, shape: tuple, dtype: object, start: int, stop: int
    ) -> Iterator[object]:
        """Yield a field of all records."""
        self._check_range(start, stop)
        yield from self._fields[field_name]

    def iter_alleles_and_genotypes(
        self, start: int, stop: int, shape: tuple, num_alleles: int
    ) -> Iterator[vcz.VariantData]:
        self._check_range(start, stop)
        phased = np.ones(self.num_samples, bool)
        for records in self._genotypes.records():
            called = np.arange(self._width) < records.ploidy[:, None]
            template = np.where(called, 0, constants.INT_FILL).astype(np.int8)
            template[records.ploidy == 0, 0] = constants.INT_MISSING
            slot = np.flatnonzero(called.ravel())
            for site, letters in enumerate(records.alleles):
                first, end = records.indptr[site : site + 2]
                calls = template.copy()
                calls.ravel()[slot[records.haplotype[first:end]]] = records.allele[first:end]
                length = int(records.end[site] - records.position[site])
                yield vcz.VariantData(length, _padded(letters, num_alleles), calls, phased)

    def _check_range(self, start: int, stop: int) -> None:
        """Raise ValueError unless all records are asked for at once."""
        if (start, stop) != (0, self._sites):
            expected = f"all records at once, 0 to {self._sites}"
            raise ValueError(mismatch("records", expected, f"{start} to {stop}"))

    def generate_schema(
        self, variants_chunk_size: int | None = None, samples_chunk_size: int | None = None
    ) -> vcz.VcfZarrSchema:
        dimensions = vcz.standard_dimensions(
            variants_size=self._sites,
            variants_chunk_size=variants_chunk_size or VARIANTS_PER_CHUNK,
            samples_size=self.num_samples,
            samples_chunk_size=samples_chunk_size or PEOPLE_PER_CHUNK,
            ploidy_size=self._width,
            alleles_size=self._most_alleles,
            filters_size=len(self.filters),
        )
        dimensions[_NOTES] = vcz.VcfZarrDimension.unchunked(self._fields["BCSQ"].shape[1])
        call, flag = DEFAULT_COMPRESSOR_GENOTYPES_CONFIG, DEFAULT_COMPRESSOR_BOOL_CONFIG
        who, copies = ["variants", "samples"], ["variants", "samples", "ploidy"]
        integer = core.min_int_dtype(0, _NO_LONGER_THAN)
        codes = core.min_int_dtype(constants.INT_FILL, self._most_alleles - 1)
        meaning = {key: text for key, (*_, text) in STRUCTURAL.items()}
        rows = [
            ("variant_position", "position", integer, ["variants"], "Position", None),
            ("variant_allele", None, STRING_DTYPE_NAME, ["variants", "alleles"], "Alleles", None),
            (
                "variant_length",
                None,
                integer,
                ["variants"],
                "Affected bases of the reference",
                None,
            ),
            ("variant_SVTYPE", "SVTYPE", STRING_DTYPE_NAME, ["variants"], meaning["SVTYPE"], None),
            ("variant_SVLEN", "SVLEN", "i4", ["variants", "alt_alleles"], meaning["SVLEN"], None),
            ("variant_END", "END", "i4", ["variants"], meaning["END"], None),
            ("variant_BCSQ", "BCSQ", STRING_DTYPE_NAME, ["variants", _NOTES], BCSQ, None),
            ("variant_contig", None, np.dtype(np.int8).str, ["variants"], "Index of contig", None),
            ("variant_id", None, STRING_DTYPE_NAME, ["variants"], "None has one", None),
            ("variant_id_mask", None, "bool", ["variants"], "Which have none: all", flag),
            ("variant_quality", "QUAL", "f4", ["variants"], "None has one", None),
            ("variant_filter", None, "bool", ["variants", "filters"], "All pass", flag),
            ("call_genotype_phased", None, "bool", who, "All are phased", flag),
            ("call_genotype", None, codes, copies, "Genotype, -2 beyond the ploidy", call),
            ("call_genotype_mask", None, "bool", copies, "What is no allele", flag),
        ]
        fields = [
            vcz.ZarrArraySpec(
                name=name,
                source=source,
                dtype=kind,
                dimensions=axes,
                description=text,
                **({"compressor": dict(compressor)} if compressor else {}),
            )
            for name, source, kind, axes, text, compressor in rows
        ]
        return vcz.VcfZarrSchema(
            format_version=vcz.ZARR_SCHEMA_FORMAT_VERSION, dimensions=dimensions, fields=fields
        )


def _list_fields(genotypes: Genotypes, notes: AlleleNotes) -> tuple[dict[str, NDArray], int, int]:
    """Return the fields of all records by name, the most alleles at one, and the largest ploidy."""
    position, alleles, ploidy, found, texts = [np.empty(0, np.int64)], 2, 1, {}, []
    number = 0
    for records in genotypes.records():
        position.append(records.position + 1)
        alleles = max([alleles, *map(len, records.alleles)])
        ploidy = max(ploidy, int(records.ploidy.max(initial=1)))
        for site in np.flatnonzero(records.svlen).tolist():
            end, svlen = int(records.end[site]), int(records.svlen[site])
            found[number + site] = structural_info(records.alleles[site], end, svlen)
        number += records.position.size
        for place, letters in zip(records.position.tolist(), records.alleles, strict=True):
            texts.append(notes.of_record(place, letters).split(","))
    fields: dict[str, NDArray[Any]] = {
        "position": np.concatenate(position),
        "QUAL": np.full(number, constants.FLOAT32_MISSING, np.float32),
        "SVTYPE": np.full(number, constants.STR_MISSING, object),
        "SVLEN": np.full((number, alleles - 1), constants.INT_FILL, np.int32),
        "END": np.full(number, constants.INT_MISSING, np.int32),
        "BCSQ": np.full((number, max([1, *map(len, texts)])), constants.STR_FILL, object),
    }
    for row, own in zip(fields["BCSQ"], texts, strict=True):
        row[: len(own)] = own if own[0] else constants.STR_MISSING
    fields["SVLEN"][:, 0] = constants.INT_MISSING
    for site, info in found.items():
        if info is not None:
            fields["SVTYPE"][site], fields["END"][site] = info.kind, info.end
            fields["SVLEN"][site, : len(info.lengths)] = info.lengths
    return fields, alleles, ploidy


def _padded(letters: tuple[str, ...], number: int) -> NDArray[np.object_]:
    return np.array([*letters, *[constants.STR_FILL] * (number - len(letters))], dtype=object)
