"""The inputs of a run, read and checked in a process of their own.

Reading and checking load libraries and ontologies of hundreds of MB. The process that plans the
jobs, and then waits for them, would hold them until the end of the run.
"""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from code_digest import CodeDigests

from rehearsal.config.command_line import check_section, name_command_line, section_of
from rehearsal.config.file_keys import name_keys
from rehearsal.config.inputs import Inputs
from rehearsal.config.kept_inputs import keep_inputs, kept_inputs
from rehearsal.config.machine_checks import check_machine
from rehearsal.errors import InputError

CHECKS = "rehearsal/config/preflight.py"  # imports all code that reads or checks inputs


@dataclass(frozen=True, slots=True)
class Given:
    """What a run is given.

    ``sources`` are the configuration files in the order they were merged, ``command_line`` is what
    the command line set, ``section`` are the keys below which both have the configuration, if it is
    that of a module, and ``versions`` says what code reads and checks all this.
    """

    config: Mapping[str, Any]
    sources: Sequence[Path]
    command_line: Mapping[str, Any]
    section: Sequence[str]
    schemas: Path
    versions: str


def code_versions(root: Path, digests: CodeDigests) -> str:
    """Describe the code that reads and checks inputs: the project's, and installed packages.

    Args:
        root: The checkout.
        digests: Digests of its code.
    """
    packages = Path(sysconfig.get_path("purelib")).stat().st_mtime_ns  # of the last installation
    schemas = [path.stat().st_mtime_ns for path in sorted((root / "workflow/schemas").iterdir())]
    return f"{sys.version} {packages} {schemas} {digests.of_script(root / CHECKS)}"


def section_of_module(
    config: Mapping[str, Any], whole: Mapping[str, Any], command_line: Mapping[str, Any]
) -> tuple[str, ...]:
    """Find the keys below which a workflow has the configuration that it gives to a module.

    Args:
        config: The configuration of the module.
        whole: The configuration of the workflow.
        command_line: What the command line set, by key.

    Returns:
        The keys from the top; none if they are not known.

    Raises:
        SystemExit: The module gets no mapping; its text says so.
    """
    try:
        check_section(config, whole, command_line)
    except InputError as error:
        raise SystemExit(str(error)) from None
    return section_of(config, whole)


def accepted_inputs(given: Given, is_main: bool) -> Inputs:
    """Return the inputs of a run, read and checked unless they were kept since the last time.

    Args:
        given: What the run is given.
        is_main: Whether this is the main process, and not that of a job. It checks also what
            single jobs read, and keeps what it has accepted.

    Raises:
        SystemExit: Something cannot be used; its text says what.
    """
    try:
        inputs = kept_inputs(given.config, given.sources, given.versions)
        if inputs is None:
            # a fork, which need not load Snakemake and its libraries again
            with ProcessPoolExecutor(1, mp_context=get_context("fork")) as process:
                read = process.submit(_read, given, is_main).result()
            if isinstance(read, str):
                raise SystemExit(read)
            return read
        if is_main:
            with name_command_line(given.command_line, given.sources, given.section):
                check_machine(inputs.config, inputs, given.sources)
    except InputError as error:
        raise SystemExit(str(error)) from None
    return inputs


def _read(given: Given, is_main: bool) -> Inputs | str:
    """Read the inputs, and check and keep them in the main process; the text of an InputError."""
    from rehearsal.config.loader import read_inputs
    from rehearsal.config.preflight import read_checked_inputs

    try:
        with (
            name_command_line(given.command_line, given.sources, given.section),
            name_keys(given.config, given.command_line, given.sources, given.section),
        ):
            read = read_checked_inputs if is_main else read_inputs
            inputs = read(given.config, given.sources, given.schemas)
            if is_main:
                keep_inputs(inputs, given.config, given.sources, given.versions)
    except InputError as error:
        return str(error)
    return inputs
