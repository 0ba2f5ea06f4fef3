"""Endpoint files and foreign nodes."""

from pathlib import Path

import pytest

from rehearsal.model import InputError
from rehearsal.network.registry import NodeEntry, read_endpoint, read_foreign_nodes, with_foreign


def test_an_endpoint_file_names_the_node(tmp_path: Path):
    path = tmp_path / "FI.json"
    path.write_text('{"country": "FI", "url": "http://127.0.0.1:4711/api/", "pid": 12}')
    assert read_endpoint(path) == NodeEntry("FI", "http://127.0.0.1:4711/api", pid=12)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"country": "FI", "url": "x"}'])
def test_a_file_that_is_not_whole_is_no_node_yet(tmp_path: Path, content: str):
    path = tmp_path / "FI.json"
    path.write_text(content)
    assert read_endpoint(path) is None
    assert read_endpoint(tmp_path / "absent.json") is None


def test_foreign_nodes_take_the_place_of_ours(tmp_path: Path):
    path = tmp_path / "nodes.yaml"
    path.write_text('nodes:\n  "NO": {url: "https://b.example/api/", token_variable: NO_TOKEN}\n')
    foreign = read_foreign_nodes(path, {"NO", "SE"})
    assert foreign == [NodeEntry("NO", "https://b.example/api", "NO_TOKEN")]
    ours = [NodeEntry("SE", "http://s"), NodeEntry("NO", "http://n")]
    assert with_foreign(ours, foreign) == [foreign[0], ours[0]]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("nodes: {NO: {url: 'http://x'}}", '"NO" in quotes'),
        ("nodes: {XX: {url: 'http://x'}}", "nodes.XX: a country code"),
        ("nodes: {SE: 'http://x'}", "nodes.SE: url and"),
        ("nodes: {SE: {url: 'http://x', token: secret}}", "nodes.SE: url and"),
        ("nodes: {SE: {url: 'ftp://x'}}", r"nodes.SE.url: a URL http\(s\)"),
        ("nodes: {SE: {url: 'http://[bad'}}", "nodes.SE.url"),
        ("nodes: {SE: {url: 'http://x', token_variable: 3}}", "token_variable: the name"),
        ("nodes: [SE]", "nodes: a mapping"),
        ("[", "file: YAML"),
    ],
)
def test_an_unusable_entry_is_named_in_one_line(tmp_path: Path, content: str, said: str):
    path = tmp_path / "nodes.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match=said) as caught:
        read_foreign_nodes(path, {"NO", "SE"})
    assert "\n" not in str(caught.value)
