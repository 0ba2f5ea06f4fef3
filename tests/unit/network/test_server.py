"""The network is only served where that is safe."""

import pytest

from rehearsal.errors import InputError
from rehearsal.network.registry import NodeEntry, Registry, write_nodes
from rehearsal.network.server import main, serve
from rehearsal.web.address import ServiceAddress
from rehearsal.web.forwarded import ProxySettings

PUBLIC = ProxySettings(public_url="https://network.example")


@pytest.mark.parametrize(
    "address", [ServiceAddress("0.0.0.0"), ServiceAddress(proxies=PUBLIC)], ids=["host", "proxy"]
)
def test_a_network_with_tokens_of_its_own_is_not_served_to_other_machines(
    tmp_path, monkeypatch, address
):
    monkeypatch.setenv("SE_TOKEN", "secret")
    path = tmp_path / "nodes.yaml"
    write_nodes([NodeEntry("SE", "https://se", "SE_TOKEN")], path)
    with pytest.raises(
        InputError, match=r"SE\.token_variable: expected no token .* this machine only"
    ):
        serve([path], address)
    write_nodes([NodeEntry("SE", "https://se")], path)
    registry = Registry([path], exposed=True)
    write_nodes([NodeEntry("SE", "https://other", "SE_TOKEN")], path)
    assert not registry.refresh()
    assert "token_variable" in registry.fault


@pytest.mark.parametrize("seconds", ["0", "-1", "61", "nan"])
def test_a_deadline_out_of_bounds_is_refused_in_one_line(seconds, tmp_path, capfd):
    with pytest.raises(SystemExit) as ended:
        main(["--nodes", str(tmp_path), f"--deadline-s={seconds}"])
    assert ended.value.code == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("rehearsal network serve: --deadline-s: expected ")
    assert "above 0" in line


@pytest.mark.parametrize("number", ["-1", "65536", "http"])
def test_the_servers_own_command_line_checks_its_port(number, tmp_path, capfd):
    with pytest.raises(SystemExit) as ended:
        main(["--nodes", str(tmp_path), f"--port={number}"])
    assert ended.value.code == 2
    expected = f"--port: expected a whole number from 0 to 65535, found {number!r}"
    assert expected in capfd.readouterr().err
