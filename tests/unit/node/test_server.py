"""A node's own command line makes the same checks as ``rehearsal node serve``."""

import pytest

from rehearsal.node.server import main


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--port", "65536", "a whole number from 0 to 65535"),
        ("--delay-ms", "-1", "a number of at least 0"),
        ("--bandwidth-mbps", "0", "a number above 0"),
        ("--loss", "1", "a number of at least 0 and below 1"),
    ],
)
def test_invalid_numbers_are_refused_in_one_line(option, value, expected, capfd):
    with pytest.raises(SystemExit) as ended:
        main(["here", f"{option}={value}"])
    assert ended.value.code == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"rehearsal node serve: {option}: expected {expected}, found '{value}'")


def test_a_folder_without_a_node_is_refused_in_one_line(tmp_path, capfd):
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path)])
    assert ended.value.code == 2
    (line,) = capfd.readouterr().err.splitlines()
    expected = "file: expected a node folder with a node.yaml, found no such file"
    assert line == f"{tmp_path / 'node.yaml'}: {expected}"
