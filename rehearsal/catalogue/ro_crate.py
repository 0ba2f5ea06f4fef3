"""The research object crate of a run: its files, inputs and software versions.

RO-Crate 1.1 and later, https://www.researchobject.org/ro-crate/specification. The crate is the
results folder itself; its metadata file names every file that the seed decides, with its digest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from rehearsal.files import write_text

FILE_NAME = "ro-crate-metadata.json"
LICENCE = "https://opensource.org/license/mit"
HOMES = {  # of software that is not on PyPI
    "python": "https://www.python.org/",
    "rehearsal": "https://rehearsal.example/source",
}
LICENCE_TERMS = "Use, copy, change and pass on freely, with the notice of the licence; no warranty."
BINARY, GZIP, TEXT = "application/octet-stream", "application/gzip", "text/plain"
TSV, CSV = "text/tab-separated-values", "text/csv"
FORMATS = {  # media type and content, by the end of a file's name; the first that fits applies
    ".parquet": ("application/vnd.apache.parquet", "Table, Parquet"),
    ".jsonl.gz": (GZIP, "Records, one JSON document per line"),
    ".json.gz": (GZIP, "Records, JSON"),
    ".json": ("application/json", "Facts about the files, JSON"),
    ".jsonld": ("application/ld+json", "Metadata, JSON-LD"),
    ".ttl": ("text/turtle", "Metadata, Turtle"),
    ".yaml": ("application/yaml", "Settings or metadata, YAML"),
    ".tsv.gz": (GZIP, "Table, tab-separated"),
    ".tsv": (TSV, "Table, tab-separated"),
    ".csv": (CSV, "Table, comma-separated"),
    ".svg": ("image/svg+xml", "Figure"),
    ".html": ("text/html", "Page"),
    ".sqlite": ("application/vnd.sqlite3", "Database, SQLite"),
    ".vcz.zip": ("application/zip", "Genotypes, VCF Zarr"),
    ".vcf.gz": (GZIP, "Genotypes, VCF"),
    ".bcf": (BINARY, "Genotypes, BCF"),
    ".pgen": (BINARY, "Genotypes, PLINK 2"),
    ".pvar": (TEXT, "Variants, PLINK 2"),
    ".psam": (TSV, "People and phenotypes, PLINK 2"),
    ".grg": (BINARY, "Genotype representation graph"),
    ".trees": (BINARY, "Tree sequence, tskit"),
    ".tsz": (BINARY, "Tree sequence, tszip"),
    ".gff3.gz": (GZIP, "Genes, GFF3"),
    ".fa.gz": (GZIP, "Reference sequences, FASTA"),
    ".fa": (TEXT, "Reference sequences, FASTA"),
    ".fq.gz": (GZIP, "Reads, FASTQ"),
    ".cram": (BINARY, "Aligned reads, CRAM"),
    ".fai": (TSV, "Index of sequences"),
    ".gzi": (BINARY, "Index of compressed blocks"),
    ".csi": (BINARY, "Index of positions, CSI"),
    ".tbi": (BINARY, "Index of positions, tabix"),
    ".crai": (GZIP, "Index of positions, CRAM"),
    ".txt.gz": (GZIP, "Scoring file of the PGS Catalog"),
    ".txt": (TEXT, "Text"),
    "": (BINARY, "File"),
}


def write_crate(path: Path, manifest: Mapping[str, Any], title: str, year: int) -> None:
    """Write the metadata file of a crate.

    Args:
        path: The file.
        manifest: The manifest, as ``rehearsal.manifest.write_manifest`` writes it.
        title: Title of the crate.
        year: Reference year of the synthetic data. The crate is dated to its first day, so that
            its bytes depend only on the inputs of the run.
    """
    crate = ROCrate()
    crate.name = title
    licence = {"@type": "CreativeWork", "name": "MIT licence", "description": LICENCE_TERMS}
    crate.license = crate.add(ContextEntity(crate, LICENCE, properties=licence))
    crate.description = "Synthetic genomes, phenotypes and records. No real person is in them."
    root = crate.root_dataset
    root["datePublished"] = f"{year}-01-01"
    root["keywords"] = "synthetic data, genomics, federated analysis, Beacon v2"
    files = [_add_file(crate, entry) for entry in manifest["files"]]
    software = _add_software(crate, manifest["versions"])
    crate.add(
        ContextEntity(
            crate,
            "#run",
            properties={
                "@type": "CreateAction",
                "name": "Run of the rehearsal",
                "description": f"seed {manifest['seed']}, configuration SHA-256 "
                f"{manifest['config_digest']}",
                "instrument": [{"@id": one} for one in software],
                "result": [{"@id": one} for one in files],
            },
        )
    )
    root["mentions"] = {"@id": "#run"}
    _write(crate, path)


def _add_file(crate: ROCrate, entry: Mapping[str, Any]) -> str:
    name = PurePosixPath(entry["path"]).name
    media_type, content = next(FORMATS[end] for end in FORMATS if name.endswith(end))
    properties = {
        "name": entry["path"],
        "description": f"{content}. Synthetic",
        "encodingFormat": media_type,
        "sha256": entry["sha256"],
        "contentSize": str(entry["bytes"]),
    }
    return crate.add_file(dest_path=entry["path"], properties=properties).id


def _add_software(crate: ROCrate, versions: Mapping[str, str]) -> list[str]:
    named = []
    for name, version in sorted(versions.items()):
        properties = {
            "@type": "SoftwareApplication",
            "name": name,
            "version": version,
            "softwareVersion": version,
            "url": HOMES.get(name, f"https://pypi.org/project/{name}/"),
        }
        named.append(crate.add(ContextEntity(crate, f"#{name}", properties=properties)).id)
    return named


def _write(crate: ROCrate, path: Path) -> None:
    text = json.dumps(crate.metadata.generate(), indent=1, sort_keys=True)
    write_text(path, text + "\n")
