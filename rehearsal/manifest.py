"""The manifest of a run: every file whose content the seed decides, with its digest.

Two runs of one configuration with one seed have equal manifests, on any number of cores and in
any order of jobs. Digests are of decompressed content where a file is gzip or BGZF, and of
decrypted content where it is Crypt4GH, so they depend neither on the compressor nor on the key.
Measurements of the run itself (times, loads) and secret keys are left out; ``EXCLUDED`` lists them
with reasons.
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
from rehearsal.logs import in_progress

FORMAT = "rehearsal manifest 1"
IGNORED_KEYS = ("results",)  # keys of the configuration that no file's content depends on

# Paths below the results that differ from run to run, with the reason. "*" stands for one folder or
# file; a pattern that begins with "**/" applies to files in any folder.
EXCLUDED: dict[str, str] = {
    "**/*.csi": "index: positions in a compressed file depend on the compressor",
    "**/*.tbi": "index: positions in a compressed file depend on the compressor",
    "**/*.csi.c4gh": "index: positions in a compressed file depend on the compressor",
    "reference/reference.fa.gz*": "reference/contigs.json has the digest of each contig",
    "nodes/*/reference": "the files of reference/",
    "queries/answers.parquet": "measured latencies; the right answers are truth/answers.json",
    "queries/audit": "written by the nodes as they answered",
    "bench": "measured latencies and loads",
    "benchmarks": "measured time and memory of every job",
    "stories": "measured latencies; the right answers are truth/stories.json",
    "analyses": "measured times, and sums whose last digits depend on the machine",
    "truth/analyses.npz": "sums whose last digits depend on the machine",
    "truth/analysed_people.parquet": "made with truth/analyses.npz",
    "policy": "figures whose last digits depend on the machine",
    "report": "shows measured latencies, loads, times and the machine",
    "exports/*/truth.c4gh": "encrypted with new random keys and nonces in every run",
    "exports/*/*/*.c4gh": "encrypted with new random keys and nonces in every run",
    "digests": "parts of the manifest",
    "ro-crate-metadata.json": "made from the manifest",
    "logs": "contain times and paths of the machine",
    "issuer": "new random secret keys in every run",
    "nodes/*/issuer.jwks.json": "public keys of the issuer, new in every run",
    "nodes/*/keys": "keys of genomes and identities, new in every run",
    "nodes/*/analysis_keys.json": "public keys of partners and coordinator, new in every run",
    "network/coordinator.pem": "new random secret key in every run",
    "nodes/*/privacy.key": "new random secret key in every run",
    "nodes/*/ledger.sqlite": "written by the node as it answered",
    "nodes/*/withdrawals.jsonl": "written by the node's operator",
    "nodes/*/audit-*.jsonl": "written by the node as it answered",
    "nodes/*/audit.jsonl": "written by the node as it answered",
    "nodes/*/audit.jsonl.head": "written by the node as it answered",
}


@dataclass(frozen=True, slots=True, order=True)
class FileEntry:
    """A file in the manifest."""

    path: str  # below the results
    bytes: int  # on disk
    sha256: str  # of its content, 64 hexadecimal digits


def exclusion_reason(path: str) -> str | None:
    """Look up why a path is left out of the manifest.

    Args:
        path: A path below the results.

    Returns:
        The reason, or None for a path that belongs to the manifest.
    """
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
    """Find files: those given, and those in the given folders that are not hidden.

    Snakemake keeps a hidden file of its own in folders that rules make.

    Args:
        paths: Files and folders.

    Yields:
        Paths of files.
    """
    for path in map(Path, paths):
        if path.is_dir():
            yield from (file for file in path.rglob("*") if file.is_file() and file.name[0] != ".")
        else:
            yield path


def digest_files(results: Path, files: Iterable[Path], threads: int = 1) -> list[FileEntry]:
    """Compute the entries of files.

    Args:
        results: The results folder.
        files: Files below it.
        threads: How many files are read at once.

    Returns:
        One entry per file, in order of path.

    Raises:
        ValueError: A file lies outside the results folder.
    """
    # hashing and unzipping release the interpreter's lock
    with ThreadPoolExecutor(threads) as pool:
        found = [pool.submit(file_entry, results, file) for file in files]
        return sorted(one.result() for one in in_progress(found, "files"))


def file_entry(results: Path, file: Path, sha256: str | None = None) -> FileEntry:
    """Compute the entry of a file.

    Args:
        results: The results folder.
        file: A file below it.
        sha256: The digest of its content, if the writer knows it. Otherwise the file is read.

    Raises:
        ValueError: The file lies outside the results folder.
    """
    path = file.relative_to(results).as_posix()
    return FileEntry(path, file.stat().st_size, _digest(file) if sha256 is None else sha256)


def _digest(file: Path) -> str:
    """The digest of a file, decrypted with the key of the node whose folder holds it."""
    if file.suffix != crypt4gh.SUFFIX:
        return content_digest(file)
    with crypt4gh.open_decrypting(file, crypt4gh.secret_key_of(file.parents[1])) as plain:
        return stream_digest(plain)


def config_digest(config: Mapping[str, Any]) -> str:
    """Compute the SHA-256 of a configuration, without the path of the results.

    Args:
        config: The configuration, plain data.

    Returns:
        64 hexadecimal digits.
    """
    settings = {key: value for key, value in config.items() if key not in IGNORED_KEYS}
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def write_manifest(
    path: Path,
    entries: Iterable[FileEntry],
    seed: int,
    config: Mapping[str, Any],
    versions: Mapping[str, str],
) -> None:
    """Write the manifest as JSON; its bytes depend on its content only.

    Args:
        path: The file.
        entries: Entries of files; excluded ones are left out.
        seed: The root seed of the run.
        config: The configuration of the run.
        versions: Versions of software by name.
    """
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
    """List the differences between two manifests.

    Args:
        one: A manifest, as JSON gives it.
        other: Another one.

    Returns:
        One line per difference: first of seed, configuration and versions, then of files.
    """
    lines = [
        f"{key}: {one[key]} and {other[key]}"
        for key in ("format", "seed", "config_digest", "versions")
        if one[key] != other[key]
    ]
    first, second = ({entry["path"]: entry for entry in m["files"]} for m in (one, other))
    for path in sorted(first.keys() | second.keys()):
        if path not in first or path not in second:
            lines.append(f"{path}: only in the {'first' if path in first else 'second'} run")
        elif first[path]["sha256"] != second[path]["sha256"]:
            lines.append(f"{path}: different content")
    return lines
