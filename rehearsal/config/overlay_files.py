"""Check what Snakemake would end with a traceback about: --configfile, --config and its cache.

A program of its own: ``make run`` starts it with the options of Snakemake.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from rehearsal.compiled_code import can_be_written
from rehearsal.config.command_line import check_pairs
from rehearsal.errors import Complaints, InputError, shown
from rehearsal.yaml_files import load_configuration


def check_overlays(paths: Iterable[Path]) -> None:
    """Check that files are mappings of keys to values, in YAML or JSON.

    Args:
        paths: The files.

    Raises:
        InputError: One is something else, or unreadable. Each is reported.
    """
    complaints = Complaints()
    for path in paths:
        with complaints.collected():
            content = load_configuration(path)
            if not isinstance(content, dict):
                found = "nothing" if content is None else shown(content)
                raise InputError(path, "file", "keys of the configuration at the top", found)
    complaints.raise_any()


def check_cache() -> None:
    """Check that Snakemake can write its cache.

    Raises:
        InputError: It cannot.
    """
    kept = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    folder = Path(os.path.expanduser(kept), "snakemake")  # noqa: PTH111 - a user may have no home
    if not can_be_written(folder):
        expected = "one in which Snakemake can keep its cache (XDG_CACHE_HOME names another)"
        raise InputError(folder, "folder", expected, "one that cannot be written")


def main(arguments: Sequence[str] | None = None) -> None:
    """Check what the options of Snakemake name, and its cache; end the process if one is wrong.

    Args:
        arguments: The options; None for those of the process.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", type=Path, default=[])
    parser.add_argument("--config", "-C", nargs="*", default=[])
    given, complaints = parser.parse_known_args(arguments)[0], Complaints()
    with complaints.collected():
        check_overlays(given.configfile)
    with complaints.collected():
        check_pairs(given.config)
    with complaints.collected():
        check_cache()
    try:
        complaints.raise_any()
    except InputError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
