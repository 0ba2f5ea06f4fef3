"""The parameter file: every mistake is one line that names the file and the key."""

from pathlib import Path

import pytest
import yaml

from rehearsal.demography.parameters import EuropeParameters, read_parameters
from rehearsal.errors import InputError

SHIPPED = Path(__file__).resolve().parents[3] / "config" / "demography.yaml"


def written(tmp_path: Path, change) -> Path:
    tree = yaml.safe_load(SHIPPED.read_text())
    change(tree)
    path = tmp_path / "demography.yaml"
    path.write_text(yaml.safe_dump(tree))
    return path


def test_shipped_parameters_can_be_read():
    parameters = read_parameters(SHIPPED)
    assert isinstance(parameters, EuropeParameters)
    assert parameters.migration.sea_groups["isles"] == ("GB", "IE")
    assert parameters.admixture.log_odds["YAM"].level != 0


@pytest.mark.parametrize(
    ("change", "key", "expected"),
    [
        (lambda t: t["migration"].pop("rate"), "migration.rate", "expected a value, found nothing"),
        (lambda t: t.pop("growth"), "growth", "expected a value, found nothing"),
        (
            lambda t: t["growth"].update(speed=1),
            "growth.speed",
            "expected one of the keys .*, found 'speed'",
        ),
        (lambda t: t["trunk"].update(ancestral_size=-1), "trunk.ancestral_size", "at least 0"),
        (lambda t: t["trunk"].update(ancestral_size=0), "trunk.ancestral_size", "above 0"),
        (lambda t: t["growth"].update(size="many"), "growth.size", "expected a number"),
        (lambda t: t["growth"].update(size=True), "growth.size", "expected a number"),
        (
            lambda t: t["growth"].update(size=float("nan")),
            "growth.size",
            "expected a finite number",
        ),
        (lambda t: t["growth"].update(start_time=151), "growth.start_time", "admixture.time"),
        (lambda t: t["growth"].update(census_share=2), "growth.census_share", "at most 1"),
        (
            lambda t: t["migration"].update(rate="1e-8"),
            "migration.rate",
            r"expected a number, found \'1e-8\' \(text\); write a point",
        ),
        (lambda t: t["migration"].update(islands=[False]), "migration.islands", 'write "NO"'),
        (lambda t: t["migration"].update(islands="MT"), "migration.islands", "list"),
        (lambda t: t["migration"].update(island_links=1.5), "migration.island_links", "whole"),
        (lambda t: t["founders"]["finland"].update(end_time=70), "founders.finland", "start_time"),
        (lambda t: t["admixture"]["log_odds"].pop("YAM"), "admixture.log_odds", "YAM"),
        (lambda t: t.update(growth=3), "growth", "expected a mapping of keys to values, found 3"),
    ],
)
def test_a_mistake_is_named(tmp_path, change, key, expected):
    path = written(tmp_path, change)
    with pytest.raises(InputError, match=expected) as caught:
        read_parameters(path)
    assert caught.value.key == key
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_number_without_a_dot_is_explained(tmp_path):
    text = SHIPPED.read_text()
    path = tmp_path / "demography.yaml"
    path.write_text(text.replace("threshold: 3.0e-4", "threshold: 3e-4"))
    assert path.read_text() != text
    with pytest.raises(InputError, match=r"migration.threshold: .*1.0e-8"):
        read_parameters(path)


def test_unquoted_norway_is_explained(tmp_path):
    text = SHIPPED.read_text()
    path = tmp_path / "demography.yaml"
    path.write_text(text.replace('"NO"', "NO"))
    assert path.read_text() != text
    with pytest.raises(InputError, match=r"found false; YAML reads an unquoted NO as false, write"):
        read_parameters(path)
    path.write_text(text.replace('"NO"', "3"))
    with pytest.raises(InputError, match=r"expected a country code or a name, found 3$"):
        read_parameters(path)


@pytest.mark.parametrize("text", ["", "- 1\n", "{unclosed", "trunk: \n"])
def test_a_file_that_is_no_table_is_refused(tmp_path, text):
    path = tmp_path / "demography.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"expected|missing"):
        read_parameters(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(
        InputError,
        match=r"nowhere.yaml: file: expected YAML with the parameters, found no such file",
    ):
        read_parameters(tmp_path / "nowhere.yaml")
