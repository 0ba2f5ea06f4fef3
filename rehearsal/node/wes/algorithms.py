"""The algorithms of a node: folders in ``algorithms/`` whose digests its settings approve.

A folder has ``algorithm.yaml``, ``parameters.schema.json``, ``Snakefile`` and whatever the
Snakefile calls. Its digest covers every file, so that any change needs a new approval.
"""

from __future__ import annotations

import hashlib
import logging
import re
import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.errors import InputError, shown
from rehearsal.files import read_json
from rehearsal.node.access.yaml_values import described
from rehearsal.yaml_files import load_yaml

log = logging.getLogger(__name__)

FOLDER = "algorithms"  # in a node's folder
ABOUT, PARAMETERS, SNAKEFILE = "algorithm.yaml", "parameters.schema.json", "Snakefile"
CLASSES = ("count", "sum", "list", "sketch")  # disclosure classes of arrays
NAME = re.compile("[a-z][a-z0-9_]{0,40}")
ARRAY_NAME = re.compile("[a-z][a-z0-9_.]{0,60}")
DATA = ("const", "enum", "default", "examples")  # keywords of a schema whose values are no schemas
VARIABLE = "variable"  # the format of a text in a parameter schema that names a variable of people


@dataclass(frozen=True)
class Algorithm:
    """What an algorithm says of itself."""

    name: str
    version: str
    summary: str  # in plain language
    genotypes: bool  # whether it reads genotypes
    rounds: bool  # whether it works in rounds with the network
    arrays: Mapping[str, str]  # disclosure class of each array that may leave, by name
    outputs: tuple[str, ...]  # names of the results of an algorithm without rounds
    smallest_count: int  # it lets no number out about fewer people, by its own account
    largest_mb: int  # of one round or output
    digest: str
    folder: Path
    parameters: Mapping[str, Any]  # JSON Schema


_KINDS: dict[str, tuple[type, str]] = {
    "name": (str, "a name"),
    "version": (str, "a text"),
    "summary": (str, "a text"),
    "genotypes": (bool, "true or false"),
    "rounds": (bool, "true or false"),
    "arrays": (dict, "a mapping"),
    "outputs": (list, "a list of names"),
    "smallest_count": (int, "a whole number"),
    "largest_mb": (int, "a whole number"),
}
_DEFAULTS = {"outputs": [], "largest_mb": 160}


def algorithm_digest(folder: Path) -> str:
    """Compute the digest of an algorithm.

    Args:
        folder: Its folder.

    Returns:
        ``sha256:`` and the SHA-256 of the sorted list of all files: relative path, a tab, SHA-256
        of the content, a line break.

    Raises:
        InputError: There is something that is neither a file nor a folder, such as a link.
    """
    lines = []
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise InputError(path, "file", "a plain file or folder", "a link or a special file")
        if path.is_file():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            lines.append(f"{path.relative_to(folder).as_posix()}\t{digest}\n")
    return f"sha256:{hashlib.sha256(''.join(sorted(lines)).encode()).hexdigest()}"


def read_algorithm(folder: Path) -> Algorithm:
    """Read an algorithm's folder.

    Args:
        folder: The folder.

    Returns:
        The algorithm.

    Raises:
        InputError: A file is missing, or names the key of a wrong value.
    """
    path = folder / ABOUT
    values = load_yaml(path, f"an algorithm's folder with {ABOUT}")
    if not isinstance(values, dict):
        raise InputError(path, "file", "a mapping", described(values))
    for key in values:
        if key not in _KINDS:
            expected = f"one of the keys {', '.join(_KINDS)}"
            raise InputError(path, str(key), expected, "an unknown key")
    given: dict[str, Any] = _DEFAULTS | values
    for key, (kind, expected) in _KINDS.items():
        if type(given.get(key)) is not kind:
            raise InputError(path, key, expected, described(given.get(key)))
    _check_names(path, given)
    _check_results(path, given)
    if not (folder / SNAKEFILE).is_file():
        raise InputError(folder / SNAKEFILE, "file", "a Snakefile", "no such file")
    given["outputs"] = tuple(given["outputs"])
    digest = algorithm_digest(folder)
    return Algorithm(**given, digest=digest, folder=folder, parameters=_schema(folder))


