"""Hooks of MkDocs: add the generated pages, mend links to the repository, check what was built."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import get_plugin_logger
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # this checkout's library is described, wherever MkDocs is started

from docs_build.built_site import check_site  # noqa: E402
from docs_build.pages import COPIED, generated_pages  # noqa: E402
from docs_build.repository_links import rewrite_links  # noqa: E402

logger = get_plugin_logger("docs_build")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages.

    Args:
        files: The files that MkDocs found.
        config: The configuration of the site.

    Returns:
        The same files, and those that were generated.
    """
    for place, text in generated_pages(ROOT).items():
        files.append(File.generated(config, place, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Mend the links to files of the repository that are not pages.

    Args:
        markdown: The text of a page.
        page: The page.

    Returns:
        The text with other links.
    """
    place = page.file.src_uri
    source = next((file for file, to in COPIED.items() if to == place), f"docs/{place}")
    text, missing = rewrite_links(markdown, place, source, ROOT)
    for target in missing:
        logger.warning(
            "%s: expected a file of the repository, found the dead link %s", place, target
        )
    return text


def on_post_build(config: MkDocsConfig) -> None:
    """Warn of dead links and of what a network would be needed for.

    Args:
        config: The configuration of the site.
    """
    site = Path(config.site_dir)
    (site / "404.html").unlink()  # for web servers; its links start at the root of a server
    for finding in check_site(site):
        logger.warning(finding)
