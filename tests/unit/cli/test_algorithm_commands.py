"""The operator approves algorithms and decides about what is held."""

import time

import pytest

from rehearsal.cli import main
from rehearsal.masked_sums.signing_keys import public_text, read_signing_key
from rehearsal.node.airlock.desk import Desk, Held
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.node.wes.algorithms import algorithm_digest

from ..node_algorithms import write_algorithm


@pytest.fixture
def node(tmp_path):
    NodeSettings.for_country("FI", "Finland").write(tmp_path)
    who = ("counting", "https://issuer.example ann", "DUO:0000006", ("small_count",))
    Desk(tmp_path).hold(Held("run1-result", *who, 12.4, time.time() - 61), b"numbers")
    return tmp_path


def test_what_is_held_is_listed_and_decided(node, capsys):
    main(["node", "airlock", "list", str(node)])
    said = capsys.readouterr().out
    assert said.startswith(
        "run1-result  counting for https://issuer.example ann, DUO:0000006  "
        "a number about fewer people than the smallest count  at most 12 bits, 6"
    )
    assert said.endswith("  waits\n")
    main(["node", "airlock", "release", str(node), "run1-result", "--reason", "synthetic"])
    assert capsys.readouterr().out.startswith("run1-result: release, after 6")
    main(["node", "airlock", "list", str(node)])
    assert capsys.readouterr().out.endswith("  release: synthetic\n")


def test_a_result_that_does_not_wait_is_one_line(node, capsys):
    with pytest.raises(SystemExit):
        main(["node", "airlock", "refuse", str(node), "run2-result", "--reason", "no"])
    assert "NAME: expected a result that waits: run1-result, found 'run2-result'" in (
        capsys.readouterr().err
    )


def test_identity_keys_are_made_once_and_printed_for_others(node, tmp_path, capsys):
    for command, file in (
        (["node", "identity", str(node)], node / "keys/identity.pem"),
        (["network", "identity", str(tmp_path / "network.pem")], tmp_path / "network.pem"),
    ):
        printed = []
        for _ in range(2):
            main(command)
            printed.append(capsys.readouterr().out)
        assert printed == [f"{public_text(read_signing_key(file))}\n"] * 2
    with pytest.raises(SystemExit):
        main(["node", "identity", str(tmp_path / "elsewhere")])
    assert "expected a node folder with a node.yaml" in capsys.readouterr().err


def test_the_digest_of_an_algorithm_covers_every_file(tmp_path, capsys):
    folder = write_algorithm(tmp_path / "counting")
    main(["node", "digest", str(folder)])
    digest = capsys.readouterr().out.strip()
    assert digest == algorithm_digest(folder)
    for path in (*folder.iterdir(), folder / "new.py"):
        before = path.read_bytes() if path.exists() else None
        path.write_bytes((before or b"") + b" ")
        assert algorithm_digest(folder) != digest, path
        path.write_bytes(before) if before is not None else path.unlink()
    assert algorithm_digest(folder) == digest


def test_a_link_is_no_part_of_an_algorithm(tmp_path, capsys):
    folder = write_algorithm(tmp_path / "counting")
    (folder / "data").symlink_to("/etc/passwd")
    with pytest.raises(SystemExit):
        main(["node", "digest", str(folder)])
    assert "expected a plain file or folder, found a link" in capsys.readouterr().err
