"""Commands on pages are run by a test, or the page says why not."""

import re

import pytest

from docs_build.page_commands import blocks, pages, script

SHELL = re.compile(
    r"^ *```(?!bash|console)[\w-]*\n(?: *(?:\$ |make |\.venv/bin/|curl |export ))", re.M
)


def test_every_block_of_commands_is_run_or_says_why_not(root):
    run, said = 0, []
    for page in pages(root):
        for block in blocks(page.read_text()):
            run += not block.reason
            said += [block.reason] * bool(block.reason)
    assert run >= 30
    assert all(len(reason) >= 10 for reason in said)


def test_every_block_of_commands_is_found(root):
    """A block in another language than Bash would be overlooked."""
    for page in pages(root):
        text = page.read_text()
        assert SHELL.search(text) is None, page
        assert len(re.findall(r"^ *```(?:bash|console)$", text, re.M)) == len(list(blocks(text)))


def test_a_comment_before_a_block_says_why_it_is_not_run():
    page = "<!-- not run: it takes a day -->\n```bash\nb\n```\n"
    page += "  ```console\n  $ c\n  said\n  ```\n"
    assert [(one.text, one.reason) for one in blocks(page)] == [
        ("b\n", "it takes a day"),
        ("c\n", ""),
    ]


@pytest.fixture
def page(tmp_path):
    def write(text):
        path = tmp_path / "page.md"
        path.write_text(text)
        return path

    return write


def test_a_server_runs_in_the_background_at_a_free_port(page, tmp_path):
    text = script(
        page("```bash\nrehearsal node serve x \\\n  --port 5050\ncurl localhost:5050/\n```\n"),
        tmp_path,
    )
    (port,) = set(re.findall(r"(?:--port |localhost:|^answers )(\d+)", text, re.M))
    assert f"--port {port} &\nanswers {port}\ncurl localhost:{port}/\n" in text
    assert port != "5050"


def test_a_page_goes_on_where_another_ends(page, tmp_path):
    (tmp_path / "first.md").write_text("```bash\necho 1\n```\n")
    text = script(page("<!-- run after: first.md -->\n```bash\necho 2\n```\n"), tmp_path)
    assert text.endswith("echo 1\necho 2\n")
