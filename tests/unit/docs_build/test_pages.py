"""The generated pages are complete: every key, command, path and room is on one."""

import argparse
import re

import griffe
import pytest
import yaml

from docs_build.built_site import check_site
from docs_build.command_line import command_line_page
from docs_build.configuration import configuration_page, range_in_words, type_in_words
from docs_build.docstrings import Docstrings, trailing_comment
from docs_build.http_api import http_page, network_document, node_document
from docs_build.markdown import number
from docs_build.pages import COPIED, generated_pages
from docs_build.repository_links import rewrite_links
from rehearsal.cli import build_parser
from rehearsal.network.issuer import make_issuer, open_issuer
from rehearsal.network.issuer_server import issuer_app


@pytest.fixture(scope="module")
def pages(root):
    return generated_pages(root)


def leaves(schema, prefix=""):
    for key, rule in schema["properties"].items():
        if "properties" in rule:
            yield from leaves(rule, f"{prefix}{key}.")
        else:
            yield prefix + key


def test_the_configuration_page_has_every_key_and_every_column(root):
    schemas = root / "workflow/schemas"
    page = configuration_page(schemas, root / "config/config.yaml")
    rows = set(re.findall(r"^\| `([a-z_.]+)` \|", page, re.M))
    for file in schemas.iterdir():
        assert set(leaves(yaml.safe_load(file.read_text()))) <= rows, file


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"type": ["integer", "null"], "minimum": 1}, ("whole number or null", "at least 1")),
        (
            {"type": "number", "exclusiveMinimum": 0, "maximum": 1e-5},
            ("number", "above 0, at most 1.0e-5"),
        ),
        (
            {"type": "array", "items": {"type": "integer", "minimum": 2, "maximum": 9}},
            ("list of whole numbers", "2 to 9"),
        ),
        ({"enum": ["short", "full"]}, ("choice", "`short`, `full`")),
        (
            {
                "type": "object",
                "propertyNames": {"enum": ["a"]},
                "additionalProperties": {"type": "number"},
            },
            ("mapping to numbers", "keys `a`"),
        ),
    ],
)
def test_a_schema_is_put_into_words(rule, words):
    assert (type_in_words(rule), range_in_words(rule)) == words


def test_numbers_are_written_as_yaml_reads_them():
    for value in (1.29e-8, 1e-5, 3, 0.5, 12.25):
        assert yaml.safe_load(number(value)) == value


def parsers(parser):
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from parsers(below)


def test_the_command_line_page_has_every_command_with_every_option():
    sections = dict(
        re.findall(
            r"^## `([^`]+)`\n(.*?)(?=^## |\Z)", command_line_page(build_parser()), re.M | re.S
        )
    )
    found = 0
    for parser in parsers(build_parser()):
        if parser.get_default("run") is not None:
            for action in parser._actions:
                for option in set(action.option_strings) - {"-h", "--help"}:
                    assert option in sections[parser.prog], (parser.prog, option)
                    found += 1
    assert found > 50


def test_every_option_and_argument_has_a_help_text():
    for parser in parsers(build_parser()):
        for action in parser._actions:
            assert action.help or isinstance(action, argparse._SubParsersAction), parser.prog


@pytest.mark.parametrize("document", [node_document, network_document])
def test_an_http_page_has_every_path_and_method(document):
    described = document()
    page = http_page("A service", "Introduction.", described)
    for path, item in described["paths"].items():
        for method in item.keys() - {"parameters"}:
            assert f"`{method.upper()} {path}`" in page
    places = set(re.findall(r"\{ #([\w-]+) \}", page))
    assert set(re.findall(r"\]\(#([\w-]+)\)", page)) == places


def test_an_http_page_has_the_fields_of_a_body(pages):
    for field in ("patient.features[].id", "patient.genomicFeatures[].variant.start"):
        assert f"`{field}`" in pages["reference/http/node.md"]


def test_the_page_of_the_issuer_has_every_route(root, tmp_path):
    page = (root / "docs/reference/http/issuer.md").read_text()
    make_issuer(tmp_path / "issuer")
    for path, method in issuer_app(open_issuer(tmp_path / "issuer")).routes():
        assert f"`{method} {path}`" in page