def _check_names(path: Path, given: Mapping[str, Any]) -> None:
    expected = "names of small letters, digits and _, from a letter on"
    names = [("name", given["name"]), *(("outputs", name) for name in given["outputs"])]
    for key, name in (*names, *(("arrays", name) for name in given["arrays"])):
        pattern = ARRAY_NAME if key == "arrays" else NAME
        if not isinstance(name, str) or not pattern.fullmatch(name):
            raise InputError(path, key, expected, shown(name))


def _check_results(path: Path, given: Mapping[str, Any]) -> None:
    for name, kind in given["arrays"].items():
        if kind not in CLASSES:
            raise InputError(path, f"arrays.{name}", f"one of {', '.join(CLASSES)}", shown(kind))
    if given["rounds"] == bool(given["outputs"]):
        expected = "either rounds: true or a list of outputs"
        raise InputError(path, "outputs", expected, "both" if given["rounds"] else "neither")


def _schema(folder: Path) -> Mapping[str, Any]:
    import jsonschema

    path = folder / PARAMETERS
    try:
        schema = read_json(path)
        jsonschema.Draft202012Validator.check_schema(schema)
    except (OSError, ValueError) as problem:
        raise InputError(path, "file", "a JSON Schema", f"none ({problem})") from None
    except jsonschema.SchemaError as problem:
        raise InputError(path, problem.json_path, "a valid JSON Schema", problem.message) from None
    if not isinstance(schema, dict):
        raise InputError(path, "$", "an object", described(schema))
    for found in _formats(schema):
        if found != VARIABLE:  # which nothing would check
            raise InputError(path, "format", f"{VARIABLE}, the only one", shown(found))
    return schema


def _formats(schema: Any) -> Iterator[str]:
    """List the formats that a schema asks for, at any depth."""
    if isinstance(schema, dict):
        if isinstance(schema.get("format"), str):
            yield schema["format"]
        schema = [part for key, part in schema.items() if key not in DATA]
    if isinstance(schema, list):
        for part in schema:
            yield from _formats(part)


class ApprovedAlgorithms:
    """The algorithms of a node that its settings approve.

    Args:
        folder: The node's folder.
        approved: Digests that may run.
    """

    def __init__(self, folder: Path, approved: Collection[str]) -> None:
        found = sorted((folder / FOLDER).glob(f"*/{ABOUT}")) if approved else []
        self._known: dict[str, Algorithm] = {}
        for path in found:
            try:
                one = read_algorithm(path.parent)
            except InputError as error:
                log.warning("%s is left out: %s", path.parent.name, error)
                continue
            if one.digest in approved:
                self._known[one.digest] = one
            else:
                log.warning("%s is left out: %s is not approved", one.name, one.digest)
        for digest in set(approved) - set(self._known):
            log.warning("%s is approved, and no folder in %s/ has it", digest, FOLDER)

    def __iter__(self) -> Any:
        return iter(self._known.values())

    def find(self, name: str) -> Algorithm | None:
        """Find an algorithm.

        Args:
            name: Its digest, or its name where only one has it.

        Returns:
            The algorithm, or None.
        """
        if name in self._known:
            return self._known[name]
        named = [one for one in self._known.values() if one.name == name]
        return named[0] if len(named) == 1 else None


def copy_algorithm(algorithm: Algorithm, target: Path) -> bool:
    """Copy an algorithm for one run, and look at the copy whether it is still what was approved.

    Args:
        algorithm: The algorithm.
        target: The folder to make. Everybody may read it.

    Returns:
        Whether the copy has the approved digest.
    """
    shutil.copytree(algorithm.folder, target, symlinks=True)
    for path in (target, *target.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)
    try:
        return algorithm_digest(target) == algorithm.digest
    except InputError:  # a link, which no approved algorithm has
        return False
