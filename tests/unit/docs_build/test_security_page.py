"""The tests that the security page names exist."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_every_test_that_the_security_page_names_exists():
    page = (ROOT / "docs/operate/security.md").read_text()
    named = set(re.findall(r"`(test_\w+)`", page))
    texts = [path.read_text() for path in (ROOT / "tests").rglob("test_*.py")]
    found = {name for text in texts for name in re.findall(r"^def (test_\w+)", text, re.M)}
    assert named
    assert named <= found


def test_every_file_that_the_security_page_names_exists():
    page = (ROOT / "docs/operate/security.md").read_text()
    files = re.findall(r"`((?:\w+/)+\w+\.py)`", page)
    places = (ROOT, ROOT / "tests/unit/node")
    assert files
    assert [file for file in files if not any((place / file).exists() for place in places)] == []
