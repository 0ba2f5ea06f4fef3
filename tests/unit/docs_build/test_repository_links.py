"""Links of Markdown files that are read in the repository lead to files and headings that exist."""

import os
import re

import pytest

from docs_build.repository_links import FENCE, links

PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "config/README.md", "docs/**/*.md"]


def anchors(text):
    """The anchors that headings get: lower case, spaces to hyphens, no punctuation."""
    found = set(re.findall(r"\{ *#([\w-]+) *\}|<a (?:id|name)=\"([\w-]+)\"", text))
    found = {one for pair in found for one in pair}
    for heading in re.findall(r"^#+ (.*)$", FENCE.sub("", text), re.M):
        plain = re.sub(r"\{.*\}|[`*]|\]\([^)]*\)", "", heading).strip().lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found


def files(root):
    return sorted(path for pattern in PAGES for path in root.glob(pattern))


def test_every_relative_link_leads_to_a_file_and_a_heading(root):
    dead = []
    for page in files(root):
        for _, target in links(page.read_text()):
            if not leads_somewhere(root, page, target):
                dead.append(f"{page.relative_to(root)}: {target}")
    assert dead == []


def leads_somewhere(root, page, target):
    path, _, anchor = target.partition("#")
    file = root / os.path.normpath(page.parent / path) if path else page
    if not file.exists():
        return made_by_the_site(root, file)
    return not anchor or anchor in anchors(file.read_text())


def made_by_the_site(root, file):
    """Pages of the reference are written when the site is built."""
    from docs_build.pages import generated_pages

    return file.is_relative_to(root / "docs") and str(
        file.relative_to(root / "docs")
    ) in generated_pages(root)


@pytest.mark.parametrize(
    ("text", "found"), [("[a](b.md)", 1), ("[a](https://b)", 0), ("```\n[a](b.md)\n```", 0)]
)
def test_links_are_found_outside_code(text, found):
    assert len(list(links(text))) == found
