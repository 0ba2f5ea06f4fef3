"""Check that the folder of the results can be one."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryFile

from rehearsal.errors import InputError, cause, shown
from rehearsal.genomes.blocks import CONFIG

ROOM = 1 << 20  # bytes; less is a full disk
PROJECT_FOLDERS = frozenset(
    {
        "benchmarks",
        "config",
        "deploy",
        "docs",
        "docs_build",
        "envs",
        "profiles",
        "rehearsal",
        "scripts",
        "tests",
        "workflow",
    }
)


def check_results(results: str, project: Path) -> None:
    """Check that the results of a run can be written to a folder, and overwrite nothing else.

    Args:
        results: The folder of the results, as the configuration names it.
        project: The folder of the project.

    Raises:
        InputError: The path is a file, or holds the project or one of its folders; the system
            refuses it; or commands would read it as an option.
    """
    if fault := _fault(results, project):
        expected = "a folder that is new or has results"
        raise InputError(CONFIG, "results", expected, f"{shown(results)}, {fault}")


def check_room(results: str) -> None:
    """Check that files can be written where the results will be, by writing one without a name.

    Args:
        results: The folder of the results; it need not exist yet.

    Raises:
        InputError: The system refuses it: a full disk, no rights, a read-only file system.
    """
    path = Path(results).absolute()
    there = next(folder for folder in (path, *path.parents) if folder.is_dir())
    try:
        with TemporaryFile(dir=there) as file:
            file.write(bytes(ROOM))
            file.flush()
    except OSError as error:
        found = f"{shown(str(there))}, where the system refuses one ({cause(error)})"
        raise InputError(
            CONFIG, "results", "a folder in which files can be written", found
        ) from None


def _fault(results: str, project: Path) -> str:
    if results.startswith("-"):
        return "which commands read as an option"
    path = Path(results)
    try:
        is_file = path.exists() and not path.is_dir()
        path.stat()  # exists() hides some errors
    except FileNotFoundError:
        is_file = False
    except OSError as error:
        return f"which the system refuses ({cause(error)})"
    if is_file:
        return "which is no folder"
    is_own = any(_is_own(path.resolve(), place.resolve()) for place in (project, Path()))
    return "which is a folder of the project" if is_own else ""


def _is_own(path: Path, place: Path) -> bool:
    """Whether a path is a folder of a project or of a run's configuration, or holds the place."""
    if place.is_relative_to(path):
        return True
    first = path.relative_to(place).parts[0] if path.is_relative_to(place) else ""
    return first in PROJECT_FOLDERS or first.startswith(".")
