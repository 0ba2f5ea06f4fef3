"""All pages in a headless browser: they work, they are accessible, and they fit a phone."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
AXE = Path(os.environ.get("AXE_CORE", ROOT / "node_modules/axe-core/axe.min.js"))
PAGES = [
    "index.html",
    "catalogue.html",
    "costs.html",
    "data_protection.html",
    "economics.html",
    "maturity.html",
    "sheets/BE.html",
    "sheets/ES.html",
    "sheets/topics.html",
    "synthetic_datasets.html",
    "countries/FI.html",
    *(f"stories/{name}.html" for name in ("cancer", "common", "infectious", "rare")),
]
BROWSER = """
import json, sys
from playwright.sync_api import sync_playwright
said = []
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=sys.argv[1], args=json.loads(sys.argv[3]))
    page = browser.new_page(color_scheme="dark")
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda r: r.url.startswith("file:") or said.append(r.url))
    page.goto(sys.argv[2])
    page.wait_for_function("document.querySelectorAll('[data-chart]:not(.drawn)').length === 0")
    page.locator("path[aria-label^='Finland']").first.click()
    page.wait_for_url("**/countries/FI.html")
    country = page.title()
    page.locator("header a").click()
    page.get_by_role("link", name="Rare disease").click()
    story = page.title()
    page.go_back()
    page.keyboard.press("Tab")
    skip = page.evaluate("document.activeElement.textContent")
    browser.close()
print(json.dumps({"said": said, "country": country, "story": story, "skip": skip}))
"""
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip


@pytest.mark.system
@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_a_reader_clicks_through_the_pages_in_a_browser(report):
    where = (report / "index.html").as_uri()
    done = subprocess.run(
        [sys.executable, "-c", BROWSER, shutil.which("chromium"), where, json.dumps(FLAGS)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout) == {
        "said": [],
        "country": "Finland – Rehearsal",
        "story": "Rare disease – Rehearsal",
        "skip": "Skip to the content",
    }


# Reports, for each page and setting: axe-core's findings, the page's width, and small text.
AUDIT = """
import json, sys
from playwright.sync_api import sync_playwright
chromium, folder, axe, flags, pages = sys.argv[1], *map(json.loads, sys.argv[2:])
SETTINGS = [
    {"viewport": {"width": 360, "height": 740}, "color_scheme": "light", "has_touch": True},
    {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
]
SMALL = '''() => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
    while (texts.nextNode()) {
        const text = texts.currentNode.textContent.trim(), holder = texts.currentNode.parentElement;
        if (!text || holder.closest("svg, script, style, noscript, .hidden")) continue;
        if (parseFloat(getComputedStyle(holder).fontSize) < 14) found.push(text);
    }
    return found;
}'''
TARGETS = '''() => [...document.querySelectorAll("a:not(svg a):not(.skip)")]
    .filter((link) => link.getBoundingClientRect().height < 24).map((link) => link.textContent)'''
BROKEN = '''() => {  // words of tables and heads that break onto a second line
    const found = [];
    for (const cell of document.querySelectorAll("th, td, dt, h1, h2, h3")) {
        const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
        while (texts.nextNode()) {
            for (const word of texts.currentNode.data.matchAll(/[a-zà-ž]+/gi)) {
                const range = document.createRange();
                range.setStart(texts.currentNode, word.index);
                range.setEnd(texts.currentNode, word.index + word[0].length);
                const shown = [...range.getClientRects()].filter((one) => one.width);
                if (new Set(shown.map((one) => Math.round(one.top))).size > 1) found.push(word[0]);
            }
        }
    }
    return found;
}'''
found = []
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=chromium, args=flags)
    for setting in SETTINGS:
        context = browser.new_context(**setting)
        for name in pages:
            page = context.new_page()
            page.goto(f"{folder}/{name}")
            page.wait_for_function(
                "document.querySelectorAll('[data-chart]:not(.drawn)').length === 0"
            )
            page.evaluate(open(axe).read())
            violations = page.evaluate("axe.run()")["violations"]
            found.append({
                "page": f"{name}, {setting['viewport']['width']} px",
                "violations": [
                    [one["id"], one["nodes"][0]["html"]]
                    for one in violations
                    if one["impact"] in ("serious", "critical")
                ],
                "too wide": page.evaluate("document.documentElement.scrollWidth > innerWidth"),
                "small text": page.evaluate(SMALL),
                "small targets": page.evaluate(TARGETS),
                "broken words": page.evaluate(BROKEN),
            })
            page.close()
    browser.close()
print(json.dumps(found))
"""


@pytest.mark.system
@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
@pytest.mark.skipif(not AXE.is_file(), reason=f"axe-core is not installed: no {AXE}")
def test_every_kind_of_page_is_accessible_and_fits_a_phone(report):
    values = [report.as_uri(), str(AXE), FLAGS, PAGES]
    done = subprocess.run(
        [sys.executable, "-c", AUDIT, shutil.which("chromium"), *map(json.dumps, values)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    audits = json.loads(done.stdout)
    assert len(audits) == 2 * len(PAGES)
    for audit in audits:
        assert audit == {
            "page": audit["page"],
            "violations": [],
            "too wide": False,
            "small text": [],
            "small targets": [],
            "broken words": [],
        }
