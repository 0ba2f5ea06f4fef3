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
FORMATS = {  # media types by the end of a file's name
    ".parquet": "application/vnd.apache.parquet",
    ".json": "application/json",
    ".jsonl.gz": "application/gzip",
    ".yaml": "application/yaml",
    ".tsv": "text/tab-separated-values",
    ".svg": "image/svg+xml",
    ".ttl": "text/turtle",
    ".jsonld": "application/ld+json",
    ".sqlite": "application/vnd.sqlite3",
    ".bcf": "application/octet-stream",
    ".csi": "application/octet-stream",
    ".trees": "application/octet-stream",
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
    crate.name, crate.license = title, LICENCE
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
    kind = next((kind for end, kind in FORMATS.items() if name.endswith(end)), None)
    properties = {"sha256": entry["sha256"], "contentSize": str(entry["bytes"])}
    if kind is not None:
        properties["encodingFormat"] = kind
    return crate.add_file(dest_path=entry["path"], properties=properties).id


def _add_software(crate: ROCrate, versions: Mapping[str, str]) -> list[str]:
    named = []
    for name, version in sorted(versions.items()):
        properties = {"@type": "SoftwareApplication", "name": name, "softwareVersion": version}
        named.append(crate.add(ContextEntity(crate, f"#{name}", properties=properties)).id)
    return named


def _write(crate: ROCrate, path: Path) -> None:
    text = json.dumps(crate.metadata.generate(), indent=1, sort_keys=True)
    write_text(path, text + "\n")
