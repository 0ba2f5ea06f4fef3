"""Whether two runs made the same files, where a version gave some of them other paths.

    python benchmarks/compare_manifests.py OLD/manifest.json NEW/manifest.json

Paths of the old run are read through docs/decisions/paths-0.2.0.tsv: an old and a new path a line,
a ``*`` in both standing for the same folder or file name. Exits with 1 when the runs differ.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rehearsal.manifest import differences

PATHS = Path(__file__).resolve().parents[1] / "docs" / "decisions" / "paths-0.2.0.tsv"


def renamed(path: str, table: Mapping[str, str]) -> str:
    """The new path of an old one, both below the results."""
    for old, new in table.items():
        found = re.fullmatch("([^/]+)".join(map(re.escape, old.split("*"))), path)
        if found:
            return new.replace("*", "{}").format(*found.groups())
    return path


def read_paths(path: Path) -> dict[str, str]:
    """New paths by old ones; the first line names the columns."""
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    return dict(line.split("\t") for line in lines)


def with_new_paths(manifest: Mapping[str, Any], table: Mapping[str, str]) -> dict[str, Any]:
    """A manifest as the new version would have written it."""
    files = [entry | {"path": renamed(entry["path"], table)} for entry in manifest["files"]]
    return {**manifest, "files": files}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--paths", type=Path, default=PATHS)
    arguments = parser.parse_args()
    old, new = (json.loads(path.read_text()) for path in (arguments.old, arguments.new))
    found = differences(with_new_paths(old, read_paths(arguments.paths)), new)
    print("\n".join(found) or f"{len(new['files'])} files, all digests equal")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
