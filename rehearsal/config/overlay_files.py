"""Check the files after --configfile before Snakemake reads them, which ends with a traceback.

A program of its own: ``make run`` starts it with the options of Snakemake.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from rehearsal.errors import Complaints, InputError, shown
from rehearsal.yaml_files import load_yaml


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
            content = load_yaml(path, "a configuration")  # JSON is YAML
            if not isinstance(content, dict):
                found = "nothing" if content is None else shown(content)
                raise InputError(path, "file", "keys of the configuration at the top", found)
    complaints.raise_any()


def main(arguments: Sequence[str] | None = None) -> None:
    """Check the overlays that the options of Snakemake name; end the process if one is wrong.

    Args:
        arguments: The options; None for those of the process.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", type=Path, default=[])
    try:
        check_overlays(parser.parse_known_args(arguments)[0].configfile)
    except InputError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
