"""The folders of algorithms: what an operator cannot approve."""

import pytest

from rehearsal.errors import InputError
from rehearsal.node.wes.algorithms import read_algorithm

from ...node_algorithms import write_algorithm


@pytest.mark.parametrize("name", ["variables", "date"])
def test_a_format_that_nothing_checks_is_no_schema_of_parameters(tmp_path, name):
    named = {"type": "array", "items": {"anyOf": [{"type": "string", "format": name}]}}
    folder = write_algorithm(tmp_path / "counting", schema={"properties": {"terms": named}})
    said = f"parameters.schema.json: format: expected variable, the only one, found '{name}'"
    with pytest.raises(InputError, match=said):
        read_algorithm(folder)


def test_a_parameter_may_be_called_format(tmp_path):
    properties = {"format": {"type": "string", "format": "variable", "default": {"format": "x"}}}
    folder = write_algorithm(tmp_path / "counting", schema={"properties": properties})
    assert read_algorithm(folder).parameters["properties"] == properties
