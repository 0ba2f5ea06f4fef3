"""The commands of a page as one script: blocks in order, servers in the background, free ports.

A block is left out when the line before it is a comment that says why::

    <!-- not run: it takes half an hour -->

A page that goes on where another ends names it, and the other's commands are run first::

    <!-- run after: query-the-network.md -->
"""

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGES = ("README.md", "CONTRIBUTING.md", "config/README.md", "docs/*.md", "docs/*/*.md")
BLOCK = re.compile(
    r"(?:^ *<!-- not run: (?P<reason>[^>]+?) -->\n\n?)?"
    r"^(?P<indent> *)```(?P<language>bash|console)\n(?P<text>.*?)^(?P=indent)```$",
    re.M | re.S,
)
COMMAND = re.compile(r"(?:[^\\\n]|\\.|\\\n)*\n?")  # a line, and those that it goes on in
AFTER = re.compile(r"<!-- run after: (\S+) -->")
PORT = re.compile(r"(?:(?<=localhost:)|(?<=127\.0\.0\.1:)|(?<=--port ))\d{4}\b")
BEGINNING = """set -e
curl() { command curl --fail-with-body "$@"; }
answers() {
    for _ in $(seq 600); do
        if command curl -s -o /dev/null "localhost:$1/"; then return; fi
        sleep 0.1
    done
    echo "nothing answers at port $1"; return 1
}
"""


@dataclass(frozen=True)
class Block:
    """A block of commands."""

    text: str
    reason: str  # why it is not run; empty: it is


def blocks(page: str) -> Iterator[Block]:
    """Find the blocks of commands of a page.

    Args:
        page: Markdown text.
    """
    for match in BLOCK.finditer(page):
        indent = len(match["indent"])
        lines = [line[indent:] for line in match["text"].splitlines(keepends=True)]
        if match["language"] == "console":
            lines = [line[2:] for line in lines if line.startswith("$ ")]
        yield Block("".join(lines), match["reason"] or "")


def pages(root: Path) -> list[Path]:
    """List the pages that may have commands.

    Args:
        root: The folder of the repository.
    """
    return sorted(path for pattern in PAGES for path in root.glob(pattern))


def script(page: Path, folder: Path) -> str:
    """Write the commands of a page as a script of Bash that ends with the first error.

    A server without ``&`` stands for one in another terminal. The script goes on when a server
    answers. Ports are replaced by free ones, ``/tmp`` by a folder.

    Args:
        page: The Markdown file.
        folder: The folder that the script is run in.

    Returns:
        The text of the script.
    """
    text = _commands(page)
    ports = {port: _free_port() for port in sorted(set(PORT.findall(text)))}
    text = PORT.sub(lambda match: ports[match.group()], text)
    (folder / "tmp").mkdir(exist_ok=True)
    text = re.sub(r"(?<![\w.])/tmp/", f"{folder}/tmp/", text)
    return BEGINNING + "".join(map(_in_background, COMMAND.findall(text)))


def _commands(page: Path) -> str:
    text = page.read_text()
    earlier = "".join(_commands(page.parent / name) for name in AFTER.findall(text))
    return earlier + "".join(block.text for block in blocks(text) if not block.reason)


def _in_background(command: str) -> str:
    """Put a server into the background and wait for it; other commands stay as they are."""
    served = re.search(r"rehearsal (?:node|network|issuer) serve .*?--port (\d+)", command, re.S)
    if served is None:
        return command
    if "&" not in command:
        command = f"{command.rstrip()} &\n"
    return f"{command}answers {served[1]}\n"


def _free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return str(listener.getsockname()[1])
