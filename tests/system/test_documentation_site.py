"""The documentation site is built strictly, and works in a browser from the file system."""

import json
import os
import shutil
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

PAGES = [
    "index.html",
    "tutorials/run-it.html",
    "reference/configuration.html",
    "reference/http/node.html",
    "reference/python/genomes.html",
]
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
# Opens pages, then searches for a key of the configuration.
BROWSER = """
import json, sys
from playwright.sync_api import sync_playwright
chromium, folder, flags, pages = sys.argv[1], *map(json.loads, sys.argv[2:])
said = []
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=chromium, args=flags)
    page = browser.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda r: r.url.startswith(("file:", "data:")) or said.append(r.url))
    for name in pages:
        page.goto(f"{folder}/{name}")
    page.goto(f"{folder}/index.html")
    page.fill("input.md-search__input", "broad_sigma")
    page.wait_for_selector(".md-search-result__link")
    links = page.eval_on_selector_all(".md-search-result__link", "all => all.map(a => a.href)")
    browser.close()
print(json.dumps({"said": said, "found": [link.split("/site/")[-1] for link in links]}))
"""


@pytest.fixture(scope="module")
def site(root, tmp_path_factory):
    """The site, built as ``make docs`` does it. A warning ends the build."""
    folder = tmp_path_factory.mktemp("built") / "site"
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=root,
        capture_output=True,
        text=True,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        timeout=500,
        check=False,
    )
    assert built.returncode == 0, built.stderr[-3000:]
    return folder


def test_the_site_has_every_page(site, root):
    for page in (root / "docs").rglob("*.md"):
        assert (site / page.relative_to(root / "docs")).with_suffix(".html").is_file()


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_a_reader_without_a_network_opens_pages_and_searches(site):
    values = map(json.dumps, [site.as_uri(), FLAGS, PAGES])
    done = subprocess.run(
        [sys.executable, "-c", BROWSER, shutil.which("chromium"), *values],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    seen = json.loads(done.stdout)
    assert seen["said"] == []
    assert any(link.startswith("reference/configuration.html") for link in seen["found"])
