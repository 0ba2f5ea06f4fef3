"""Inputs that a run has accepted, kept for the processes of its jobs and for the next run.

Each job's process evaluates the workflow again. It would read whole maps and gene models for the
few facts that decide which jobs there are.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from rehearsal.config.inputs import Inputs
from rehearsal.config.left_out import country_table
from rehearsal.files import atomic_path
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.logs import note, noted

FILE = Path(".snakemake/rehearsal-inputs.pickle")  # in the folder of the run
MOST = 4  # sets of inputs in it: a workflow may have this one as several modules
WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def keep_inputs(
    inputs: Inputs,
    config: Mapping[str, Any],
    sources: Sequence[Path],
    versions: str = "",
    path: Path = FILE,
) -> None:
    """Keep inputs for :func:`kept_inputs`, in a file that only this user can write.

    The notes that reading them gave are kept with them. The file has the last ``MOST`` sets of
    inputs that were kept.

    A folder that cannot be written is no error: jobs then read the inputs again.

    Args:
        inputs: The inputs.
        config: The merged configuration that they were read for.
        sources: The configuration files.
        versions: The versions of the code that read them.
        path: The file to keep them in.
    """
    state = _state(config, sources, versions)
    others = {key: kept for key, kept in _read(path).items() if key != state}
    kept = {**others, state: pickle.dumps((inputs, noted()))}
    with suppress(OSError), atomic_path(path) as aside:
        aside.touch(mode=0o600)
        aside.write_bytes(pickle.dumps(dict(list(kept.items())[-MOST:])))


def kept_inputs(
    config: Mapping[str, Any], sources: Sequence[Path], versions: str = "", path: Path = FILE
) -> Inputs | None:
    """Return the inputs that were kept, and give the notes again that reading them gave.

    Args:
        config: The merged configuration.
        sources: The configuration files.
        versions: The versions of the code that would read them.
        path: The file that they were kept in.

    Returns:
        The inputs; None if none were kept for this configuration by this code, if a file that it
        names has changed in size or time since, or if another user could have written the kept
        file: reading a pickle runs what it says.
    """
    try:
        inputs, notes = pickle.loads(_read(path)[_state(config, sources, versions)])
    except Exception:  # absent or of another version: the inputs are read again
        return None
    for text in notes:
        note(text)
    return inputs


def _read(path: Path) -> dict[str, bytes]:
    """Read what was kept, by state; nothing if there is no such file, or others could write it."""
    try:
        with path.open("rb") as file:
            facts = os.fstat(file.fileno())
            if facts.st_uid != os.geteuid() or facts.st_mode & WRITABLE_BY_OTHERS:
                return {}
            return dict(pickle.load(file))
    except Exception:  # absent, cut off or of another version
        return {}


def _state(config: Mapping[str, Any], sources: Sequence[Path], versions: str) -> str:
    """Digest a configuration, versions, and the size and time of each file that it names."""
    options = orjson.OPT_NON_STR_KEYS | orjson.OPT_SORT_KEYS
    try:
        content = orjson.dumps([versions, config], option=options)
    except TypeError:  # a whole number of more than 64 bits, which the checks refuse
        content = repr([versions, config]).encode()
    digest = hashlib.sha256(content)
    named = {key: value for key, value in config.items() if key != "results"}
    table = str(country_table(config, sources))
    for path in sorted({table, *map(str, sources), *_texts(named)}):
        for file in _files(path):
            facts = file.stat()
            times = f"{facts.st_mtime_ns}\0{facts.st_ctime_ns}"  # a copy can bring an old mtime
            digest.update(f"{file}\0{facts.st_size}\0{times}\0".encode())
    return digest.hexdigest()


def _texts(value: object) -> Iterator[str]:
    """Find the texts in a value: some are paths."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(part)


def _files(text: str) -> list[Path]:
    """List the files that a text of the configuration names: one, one by contig, or a folder's."""
    paths = [Path(text.replace("{contig}", contig)) for contig in CONTIG_LENGTHS]
    paths = paths if "{contig}" in text else paths[:1]
    try:
        inside = [file for path in paths if path.is_dir() for file in sorted(path.iterdir())]
        return [file for file in [*paths, *inside] if file.is_file()]
    except (OSError, ValueError):  # no path
        return []
