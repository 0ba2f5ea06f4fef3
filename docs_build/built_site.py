"""Checks on the built site: it needs no network, and no link of it is dead."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
STYLE_URL = re.compile(r"(?:url\(|@import)\s*['\"]?(https?:)?//")


class Page(HTMLParser):
    """What a page loads, where its links lead, and the places in it."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.places: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element.

        Args:
            tag: Its name.
            attrs: Its attributes.
        """
        given = {name: value or "" for name, value in attrs}
        self.places |= {given[name] for name in ("id", "name") if name in given}
        if tag in LOADED and LOADED[tag] in given and given.get("rel") != "canonical":
            self.loaded.append(given[LOADED[tag]])
        elif tag == "a" and "href" in given:
            self.links.append(given["href"])


def check_site(site: Path) -> Iterator[str]:
    """Find what is wrong with a built site.

    Args:
        site: The folder that MkDocs wrote.

    Yields:
        One line for each thing that a page or style sheet would load from a network host, and
        for each link to a page or to a place in a page that does not exist.
    """
    pages = {path: _read(path) for path in sorted(site.rglob("*.html"))}
    for path, page in pages.items():
        name = path.relative_to(site)
        for target in page.loaded:
            if urlsplit(target).netloc:
                yield f"{name}: expected a file of the site, found {target}"
        for target in [*page.loaded, *page.links]:
            if not _is_found(target, path, pages):
                yield f"{name}: expected a place of the site, found the dead link {target}"
    for path in sorted(site.rglob("*.css")):
        if STYLE_URL.search(path.read_text(encoding="utf-8")):
            yield f"{path.relative_to(site)}: expected files of the site, found a network address"


def _read(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def _is_found(target: str, path: Path, pages: dict[Path, Page]) -> bool:
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return True
    file = path if not parts.path else Path(os.path.normpath(path.parent / unquote(parts.path)))
    if file.is_dir():
        file /= "index.html"
    if not parts.fragment or file not in pages:
        return file.is_file()
    return unquote(parts.fragment) in pages[file].places
