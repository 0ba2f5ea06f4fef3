"""Templates and style sheets of the pages."""

from __future__ import annotations

from importlib import resources

import jinja2


def page_template(name: str) -> jinja2.Template:
    """Load a template. A name that is not given to it is an error.

    Args:
        name: The file in ``templates``.
    """
    environment = jinja2.Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        loader=jinja2.PackageLoader("rehearsal.report"),
    )
    return environment.get_template(name)


def package_text(name: str) -> str:
    """Read a file of this package.

    Args:
        name: The file.
    """
    return resources.files("rehearsal.report").joinpath(name).read_text(encoding="utf-8")
