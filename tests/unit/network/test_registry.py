"""Endpoint files and foreign nodes."""

from pathlib import Path

import pytest
import yaml

from rehearsal.config.loader import read_inputs
from rehearsal.errors import InputError, InputErrors
from rehearsal.network.registry import (
    NodeEntry,
    Registry,
    read_endpoint,
    read_foreign_nodes,
    read_nodes,
    with_foreign,
    write_nodes,
)


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


def test_a_node_may_have_an_address_for_frequencies_and_one_for_people(tmp_path: Path):
    path = tmp_path / "nodes.yaml"
    path.write_text("nodes: {FI: {url: 'http://b/af/v2', people_url: 'http://b/people/v2/'}}")
    (node,) = read_foreign_nodes(path)
    assert node == NodeEntry("FI", "http://b/af/v2", people_url="http://b/people/v2")
    for entry_type in ("individuals", "datasets/D/individuals", "individuals/FI-1/g_variants"):
        assert node.address_of(entry_type) == "http://b/people/v2"
    for entry_type in ("g_variants", "datasets", "info"):
        assert node.address_of(entry_type) == "http://b/af/v2"
    write_nodes([node], path)
    assert read_foreign_nodes(path) == [node]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("nodes: {NO: {url: 'http://x'}}", '"NO" in quotes'),
        ("nodes: {XX: {url: 'http://x'}}", "nodes.XX: expected a country code"),
        ("nodes: {SE: 'http://x'}", "nodes.SE: expected url and"),
        ("nodes: {SE: {url: 'http://x', token: secret}}", "nodes.SE: expected url and"),
        (
            "nodes: {SE: {url: 'ftp://x'}}",
            r"nodes.SE.url: expected a URL http\(s\).*, found 'ftp://x'",
        ),
        ("nodes: {SE: {url: 'http://[bad'}}", "nodes.SE.url"),
        ("nodes: {SE: {url: 'http://user:secret@x'}}", "nodes.SE.url: .* found a URL with a user"),
        ("nodes: {SE: {url: 'http://x', people_url: 'x'}}", "nodes.SE.people_url: expected a URL"),
        (
            "nodes: {SE: {url: 'https://x', people_url: 'http://x', forward_token: true}}",
            "forward_token: expected false, or a url with https",
        ),
        ("nodes: {SE: {url: 'http://x', token_variable: 3}}", "token_variable: expected the name"),
        (
            "nodes: {SE: {url: 'https://x', forward_token: 1}}",
            "forward_token: expected true or false, found 1",
        ),
        (
            "nodes: {SE: {url: 'http://x', forward_token: true}}",
            "forward_token: expected false, or a url with https",
        ),
        ("nodes: [SE]", "nodes: expected a mapping"),
        ("[", "line 1: expected valid YAML"),
    ],
)
def test_an_unusable_entry_is_named_in_one_line(tmp_path: Path, content: str, said: str):
    path = tmp_path / "nodes.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match=said) as caught:
        read_foreign_nodes(path, {"NO", "SE"})
    assert "\n" not in str(caught.value)


def test_all_faulty_nodes_are_named_together(tmp_path: Path):
    path = tmp_path / "nodes.yaml"
    path.write_text("nodes: {EE: {url: ftp://x}, XX: {url: http://x}, FI: {url: http://x}}")
    with pytest.raises(InputErrors) as caught:
        read_foreign_nodes(path, ["EE", "FI"])
    assert [error.key for error in caught.value.errors] == ["nodes.EE.url", "nodes.XX"]


def test_sources_add_up_and_later_ones_take_the_place_of_earlier(tmp_path: Path):
    (tmp_path / "ours").mkdir()
    for code in ("FI", "SE"):
        said = f'{{"country": "{code}", "url": "http://ours/{code}", "pid": 1}}'
        (tmp_path / "ours" / f"{code}.endpoint.json").write_text(said)
    (tmp_path / "ours" / "AT.endpoint.json").write_text("{")
    theirs = tmp_path / "nodes.yaml"
    write_nodes([NodeEntry("NO", "https://no"), NodeEntry("FI", "https://fi", "TOKEN")], theirs)
    assert [(node.country, node.url) for node in read_nodes([tmp_path / "ours", theirs])] == [
        ("FI", "https://fi"),
        ("NO", "https://no"),
        ("SE", "http://ours/SE"),
    ]


OURS = NodeEntry("FI", "http://127.0.0.1:4711", pid=12)


def test_our_nodes_stay_ours_in_a_written_registry(tmp_path: Path):
    write_nodes([OURS, NodeEntry("SE", "https://se")], tmp_path / "nodes.yaml")
    nodes = read_foreign_nodes(tmp_path / "nodes.yaml")
    assert {node.country: node.is_shown_tokens for node in nodes} == {"FI": True, "SE": False}


def test_a_registry_is_read_again_only_when_files_change(tmp_path: Path):
    path = tmp_path / "nodes.yaml"
    write_nodes([NodeEntry("FI", "https://fi")], path)
    registry = Registry([path])
    assert not registry.refresh()
    write_nodes([NodeEntry("FI", "https://fi"), NodeEntry("SE", "https://se")], path)
    assert registry.refresh()
    assert [node.country for node in registry.nodes] == ["FI", "SE"]
    path.write_text("nodes: nonsense")
    assert not registry.refresh()
    assert "nodes" in registry.fault
    assert [node.country for node in registry.nodes] == ["FI", "SE"]


def test_the_example_of_the_configuration_is_a_registry():
    root = Path(__file__).resolve().parents[3]
    nodes = read_foreign_nodes(root / "config/nodes.example.yaml", {"FI", "NO"})
    assert [node.country for node in nodes] == ["FI", "NO"]


def test_a_faulty_file_of_nodes_is_named_before_any_work(tmp_path: Path):
    root = Path(__file__).resolve().parents[3]
    config = yaml.safe_load((root / "config/config.yaml").read_text())
    path = tmp_path / "nodes.yaml"
    path.write_text("nodes: {XX: {url: 'http://x'}}")
    config["network"]["nodes"] = str(path)
    for key in ("countries", "variants", "genes"):
        config[key] = str(root / config[key])
    config["genome"]["masks"] = str(root / config["genome"]["masks"])
    with pytest.raises(InputError, match=r"nodes\.yaml: nodes\.XX: expected a country code"):
        read_inputs(config, [root / "config/config.yaml"], root / "workflow/schemas")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello", "file: expected YAML with a mapping 'nodes', found 'hello'"),
        ("", "file: expected YAML with a mapping 'nodes', found nothing"),
        ("a: 1", "nodes: expected a mapping from country code to url and .*, found nothing"),
        (None, "file: expected YAML .*, found no such file"),
    ],
)
def test_a_file_without_nodes_is_described_by_its_content(tmp_path, text, message):
    path = tmp_path / "nodes.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_foreign_nodes(path)


@pytest.mark.parametrize("code", ["Finland", "fi", "FIN", "1"])
def test_a_key_that_is_no_country_code_is_refused(tmp_path: Path, code: str):
    path = tmp_path / "nodes.yaml"
    path.write_text(f"nodes: {{{code}: {{url: 'http://x'}}}}")
    with pytest.raises(InputError, match=rf"nodes\.{code}: expected a country code of two capital"):
        Registry([path])
