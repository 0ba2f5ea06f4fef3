"""Values of the command line, also of a workflow that has this one as a module."""

import pytest

from rehearsal.config.command_line import (
    name_command_line,
    section_of,
    typed_values,
    values_below,
)
from rehearsal.errors import InputError


@pytest.fixture
def workflow():
    """The configuration of a workflow with two modules."""
    return {"a": {"seed": 1, "cohort": {"total": 9}}, "of": {"b": {"seed": 1, "cohort": {}}}}


def test_a_part_of_a_configuration_is_found(workflow):
    assert section_of(workflow["a"], workflow) == ("a",)
    assert section_of(workflow["of"]["b"], workflow) == ("of", "b")
    assert section_of({**workflow["of"]["b"], "seed": 2}, workflow) == ("of", "b")


def test_the_whole_and_another_configuration_have_no_keys_above(workflow):
    assert section_of(workflow, workflow) == ()
    assert section_of({"seed": 1, "cohort": {}}, workflow) == ()


def test_values_of_a_module_get_the_types_of_a_file(workflow):
    given = {"a": {"cohort": {"total": "9"}, "bench": "null"}, "of": "text"}
    config = {"seed": 1, "cohort": {"total": "9"}, "bench": "null"}
    typed = {"seed": 1, "cohort": {"total": 9}, "bench": None}
    assert typed_values(config, values_below(("a",), given)) == typed
    assert typed_values(config, values_below(("of", "b"), given)) == config


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("regionss", "the command line (--config): a.regionss: expected x, found y"),
        ("cohort.total", "{file}: a.cohort.total: expected x, found y"),
    ],
)
@pytest.mark.parametrize("has_sources", [True, False])
def test_errors_of_a_module_name_who_set_the_key_and_where_it_is(tmp_path, key, line, has_sources):
    file = tmp_path / "config.yaml"
    file.write_text("a: {seed: 1, cohort: {total: 9}}\n")
    sources = [file] if has_sources else []
    source = file if has_sources else "config.yaml"
    given = {"a": {"regionss": "4"}}
    with pytest.raises(InputError) as caught, name_command_line(given, sources, ("a",)):
        raise InputError(source, key, "x", "y")
    assert str(caught.value) == line.format(file=source)
