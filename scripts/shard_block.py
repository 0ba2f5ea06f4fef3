"""Write each country's BCF and variant store part of a block in one sparse pass, with digests."""

from dataclasses import asdict
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

import pandas as pd
import tskit

from rehearsal.files import atomic_path, write_parquet
from rehearsal.formats.crypt4gh import encrypt_file
from rehearsal.genomes.reference import read_reference
from rehearsal.logs import log_to_file
from rehearsal.manifest import file_entry
from rehearsal.stores.country_shards import write_shards
from rehearsal.stores.variant_store_part import CONSEQUENCES


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    countries = smk.params.countries
    keys = smk.input.public_keys  # none without encryption at rest
    with atomic_path(smk.output.parts) as folder, TemporaryDirectory(dir=folder.parent) as plain:
        folder.mkdir()
        # genomes that are to be encrypted are never plain in a node's folder
        bcfs = [f"{plain}/{country}.bcf" for country in countries] if keys else smk.output.bcf
        digests = write_shards(
            tskit.load(smk.input.trees),
            smk.params.block,
            pd.read_parquet(smk.input.people),
            dict(zip(countries, map(Path, bcfs), strict=True)),
            {country: folder / f"{country}.parquet" for country in countries},
            pd.read_parquet(smk.input.consequences),
            read_reference(smk.input.reference, smk.params.block),
        )
        copyfile(smk.input.consequences, folder / CONSEQUENCES)  # for the stores
        for number, key in enumerate(keys):
            encrypt_file(bcfs[number], smk.output.bcf[number], key)
            encrypt_file(f"{bcfs[number]}.csi", smk.output.csi[number], key)
    results = Path(smk.output.digests).parents[1]
    entries = [file_entry(results, Path(smk.input.trees))]
    for country, bcf in zip(countries, smk.output.bcf, strict=True):
        entries.append(file_entry(results, Path(bcf), digests[country]))
    write_parquet(smk.output.digests, pd.DataFrame(map(asdict, entries)))


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
