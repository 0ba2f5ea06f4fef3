"""The manifest of a run: every file whose content the seed decides, with its digest.

Two runs of one configuration with one seed have equal manifests, on any number of cores and in
any order of jobs. Content is compared uncompressed where a file is gzip or BGZF, and decrypted
where it is Crypt4GH, so another compressor or key does not make another file. What is measured
while a run goes (times, loads) is no part of it, nor are secret keys; ``EXCLUDED`` says what and
why.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from rehearsal.files import content_digest, stream_digest, write_json
from rehearsal.formats import crypt4gh

FORMAT = "rehearsal manifest 1"
IGNORED_KEYS = ("results",)  # keys of the configuration that no file's content depends on

# Below the results, what differs from run to run, and why. "*" is any one folder or file; a
# pattern that begins with "**/" is of files in any folder.
EXCLUDED: dict[str, str] = {
    "**/*.csi": "tells where things lie in a compressed file: another compressor, another place",
    "**/*.tbi": "tells where things lie in a compressed file: another compressor, another place",
    "**/*.csi.c4gh": "tells where things lie in a compressed file",
    "queries/answers.parquet": "latencies were measured; the right answers are truth/answers.json",
    "queries/audit": "nodes wrote it while they answered",
    "bench": "latencies and loads were measured",
    "benchmarks": "seconds and memory of every job were measured",
    "stories": "latencies were measured; the right answers are truth/stories.json",
    "report": "shows latencies, loads, seconds and the machine",
    "exports/*/truth.c4gh": "keys and nonces of the encryption are drawn anew in every run",
    "exports/*/*/*.c4gh": "keys and nonces of the encryption are drawn anew in every run",
    "ro-crate-metadata.json": "says what the manifest says, once it is there",
    "logs": "tell times and paths of the machine",
    "issuer": "secret keys are drawn anew in every run",
    "nodes/*/issuer.jwks.json": "public keys of the issuer, drawn anew in every run",
    "nodes/*/keys": "keys that genomes are encrypted with, drawn anew in every run",
    "nodes/*/privacy.key": "a secret key, drawn anew in every run",
    "nodes/*/budget.sqlite": "a node wrote it while it answered",
    "nodes/*/term_budget.sqlite": "a node wrote it while it answered",
    "nodes/*/audit.jsonl": "a node wrote it while it answered",
    "nodes/*/audit.jsonl.head": "a node wrote it while it answered",
}


@dataclass(frozen=True, slots=True, order=True)
class FileEntry:
    """One file: its path below the results, bytes on disk, SHA-256 of its content."""

    path: str
    bytes: int
    sha256: str


def exclusion_reason(path: str) -> str | None:
    """The reason for which a path below the results is no part of the manifest, if it is none."""
    place = PurePosixPath(path)
    for pattern, reason in EXCLUDED.items():
        if pattern.startswith("**/"):
            if place.match(pattern.removeprefix("**/")):
                return reason
            continue
        if any(part.match(f"/{pattern}") for part in (_from_top(place), *_from_top(place).parents)):
            return reason
    return None


def _from_top(path: PurePosixPath) -> PurePosixPath:
    return PurePosixPath("/") / path


def files_below(paths: Iterable[Path | str]) -> Iterator[Path]:
    """The files among these paths, and those in the folders among them that are not hidden.

    Snakemake keeps a hidden file of its own in folders that rules make.
    """
    for path in map(Path, paths):
        if path.is_dir():
            yield from (file for file in path.rglob("*") if file.is_file() and file.name[0] != ".")
        else:
            yield path


def digest_files(results: Path, files: Iterable[Path], threads: int = 1) -> list[FileEntry]:
    """An entry for each file, in order of path. Raises ValueError for one outside the results."""

    def entry(file: Path) -> FileEntry:
        path = file.relative_to(results).as_posix()
        return FileEntry(path, file.stat().st_size, _digest(file))

    with ThreadPoolExecutor(threads) as pool:  # hashing and unzipping leave the interpreter's lock
        return sorted(pool.map(entry, files))


def _digest(file: Path) -> str:
    """Of what is in the file, decrypted with the key of the node in whose folder it lies."""
    if file.suffix != crypt4gh.SUFFIX:
        return content_digest(file)
    with crypt4gh.open_decrypting(file, crypt4gh.secret_key_of(file.parents[1])) as plain:
        return stream_digest(plain)


def config_digest(config: Mapping[str, Any]) -> str:
    """SHA-256 of a configuration, but for where the results go."""
    settings = {key: value for key, value in config.items() if key not in IGNORED_KEYS}
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def write_manifest(
    path: Path,
    entries: Iterable[FileEntry],
    seed: int,
    config: Mapping[str, Any],
    versions: Mapping[str, str],
) -> None:
    """Write the manifest of what is not excluded, as JSON; its bytes depend on its content only."""
    manifest = {
        "format": FORMAT,
        "seed": seed,
        "config_digest": config_digest(config),
        "versions": dict(versions),
        "excluded": EXCLUDED,
        "files": [asdict(one) for one in sorted(entries) if exclusion_reason(one.path) is None],
    }
    write_json(path, manifest)


def compare_manifests(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """What two manifests disagree about, a line each: what a run was given, then files."""
    lines = [
        f"{key}: {one[key]} and {other[key]}"
        for key in ("format", "seed", "config_digest", "versions")
        if one[key] != other[key]
    ]
    first, second = ({entry["path"]: entry for entry in m["files"]} for m in (one, other))
    for path in sorted(first.keys() | second.keys()):
        if path not in first or path not in second:
            lines.append(f"{path}: only in the {'first' if path in first else 'second'}")
        elif first[path]["sha256"] != second[path]["sha256"]:
            lines.append(f"{path}: another content")
    return lines
