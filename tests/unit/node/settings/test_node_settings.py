"""node.yaml is read back as written, and errors are one clear line."""

import re
from pathlib import Path

import pytest
import yaml

from rehearsal.errors import InputError
from rehearsal.node.access.settings import CLOSED
from rehearsal.node.settings.node_settings import Gene, NodeSettings


def test_settings_are_read_back_as_written(tmp_path):
    settings = NodeSettings.for_country(
        "NO",
        "Norway",
        genes=[Gene("BRCA1", "chr17", 43044294, 43125364, "-")],
        build="ab" * 32,
    )
    settings.write(tmp_path)
    assert NodeSettings.read(tmp_path) == settings


def test_a_country_gets_gdi_dataset_names():
    settings = NodeSettings.for_country("FI", "Finland")
    assert settings.beacon_id == "org.rehearsal.fi"
    assert settings.frequencies_dataset == "GOE-FI-REHEARSAL-1"
    assert settings.people_dataset == "GDI-FI-REHEARSAL-1"
    assert settings.tests_dataset == "GDI-FI-TEST-1"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "country_code: NO\n",
            "node.yaml: country_code: expected a text, found false (put a text like NO",
        ),
        ("- a list\n", "node.yaml: file: expected a mapping with the keys country_code, "),
        ("", "node.yaml: file: expected the settings of a node, found an empty file"),
        ("colour: red\n", "node.yaml: colour: expected one of the keys country_code, "),
        ("country_code: FI\n", "node.yaml: country_name: expected a text, found nothing"),
        (
            "genes: [{name: A, contig: chr1, start: x, end: 3, strand: +}]\n",
            "genes[0].start: expected a whole number, found 'x' (text)",
        ),
        (
            "country_code: FI\na: [\n",
            "node.yaml: line 3: expected valid YAML, found an error (",
        ),
    ],
)
def test_ill_formed_settings_are_refused_in_one_line(tmp_path, text, complaint):
    (tmp_path / "node.yaml").write_text(text)
    with pytest.raises(InputError) as raised:
        NodeSettings.read(tmp_path)
    message = str(raised.value)
    assert complaint in message
    assert "node.yaml" in message
    assert "\n" not in message


def test_a_folder_without_settings_is_refused(tmp_path):
    with pytest.raises(InputError, match="expected a node folder with a node"):
        NodeSettings.read(tmp_path)


@pytest.mark.parametrize(
    "access",
    [
        "",
        "access: {datasets: {GDI-FI-REHEARSAL-1: {record: controlled}}}\n",
        "access: {datasets: {GDI-FI-TUMOURS-1: {grants: [https://dac.example/17]}}}\n",
    ],
)
def test_tumours_stay_closed_unless_the_settings_open_them(tmp_path, access):
    built = NodeSettings.for_country("FI", "Finland", has_tumours=True)
    text = built.write(tmp_path).read_text()
    text = text[: text.index("access:")] + access
    (tmp_path / "node.yaml").write_text(text)
    found = NodeSettings.read(tmp_path).access.datasets["GDI-FI-TUMOURS-1"]
    assert (found.boolean, found.count, found.record) == ("controlled",) * 3
    assert built.access.datasets["GDI-FI-TUMOURS-1"].boolean == "controlled"


def test_settings_may_open_the_tumours(tmp_path):
    built = NodeSettings.for_country("FI", "Finland", has_tumours=True)
    text = built.write(tmp_path).read_text()
    opened = "access: {datasets: {GDI-FI-TUMOURS-1: {boolean: public, count: public}}}\n"
    (tmp_path / "node.yaml").write_text(text[: text.index("access:")] + opened)
    assert NodeSettings.read(tmp_path).access.datasets["GDI-FI-TUMOURS-1"].count == "public"


def test_the_example_of_the_page_names_every_dataset_and_opens_no_tumours(tmp_path):
    page = Path("docs/how-to/use-a-token.md").read_text()
    (example,) = [one for one in re.findall(r"```yaml\n(.*?)```", page, re.S) if "vetoes" in one]
    built = NodeSettings.for_country("FI", "Finland", has_tumours=True)
    text = built.write(tmp_path).read_text()
    (tmp_path / "node.yaml").write_text(text[: text.index("access:")] + example)
    found = NodeSettings.read(tmp_path)
    assert set(yaml.safe_load(example)["access"]["datasets"]) == set(found.datasets)
    assert found.access.datasets["GDI-FI-TUMOURS-1"] == CLOSED
    (tmp_path / "node.yaml").write_text(text + example)
    with pytest.raises(InputError, match="the key access is given twice, first in line"):
        NodeSettings.read(tmp_path)
