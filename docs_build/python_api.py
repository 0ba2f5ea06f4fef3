"""Pages of the Python API: one for each room of the library, and one for its core."""

from __future__ import annotations

from pathlib import Path

CORE = "core"
INDEX = """# Python API

The library does not depend on Snakemake. Each page describes one room: a package that imports only
from the core and from the rooms listed before it ([architecture](../../architecture.md)).

Coordinates are 0-based and half-open unless a description says otherwise.
"""


def python_pages(package: Path) -> dict[str, str]:
    """Write the pages that mkdocstrings fills with signatures and docstrings.

    Args:
        package: The folder of the library.

    Returns:
        The Markdown text of each page, by its file name. ``core.md`` has all single modules,
        ``index.md`` explains the pages.
    """
    modules = sorted(path.stem for path in package.glob("*.py") if not path.stem.startswith("_"))
    rooms = sorted(path.parent.name for path in package.glob("*/__init__.py"))
    core = "\n".join(_described(f"{package.name}.{module}") for module in modules)
    pages = {f"{room}.md": f"# {room}\n\n{_described(f'{package.name}.{room}')}" for room in rooms}
    return {"index.md": INDEX, f"{CORE}.md": f"# {CORE}\n\n{core}", **pages}


def _described(name: str) -> str:
    return f"::: {name}\n"
