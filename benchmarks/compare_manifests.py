"""Compare the files of two runs whose versions use different paths.

    python benchmarks/compare_manifests.py OLD/manifest.json NEW/manifest.json

Each manifest must lie in the results of its run. The old run is translated with
docs/decisions/paths-0.2.0.tsv, which has an old and a new path per line. They are paths of results,
where ``*`` stands for the same folder or file name in both, and paths of the library that results
name in their text. Exits with 1 if the runs differ.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rehearsal.manifest import compare_manifests

PATHS = Path(__file__).resolve().parents[1] / "docs" / "decisions" / "paths-0.2.0.tsv"


def read_paths(path: Path) -> dict[str, str]:
    """Read the new path of each old path.

    Args:
        path: A tab-separated table whose first line names the columns.
    """
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    return dict(line.split("\t") for line in lines)


def renamed(path: str, table: Mapping[str, str]) -> str:
    """Return the new path of an old one, both relative to the results.

    Args:
        path: The old path.
        table: New paths by old ones.
    """
    for old, new in table.items():
        found = re.fullmatch("([^/]+)".join(map(re.escape, old.split("*"))), path)
        if found:
            return new.replace("*", "{}").format(*found.groups())
    return path


def digest_with_new_paths(file: Path, table: Mapping[str, str]) -> str | None:
    """Return the SHA-256 of a text with new paths in it; None if it names no old path.

    Args:
        file: The text.
        table: New paths by old ones.
    """
    content = file.read_bytes()
    changed = content
    for old, new in table.items():
        changed = changed.replace(old.encode(), new.encode())
    return None if changed == content else hashlib.sha256(changed).hexdigest()


def with_new_paths(manifest: Path, table: Mapping[str, str]) -> dict[str, Any]:
    """Translate a manifest into the one that the new version would have written.

    Args:
        manifest: ``manifest.json`` in the results of its run.
        table: New paths by old ones.
    """
    read = json.loads(manifest.read_text())
    for entry in read["files"]:
        file = manifest.parent / entry["path"]
        if file.suffix in (".tsv", ".json", ".svg"):
            entry["sha256"] = digest_with_new_paths(file, table) or entry["sha256"]
        entry["path"] = renamed(entry["path"], table)
    return read


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", type=Path, help="manifest of the old version")
    parser.add_argument("new", type=Path, help="manifest of the new version")
    parser.add_argument("--paths", type=Path, default=PATHS, help="table of old and new paths")
    arguments = parser.parse_args()
    new = json.loads(arguments.new.read_text())
    found = compare_manifests(with_new_paths(arguments.old, read_paths(arguments.paths)), new)
    print("\n".join(found) or f"{len(new['files'])} files, all digests equal")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
