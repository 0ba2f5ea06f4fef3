"""Links from pages to files of the repository that are not pages of the site."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

# files of the repository that the site shows as pages
PAGES = {
    "README.md": "index.md",
    "config/README.md": "reference/configuration.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
FENCE = re.compile(r"^( *)(```+|~~~+).*?^\1\2 *$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[(?P<text>(?:[^\[\]]|\[[^\]]*\])*)\]\((?P<target>[^()\s]+)\)")


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """Change the parts of a Markdown text that are not in fenced code.

    Args:
        text: Markdown text.
        change: Called with each part.

    Returns:
        The text with the changed parts.
    """
    parts, end = [], 0
    for match in FENCE.finditer(text):
        parts += [change(text[end : match.start()]), match.group()]
        end = match.end()
    return "".join([*parts, change(text[end:])])


def links(text: str) -> Iterator[tuple[str, str]]:
    """Find the relative links of a Markdown text, as text and target.

    Args:
        text: Markdown text. Links in fenced code, and those with a scheme, are left out.
    """
    for match in LINK.finditer(FENCE.sub("", text)):
        if is_relative(match["target"]):
            yield match["text"], match["target"]


def is_relative(target: str) -> bool:
    """Tell whether a target is a path.

    Args:
        target: What a link leads to.
    """
    return not re.match(r"[a-z][a-z0-9+.-]*:|#|/", target)


def rewrite_links(text: str, place: str, source: str, root: Path) -> tuple[str, list[str]]:
    """Make links of a page lead to pages of the site, or name the file they lead to.

    Args:
        text: Markdown text of a page.
        place: The page's path below ``docs``.
        source: The path below the root that the text's links start from: that of the file
            itself, which may lie outside ``docs``.
        root: The folder of the repository.

    Returns:
        The text, in which a link to a file outside ``docs`` is replaced by the name of the file
        in code style, and the targets that do not exist.
    """
    missing: list[str] = []

    def changed(match: re.Match[str]) -> str:
        target, _, anchor = match["target"].partition("#")
        if not is_relative(match["target"]) or not target:
            return match.group()
        path = os.path.normpath(PurePosixPath(source).parent / target)
        if path in PAGES or (path.startswith("docs/") and PurePosixPath(path).suffix):
            page = PAGES.get(path) or path.removeprefix("docs/")
            to = os.path.relpath(page, PurePosixPath(place).parent)
            kept = f"#{anchor}" if anchor and path not in PAGES else ""
            return f"[{match['text']}]({to}{kept})"
        if path.startswith("..") or not (root / path).exists():
            missing.append(match["target"])
        return _named(match["text"], path)

    return outside_code(text, lambda part: LINK.sub(changed, part)), missing


def _named(text: str, path: str) -> str:
    """A link's text with the name of the file in it."""
    plain = text.replace("`", "")
    if plain in path:
        return f"`{path}`"
    return text if path in plain else f"{text} (`{path}`)"