def test_every_room_and_every_single_module_has_a_place_in_the_python_pages(root, pages):
    for path in (root / "rehearsal").glob("*/__init__.py"):
        room = path.parent.name
        assert f"::: rehearsal.{room}\n" in pages[f"reference/python/{room}.md"]
    for path in (root / "rehearsal").glob("[a-z]*.py"):
        assert f"::: rehearsal.{path.stem}\n" in pages["reference/python/core.md"]


def test_every_page_is_in_the_navigation_once(root, pages):
    text = re.sub(r"!!python\S*", "", (root / "mkdocs.yml").read_text())
    named = re.findall(r"^ +- (?:[^:\n]+: )?([\w/.-]+\.md)$", text.partition("nav:")[2], re.M)
    written = {str(path.relative_to(root / "docs")) for path in (root / "docs").rglob("*.md")}
    assert sorted(named) == sorted(written | set(pages))


@pytest.mark.parametrize(
    ("line", "comment"),
    [
        ("    people: int  # in all countries\n", "in all countries"),
        ('    mark: str = "#"\n', ""),
        ('    mark: str = "#"  # a mark\n', "a mark"),
        ("    )  # the end of a call\n", "the end of a call"),
        ("    plain: int\n", ""),
    ],
)
def test_the_comment_behind_a_field_is_found(line, comment):
    assert trailing_comment(line) == comment


def test_links_to_files_that_are_no_pages_name_the_file(root):
    text = (
        "[config](../../config/README.md), [the example](../../config/nodes.example.yaml), "
        "[token](../how-to/use-a-token.md#the-audit-log), [gone](../../config/gone.yaml)\n"
        "```bash\n[kept](../../config/gone.yaml)\n```\n"
    )
    changed, missing = rewrite_links(text, "tutorials/x.md", "docs/tutorials/x.md", root)
    assert "[config](../reference/configuration.md)" in changed
    assert "the example (`config/nodes.example.yaml`)" in changed
    assert "[token](../how-to/use-a-token.md#the-audit-log)" in changed
    assert "[kept](../../config/gone.yaml)" in changed
    assert missing == ["../../config/gone.yaml"]


def test_links_of_a_page_that_lies_at_the_root_lead_into_the_site(root):
    text = "[a](docs/architecture.md) [b](docs/decisions/) [c](config/README.md)"
    changed, missing = rewrite_links(text, COPIED["CONTRIBUTING.md"], "CONTRIBUTING.md", root)
    assert changed == "[a](architecture.md) b (`docs/decisions`) [c](reference/configuration.md)"
    assert missing == []


def test_a_built_site_is_searched_for_network_hosts_and_dead_links(tmp_path):
    (tmp_path / "a.html").write_text(
        '<script src="https://cdn.example/x.js"></script><a href="b.html#here">b</a>'
        '<a href="b.html#gone">b</a><a href="c.html">c</a><a href="https://other.example">o</a>'
    )
    (tmp_path / "b.html").write_text('<h1 id="here">b</h1><img src="//cdn.example/x.png">')
    (tmp_path / "s.css").write_text("@import url(https://fonts.example/a.css);")
    found = list(check_site(tmp_path))
    for part in ("cdn.example/x.js", "b.html#gone", "c.html", "cdn.example/x.png", "s.css"):
        assert sum(part in line for line in found) == 1, part
    assert len(found) == 5


MODULE = '''
from typing import NamedTuple

class Pair(NamedTuple):
    """Two numbers, made by :func:`pair`.

    Args:
        first: The first.
    """

    first: int  # in base pairs

def pair() -> Pair:
    """Make a pair as :func:`_private` does, or :func:`elsewhere`."""

def _private() -> None: ...
'''


def test_docstrings_are_completed(tmp_path):
    (tmp_path / "small").mkdir()
    (tmp_path / "small/__init__.py").write_text("")
    (tmp_path / "small/numbers.py").write_text(MODULE)
    loaded = griffe.load(
        "small", search_paths=[tmp_path], extensions=griffe.load_extensions(Docstrings)
    )
    pair = loaded["numbers.Pair"]
    assert [one.name for one in pair.parameters] == ["self", "first"]
    assert pair["first"].docstring.value == "In base pairs."
    assert "[`pair`][small.numbers.pair]" in pair.docstring.value
    made = loaded["numbers.pair"].docstring.value
    assert made == "Make a pair as `_private` does, or `elsewhere`."
