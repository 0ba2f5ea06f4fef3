"""A key that is given twice is refused in every YAML file, with its line."""

from pathlib import Path

import pytest
import yaml

from rehearsal.config.loader import read_inputs
from rehearsal.demography.parameters import read_parameters
from rehearsal.errors import InputError
from rehearsal.evaluation.templates import read_templates
from rehearsal.network.registry import read_foreign_nodes
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.phenotypes.consent import read_consent
from rehearsal.phenotypes.trait_reader import read_traits
from rehearsal.phenotypes.yaml_reader import read_yaml_with_lines
from rehearsal.yaml_files import _FastLoader, _Loader, load_yaml

ROOT = Path(__file__).resolve().parents[3]


def read_config(path):
    return read_inputs(load_yaml(ROOT / "config/config.yaml"), [path], ROOT / "workflow/schemas")


@pytest.mark.parametrize(
    "read",
    [
        *(read_foreign_nodes, read_templates, read_parameters, read_traits, read_consent),
        *(read_config, read_yaml_with_lines, lambda path: NodeSettings.read(path.parent)),
    ],
)
def test_a_key_that_is_given_twice_is_refused_with_its_line(tmp_path, read):
    path = tmp_path / "node.yaml"
    path.write_text("access:\n  vetoes: [{name: mine, country: SE}]\n\naccess:\n  vetoes: []\n")
    with pytest.raises(InputError) as caught:
        read(path)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{path}: line 4: expected valid YAML, found ")
    assert "access" in line


def test_a_nested_key_that_is_given_twice_names_both_lines(tmp_path):
    path = tmp_path / "node.yaml"
    path.write_text("access:\n  matchmakers: []\n  state: null\n  matchmakers: [a]\n")
    expected = r"line 4: expected valid YAML, .*the key matchmakers is given twice, first in line 2"
    with pytest.raises(InputError, match=expected):
        load_yaml(path)


def test_merged_keys_may_be_overridden(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(
        "x: [&a {one: 1}, &b {<<: *a, one: 2}]\ny: {deep: {<<: *b, one: 3}}\nz: {<<: *b}\n"
    )
    content = load_yaml(path)
    assert content["y"] == {"deep": {"one": 3}}
    assert content["z"] == {"one": 2}


def test_only_one_module_of_the_library_reads_yaml_with_pyyaml():
    readers = {
        path.name
        for path in (ROOT / "rehearsal").rglob("*.py")
        if "yaml.safe_load" in path.read_text() or "yaml.load(text" in path.read_text()
    }
    assert readers == {"yaml_files.py"}


@pytest.mark.parametrize(
    "file", ["config/config.yaml", "config/traits.yaml", "config/queries.yaml"]
)
def test_the_compiled_parser_reads_the_same(file):
    text = (ROOT / file).read_text()
    assert yaml.load(text, _FastLoader) == yaml.load(text, _Loader)


def test_a_tab_is_refused_though_the_compiled_parser_takes_some(tmp_path):
    (tmp_path / "one.yaml").write_text("n: 1\n\t")
    with pytest.raises(InputError, match="line 2: expected valid YAML"):
        load_yaml(tmp_path / "one.yaml")
